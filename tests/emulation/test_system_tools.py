"""Programs of the system: on the PATH, in unpacked packages, or a message that says how to get them."""

import os
from pathlib import Path

import pytest

from glyphlite.emulation.system_tools import find_tool
from glyphlite.errors import ToolError


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_an_installed_program_comes_before_an_unpacked_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    root = tmp_path / "glyphlite" / "debian" / "qemu-system-arm"
    unpacked = program(root / "usr" / "bin", "some-emulator")
    (root / "usr" / "lib" / "x86_64-linux-gnu").mkdir(parents=True)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    found = find_tool("some-emulator", "some-package")
    assert (found.program, found.root) == (unpacked, root)
    assert found.environment == {"LD_LIBRARY_PATH": str(root / "usr" / "lib" / "x86_64-linux-gnu")}
    installed = program(tmp_path / "bin", "some-emulator")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert find_tool("some-emulator", "some-package").program == installed


def test_a_missing_program_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ToolError, match="no some-emulator here; on Debian and Ubuntu: apt install some-package"):
        find_tool("some-emulator", "some-package")
