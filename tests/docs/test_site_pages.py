"""The site's hook: links of the repository become links of the site, pages outside docs/ lie where they are linked."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The hook, with what it needs of MkDocs stood in for: the project's environment does not hold MkDocs."""
    for name in ("mkdocs", "mkdocs.structure"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    files = SimpleNamespace(File=object, Files=object)
    monkeypatch.setitem(sys.modules, "mkdocs.structure.files", files)  # type: ignore[arg-type]
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "tools" / "site_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("markdown", "path", "expected"),
    [
        (
            "[a](../reference/glossary.md#size-and-cost)",
            "docs/explanation/compiler.md",
            "[a](../reference/glossary.md#size-and-cost)",
        ),
        ("[a](docs/index.md)", "README.md", "[a](index.md)"),
        ("[a](../../experiments/README.md)", "docs/explanation/compiler.md", "[a](../experiments/index.md)"),
        ("[a](../README.md)", "docs/index.md", "[a](readme.md)"),
        ("[a `x`](../src/glyphlite/cli.py)", "docs/index.md", "a `x`"),
        ("[a](https://example.org/b.md)", "README.md", "[a](https://example.org/b.md)"),
        ("[a](#here)", "README.md", "[a](#here)"),
        ("![a](docs/pictures/frontier.png)", "README.md", "![a](pictures/frontier.png)"),
        ('<img src="docs/pictures/a.png">', "README.md", '<img src="pictures/a.png">'),
        ("![a](../pictures/a.png)", "docs/how-to/x.md", "![a](../pictures/a.png)"),
    ],
)
def test_links_lead_to_the_same_page_on_the_site(site: ModuleType, markdown: str, path: str, expected: str) -> None:
    assert site.for_site(markdown, path) == expected
