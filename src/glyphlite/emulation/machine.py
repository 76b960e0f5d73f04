"""The emulator of a core: unicorn's or QEMU's, which count instructions, or simavr's, which counts cycles, too."""

from pathlib import Path

from glyphlite.cores import QEMU_CORES
from glyphlite.emulation.avr import AvrEmulator
from glyphlite.emulation.elf import ElfImage
from glyphlite.emulation.emulator import Emulator
from glyphlite.emulation.qemu_core import QemuCore
from glyphlite.emulation.toolchain import Target

Machine = Emulator | AvrEmulator | QemuCore
"""A core with an image in its memory, ready to be called."""


def machine_of(image: Path | ElfImage, target: Target) -> Machine:
    """Returns a core with an image in its memory.

    Raises:
        ArtifactError: the image is not one, or does not fit.
        ToolError: the emulator is not installed.
    """
    if target.name in [core.name for core in QEMU_CORES]:
        return QemuCore(image, target)
    return AvrEmulator(image, target) if target.architecture == "avr" else Emulator(image, target)
