"""What many tests share: the true MNIST, loaded once, and a trained micro-cnn in all five variants."""

import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from support.pretrained import ship_sample, use_shipped

from glyphlite.console import quiet_tensorflow
from glyphlite.datasets.dataset import Dataset

if TYPE_CHECKING:
    from playwright.sync_api import Browser

quiet_tensorflow()
# A property holds or not; how long an example takes says how busy the machine is.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")
# What coverage traces in a forked child is lost with it, and tracing makes the compiler take more than twice its time.
os.register_at_fork(after_in_child=lambda: sys.settrace(None))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Starts a worker more than there are processors: tests wait for timeouts, browsers and other processes."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


UNTRACED = ("compiler", "models", "training")
"""Folders whose slow tests coverage does not trace: that would take as long as the tests, for lines that others run as well."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files with slow tests first, that the many short ones fill the processors to the end; says what is not traced."""
    folders = [Path(__file__).parent / name for name in UNTRACED]
    slow = [item for item in items if item.get_closest_marker("slow")]
    for item in slow:
        if any(folder in item.path.parents for folder in folders):
            item.add_marker("no_cover")
    files = {item.path for item in slow}
    items.sort(key=lambda item: item.path not in files)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Ends the tracing that pytest-cov starts in a worker before its own: where that pauses, this one would go on instead."""
    plugin: Any = hasattr(session.config, "workerinput") and session.config.pluginmanager.getplugin("_cov")
    if plugin and plugin.cov_controller:
        plugin.cov_controller.cov.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Traces no fixtures of tests that are not traced: pytest-cov's marker is about the tests alone."""
    plugin: Any = item.get_closest_marker("no_cover") and item.config.pluginmanager.getplugin("_cov")
    controller = plugin and plugin.cov_controller
    if not controller:
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


OF_A_PROCESS = ("TMPDIR", "MPLBACKEND", "MATPLOTLIBRC")
"""What the command line sets for its own process, and for those that it starts."""


@pytest.fixture(autouse=True)
def keep_the_environment() -> Iterator[None]:
    """Puts back after each test what a command that ran in this process has set: a folder that goes, figures on no screen."""
    folder, variables = tempfile.tempdir, {name: os.environ.get(name) for name in OF_A_PROCESS}
    hook = sys.unraisablehook
    yield
    tempfile.tempdir, sys.unraisablehook = folder, hook
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """The true MNIST through glyphlite's own sources (the user's cache after the first time)."""
    from glyphlite.datasets.registry import load_dataset

    return load_dataset("mnist")


@pytest.fixture(scope="session")
def samples() -> Path:
    """A trained micro-cnn: model.keras and model_{float32,float16,dynamic,int8,int16x8}.tflite, batch 1."""
    return Path(__file__).parent / "samples" / "micro-cnn"


@pytest.fixture(scope="session")
def tiny_shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Untrained int8 files of MLPerf Tiny's shapes, by the benchmark's names: kws, ic, vww, ad, sww."""
    pytest.importorskip("tensorflow")
    from support.tiny_shapes import SHAPES, tiny_file

    folder = tmp_path_factory.mktemp("tiny_shapes")
    for name in SHAPES:
        (folder / f"{name}.tflite").write_bytes(tiny_file(name))
    return {name: folder / f"{name}.tflite" for name in SHAPES}


@pytest.fixture
def shipped(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that ships micro-cnn (seeds 0 and 3, 3 chosen) and edge-cnn (more weights, no better), both the sample."""
    root = tmp_path / "pretrained"
    ship_sample(root, samples, "micro-cnn", {0: 0.98, 3: 0.985}, chosen=3)
    ship_sample(root, samples, "edge-cnn", {1: 0.98}, chosen=1, weight_bytes=30_000)
    use_shipped(root, monkeypatch)
    return root


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A Chromium, started once per module; where there is none, its tests are skipped with the reason."""
    from support.chromium import NoChromiumError, find_chromium, launched

    try:
        chromium = find_chromium()
    except NoChromiumError as error:
        pytest.skip(str(error))
    with launched(chromium) as browser:
        yield browser
