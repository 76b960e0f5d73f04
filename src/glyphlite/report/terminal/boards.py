"""Tables of boards: what there is, and what fits."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from glyphlite.boards import Board
from glyphlite.records import BoardFit
from glyphlite.report.terminal.tables import new_table, right_align

_STYLES = {"FITS": "green", "TIGHT": "yellow", "DOES NOT FIT": "red"}
_ESTIMATED = "~"
"""What stands before a figure that is an estimate."""


def boards_table(boards: Sequence[Board]) -> Table:
    """Returns the boards: name, chip, core, clock, flash, RAM and whose toolchain is used."""
    table = new_table("Board", "Name", "Core", "MHz", "Flash", "RAM", "Toolchain")
    right_align(table, 3, 4, 5)
    for board in boards:
        table.add_row(
            *(board.name, f"{board.title}, {board.chip}", board.core, str(board.mhz)),
            *(f"{board.flash_bytes:,}", f"{board.ram_bytes:,}", board.family),
        )
    table.columns[1].no_wrap = False
    return table


def fits_table(fits: Sequence[BoardFit]) -> RenderableType:
    """Returns a model's fit on each board, and why some boards have none."""
    table = new_table("Board", "Core", "Flash", "left", "RAM", "left", "Time, ms", "")
    right_align(table, 2, 3, 4, 5, 6)
    unknown: dict[str, list[str]] = {}
    for fit in fits:
        if fit.flash_left is None or fit.ram_left is None:
            unknown.setdefault(fit.reason or "", []).append(fit.board)
            continue
        flash, ram, time = (_mark(basis) for basis in (fit.flash_basis, fit.ram_basis, fit.time_basis))
        table.add_row(
            *(fit.board, fit.core, f"{flash}{fit.flash_bytes:,}", f"{fit.flash_left:,}", f"{ram}{fit.ram_bytes:,}"),
            *(f"{fit.ram_left:,}", "-" if fit.time_ms is None else f"{time}{fit.time_ms:.3g}"),
            Text(fit.verdict, style=_STYLES[fit.verdict]),
        )
    optimize = fits[0].optimize if fits else None
    words = [
        f"Bytes of the model alone, optimized for {optimize}: code and constants; arena, state, input, output and stack. "
        "Measured on the board's core, but for what has a ~ before it; what your program takes comes on top.",
        *_estimates(fits),
        *(f"Not measurable: {', '.join(names)} ({reason})." for reason, names in unknown.items()),
    ]
    return Group(table, Text(""), *map(Text, words))


def _mark(basis: str | None) -> str:
    return _ESTIMATED if basis is not None and basis.startswith("estimated") else ""


def _estimates(fits: Sequence[BoardFit]) -> list[str]:
    """Returns what the estimates are from, each once, with the boards that it is of."""
    found: dict[str, list[str]] = {}
    for fit in fits:
        for figure, basis in (("flash", fit.flash_basis), ("RAM", fit.ram_basis), ("time", fit.time_basis)):
            if basis is not None and _mark(basis):
                found.setdefault(f"{figure} {basis}", []).append(fit.board)
    if len({fit.core for fit in fits}) <= 1:
        return [f"~ {words[:1].upper()}{words[1:]}." for words in found]
    return [f"~ {words[:1].upper()}{words[1:]} ({', '.join(names)})." for words, names in found.items()]
