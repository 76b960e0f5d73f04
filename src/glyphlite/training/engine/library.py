"""The engine's C, compiled for this very processor the first time it is needed, and kept in the user's cache."""

import ctypes
import functools
import hashlib
import os
import platform
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from glyphlite.console import say
from glyphlite.errors import OutputError, ToolError
from glyphlite.files.scratch import temporary_folder
from glyphlite.files.single import atomic_path, make_folder, user_cache
from glyphlite.host_compiler import Compiler, compile_shared, host_compilers, zig

TENSORFLOW = "tensorflow"
"""The name of the engine that trains what ours does not know."""

_PROGRAMS = ("network.c", "warp.c")
_FLAGS = ("-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-pthread", "-lm")
_ZIG_FLAGS = ("-fno-sanitize=undefined", "-g0")


@functools.cache
def engine_library() -> ctypes.CDLL | None:
    """Returns the compiled engine; None, and says why, where no C compiler builds it."""
    compiler = zig() or next(iter(host_compilers()), None)
    if compiler is None:
        say("no C compiler here, so TensorFlow trains, at about half the speed (pip install ziglang brings one)")
        return None
    try:
        return _load(compiler)
    except (ToolError, OutputError, OSError) as error:
        say(f"TensorFlow trains, at about half the speed: {error}", style="yellow")
        return None


def engine_name() -> str:
    """Returns the compiled engine as a checkpoint names it: weights depend on it in the last bits."""
    library = engine_library()
    return f"glyphlite {_source_hash()[:8]}, {library.network_lanes()} lanes" if library else TENSORFLOW


def _load(compiler: Compiler) -> ctypes.CDLL:
    """Loads what is in the cache, or compiles it; where the cache cannot be written, in a temporary folder.

    Raises:
        ToolError: the compiler fails.
        OSError: what it made cannot be loaded.
    """
    flags = (*_FLAGS, *(_ZIG_FLAGS if compiler.name == "zig" else ()), _instructions(compiler))
    key = "\n".join((_source_hash(), compiler.version(), *flags, _processor()))
    kept = user_cache() / "engine" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.so"
    with suppress(OSError):  # it is not there, or damaged
        return ctypes.CDLL(str(kept))
    try:
        make_folder(kept.parent)
        with atomic_path(kept) as path:
            _compile(compiler, path, flags)
        return ctypes.CDLL(str(kept))
    except OutputError:
        with temporary_folder() as folder:
            return ctypes.CDLL(str(_compile(compiler, folder / "engine.so", flags)))


def _instructions(compiler: Compiler) -> str:
    """Returns the flag for this processor's instructions; AVX2 is the highest where the environment says so to oneDNN."""
    is_avx2 = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() == "AVX2"
    if compiler.name == "zig":
        return f"-mcpu={'x86_64_v3' if is_avx2 else 'native'}"
    return f"-march={'x86-64-v3' if is_avx2 else 'native'}"


def _compile(compiler: Compiler, output: Path, flags: tuple[str, ...]) -> Path:
    with temporary_folder() as folder:
        for name, content in _sources().items():
            (folder / name).write_bytes(content)
        return compile_shared([folder / name for name in _PROGRAMS], output, compiler=compiler, flags=flags)


def _sources() -> dict[str, bytes]:
    """Returns every C file by its name, headers included."""
    found = (files("glyphlite.training.engine") / "c").iterdir()
    return {each.name: each.read_bytes() for each in sorted(found, key=lambda each: each.name)}


@functools.cache
def _source_hash() -> str:
    return hashlib.sha256(b"".join(_sources().values())).hexdigest()


def _processor() -> str:
    """Returns what tells processors apart, as a cache may be shared by several machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))]
    return "\n".join((platform.system(), platform.machine(), platform.processor(), *sorted(set(told))))
