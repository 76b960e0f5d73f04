"""Tables of the glyph family: what README shows, all that was measured, and accuracy under corruptions."""

from typing import Any

from common.deployed import TRACKS
from common.tables import interval, markdown_table
from glyphlite.cores import CORES

_SIZES = {"bytes": "bytes", "macs": "MACs", "ram": "bytes of RAM"}
_ALL_IMAGES = "¹"
_UNITS = {"flash": "bytes of flash", "ram": "bytes of RAM", "instructions": "instructions"}


def family_table(document: dict[str, Any]) -> str:
    """Returns README's table: bytes, cost, accuracy over seeds, the pretrained file's, robustness, and what is published.

    Members that were trained on the validation images, too, are marked, and what the mark means stands below.
    """
    columns = (
        "Model",
        "Weights, bytes",
        "File, bytes",
        "MACs",
        "Accuracy, %: mean of 5 seeds",
        "Accuracy, %: pretrained file (95 % interval)",
        "Accuracy, %: corrupted images",
        "Accuracy, %: published model of this size or larger",
    )
    rows = [
        (
            row["model"] + _ALL_IMAGES if row.get("all_images") else row["model"],
            f"{row['weight_bytes']:,}",
            f"{row['bytes']:,}",
            f"{row['macs']:,}",
            _over_seeds(row),
            f"{row['accuracy']['value'] * 100:.2f} ({interval(row['accuracy'])})",
            f"{row['robustness']['mean'] * 100:.1f}" if "robustness" in row else "",
            _published(row),
        )
        for row in document["members"]
    ]
    table = markdown_table(columns, rows)
    if not any(row.get("all_images") for row in document["members"]):
        return table
    return f"{table}\n\n{_ALL_IMAGES} trained on all 60,000 training images, after every choice was made without 5,000 of them"


def family_in_full(document: dict[str, Any]) -> str:
    """Returns the columns that README leaves out, and two reference models beside the family."""
    columns = (
        "Model",
        "Bits per weight",
        "Seeds",
        "Lowest accuracy of a seed, %",
        "Accuracy of the float source, %",
        "Accuracy on `load_digits`, %",
    )
    rows = [
        (
            row["model"],
            str(row["weight_bits"]),
            str(len(row["seeds"])),
            f"{row['worst'] * 100:.2f}",
            f"{row['keras']['accuracy']['value'] * 100:.2f}",
            f"{row['robustness']['load_digits']['value'] * 100:.1f}" if "robustness" in row else "",
        )
        for row in document["members"]
    ]
    return markdown_table(columns, rows)


def costs_table(document: dict[str, Any]) -> str:
    """Returns what each model costs on a microcontroller: flash, RAM and instructions of the smallest and the fastest build."""
    columns = (
        "Model",
        "Accuracy, %",
        "Smallest build, M0: flash",
        "RAM",
        "Instructions",
        "Fastest build, M0: flash",
        "RAM",
        "Instructions",
        "Fastest build, M4: flash",
        "RAM",
        "Instructions",
    )
    builds = ("cortex-m0 size", "cortex-m0 speed", "cortex-m4 speed")
    rows = [
        (
            row["model"],
            f"{row.get('mean', row['accuracy']['value']) * 100:.2f}",
            *(f"{row['deployed'][build][what]:,}" for build in builds for what in ("flash", "ram", "instructions")),
        )
        for row in (*document["members"], *document["others"])
        if "deployed" in row
    ]
    return markdown_table(columns, rows) if rows else ""


def tracks_table(document: dict[str, Any]) -> str:
    """Returns for each budget in flash, RAM or instructions the most accurate model that keeps to it, and what it takes."""
    rows = []
    for track in TRACKS:
        best = track.best(document["members"])
        if best is None:
            rows.append((track.name, "", "", "", track.published))
            continue
        takes = [
            f"{best['deployed'][build][what]:,} {_UNITS[what]}{_where(build, several=len(track.limits) > 1)}"
            for build, limits in zip(track.builds(best["deployed"]), track.limits.values(), strict=True)
            for what in limits
        ]
        rows.append((track.name, best["model"], _over_seeds(best), ", ".join(takes), track.published))
    columns = ("Budget", "Most accurate model in it", "Accuracy, %: mean of 5 seeds", "What it takes", "Published, accuracy in %")
    return markdown_table(columns, rows)


def _where(build: str, *, several: bool) -> str:
    """Returns the goal of a build in brackets, and its core where there are several."""
    core, goal = build.split()
    title = next(each.title for each in CORES if each.name == core)
    return f" (`{goal}`, {title})" if several else f" (`{goal}`)"


def robustness_table(document: dict[str, Any]) -> str:
    """Returns accuracy per model and corruption, the mean of three strengths; models that were not measured so are left out."""
    rows = [each for each in (*document["members"], *document["others"]) if "robustness" in each]
    if not rows:
        return ""
    names = list(rows[0]["robustness"]["corruptions"])
    lines = []
    for row in rows:
        robust = row["robustness"]
        means = [sum(levels) / len(levels) for levels in robust["corruptions"].values()]
        worst = min(means)
        cells = [f"*{mean * 100:.1f}*" if mean == worst else f"{mean * 100:.1f}" for mean in means]
        others = (robust["mean"], robust["load_digits"]["value"])
        lines.append((row["model"], f"{row['accuracy']['value'] * 100:.2f}", *cells, *(f"{each * 100:.1f}" for each in others)))
    return markdown_table(("Model", "Clean", *names, "Mean", "load_digits"), lines)


def _over_seeds(row: dict[str, Any]) -> str:
    """Returns the mean over seeds, with the sample standard deviation where there are several."""
    deviation = "" if row["deviation"] is None else f" ± {row['deviation'] * 100:.2f}"
    seeds = "" if len(row["seeds"]) == 5 else f" ({len(row['seeds'])} seeds)"
    return f"**{row['mean'] * 100:.2f}**{deviation}{seeds}"


def _published(row: dict[str, Any]) -> str:
    """Returns the smallest published classifier of at least the member's size: its accuracy, size and name."""
    if not (against := row.get("against")):
        return ""
    unit, words = next((unit, words) for unit, words in _SIZES.items() if unit in against)
    size = f"{against[unit]:,} {words}"
    return f"{against['accuracy'] * 100:.2f} with {size} ({against['name']})"
