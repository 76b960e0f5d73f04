"""One run as a page: which file to ship, what the numbers say, and every figure on demand. Touches no file."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glyphlite import __version__
from glyphlite.conversion.variants import VARIANTS
from glyphlite.evaluation.accuracy import macro_of
from glyphlite.records import ArtifactReport, VerifyReport
from glyphlite.report.figures.samples import SampleSheet
from glyphlite.report.findings.emulated_cores import layer_shares
from glyphlite.report.findings.interpretation import commonest_mistakes, interpret, label_of
from glyphlite.report.findings.obstacles import obstacles
from glyphlite.report.findings.targets import choose_targets, targets_of
from glyphlite.report.html.templating import accuracy_scale, chart, environment, svg_image
from glyphlite.results import Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from glyphlite.training.history import EpochRecord


MOST_COUNTED = 30
"""A confusion matrix of at most so many classes is shown with a count in every cell."""

MOST_COLOURED = 100
"""One of at most so many is shown as colours; above it, only the most frequent confusions."""

MOST_MISTAKES = 20
MOST_HARDEST = 20


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix: its count, which side of the diagonal's truth it is on, how deep its colour is."""

    count: int
    kind: str
    depth: str


def render_report(
    results: Results,
    *,
    samples: SampleSheet | None = None,
    history: "Sequence[EpochRecord]" = (),
    graph_svg: str | None = None,
    run_toml: str | None = None,
) -> str:
    """Returns the page of one run as HTML."""
    interpretation = interpret(results)
    targets = choose_targets(results)
    recommendation = interpretation.recommendation
    shipped = recommendation.artifact if recommendation else None
    context: dict[str, Any] = {
        "results": results,
        "recommendation": recommendation,
        "waiting": obstacles(results),
        "targets": targets,
        "targets_of": targets_of,
        "files_chosen": len({each.artifact.path for each in targets if each.artifact}),
        "findings": interpretation.findings,
        "shipped": shipped,
        "arena": shipped.runtimes.get("tflm") if shipped else None,
        "variants": {each.name: each for each in VARIANTS},
        "scale": accuracy_scale([results.keras.accuracy, *(each.accuracy for each in results.artifacts)]),
        "largest_bytes": max((each.bytes for each in results.artifacts), default=1),
        "largest_latency": max((each.latency_us or 0.0 for each in results.artifacts), default=0.0) or 1.0,
        "runtime_names": list(dict.fromkeys(name for each in results.artifacts for name in each.runtimes)),
        "verify": _grouped_verify(results.verify),
        "layer_shares": layer_shares(results.firmware),
        "label": lambda number: label_of(results, number),
        "samples": samples,
        "training_chart": _training_chart(history, results.keras.best_epoch) if history else None,
        "size_chart": _size_chart(results) if results.artifacts else None,
        "graph_image": svg_image(graph_svg) if graph_svg else None,
        "run_toml": run_toml,
        "version": __version__,
    }
    if shipped and shipped.confusion:
        context |= {
            "classes": [label_of(results, each) for each in range(len(shipped.confusion))],
            "longest_label": max(len(label_of(results, each)) for each in range(len(shipped.confusion))),
            "confusion": confusion_cells(shipped.confusion) if matrix_kind(len(shipped.confusion)) else [],
            "macro": macro_of(shipped.confusion),
            "class_scale": accuracy_scale(shipped.per_class),
            "unmeasured": [label_of(results, number) for number, each in enumerate(shipped.per_class) if not each.measured],
            "matrix": matrix_kind(len(shipped.confusion)),
            "mistakes": commonest_mistakes(shipped.confusion, MOST_MISTAKES),
            "hardest_first": _hardest(shipped) if len(shipped.confusion) > MOST_COUNTED else [],
        }
    return environment().get_template("report.html.j2").render(context)


def matrix_kind(classes: int) -> str | None:
    """Returns how a confusion matrix is shown: with its ``counts``, as colours (``heat``), or not at all."""
    return "counts" if classes <= MOST_COUNTED else "heat" if classes <= MOST_COLOURED else None


def _hardest(artifact: ArtifactReport) -> list[int]:
    """Returns the classes with the lowest recall, lowest first, of those that have images."""
    measured = [number for number, each in enumerate(artifact.per_class) if each.measured]
    return sorted(measured, key=lambda number: artifact.per_class[number].value)[:MOST_HARDEST]


def confusion_cells(confusion: list[list[int]]) -> list[list[Cell]]:
    """Cells with colours by their share of the row; the root makes a mistake of half a percent visible."""
    rows = []
    for true, row in enumerate(confusion):
        total = sum(row) or 1
        cells = []
        for guess, number in enumerate(row):
            is_right = true == guess
            depth = (number / total) ** 0.5 if is_right else min(1.0, 1.8 * (number / total) ** 0.5)
            kind = ("right" if is_right else "wrong") if number else "none"
            cells.append(Cell(number, f"{kind} deep" if depth > 0.6 else kind, f"{depth:.3f}"))
        rows.append(cells)
    return rows


def _grouped_verify(records: Iterable[VerifyReport]) -> list[VerifyReport]:
    """Records by artifact, the reference first, otherwise as they came."""
    return sorted(records, key=lambda each: (each.artifact, each.runtime != each.reference))


def _size_chart(results: Results) -> "Markup":
    from glyphlite.report.figures.plots import size_accuracy_figure

    return chart(size_accuracy_figure(results, title=False), "size", "Accuracy of each file over its size")


def _training_chart(history: "Sequence[EpochRecord]", best_epoch: int | None) -> "Markup":
    from glyphlite.report.figures.plots import training_figure

    return chart(training_figure(history, best_epoch, title=False), "training", "Accuracy by epoch of training")
