"""Fit of a model on a board: what it takes there, measured on the board's core, against the flash and RAM that it has."""

from dataclasses import dataclass
from typing import Any

from glyphlite.boards import Board
from glyphlite.records import BoardFit, FirmwareReport
from glyphlite.timings import TIMINGS, estimated_cycles

MEASURED = "measured"

TIGHT = 0.9
"""The share of flash or RAM above which little is left for the program around the model."""


@dataclass(frozen=True)
class Taken:
    """The bytes of a board that a model takes, and what each figure is from: measured, or estimated from something."""

    flash_bytes: int
    ram_bytes: int
    flash_basis: str = MEASURED
    ram_basis: str = MEASURED


def fit_of(board: Board, report: FirmwareReport | None, reason: str | None = None) -> BoardFit:
    """Returns a model's fit on a board.

    Args:
        board: the board.
        report: what was measured on its core; None where nothing could be.
        reason: why nothing could be measured.
    """
    if report is None or report.ram_bytes is None:
        return BoardFit(**_known(board), verdict="UNKNOWN", reason=reason or f"nothing here builds for the {board.core}")
    taken = Taken(report.code_bytes + report.constant_bytes, report.ram_bytes)
    timing = TIMINGS.get(board.core)
    estimated = None if timing is None else estimated_cycles(timing, report.instructions, report.instruction_mix)
    basis = None if timing is None else f"estimated: {timing.source}; no wait states"
    cycles = estimated if report.cycles is None else report.cycles
    return fit_of_bytes(board, taken).model_copy(
        update={
            "instructions": report.instructions,
            "cycles": cycles,
            "time_ms": None if cycles is None else cycles / board.mhz / 1000,
            "time_basis": basis if report.cycles is None else MEASURED,
        }
    )


def fit_of_bytes(board: Board, taken: Taken) -> BoardFit:
    """Returns a model's fit on a board of which only flash and RAM are known."""
    share = max(taken.flash_bytes / board.flash_bytes, taken.ram_bytes / board.ram_bytes)
    return BoardFit(
        **_known(board),
        flash_bytes=taken.flash_bytes,
        ram_bytes=taken.ram_bytes,
        flash_left=board.flash_bytes - taken.flash_bytes,
        ram_left=board.ram_bytes - taken.ram_bytes,
        flash_basis=taken.flash_basis,
        ram_basis=taken.ram_basis,
        verdict="DOES NOT FIT" if share > 1 else "TIGHT" if share > TIGHT else "FITS",
    )


def _known(board: Board) -> dict[str, Any]:
    """Returns what the record says of the board itself."""
    return {
        "board": board.name,
        "title": board.title,
        "core": board.core,
        "cpu": board.cpu,
        "mhz": board.mhz,
        "board_flash_bytes": board.flash_bytes,
        "board_ram_bytes": board.ram_bytes,
    }


def fit_words(fit: BoardFit) -> str:
    """Returns a fit as one sentence."""
    if fit.flash_bytes is None or fit.ram_bytes is None or fit.flash_left is None or fit.ram_left is None:
        return f"{fit.title}: {fit.reason}"
    kinds = ((fit.flash_left, "flash"), (fit.ram_left, "RAM"))
    over = [f"{-left:,} bytes of {kind}" for left, kind in kinds if left < 0]
    taken = f"flash {fit.flash_bytes:,} of {fit.board_flash_bytes:,} bytes, RAM {fit.ram_bytes:,} of {fit.board_ram_bytes:,}"
    time = "" if fit.time_ms is None else f"; {time_words(fit)} ({fit.time_basis})"
    return f"{fit.title}: {fit.verdict}{' by ' + ' and '.join(over) if over else ''}; {taken}{time}"


def time_words(fit: BoardFit) -> str:
    """Returns the time of one inference with its unit, marked where it is an estimate."""
    if fit.time_ms is None:
        return "-"
    mark = "" if fit.time_basis == "measured" else "about "
    return f"{mark}{fit.time_ms:.3g} ms at {fit.mhz} MHz"
