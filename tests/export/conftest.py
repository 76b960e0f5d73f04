"""What the page's tests share: the page of the sample model, exported once with one engine and once with both, and a browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browsing import Visit, visit
from support.web_tools import node

from glyphlite.errors import ToolError
from glyphlite.export.web.litertjs import LiteRtJs, obtain_litertjs
from glyphlite.export.web.page import WebExport, export_web


@pytest.fixture(scope="session")
def page(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> WebExport:
    """The page of micro-cnn's int8 file."""
    return export_web(samples / "model_int8.tflite", tmp_path_factory.mktemp("web") / "page")


@pytest.fixture(scope="session")
def litertjs() -> LiteRtJs:
    """LiteRT.js from the user's cache, else fetched with an npm: of the PATH, else beside the node that the tests use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(Path(node()).parent)]))
        try:
            return obtain_litertjs()
        except ToolError as error:
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def both(samples: Path, litertjs: LiteRtJs, tmp_path_factory: pytest.TempPathFactory) -> WebExport:
    """The page of micro-cnn's int8 file with both engines."""
    return export_web(samples / "model_int8.tflite", tmp_path_factory.mktemp("web") / "both", litertjs=litertjs)


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Visit]:
    """The page that a module serves at ``address``, on a desktop; in the end it asked nobody else and complained of nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    visited = visit(context, address)
    yield visited
    assert visited.complaints == []
    assert [url for url in visited.requests if not url.startswith((address, "blob:"))] == []
    context.close()
