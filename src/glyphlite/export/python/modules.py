"""Copies of glyphlite's own modules for programs that run without glyphlite: some modules with all that they import of it.

The copies lie side by side in one package; only their imports differ from the originals. Knows source text alone.
"""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

from glyphlite import __version__

_IMPORT = re.compile(r"^(\s*from )glyphlite\.(?:\w+\.)*(\w+)( import )", re.MULTILINE)


def copied_modules(roots: tuple[str, ...], package: str) -> dict[str, str]:
    """Returns modules and all that they import of glyphlite, as the files of one package.

    Args:
        roots: full names of modules.
        package: the name that the copies' package will have.

    Returns:
        Source text by file name, in the order in which the modules were found.

    Raises:
        ValueError: two modules have the same last name, or one imports a package of glyphlite and not a module.
    """
    found: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found[name] = _source_of(name)
        waiting += _imports_of(found[name])
    files = {f"{_last(name)}.py": _copied(name, text, package) for name, text in found.items()}
    if len(files) < len(found):
        raise ValueError(f"two of these modules have the same last name: {', '.join(sorted(found))}")
    return files


def _source_of(name: str) -> str:
    """Returns the text of a module.

    Raises:
        ValueError: it is none.
    """
    spec = find_spec(name)
    if spec is None or spec.origin is None or spec.submodule_search_locations is not None:
        raise ValueError(f"{name} is no module that can be copied")
    return Path(spec.origin).read_text(encoding="utf-8")


def _imports_of(text: str) -> list[str]:
    """Returns the modules of glyphlite that a module imports from."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    return [node.module for node in nodes if node.module and node.module.split(".")[0] == "glyphlite"]


def _copied(name: str, text: str, package: str) -> str:
    """Returns the text of a copy: its imports name the copies, and a line on top says where it comes from."""
    origin = f"# {name} of glyphlite {__version__} (Apache-2.0), copied by `glyphlite export --for python`.\n"
    return origin + _IMPORT.sub(rf"\1{package}.\2\3", text)


def _last(name: str) -> str:
    return name.rpartition(".")[2]
