"""The emulator of a core: unicorn's or QEMU's, which count instructions, or simavr's, which counts cycles, too."""

from pathlib import Path

from glyphlite.cores import QEMU_CORES
from glyphlite.emulation.avr import AvrEmulator
from glyphlite.emulation.elf import ElfImage
from glyphlite.emulation.emulator import Emulator
from glyphlite.emulation.qemu import find_qemu, machine_for
from glyphlite.emulation.qemu_core import QemuCore
from glyphlite.emulation.simavr import find_simavr
from glyphlite.emulation.toolchain import Target, cross_compiler

Machine = Emulator | AvrEmulator | QemuCore
"""A core with an image in its memory, ready to be called."""


def machine_of(image: Path | ElfImage, target: Target) -> Machine:
    """Returns a core with an image in its memory.

    Raises:
        ArtifactError: the image is not one, or does not fit.
        ToolError: the emulator is not installed.
    """
    if _is_qemus(target):
        return QemuCore(image, target)
    return AvrEmulator(image, target) if target.architecture == "avr" else Emulator(image, target)


def require_tools(target: Target) -> None:
    """Checks that a core's compiler and emulator are here, before anything long begins.

    Raises:
        ToolError: one is not; the message says what brings it.
    """
    cross_compiler(target)
    if target.architecture == "avr":
        find_simavr()
    elif _is_qemus(target):
        find_qemu(machine_for(target.name))


def _is_qemus(target: Target) -> bool:
    return target.name in [core.name for core in QEMU_CORES]
