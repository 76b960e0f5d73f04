"""C compilers: those of this host, and those that build freestanding images for the cores that we emulate.

``zig cc`` (clang, from the ``ziglang`` wheel) serves both, so that no system package is needed; gcc, clang and
arm-none-eabi-gcc are used where they are installed. Knows C files, flags and targets; nothing of models, and runs nothing
that it built.
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

from glyphlite.cores import CORES, Core
from glyphlite.errors import ToolError, did_you_mean
from glyphlite.files.scratch import system_temporary_folder, temporary_folder
from glyphlite.files.single import make_folder, user_cache

FIRMWARE_EXTRA = "pip install 'glyphlite[firmware]'"
"""What brings the cross-compiler, the emulator and the disassembler."""

FLASH_ORIGIN, FLASH_BYTES = 0x0000_0000, 4 << 20
RAM_ORIGIN, RAM_BYTES = 0x2000_0000, 4 << 20
"""The memory map of every image that we link; small enough for any core, large enough for any model we take."""

# Debug sections and unwinding tables carry nothing that runs; the functions' stack frames (-fstack-size-section) stay readable.
_LINKER_SCRIPT = f"""\
MEMORY
{{
  FLASH (rx)  : ORIGIN = {FLASH_ORIGIN:#010x}, LENGTH = {FLASH_BYTES}
  RAM   (rwx) : ORIGIN = {RAM_ORIGIN:#010x}, LENGTH = {RAM_BYTES}
}}
SECTIONS
{{
  .text {FLASH_ORIGIN + 0x100:#x} : {{ *(.text .text.*) }} > FLASH
  .rodata : {{ *(.rodata .rodata.* .srodata .srodata.*) }} > FLASH
  .data : {{ *(.data .data.* .sdata .sdata.*) }} > RAM AT > FLASH
  .bss (NOLOAD) : {{ *(.bss .bss.* .sbss .sbss.* COMMON) }} > RAM
  .stack_sizes 0 : {{ *(.stack_sizes .stack_sizes.*) }}
  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) *(.eh_frame*) *(.debug*) *(.comment) *(.llvm*) }}
}}
"""

# zig has no C library for freestanding targets, but its runtime library has these four. It also turns builtins off there;
# by their other names a copy of a few bytes is a load and a store again, as in every firmware's build.
_STRING_HEADER = """\
#pragma once
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
#define memcpy(to, from, bytes) __builtin_memcpy(to, from, bytes)
#define memmove(to, from, bytes) __builtin_memmove(to, from, bytes)
#define memset(to, value, bytes) __builtin_memset(to, value, bytes)
"""


@dataclass(frozen=True)
class Target:
    """A core that we build for: what to call it, and how each compiler is told.

    ``dsp``: whether the core has Arm's DSP extension (``__ARM_FEATURE_DSP``).
    """

    name: str
    architecture: str
    zig_flags: tuple[str, ...]
    gnu_program: str | None = None
    gnu_flags: tuple[str, ...] = ()
    dsp: bool = False


def _target_of(core: Core) -> Target:
    zig_flags = ("-target", core.zig_target, f"-mcpu={core.zig_cpu}")
    return Target(core.name, core.architecture, zig_flags, core.gnu_program, core.gnu_flags, core.dsp)


_WASM = Target("wasm32", "wasm", ("-target", "wasm32-freestanding", "-mcpu=generic+bulk_memory"))

TARGETS: Mapping[str, Target] = MappingProxyType({target.name: target for target in (*map(_target_of, CORES), _WASM)})
"""Every core that we build for by its name, and WebAssembly."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler that is here: its short name and the command that starts it."""

    name: str
    command: tuple[str, ...]

    def version(self) -> str:
        """Returns the first line that the compiler prints about itself."""
        return _version(self.command)


def target_named(name: str) -> Target:
    """Returns the target of that name.

    Raises:
        ToolError: there is none; the message lists those there are.
    """
    try:
        return TARGETS[name.replace("_", "-")]
    except KeyError:
        raise ToolError(f"unknown core {name!r}{did_you_mean(name, TARGETS)}; use one of {', '.join(TARGETS)}") from None


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


def cross_compiler(target: Target, name: str | None = None) -> Compiler:
    """Returns one compiler for a target: the named one (``zig`` or the GNU program), or zig where installed, else the GNU one.

    Raises:
        ToolError: it is not installed.
    """
    bundled = zig()
    if bundled and name in (None, "zig"):
        return bundled
    if target.gnu_program and name in (None, target.gnu_program) and (path := shutil.which(target.gnu_program)):
        return Compiler(target.gnu_program, (path,))
    raise ToolError(f"no {name or 'C compiler'} for {target.name} here; {FIRMWARE_EXTRA} brings one")


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
    _build(compiler, ["-std=c99", *flags], sources, output, include, timeout_s, libraries)
    return output


def compile_and_link(
    target: Target,
    sources: Sequence[Path],
    output: Path,
    *,
    keep: Sequence[str],
    optimize: str = "-O3",
    flags: Sequence[str] = (),
    include: Iterable[Path] = (),
    compiler: Compiler | None = None,
    timeout_s: float = 180,
) -> Path:
    """Builds a freestanding image: an ELF with code and constants in flash, variables in RAM, no start-up code.

    Nothing but the functions in ``keep``, and what they need, stays in it; ``memcpy``, ``memmove``, ``memset``, ``memcmp`` (of
    ``<string.h>``) and the 64-bit multiplication of cores without one come from the compiler's own
    runtime library. wasm32 gives a WebAssembly module instead.

    Args:
        target: the core.
        sources: C files.
        output: where the image goes.
        keep: names of the functions that will be called.
        optimize: the optimization level, such as ``-O3`` or ``-Os``.
        flags: further flags of the compiler.
        include: folders with headers.
        compiler: which compiler; None takes :func:`cross_compiler`'s choice.
        timeout_s: the longest it may take; the first build for a core also builds the runtime library.

    Raises:
        ToolError: no compiler, or it refuses the sources (its first error is quoted), or it takes too long.
    """
    compiler = compiler or cross_compiler(target)
    common = ["-std=c99", optimize, "-ffunction-sections", "-fdata-sections", "-fomit-frame-pointer", *flags]
    with temporary_folder() as folder:
        script = folder / "image.ld"
        script.write_text(f"ENTRY({keep[0]})\nEXTERN({' '.join(keep)})\n{_LINKER_SCRIPT}")
        link = ["-nostdlib", "-Wl,--gc-sections"]
        if target.architecture == "wasm":
            link += ["-Wl,--no-entry", *(f"-Wl,--export={name}" for name in keep)]
        else:
            link.append(f"-Wl,-T,{script}")
        if compiler.name == "zig":
            # Without -fno-sanitize zig adds traps; its -g default would fill the image with the runtime library's debug sections.
            own = [*target.zig_flags, "-fno-sanitize=undefined", "-fno-unwind-tables", "-g0", f"-isystem{folder}"]
            own += [] if target.architecture == "wasm" else ["-fstack-size-section"]
            libraries = ["-lcompiler_rt"]
            (folder / "string.h").write_text(_STRING_HEADER)
        else:
            own = [*target.gnu_flags]
            link.append("-static")
            libraries = ["-lc", "-lgcc"]
        _build(compiler, [*own, *common, *link], sources, output, include, timeout_s, libraries)
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


def _build(
    compiler: Compiler,
    flags: Sequence[str],
    sources: Sequence[Path],
    output: Path,
    include: Iterable[Path],
    timeout_s: float,
    libraries: Sequence[str],
) -> None:
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
