"""Fit of a model on a board: what it takes there, measured on the board's core, against the flash and RAM that it has."""

from glyphlite.boards import Board
from glyphlite.records import BoardFit, FirmwareReport

TIGHT = 0.9
"""The share of flash or RAM above which little is left for the program around the model."""


def fit_of(board: Board, report: FirmwareReport | None, reason: str | None = None) -> BoardFit:
    """Returns a model's fit on a board.

    Args:
        board: the board.
        report: what was measured on its core; None where nothing could be.
        reason: why nothing could be measured.
    """
    known = {
        "board": board.name,
        "title": board.title,
        "core": board.core,
        "cpu": board.cpu,
        "mhz": board.mhz,
        "board_flash_bytes": board.flash_bytes,
        "board_ram_bytes": board.ram_bytes,
    }
    if report is None or report.ram_bytes is None:
        return BoardFit(**known, verdict="UNKNOWN", reason=reason or f"nothing here builds for the {board.core}")
    flash, ram = report.code_bytes + report.constant_bytes, report.ram_bytes
    share = max(flash / board.flash_bytes, ram / board.ram_bytes)
    return BoardFit(
        **known,
        flash_bytes=flash,
        ram_bytes=ram,
        flash_left=board.flash_bytes - flash,
        ram_left=board.ram_bytes - ram,
        instructions=report.instructions,
        verdict="DOES NOT FIT" if share > 1 else "TIGHT" if share > TIGHT else "FITS",
    )


def fit_words(fit: BoardFit) -> str:
    """Returns a fit as one sentence."""
    if fit.flash_bytes is None or fit.ram_bytes is None or fit.flash_left is None or fit.ram_left is None:
        return f"{fit.title}: {fit.reason}"
    kinds = ((fit.flash_left, "flash"), (fit.ram_left, "RAM"))
    over = [f"{-left:,} bytes of {kind}" for left, kind in kinds if left < 0]
    taken = f"flash {fit.flash_bytes:,} of {fit.board_flash_bytes:,} bytes, RAM {fit.ram_bytes:,} of {fit.board_ram_bytes:,}"
    return f"{fit.title}: {fit.verdict}{' by ' + ' and '.join(over) if over else ''}; {taken}"
