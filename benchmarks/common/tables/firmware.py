"""Tables of generated C: against CMSIS-NN, on each core, and for each choice of ``--optimize``."""

import math
from collections.abc import Sequence
from typing import Any

from common.tables import core_name, markdown_table


def firmware_table(
    document: dict[str, Any], cores: Sequence[str] = ("cortex-m4", "cortex-m0"), *, family: bool | None = None
) -> str:
    """Returns instructions, total RAM and code per model and core: generated C beside CMSIS-NN's kernels on the same layers.

    ``family``: only the glyph family, or only the others.
    """
    columns = (
        "Model",
        *(["Core"] if len(cores) > 1 else []),
        "Instructions, glyphlite",
        "Instructions, CMSIS-NN",
        "Ratio",
        "Total RAM, glyphlite",
        "Total RAM, CMSIS-NN",
        "Code, glyphlite",
        "Code, CMSIS-NN",
    )
    rows = []
    for row in document["rows"]:
        if row["core"] not in cores or family not in (None, row["model"].startswith("glyph-")):
            continue
        ours, theirs = row["ours"], row["cmsis_nn"]
        rows.append(
            (
                row["model"],
                *([core_name(row["core"])] if len(cores) > 1 else []),
                f"{ours['instructions']:,}",
                f"{theirs['instructions']:,}",
                f"**{row['instructions_ratio']:.1f}**",
                *(f"{side[key]:,}" for key in ("ram_bytes", "code_bytes") for side in (ours, theirs)),
            )
        )
    return markdown_table(columns, rows, words=2 if len(cores) > 1 else 1)


def m33_sentence(document: dict[str, Any]) -> str:
    """Returns how far the Cortex-M33's counts are from the Cortex-M4's on both sides."""
    counts = {(row["model"], row["core"]): row for row in document["rows"]}
    pairs = [(row, counts[model, "cortex-m4"]) for (model, core), row in counts.items() if core == "cortex-m33"]
    apart = [abs(m33[side]["instructions"] / m4[side]["instructions"] - 1) for m33, m4 in pairs for side in ("ours", "cmsis_nn")]
    ratios = [m33["instructions_ratio"] for m33, _ in pairs]
    most = math.ceil(max(apart) * 1000) / 10
    return (
        f"On a Cortex-M33 (same kernels) either side's count is within {most:.1f} % of the Cortex-M4's; "
        f"the ratios over all {len(pairs)} models are {min(ratios):.1f} to {max(ratios):.1f}."
    )


def cores_table(document: dict[str, Any], model: str = "micro-cnn") -> str:
    """Returns what one model's generated C takes on each emulated core, with the default ``--optimize speed``."""
    rows = [
        (core_name(row["core"]), *_cost(row)) for row in document["rows"] if (row["model"], row["optimize"]) == (model, "speed")
    ]
    return markdown_table(("Core", "Instructions", "Code", "Constants", "Arena", "Stack", "Total RAM"), rows)


def optimize_table(document: dict[str, Any], core: str = "cortex-m4") -> str:
    """Returns what each choice of ``--optimize`` takes on one core."""
    rows = [(row["model"], f"`{row['optimize']}`", *_cost(row)) for row in document["rows"] if row["core"] == core]
    columns = ("Model", "`--optimize`", "Instructions", "Code", "Constants", "Arena", "Stack", "Total RAM")
    return markdown_table(columns, rows, words=2)


def _cost(row: dict[str, Any]) -> list[str]:
    keys = ("instructions", "code_bytes", "constant_bytes", "arena_bytes", "stack_bytes", "ram_bytes")
    return [f"{row[key]:,}" for key in keys]
