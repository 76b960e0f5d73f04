"""The engine's library: compiled once for a processor, and again where what is kept is damaged."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from glyphlite.errors import ToolError
from glyphlite.host_compiler import Compiler, zig
from glyphlite.training.engine import library


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the engine, compiled once for all tests."""
    compiler = zig()
    assert compiler is not None
    return library._compile(compiler, tmp_path_factory.mktemp("engine") / "engine.so", ("-O1", "-fno-sanitize=undefined"))


@pytest.fixture
def load(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Path]]:
    """Returns what loads the engine with a cache of its own, and gives every file that was compiled so far."""
    made: list[Path] = []

    def copy(compiler: Compiler, output: Path, flags: tuple[str, ...]) -> Path:
        del compiler, flags
        made.append(output)
        return Path(shutil.copy(compiled, output))

    monkeypatch.setattr(library, "user_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(library, "_compile", copy)

    def load() -> list[Path]:
        compiler = zig()
        assert compiler is not None
        assert library._load(compiler).network_lanes() in (8, 16)
        return made

    return load


def test_it_is_compiled_once(load: Callable[[], list[Path]]):
    assert len(load()) == 1
    assert len(load()) == 1


def test_a_damaged_file_is_compiled_again(load: Callable[[], list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    load()
    (kept,) = (tmp_path / "cache" / "engine").iterdir()
    damaged = tmp_path / "other" / "engine" / kept.name  # the loader does not read a file again that it has loaded
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"\x7fELF, and nothing more")
    monkeypatch.setattr(library, "user_cache", lambda: tmp_path / "other")
    assert len(load()) == 2
    assert damaged.read_bytes() == kept.read_bytes()


def test_other_instructions_are_another_file(load: Callable[[], list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    load()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    load()
    assert len(list((tmp_path / "cache" / "engine").iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_done_without(load: Callable[[], list[Path]], tmp_path: Path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert len(load()) == 1
    assert (tmp_path / "cache").is_file()


def test_without_a_compiler_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(library, "zig", lambda: None)
    monkeypatch.setattr(library, "host_compilers", tuple)
    assert library.engine_library.__wrapped__() is None
    assert "pip install ziglang" in capsys.readouterr().err


def test_a_compiler_that_fails_leaves_training_to_tensorflow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def fail(compiler: Compiler) -> None:
        raise ToolError(f"{compiler.name} building network.c: exit status 1")

    monkeypatch.setattr(library, "_load", fail)
    assert library.engine_library.__wrapped__() is None
    assert "TensorFlow trains, at about half the speed: zig building network.c" in " ".join(capsys.readouterr().err.split())
