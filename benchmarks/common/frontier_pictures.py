"""The pictures of the frontier: accuracy over weight bytes, ours and the published, and a sheet of every corruption."""

from pathlib import Path
from typing import Any

import numpy as np

from common.published import PUBLISHED, budget_unit
from glyphlite.evaluation.corruptions import CORRUPTIONS, LEVELS, corrupt
from glyphlite.report.figures.style import DARK_PALETTE, PALETTE, drawing, empty_figure, our_style, save_png

SHEET_DIGITS = 5
_KINDS = {1_024: "1 KB", 4_096: "4 KB", 16_384: "16 KB", 65_536: "64 KB", 262_144: "256 KB"}


_FLAT_FROM = 12_000, 24_000
"""Bytes from which our names stand above the curve, then above and right of it; before, left of it. The published are below."""


@our_style()
def draw_frontier(members: list[dict[str, Any]], path: Path) -> Path:
    """Accuracy over the bytes of the weights: each member's mean with its deviation and every seed, and the published points."""
    figure, axes = drawing(9, 5.4)
    axes.set_xscale("log", base=2)
    ours = sorted((each for each in members if budget_unit(each["model"]) == "bytes"), key=lambda each: each["weight_bytes"])
    others = [each for each in members if each not in ours]
    axes.scatter(
        [each.bytes for each in PUBLISHED],
        [each.accuracy * 100 for each in PUBLISHED],
        s=34,
        marker="D",
        color=PALETTE["quiet"],
        zorder=3,
        label="published by others",
    )
    for each in PUBLISHED:
        axes.annotate(
            each.name,
            (each.bytes, each.accuracy * 100),
            each.offset,
            textcoords="offset points",
            fontsize=8,
            color=PALETTE["muted"],
            ha="center" if each.offset[0] == 0 else "left",
            arrowprops={"arrowstyle": "-", "color": PALETTE["quiet"], "linewidth": 0.6, "shrinkB": 4}
            if each.offset[1] > 0
            else None,
        )
    seeds = [(member["weight_bytes"], seed["accuracy"] * 100) for member in members for seed in member["seeds"]]
    axes.scatter(*zip(*seeds, strict=True), s=9, color=PALETTE["accent"], alpha=0.35, linewidths=0, zorder=4)
    for group, line, mark, words in (
        (ours, "-", "o", "glyphlite, int8: mean and deviation over seeds"),
        (others, "", "s", "glyphlite, for little RAM or time"),
    ):
        if group:
            axes.errorbar(
                [each["weight_bytes"] for each in group],
                [each["mean"] * 100 for each in group],
                yerr=[(each["deviation"] or 0) * 100 for each in group],
                fmt=mark + line,
                markersize=6,
                capsize=3,
                elinewidth=1.4,
                color=PALETTE["accent"],
                zorder=5,
                label=words,
            )
        for each in group:
            offset = _label_offset(each["weight_bytes"]) if group is ours else (-9, -10) if each is group[0] else (9, 2)
            axes.annotate(
                each["model"],
                (each["weight_bytes"], each["mean"] * 100),
                offset,
                textcoords="offset points",
                fontsize=9,
                fontweight="bold",
                color=PALETTE["accent"],
                ha="right" if offset[0] < 0 else "left" if offset[0] else "center",
            )
    axes.set_xticks(list(_KINDS), list(_KINDS.values()))
    axes.minorticks_off()
    axes.set_xlim(300, 640_000)
    axes.set_ylim(top=axes.get_ylim()[1] + 0.08)
    axes.set_xlabel("bytes of weights and biases")
    axes.set_ylabel("accuracy on the 10,000 test images, %")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return save_png(figure, path)


def _label_offset(weight_bytes: int) -> tuple[int, int]:
    """Where a member's name stands beside its point on the curve, in points; left of it where it is negative, else right."""
    flat, flatter = _FLAT_FROM
    if weight_bytes < flat:
        return -9, 5
    return (6, 8) if weight_bytes > flatter else (0, 14)


_PANELS = (
    ("Flash (Cortex-M0, size)", "cortex-m0 size", "flash", {4_096: "4 KB", 16_384: "16 KB", 65_536: "64 KB", 262_144: "256 KB"}),
    ("RAM in all (Cortex-M0, size)", "cortex-m0 size", "ram", {1_024: "1 KB", 2_048: "2 KB", 4_096: "4 KB", 16_384: "16 KB"}),
    (
        "Instructions (Cortex-M0, speed)",
        "cortex-m0 speed",
        "instructions",
        {200_000: "0.2 M", 1_000_000: "1 M", 4_000_000: "4 M", 16_000_000: "16 M"},
    ),
    (
        "Instructions (Cortex-M4, speed)",
        "cortex-m4 speed",
        "instructions",
        {100_000: "0.1 M", 400_000: "0.4 M", 1_000_000: "1 M", 4_000_000: "4 M"},
    ),
)
"""Title, build, figure and ticks of each panel."""

_ACCURACIES = (98.4, 99.0, 99.2, 99.4, 99.5, 99.6, 99.7)
_CLOSE = 0.1
"""Points whose costs differ by less than this part would write their names over each other."""
_Point = tuple[str, int, float]
"""A model's name, what it costs, and its accuracy in percent."""


def draw_costs(members: list[dict[str, Any]], others: list[dict[str, Any]], path: Path, scheme: str) -> Path:
    """Accuracy over flash, RAM and instructions: the family (means over seeds), two reference models, and published cycles.

    Args:
        members: the family's measured rows, with what they cost.
        others: reference models' rows.
        path: where the picture goes.
        scheme: ``light`` or ``dark``.
    """
    palette = DARK_PALETTE if scheme == "dark" else PALETTE
    with our_style(palette):
        figure = empty_figure(10, 7.6)
        for axes, (title, build, what, ticks) in zip(figure.subplots(2, 2, sharey=True).flat, _PANELS, strict=True):
            ours = [
                (each["model"].removeprefix("glyph-"), each["deployed"][build][what], each["mean"] * 100)
                for each in members
                if "deployed" in each
            ]
            known = [
                (each["model"], each["deployed"][build][what], each["accuracy"]["value"] * 100)
                for each in others
                if "deployed" in each
            ]
            axes.set_xscale("log")
            axes.set_yscale("function", functions=(_spread, _gathered))
            _scatter(axes, ours, "o", palette["accent"], "glyphlite, pretrained", palette)
            _scatter(axes, known, "s", palette["second"], "glyphlite, reference models", palette)
            if build == "cortex-m0 speed":
                cycles = [
                    (each.name.removeprefix("BitNetMCU "), each.cycles, each.accuracy * 100) for each in PUBLISHED if each.cycles
                ]
                _scatter(axes, cycles, "D", palette["quiet"], "BitNetMCU: cycles on a CH32V002", palette)
            best = sorted(_unbeaten(ours), key=lambda point: point[1])
            axes.step(*zip(*[point[1:] for point in best], strict=True), where="post", color=palette["accent"], linewidth=1)
            axes.set_title(title)
            axes.set_xticks(list(ticks), list(ticks.values()))
            axes.minorticks_off()
            axes.tick_params(length=0)
            axes.set_yticks(_ACCURACIES, [f"{each:.1f}" for each in _ACCURACIES])
            axes.set_ylim(98.2, 99.76)
            axes.margins(x=0.12)
        figure.supylabel("accuracy on the 10,000 test images, %", fontsize=10, color=palette["muted"])
        handles, names = figure.axes[2].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return save_png(figure, path)


def _scatter(axes: Any, points: list[_Point], marker: str, colour: str, words: str, palette: dict[str, str]) -> None:
    """Draws points with their names: above and left of those that nothing beats, else below and right, clear of close ones."""
    if not points:
        return
    axes.scatter(*zip(*[point[1:] for point in points], strict=True), s=30, marker=marker, color=colour, zorder=4, label=words)
    unbeaten = _unbeaten(points)
    for point in points:
        close = any(point[2] < each[2] and abs(each[1] / point[1] - 1) < _CLOSE for each in unbeaten)
        above = marker == "o" and point in unbeaten and not close
        offset, side = ((-4, 6), "right") if above else ((5, 4 if marker == "s" else -10), "left")
        axes.annotate(point[0], point[1:], offset, textcoords="offset points", fontsize=8, color=palette["muted"], ha=side)


def _spread(accuracies: Any) -> Any:
    """Returns accuracies in percent as the logarithm of what is missing, so that 99.4 to 99.7 is as wide as 98.8 to 99.4."""
    return -np.log(np.maximum(100 - np.asarray(accuracies, float), 1e-3))


def _gathered(spread: Any) -> Any:
    """Returns what `_spread` was given."""
    return 100 - np.exp(-np.asarray(spread, float))


def _unbeaten(points: list[_Point]) -> list[_Point]:
    """Returns the points of which none is more accurate for no more."""
    return [each for each in points if not any(x <= each[1] and y > each[2] for _, x, y in points)]


@our_style()
def draw_corruptions(images: np.ndarray, path: Path) -> Path:
    """Every corruption at its three levels, on a few digits (uint8 ``(n, 28, 28, 1)``), the digits as they are on top."""
    digits = images[:SHEET_DIGITS]
    figure = empty_figure(9, 0.62 * (len(CORRUPTIONS) + 1))
    grid = figure.subplots(len(CORRUPTIONS) + 1, 1 + len(LEVELS), width_ratios=[0.55, 1, 1, 1])
    for row, corruption in enumerate([None, *CORRUPTIONS]):
        name = grid[row][0]
        name.axis("off")
        name.text(1, 0.5, corruption.name if corruption else "as it is", ha="right", va="center", transform=name.transAxes)
        for column, level in enumerate(LEVELS, start=1):
            axes = grid[row][column]
            axes.axis("off")
            if corruption is None and column > 1:
                continue
            seen = corrupt(digits, corruption, level) if corruption else digits
            strip = np.concatenate([np.pad(each[..., 0], 1, constant_values=255) for each in seen], axis=1)
            axes.imshow(strip, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            if corruption:
                axes.set_title(
                    corruption.words(level), fontsize=7.5, fontweight="normal", color=PALETTE["muted"], pad=2, loc="left"
                )
    return save_png(figure, path)
