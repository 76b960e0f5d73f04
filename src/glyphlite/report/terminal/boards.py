"""Tables of boards: what there is, and what fits."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from glyphlite.boards import Board
from glyphlite.records import BoardFit
from glyphlite.report.terminal.tables import new_table, right_align

_STYLES = {"FITS": "green", "TIGHT": "yellow", "DOES NOT FIT": "red"}


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
    table = new_table("Board", "Core", "Flash", "left", "RAM", "left", "")
    right_align(table, 2, 3, 4, 5)
    unknown: dict[str, list[str]] = {}
    for fit in fits:
        if fit.flash_left is None or fit.ram_left is None:
            unknown.setdefault(fit.reason or "", []).append(fit.board)
            continue
        table.add_row(
            *(fit.board, fit.core, f"{fit.flash_bytes:,}", f"{fit.flash_left:,}", f"{fit.ram_bytes:,}", f"{fit.ram_left:,}"),
            Text(fit.verdict, style=_STYLES[fit.verdict]),
        )
    optimize = fits[0].optimize if fits else None
    words = [
        f"Bytes of the model alone, optimized for {optimize}: code and constants; arena, state, input, output and stack. "
        "Measured on the board's core; what your program takes comes on top.",
        *(f"Not measured: {', '.join(names)} ({reason})." for reason, names in unknown.items()),
    ]
    return Group(table, Text(""), *map(Text, words))
