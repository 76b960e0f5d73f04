"""LiteRT.js is fetched once with npm, taken only when it is the very tarball, and every failure is one line."""

import base64
import hashlib
import os
import re
import stat
from pathlib import Path

import pytest

from glyphlite.errors import ToolError
from glyphlite.export.web import litertjs as module
from glyphlite.export.web.litertjs import (
    CORE,
    INTEGRITY,
    LICENSE,
    SCRIPT,
    TARBALL,
    WASM,
    LiteRtJs,
    cached_tarball,
    obtain_litertjs,
)


@pytest.fixture(scope="session")
def tarball(litertjs: LiteRtJs) -> Path:
    """The real one, in the user's own cache."""
    del litertjs
    return cached_tarball()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a PATH that is one empty folder, which is returned."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(programs))
    return programs


def npm(folder: Path, script: str) -> None:
    """Put an npm there that is this shell script."""
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_what_a_page_gets(litertjs: LiteRtJs) -> None:
    assert set(litertjs.files) == {CORE, SCRIPT, WASM, LICENSE}
    core = litertjs.files[CORE].decode()
    assert core.startswith("/* @litertjs/core 2.5.3, Apache License 2.0 (see litert-license.txt); changed by glyphlite")
    assert set(re.findall(r'^import .* from "([^"]+)";', core, re.MULTILINE)) == {"./litert-loader.js"}
    assert "Environment.create({ webGpuDevice: null })" in core
    assert "sourceMappingURL" not in core
    assert litertjs.files[WASM][:4] == b"\0asm"
    assert b"Apache License" in litertjs.files[LICENSE]
    assert litertjs.bytes == sum(map(len, litertjs.files.values())) - len(litertjs.files[LICENSE])
    scripts = core + litertjs.files[SCRIPT].decode()
    assert "unsafe-eval" not in scripts
    assert not re.search(r"\bnew Function\b|(?<![\w.])eval\(", scripts), "the page's policy would refuse it"


def test_the_first_time_through_npm_then_from_the_cache(litertjs: LiteRtJs, tarball: Path, alone: Path) -> None:
    """With an npm that hands out what the user's cache holds."""
    npm(alone, f'echo "$@" > {alone}/arguments; cp "{tarball}" {TARBALL}; echo {TARBALL}')
    first = obtain_litertjs()
    assert first.files == litertjs.files
    assert first.source.startswith("npm (")
    assert "pack @litertjs/core@2.5.3 --pack-destination=. --ignore-scripts" in (alone / "arguments").read_text()
    (alone / "npm").unlink()
    second = obtain_litertjs()
    assert second.files == litertjs.files
    assert second.source == f"your cache ({cached_tarball()})"
    cached_tarball().write_bytes(cached_tarball().read_bytes()[:-1])
    with pytest.raises(ToolError, match="not installed"):
        obtain_litertjs()


def test_without_npm(alone: Path) -> None:
    del alone
    with pytest.raises(ToolError) as refusal:
        obtain_litertjs()
    assert "npm, which is not installed: install Node.js" in str(refusal.value)
    assert str(cached_tarball().parent) in str(refusal.value)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'npm error code ENOTFOUND' >&2; echo 'npm error syscall getaddrinfo' >&2; exit 1", "npm says ENOTFOUND"),
        ("echo 'npm ERR! code E404' >&2; exit 1", "npm says E404"),
        ("exit 7", "npm says exit code 7"),
        ("exit 0", "npm pack left no litertjs-core-2.5.3.tgz"),
        (f"echo something else > {TARBALL}", r"refused: npm fetched a \S+ of sha512-\S+, expected sha512-PlGmb"),
    ],
)
def test_an_npm_that_fails(alone: Path, script: str, words: str) -> None:
    npm(alone, script)
    with pytest.raises(ToolError, match=words) as refusal:
        obtain_litertjs()
    assert "\n" not in str(refusal.value)
    assert not cached_tarball().exists()


def test_an_npm_that_hangs_or_does_not_start(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NPM_SECONDS", 0.2)
    npm(alone, "exec sleep 30")
    with pytest.raises(ToolError, match=r"did not finish within 0\.2 s"):
        obtain_litertjs()
    (alone / "npm").write_bytes(b"\x7fELF nothing")
    with pytest.raises(ToolError, match="does not start"):
        obtain_litertjs()


def test_a_cache_that_cannot_be_written(
    litertjs: LiteRtJs, tarball: Path, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (alone.parent / "cache").write_text("a file where the folder should be")
    npm(alone, f'cp "{tarball}" {TARBALL}')
    assert obtain_litertjs().files == litertjs.files
    assert "LiteRT.js is not cached for the next time" in capsys.readouterr().err


def test_the_integrity_is_a_sha512() -> None:
    kind, _, digest = INTEGRITY.partition("-")
    assert (kind, len(base64.b64decode(digest))) == ("sha512", hashlib.sha512().digest_size)
    assert os.sep not in TARBALL
