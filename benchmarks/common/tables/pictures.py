"""Tables of pictures that are not MNIST's: what each step of the preprocessing brings, and what is rejected."""

from typing import Any

from common.tables import markdown_table, percent
from glyphlite.boards import board_named
from glyphlite.cores import core_title

_PIXELS = 28 * 28

OUTCOMES = ("right and believed", "right and doubted", "wrong and doubted", "wrong and believed")
OUTCOME_TITLES = ("right, accepted", "right, rejected", "wrong, rejected", "wrong, accepted")


def sheets_table(counts: dict[str, dict[str, Any]]) -> str:
    """Returns the outcomes per kind of sheet, shares in percent."""
    rows = []
    for name, row in counts.items():
        shares = [percent(row[outcome] / row["pictures"], 1) for outcome in OUTCOMES]
        rows.append((name, str(row["pictures"]), *shares))
    return markdown_table(("Pictures of a digit on", "Number", *OUTCOME_TITLES), rows)


def steps_table(document: dict[str, Any]) -> str:
    """Returns the accuracy on each set of pictures with each step of the preprocessing and all steps before it."""
    accuracy = document["accuracy"]
    steps = next(iter(accuracy.values()))
    rows = [(step, *(percent(found[step]) for found in accuracy.values())) for step in steps]
    return markdown_table(("Preprocessing", *accuracy), rows)


def rejected_table(document: dict[str, Any]) -> str:
    """Returns which share of each set of pictures is rejected, and the accuracy of the rest."""
    rows = []
    for name, row in document["refused"].items():
        right = percent(row["rest right"], 1) if "rest right" in row else ""
        shares = (row["preprocessing"], row["in all"], 1 - row["in all"])
        rows.append((name, f"{row['pictures']:,}", *(percent(share, 1) for share in shares), right))
    columns = ("Pictures of", "Number", "Rejected by the preprocessing", "Rejected in all", "Accepted", "Accuracy of these")
    return markdown_table(columns, rows)


def threshold_sentence(document: dict[str, Any]) -> str:
    """Returns the temperature and the rejection threshold that the rejected share was measured with."""
    known = document["certainty"]
    return (
        f"With temperature {known['temperature']:.2f} and rejection threshold {known['least_certainty']:.3f}, both fitted on "
        f"MNIST's {known['images']:,} validation images:"
    )


def device_costs_table(document: dict[str, Any]) -> str:
    """Returns what the preparation of a picture takes on each core."""
    rows = []
    for row in document["costs"]:
        memory = row["picture_bytes"] + row["work_bytes"] + row["stack_bytes"]
        figures = (row["code_bytes"], row["picture_bytes"], row["work_bytes"], row["stack_bytes"], memory)
        name = f"{row['kind']} of {row['width']}x{row['height']}"
        rows.append((name, core_title(row["cpu"]), f"{row['instructions']:,}", *(f"{each:,}" for each in figures)))
    columns = ("Picture", "Core", "Instructions", "Code, bytes", "Picture, bytes", "Working memory", "Stack", "RAM in all")
    return markdown_table(columns, rows)


def device_alike_table(document: dict[str, Any]) -> str:
    """Returns how far the device's pixels and classes are predict's."""
    keys = ("pictures", "apart", "compared", "identical", "other verdict", "other class")
    rows = [(name, *(f"{row[key]:,}" for key in keys)) for name, row in document["alike"].items()]
    columns = ("Pictures", "Number", "Sheet or lines", "Compared", "Identical pixels", "Other verdict", "Other class")
    return markdown_table(columns, rows)


def device_sheets_table(document: dict[str, Any]) -> str:
    """Returns what the device makes of digits on sheets, which it does not look for."""
    return sheets_table(document["sheets"])


def device_uno_sentence(document: dict[str, Any]) -> str:
    """Returns what of a picture's preparation fits an Arduino Uno, and by how much the rest does not."""
    uno = board_named("arduino-uno")
    rows = {row["kind"]: row for row in document["costs"] if row["cpu"] == "avr"}
    ram = {kind: row["picture_bytes"] + row["work_bytes"] + row["stack_bytes"] + _PIXELS for kind, row in rows.items()}
    canvas, strokes = (rows[kind]["code_bytes"] for kind in ("canvas", "strokes"))
    left = uno.flash_bytes - canvas
    return (
        f"An Arduino Uno has {uno.ram_bytes:,} bytes of RAM and {uno.flash_bytes:,} of flash. A canvas of 64x64 takes "
        f"{ram['canvas']:,} bytes of RAM with `pixels`, and its {canvas:,} bytes of code leave {left:,} to the "
        f"model: an Uno has room for neither, a Mega has for both. Strokes take {ram['strokes']:,} bytes with `pixels`, and "
        f"{strokes:,} of code."
    )
