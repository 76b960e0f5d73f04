"""Fit of a model on boards with a Xtensa core: no emulator here has one, and of the compilers only the ESP8266's can be had.

What is not measured is taken from the nearest core that is, and says so.
"""

from dataclasses import dataclass
from pathlib import Path

from glyphlite.boards import Board
from glyphlite.emulation.elf import Footprint
from glyphlite.emulation.toolchain import XTENSA
from glyphlite.errors import ToolError
from glyphlite.pipeline.boards.code_size import code_size
from glyphlite.pipeline.boards.fit import MEASURED, Taken, fit_of_bytes
from glyphlite.records import BoardFit, FirmwareReport

PACKAGES = "gcc-xtensa-lx106 picolibc-xtensa-lx106-elf"
STACK_CORE = "rv32imc"
"""The core whose stack, and where there is no compiler whose code, stands for theirs: 32 registers, no DSP instructions."""


@dataclass(frozen=True)
class XtensaSizes:
    """The bytes of a model on Xtensa cores as far as they are known: on the ESP8266, or why not; and what the RV32IMC takes."""

    built: Footprint | None
    reason: str | None
    stand_in: FirmwareReport


def is_xtensa(board: Board) -> bool:
    """Returns whether a board's core is one of Cadence's."""
    return board.core.startswith("Xtensa")


def xtensa_sizes(artifact: Path, stand_in: FirmwareReport, *, optimize: str) -> XtensaSizes:
    """Returns what a model takes, compiled for the ESP8266 where its compiler is here.

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
    """
    try:
        return XtensaSizes(code_size(artifact, XTENSA, PACKAGES, optimize=optimize), None, stand_in)
    except ToolError as error:
        return XtensaSizes(None, str(error), stand_in)


def xtensa_fit(board: Board, sizes: XtensaSizes) -> BoardFit:
    """Returns a model's fit on a board with a Xtensa core, each figure with what it is from."""
    other = sizes.stand_in
    code, constants = other.code_bytes, other.constant_bytes
    flash_basis = f"estimated: the code of the RV32IMC; {sizes.reason}"
    if sizes.built is not None:
        code, constants = sizes.built.code_bytes, sizes.built.constant_bytes
        same = board.core == "Xtensa L106"
        flash_basis = MEASURED if same else "estimated: the code of the Xtensa L106, by xtensa-lx106-elf-gcc"
    ram = other.ram_bytes or 0
    ram_basis = "estimated: the stack of the RV32IMC"
    if board.constants_in_ram:
        ram += constants
        ram_basis += ", and the constants, which lie in RAM there"
    return fit_of_bytes(board, Taken(code + constants, ram, flash_basis, ram_basis)).model_copy(
        update={"reason": "no time: nothing here counts instructions of a Xtensa core"}
    )
