"""The pictures of a run, drawn with matplotlib: each a function from records to a figure, and one that writes them all as PNG.

The recommended artifact is drawn in the accent colour, everything else stays quiet: no legend has to be looked up.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from glyphlite.escaping import visible
from glyphlite.formatting import confidence, count, kilobytes, microseconds, percent
from glyphlite.records import ArtifactReport
from glyphlite.report.figures.samples import Sample, SampleSheet, decode_png
from glyphlite.report.figures.style import PALETTE, drawing, empty_figure, our_style, save_png
from glyphlite.report.findings.recommendation import recommend
from glyphlite.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    from glyphlite.training.history import EpochRecord

MOST_CELL_LABELS = 26
"""A confusion matrix of more classes than this is drawn without counts in its cells."""

MOST_TICKS = 100
"""Classes that are named along the side of a confusion matrix."""

LONGEST_NAME = 28
"""Characters of a name that fit beside or above a drawing."""

SHORT_LABEL = 5
"""Characters of a class name that leave room for another beside it above a small picture."""

MOST_LINES = 5
"""A name is written at most this many lines away from its point."""

CHART = (4.3, 3.0)
"""Inches. The page shows a chart about this wide on a phone, and half as large again on a desk."""


def write_figures(results: Results, folder: Path, *, samples: SampleSheet | None = None) -> list[Path]:
    """Draws a run's pictures as PNG files.

    Args:
        results: the run's records.
        folder: the run's folder; the pictures go into its ``figures``.
        samples: test images with predictions, if there are any.

    Returns:
        The paths written.
    """
    figures: dict[str, Figure] = {}
    if results.artifacts:
        figures["accuracy.png"] = accuracy_figure(results)
        figures["size-accuracy.png"] = size_accuracy_figure(results)
        if any(each.latency_us for each in results.artifacts):
            figures["latency.png"] = latency_figure(results)
    recommendation = recommend(results)
    if recommendation and recommendation.artifact.confusion:
        figures["confusion.png"] = confusion_figure(recommendation.artifact, results.labels)
    if samples and samples.right:
        figures["samples-right.png"] = samples_figure(
            samples.right, results.labels, f"{samples.artifact}: read right, drawn at random"
        )
    if samples and samples.wrong:
        figures["samples-wrong.png"] = samples_figure(
            samples.wrong, results.labels, f"{samples.artifact}: read wrong, most confident first"
        )
    return [save_png(figure, folder / "figures" / name, owned=True) for name, figure in figures.items()]


_SHOWN_POINTS = 3.0
"""Percentage points under the best within which a search's networks are shown; what is worse would press the rest together."""


@our_style()
def training_figure(history: "Sequence[EpochRecord]", best_epoch: int | None = None, *, title: bool = True) -> "Figure":
    """Draws training and validation accuracy by epoch, the kept epoch marked; without validation images training's alone."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = drawing(*CHART)
    epochs = [each.epoch for each in history]
    training = [each.accuracy * 100 for each in history]
    validation = [each.validation_accuracy * 100 for each in history if each.validation_accuracy is not None]
    ends = [("training", training[-1], "quiet")]
    dot = "o" if len(epochs) == 1 else None  # one epoch makes no line
    axes.plot(epochs, training, marker=dot, color=PALETTE["quiet"])
    if validation:
        axes.plot(epochs, validation, marker=dot, color=PALETTE["accent"])
        ends.append(("validation", validation[-1], "accent"))
    if dot:
        axes.margins(y=0.5)  # room for the kept epoch's words below
    _label_line_ends(axes, epochs[-1], ends)
    best = next((each for each in history if each.epoch == best_epoch), None)
    if best and best.validation_accuracy is not None:
        axes.plot([best.epoch], [best.validation_accuracy * 100], "o", color=PALETTE["accent"], markersize=7)
        axes.annotate(
            f"kept: epoch {best.epoch}, {percent(best.validation_accuracy)}",
            (best.epoch, best.validation_accuracy * 100),
            (0.97, 0.06),
            textcoords="axes fraction",
            ha="right",
            color=PALETTE["ink"],
            arrowprops={"arrowstyle": "-", "color": PALETTE["quiet"], "shrinkB": 5},
        )
    axes.set_xlabel("epoch")
    axes.set_ylabel("images recognized, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(visible=False, axis="x")
    if title:
        axes.set_title("Training")
    return figure


@our_style()
def size_accuracy_figure(results: Results, *, title: bool = True) -> "Figure":
    """Draws each artifact's accuracy with its interval over its file size, and the Keras model's accuracy as a line."""
    figure, axes = drawing(*CHART)
    chosen = _chosen(results)
    axes.axhline(results.keras.accuracy.value * 100, color=PALETTE["quiet"], linewidth=1, linestyle=(0, (4, 3)))
    _plot_files(axes, [(f"{each.variant}, {kilobytes(each.bytes)}", each, each.path == chosen) for each in results.artifacts])
    if title:
        axes.set_title(f"Size and accuracy (dashed: Keras, {percent(results.keras.accuracy.value)})", pad=18)
    return figure


@our_style()
def comparison_figure(files: Sequence[tuple[str, ArtifactReport, bool]]) -> "Figure":
    """Draws accuracy over size of several runs' files; each is given as (name, artifact, whether to stress it)."""
    figure, axes = drawing(6.6, 3.6)
    _plot_files(axes, [(f"{name} {artifact.variant}", artifact, stressed) for name, artifact, stressed in files])
    return figure


@our_style()
def search_figure(points: Sequence[tuple[int, float, bool]], winner: tuple[int, float] | None) -> "Figure":
    """Draws validation accuracy over flash of a search's networks, each (bytes, accuracy, on the front), and the winner's."""
    figure, axes = drawing(6.6, 3.6)
    front = sorted((flash, accuracy * 100) for flash, accuracy, on in points if on)
    axes.step(*zip(*front, strict=True), where="post", color=PALETTE["accent"], linewidth=1.4)
    for flash, accuracy, on in points:
        axes.plot([flash], [accuracy * 100], "o", color=PALETTE["accent" if on else "quiet"], markersize=7 if on else 4)
    if winner:
        axes.plot([winner[0]], [winner[1] * 100], "s", color=PALETTE["second"], markersize=8)
    best = max(accuracy for _, accuracy in front)
    shown = [accuracy * 100 for _, accuracy, _ in points if accuracy * 100 > best - _SHOWN_POINTS]
    least = min([*shown, *(accuracy for _, accuracy in front if accuracy > best - 2 * _SHOWN_POINTS)])
    axes.set_ylim(least - 0.1, max(best, winner[1] * 100 if winner else 0) + 0.1)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("bytes of flash, code and constants")
    axes.set_ylabel("validation images recognized, %")
    return figure


@our_style()
def accuracy_figure(results: Results) -> "Figure":
    """Draws accuracy of Keras and of each artifact with its 95 % interval."""
    rows = [("Keras", results.keras.accuracy, "")] + [(each.variant, each.accuracy, each.path) for each in results.artifacts]
    figure, axes = drawing(6.4, 0.42 * len(rows) + 1.1)
    chosen = _chosen(results)
    for height, (name, accuracy, path) in enumerate(rows):
        colour = PALETTE["accent"] if path and path == chosen else PALETTE["quiet" if name != "Keras" else "ink"]
        axes.plot([accuracy.low * 100, accuracy.high * 100], [height, height], color=colour, linewidth=2.4)
        axes.plot([accuracy.value * 100], [height], "o", color=colour, markersize=8)
        axes.annotate(
            percent(accuracy.value), (1.01, height), xycoords=("axes fraction", "data"), va="center", color=PALETTE["ink"]
        )
    _name_rows(axes, [row[0] for row in rows])
    axes.set_xlabel("images recognized, %, with the 95 % Wilson interval")
    axes.set_title("Accuracy on the test split")
    return figure


@our_style()
def latency_figure(results: Results) -> "Figure":
    """Draws the median latency of one inference as bars, logarithmic."""
    rows = [(each.variant, each.latency_us, each.path) for each in results.artifacts if each.latency_us]
    if results.keras.latency_us:
        rows.insert(0, ("Keras", results.keras.latency_us, ""))
    figure, axes = drawing(6.4, 0.42 * len(rows) + 1.1)
    chosen = _chosen(results)
    for height, (_, latency_us, path) in enumerate(rows):
        axes.barh(height, latency_us, 0.5, color=PALETTE["accent"] if path and path == chosen else PALETTE["quiet"])
        axes.annotate(microseconds(latency_us), (latency_us, height), (5, 0), textcoords="offset points", va="center")
    _name_rows(axes, [row[0] for row in rows])
    axes.set_xscale("log")
    axes.set_xlim(min(row[1] for row in rows) / 3, max(row[1] for row in rows) * 4)
    _plain_log_ticks(axes, [row[1] for row in rows], digits=(1,))
    axes.set_xlabel("µs, logarithmic; LiteRT with XNNPACK, one thread")
    axes.set_title("Median time of one inference on this host")
    return figure


@our_style()
def confusion_figure(artifact: ArtifactReport, labels: Sequence[str]) -> "Figure":
    """Draws the confusion matrix as a heat map of shares of each true class, counts in the cells."""
    from matplotlib.colors import LinearSegmentedColormap

    counts = np.asarray(artifact.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = len(counts)
    names = [_name(labels, each) for each in range(classes)]
    side = min(max(0.44 * classes + 1.2, 3.2), 12)
    figure, axes = drawing(side, side)
    # A mistake of half a percent is to be seen; the square root lifts it out of the white.
    shown = np.sqrt(shares)
    wrong, right = np.ma.array(shown, mask=np.eye(classes, dtype=bool)), np.ma.array(shown, mask=~np.eye(classes, dtype=bool))
    for layer, colour, top in ((right, "accent", 1.0), (wrong, "bad", 0.5)):
        axes.imshow(
            layer, cmap=LinearSegmentedColormap.from_list(colour, [PALETTE["surface"], PALETTE[colour]]), vmin=0, vmax=top
        )
    if classes <= MOST_CELL_LABELS:
        for true, guess in zip(*np.nonzero(counts), strict=True):
            dark = shown[true, guess] > (0.6 if true == guess else 0.35)
            colour = PALETTE["surface"] if dark else PALETTE["ink"]
            axes.text(guess, true, count(int(counts[true, guess])), ha="center", va="center", fontsize=8, color=colour)
    # Of a thousand classes only some can be named.
    named = range(0, classes, -(-classes // MOST_TICKS))
    ticks = [names[each] for each in named]
    axes.set_xticks(named, ticks, rotation=0 if max(map(len, names)) <= 2 else 90)
    axes.set_yticks(named, ticks)
    if classes > MOST_CELL_LABELS:
        axes.tick_params(labelsize=6)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(f"{_short(artifact.path)}: confusion matrix")
    return figure


@our_style()
def samples_figure(samples: Sequence[Sample], labels: Sequence[str], title: str, columns: int = 5) -> "Figure":
    """Draws test images in a grid, each with its true class, what it was taken for, and how sure the model was."""
    rows = -(-len(samples) // columns)
    figure = empty_figure(1.35 * columns, 1.65 * rows + 0.5)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", color=PALETTE["ink"], parse_math=False)
    for place, sample in enumerate(samples, start=1):
        axes = figure.add_subplot(rows, columns, place)
        axes.imshow(decode_png(sample.png), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        true, guess = _name(labels, sample.label), _name(labels, sample.predicted)
        words = (
            true
            if sample.is_right
            else f"{guess}\nis {true}"
            if max(map(len, (true, guess))) > SHORT_LABEL
            else f"{guess}, is {true}"
        )
        colour = PALETTE["accent"] if sample.is_right else PALETTE["bad"]
        axes.set_title(
            f"{words}\nconfidence {confidence(sample.certainty)}",
            loc="center",
            fontsize=8.5,
            pad=4,
            color=colour,
            parse_math=False,
        )
        axes.axis("off")
    return figure


@our_style()
def saw_picture(
    original: np.ndarray,
    seen: np.ndarray,
    top: Sequence[tuple[str, float]],
    path: Path,
    *,
    box: tuple[int, int, int, int] | None = None,
) -> Path:
    """Writes what the model saw beside the original picture, with its best guesses: the picture of ``predict --show``.

    Args:
        original: the picture as given, uint8 ``(height, width[, 3])``.
        seen: what went into the model, uint8 ``(height, width[, channels])``.
        top: the best classes with their probabilities, best first.
        path: the PNG to write.
        box: where the glyph was found in the original: left, top, right, bottom.
    """
    from matplotlib.patches import Rectangle

    figure = empty_figure(8.4, 3.1)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.05])
    left.imshow(original, cmap="gray", vmin=0, vmax=255)
    left.set_title("the picture")
    if box:
        corner = (box[0] - 0.5, box[1] - 0.5)
        left.add_patch(Rectangle(corner, box[2] - box[0], box[3] - box[1], fill=False, edgecolor=PALETTE["accent"], linewidth=2))
    middle.imshow(seen.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    middle.set_title(f"what the model saw: {seen.shape[1]} x {seen.shape[0]}")
    for axes in (left, middle):
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    for height, (_, probability) in enumerate(top):
        right.barh(height, probability, 0.55, color=PALETTE["accent"] if height == 0 else PALETTE["quiet"])
        right.annotate(confidence(probability), (probability, height), (5, 0), textcoords="offset points", va="center")
        right.set_title("what it says")
    _name_rows(right, [name for name, _ in top])
    right.set_xlim(0, 1.28)
    right.set_xticks([])
    right.grid(visible=False)
    right.spines[:].set_visible(False)
    return save_png(figure, path)


def _chosen(results: Results) -> str:
    recommendation = recommend(results)
    return recommendation.artifact.path if recommendation else ""


def _name(labels: Sequence[str], number: int) -> str:
    return _short(labels[number]) if number < len(labels) else str(number)


def _short(name: str) -> str:
    """Returns a name on one line, cut where it would push the drawing out of its frame."""
    name = visible(name)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _name_rows(axes: "Axes", names: Sequence[str]) -> None:
    """Names horizontal rows, first on top."""
    axes.set_yticks(range(len(names)), [_short(each) for each in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", labelcolor=PALETTE["ink"], length=0)


def _label_line_ends(axes: "Axes", right: float, lines: Sequence[tuple[str, float, str]]) -> None:
    """Names lines at their right end, pushed apart where they meet."""
    ordered = sorted(lines, key=lambda each: each[1])
    for place, (name, height, role) in enumerate(ordered):
        shift = 0 if len(ordered) == 1 else (-5, 5)[place]
        axes.annotate(
            name, (right, height), (7, shift), textcoords="offset points", va="center", color=PALETTE[role], annotation_clip=False
        )


def _plot_files(axes: "Axes", files: Sequence[tuple[str, ArtifactReport, bool]]) -> None:
    """Points with intervals over file size, each named; the stressed ones in the accent colour."""
    for _, artifact, stressed in files:
        accuracy, colour = artifact.accuracy, PALETTE["accent" if stressed else "quiet"]
        spread = [[(accuracy.value - accuracy.low) * 100], [(accuracy.high - accuracy.value) * 100]]
        axes.errorbar(artifact.bytes / 1024, accuracy.value * 100, spread, fmt="o", color=colour, markersize=7, elinewidth=1.6)
    axes.set_xscale("log")
    axes.margins(x=0.2, y=0.3)
    _plain_log_ticks(axes, [artifact.bytes / 1024 for _, artifact, _ in files])
    axes.set_xlabel("file size, KB (logarithmic)")
    axes.set_ylabel("images recognized, %")
    axes.grid(visible=False, axis="x")
    _name_files(axes, files)


def _name_files(axes: "Axes", files: Sequence[tuple[str, ArtifactReport, bool]]) -> None:
    """Writes each name at an end of its interval, further out until it covers no other; the stressed ones choose first."""
    cast("Figure", axes.figure).draw_without_rendering()
    taken: list[Bbox] = []
    for name, artifact, stressed in sorted(files, key=lambda each: (not each[2], each[1].bytes)):
        style = {
            "ha": "center",
            "color": PALETTE["accent" if stressed else "muted"],
            "fontweight": "bold" if stressed else "normal",
            "bbox": {"facecolor": PALETTE["surface"], "edgecolor": "none", "pad": 0.5},
        }
        for line, above in itertools.product(range(MOST_LINES), (True, False)):
            end = artifact.accuracy.high if above else artifact.accuracy.low
            point, shift = (artifact.bytes / 1024, end * 100), (0, (4 + 12 * line) * (1 if above else -1))
            written = axes.annotate(
                _short(name), point, shift, textcoords="offset points", va="bottom" if above else "top", **style
            )
            place = written.get_window_extent()
            if line < MOST_LINES - 1 and any(place.overlaps(other) for other in taken):
                written.remove()
                continue
            taken.append(place)
            break


def _plain_log_ticks(axes: "Axes", values: Sequence[float], digits: Sequence[int] = (1, 2, 5)) -> None:
    """Ticks at 1, 2, 5, 10, 20 ... written as plain numbers."""
    from matplotlib.ticker import NullLocator

    low, high = min(values) / 3, max(values) * 3
    ticks = [digit * 10.0**power for power in range(-2, 7) for digit in digits if low <= digit * 10.0**power <= high]
    axes.set_xticks(ticks, [f"{tick:,.6g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
