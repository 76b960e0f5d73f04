"""The table of AVR: generated C and CMSIS-NN on an ATmega, and which board each fits."""

from typing import Any

from common.tables import markdown_table
from glyphlite.boards import board_named

_UNO, _MEGA = board_named("arduino-uno"), board_named("arduino-mega")


def avr_table(document: dict[str, Any]) -> str:
    """Returns a row per model and way to build it: cycles, time on an Uno, flash, RAM, and the boards that have room."""
    rows = [
        (
            row["model"],
            f"generated C, `--optimize {row['optimize']}`" if row["optimize"] else "CMSIS-NN, portable C",
            *_figures(row),
        )
        for row in document["rows"]
    ]
    columns = ("Model", "Built from", "Fits", "Cycles", f"ms at {_UNO.mhz} MHz", "Flash, bytes", "RAM, bytes")
    return markdown_table(columns, rows, words=3)


def avr_sentence(document: dict[str, Any]) -> str:
    """Returns the least that generated C of micro-cnn takes, against CMSIS-NN."""
    mine = [row for row in document["rows"] if row["model"] == "micro-cnn" and row["optimize"]]
    [other] = [row for row in document["rows"] if row["model"] == "micro-cnn" and not row["optimize"]]
    fastest = min(mine, key=lambda row: row["cycles"])
    return (
        f"micro-cnn takes {fastest['cycles']:,} cycles ({fastest['cycles'] / _UNO.mhz / 1000:.0f} ms on an Uno), "
        f"{fastest['flash_bytes']:,} bytes of flash and {fastest['ram_bytes']:,} bytes of RAM; "
        f"CMSIS-NN's portable C takes {other['cycles'] / fastest['cycles']:.1f} times the cycles "
        f"and {other['ram_bytes']:,} bytes of RAM."
    )


def _figures(row: dict[str, Any]) -> tuple[str, ...]:
    """Returns the boards and the figures of a row; dashes where its bytes were not TFLite Micro's."""
    if row["cycles"] is None:
        return "other bytes than TFLite Micro's", "-", "-", "-", "-"
    times = f"{row['cycles']:,}", f"{row['cycles'] / _UNO.mhz / 1000:,.0f}"
    return _boards(row), *times, f"{row['flash_bytes']:,}", f"{row['ram_bytes']:,}"


def _boards(row: dict[str, Any]) -> str:
    """Returns the boards that hold a model; of both the smaller one is named."""
    for name, board in (("Uno", _UNO), ("Mega", _MEGA)):
        if row["flash_bytes"] <= board.flash_bytes and row["ram_bytes"] <= board.ram_bytes:
            return name
    return "neither"
