"""Cross-compilers: those that build freestanding images for the cores that we emulate.

``zig cc`` (clang, from the ``ziglang`` wheel) serves all of them, so that no system package is needed; arm-none-eabi-gcc is used
where it is asked for. Knows C files, flags and targets; nothing of models, and runs nothing that it built.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from glyphlite.cores import SIMULATED_CORES, Core
from glyphlite.emulation.system_tools import find_tool
from glyphlite.errors import ToolError, did_you_mean
from glyphlite.files.scratch import temporary_folder
from glyphlite.host_compiler import (
    FIRMWARE_EXTRA,
    Compiler,
    build,
    compile_program,
    compile_shared,
    host_compiler,
    host_compilers,
    run_tool,
    zig,
)

__all__ = [
    "FIRMWARE_EXTRA",
    "TARGETS",
    "Compiler",
    "Target",
    "compile_and_link",
    "compile_program",
    "compile_shared",
    "cross_compiler",
    "host_compiler",
    "host_compilers",
    "run_tool",
    "target_named",
    "zig",
]

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
  .text {FLASH_ORIGIN + 0x100:#x} : {{ *(.literal .literal.*) *(.text .text.*) }} > FLASH
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

    ``dsp``: whether the core has Arm's DSP extension (``__ARM_FEATURE_DSP``); ``argument_registers``, ``optimize``
    and ``packages`` as of the core.
    """

    name: str
    architecture: str
    zig_flags: tuple[str, ...]
    gnu_program: str | None = None
    gnu_flags: tuple[str, ...] = ()
    dsp: bool = False
    argument_registers: int = 4
    optimize: str = "-O2"
    packages: str = ""


def _target_of(core: Core) -> Target:
    return Target(
        name=core.name,
        architecture=core.architecture,
        zig_flags=("-target", core.zig_target, f"-mcpu={core.zig_cpu}") if core.zig_target else (),
        gnu_program=core.gnu_program,
        gnu_flags=core.gnu_flags,
        dsp=core.dsp,
        argument_registers=core.argument_registers,
        optimize=core.optimize,
        packages=core.packages,
    )


_ESP8266_ROM = {
    "__muldi3": 0x4000_0650,
    "__divdi3": 0x4000_CE60,
    "__udivdi3": 0x4000_D310,
    "__umoddi3": 0x4000_D770,
    "__umulsidi3": 0x4000_DCF0,
    "__divsi3": 0x4000_DC88,
    "__udivsi3": 0x4000_E21C,
    "__umodsi3": 0x4000_E268,
}
"""Arithmetic that the ESP8266 has in its ROM, so that its compiler's library leaves it out (eagle.rom.addr.v6.ld)."""

XTENSA = Target(
    *("xtensa-lx106", "xtensa", (), "xtensa-lx106-elf-gcc"),
    # -mlongcalls, as every build for it: the ROM is out of a plain call's reach.
    ("-mlongcalls", *(f"-Wl,--defsym={name}={address:#x}" for name, address in _ESP8266_ROM.items())),
)
"""The ESP8266's core: built for, to know what a model takes there; nothing here runs it."""

_WASM = Target("wasm32", "wasm", ("-target", "wasm32-freestanding", "-mcpu=generic+bulk_memory"))

TARGETS: Mapping[str, Target] = MappingProxyType({target.name: target for target in (*map(_target_of, SIMULATED_CORES), _WASM)})
"""Every core that we build for by its name, and WebAssembly."""


def target_named(name: str) -> Target:
    """Returns the target of that name.

    Raises:
        ToolError: there is none; the message lists those there are.
    """
    try:
        return TARGETS[name.replace("_", "-")]
    except KeyError:
        raise ToolError(f"unknown core {name!r}{did_you_mean(name, TARGETS)}; use one of {', '.join(TARGETS)}") from None


def cross_compiler(target: Target, name: str | None = None) -> Compiler:
    """Returns one compiler for a target: the named one (``zig`` or the GNU program), or zig where installed, else the GNU one.

    Raises:
        ToolError: it is not installed.
    """
    if target.packages and target.gnu_program:
        return system_compiler(target.gnu_program, target.packages)
    bundled = zig()
    if bundled and name in (None, "zig"):
        return bundled
    if target.gnu_program and name in (None, target.gnu_program) and (path := shutil.which(target.gnu_program)):
        return Compiler(target.gnu_program, (path,))
    raise ToolError(f"no {name or 'C compiler'} for {target.name} here; {FIRMWARE_EXTRA} brings one")


def system_compiler(program: str, packages: str) -> Compiler:
    """Returns a compiler out of the system's packages.

    Raises:
        ToolError: it is not installed; the message names the packages.
    """
    tool = find_tool(program, packages)
    environment = ("env", *(f"{name}={value}" for name, value in tool.environment.items())) if tool.environment else ()
    return Compiler(program, (*environment, str(tool.program)))


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
    if target.architecture == "avr":
        # Its own linker script puts constants in flash; the address space of these is GNU C.
        own = ["-std=gnu99", *target.gnu_flags, optimize, "-ffunction-sections", "-fdata-sections", *flags]
        link = ["-nostartfiles", "-Wl,--gc-sections", f"-Wl,-e,{keep[0]}", *(f"-Wl,-u,{name}" for name in keep)]
        build(compiler, [*own, *link], sources, output, include, timeout_s, ())
        return output
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
        build(compiler, [*own, *common, *link], sources, output, include, timeout_s, libraries)
    return output
