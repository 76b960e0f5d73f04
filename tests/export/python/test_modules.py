"""Copies of modules: complete, with no import of glyphlite left."""

import ast

import pytest

from glyphlite.export.python.modules import copied_modules


def test_copies_bring_all_that_they_import() -> None:
    files = copied_modules(("glyphlite.preprocessing.images",), "reader")
    assert {"images.py", "ink.py", "rules.py", "errors.py", "untrusted.py"} <= set(files)
    for text in files.values():
        names = [node.module or "" for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
        assert not [name for name in names if name.startswith("glyphlite")]
        assert {f"{name.removeprefix('reader.')}.py" for name in names if name.startswith("reader.")} <= set(files)


def test_packages_and_equal_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"glyphlite\.preprocessing is no module"):
        copied_modules(("glyphlite.preprocessing",), "reader")
    with pytest.raises(ValueError, match="the same last name"):
        copied_modules(("glyphlite.compiler.codegen.c_names", "glyphlite.export.c_names"), "reader")
