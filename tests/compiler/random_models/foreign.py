"""Generated C for processors that this host does not have: built by zig, run under QEMU's emulation of them.

UndefinedBehaviorSanitizer is on, as traps; the address sanitizer has no library there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from support.debian import NoPackagesError, debian_tool

from glyphlite.emulation.toolchain import Compiler, zig


@dataclass(frozen=True)
class Processor:
    """A processor: how zig is told to build for it, and how QEMU to emulate it."""

    target: str
    cpu: str
    emulator: str
    model: str


PROCESSORS: Mapping[str, Processor] = {
    "neon": Processor("aarch64-linux-musl", "generic", "qemu-aarch64", "cortex-a72"),
    "neon_dot": Processor("aarch64-linux-musl", "generic+dotprod", "qemu-aarch64", "max"),
    "neon_i8mm": Processor("aarch64-linux-musl", "generic+dotprod+i8mm", "qemu-aarch64", "max"),
}
"""By the path of generated C that each takes: a Raspberry Pi 4, a Raspberry Pi 5, newer ones."""


@dataclass(frozen=True)
class Foreign:
    """A processor that can be built for and run here."""

    compiler: Compiler
    flags: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]


def foreign(path: str) -> Foreign:
    """Returns what builds and runs programs of a path.

    Raises:
        NoPackagesError: zig or QEMU is not here and cannot be fetched.
    """
    processor, compiler = PROCESSORS[path], zig()
    if compiler is None:
        raise NoPackagesError("no zig here: pip install ziglang")
    emulator = debian_tool(processor.emulator, "qemu-user")
    flags = ("-O1", "-w", "-static", "-fsanitize=undefined", "-fsanitize-trap=undefined")
    target = ("-target", processor.target, f"-mcpu={processor.cpu}")
    return Foreign(compiler, (*flags, *target), (str(emulator.program), "-cpu", processor.model), emulator.environment)
