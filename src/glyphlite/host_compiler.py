"""C compilers of this host, and how they are run: what they build, their words when they fail, how long they may take.

gcc and clang where they are installed, else ``zig cc`` (clang, from the ``ziglang`` wheel), so that no system package is needed.
Knows C files and flags; nothing of other targets than this host.
"""

import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from glyphlite.errors import ToolError
from glyphlite.files.scratch import system_temporary_folder
from glyphlite.files.single import make_folder, user_cache

FIRMWARE_EXTRA = "pip install 'glyphlite[firmware]'"
"""What brings the cross-compiler, the emulator and the disassembler."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler that is here: its short name and the command that starts it."""

    name: str
    command: tuple[str, ...]

    def version(self) -> str:
        """Returns the first line that the compiler prints about itself."""
        return _version(self.command)


def zig() -> Compiler | None:
    """Returns ``zig cc`` of the ``ziglang`` wheel, or None when the wheel is not installed."""
    if importlib.util.find_spec("ziglang") is None:
        return None
    return Compiler("zig", (sys.executable, "-m", "ziglang", "cc"))


def host_compilers() -> tuple[Compiler, ...]:
    """Returns the compilers that build for this host, the preferred one first: gcc, clang, zig."""
    found = [Compiler(name, (path,)) for name in ("gcc", "clang") if (path := shutil.which(name))]
    bundled = zig()
    return (*found, bundled) if bundled else tuple(found)


def host_compiler(name: str | None = None) -> Compiler:
    """Returns one compiler for this host: the named one, or the preferred one.

    Raises:
        ToolError: it is not installed.
    """
    for compiler in host_compilers():
        if name in (None, compiler.name):
            return compiler
    raise ToolError(f"no {name or 'C compiler'} here; install gcc, or: {FIRMWARE_EXTRA}")


def compile_shared(
    sources: Sequence[Path],
    output: Path,
    *,
    compiler: Compiler | None = None,
    flags: Sequence[str] = ("-O2",),
    include: Iterable[Path] = (),
    timeout_s: float = 120,
) -> Path:
    """Builds a shared library for this host, to be loaded with ctypes.

    Raises:
        ToolError: no compiler, or it refuses the sources (its first error is quoted), or it takes too long.
    """
    return compile_program(
        sources, output, compiler=compiler, flags=("-shared", "-fPIC", *flags), include=include, timeout_s=timeout_s
    )


def compile_program(
    sources: Sequence[Path],
    output: Path,
    *,
    compiler: Compiler | None = None,
    flags: Sequence[str] = ("-O2",),
    include: Iterable[Path] = (),
    timeout_s: float = 120,
) -> Path:
    """Builds an executable for this host. Raises ToolError as :func:`compile_shared` does."""
    compiler = compiler or host_compiler()
    libraries = [flag for flag in flags if flag.startswith("-l")]
    build(compiler, ["-std=c99", *flags], sources, output, include, timeout_s, libraries)
    return output


def run_tool(
    command: Sequence[str | Path], *, what: str, timeout_s: float, environment: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Runs a program to its end in a process group of its own, and returns what it printed.

    Args:
        command: the program and its arguments.
        what: what it does, for messages: "gcc building net.c".
        timeout_s: after this it is killed with all that it started.
        environment: what it gets beside this process's own environment.

    Raises:
        ToolError: it is missing, fails (its first error line is quoted) or takes too long.
    """
    whole = {**os.environ, **_zig_caches(), "LC_ALL": "C", **environment}
    try:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=whole,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{what}: cannot start {command[0]}: {error.strerror}") from None
    try:
        output, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{what}: no end after {timeout_s:g} s; stopped it") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        raise ToolError(f"{what}: exit status {process.returncode}: {_first_error(errors or output)}")
    return output


def build(
    compiler: Compiler,
    flags: Sequence[str],
    sources: Sequence[Path],
    output: Path,
    include: Iterable[Path],
    timeout_s: float,
    libraries: Sequence[str],
) -> None:
    """Runs a compiler on C files. Raises ToolError as :func:`run_tool` does.

    Args:
        compiler: which.
        flags: what stands before the files.
        sources: the files.
        output: what is built; its folder is made.
        include: folders with headers.
        timeout_s: the longest it may take.
        libraries: what stands behind the files.
    """
    make_folder(output.parent)
    folders = [f"-I{folder}" for folder in include]
    command = [*compiler.command, *flags, *folders, *(str(source) for source in sources), "-o", str(output)]
    command += libraries  # which must follow the objects that need them
    names = ", ".join(source.name for source in sources[:3]) + (", ..." if len(sources) > 3 else "")
    run_tool(command, what=f"{compiler.name} building {names}", timeout_s=timeout_s)


def _first_error(text: str) -> str:
    """Returns the line of a compiler's words that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\berror\b|undefined (symbol|reference)|cannot find", line, re.IGNORECASE)]
    telling.sort(key=lambda line: line.startswith("collect2"))  # gcc's word for "the linker has just said it"
    return (telling or lines or ["it printed nothing"])[0][:400]


@functools.cache
def _version(command: tuple[str, ...]) -> str:
    return run_tool([*command, "--version"], what=f"{command[0]} --version", timeout_s=60).splitlines()[0].strip()


@functools.cache
def _zig_caches() -> dict[str, str]:
    """Returns where zig keeps what it built: the user's cache folder, or a folder beside temporary files where there is no
    such.
    """
    base = user_cache() / "zig"
    try:
        base.mkdir(parents=True, exist_ok=True)
        writable = os.access(base, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        base = system_temporary_folder() / f"glyphlite-zig-{os.getuid()}"
    chosen = {"ZIG_GLOBAL_CACHE_DIR": str(base), "ZIG_LOCAL_CACHE_DIR": str(base)}
    return {name: os.environ.get(name, folder) for name, folder in chosen.items()}
