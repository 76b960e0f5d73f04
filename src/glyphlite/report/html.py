"""The page that a run leaves behind: one file that opens from disk, light or dark, on a phone or on paper, and needs no script.

Everything it loads is inside it, and its content security policy says so. Whatever comes from outside (labels, names, reasons) is
escaped by the templates. Measures nothing: every figure comes from the results, and stands in the page with its full value.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glyphlite import __version__
from glyphlite.errors import DataError
from glyphlite.evaluation.accuracy import macro_of
from glyphlite.files import write_text
from glyphlite.report import words
from glyphlite.report.interpretation import interpret
from glyphlite.report.recommendation import accepting, recommend, refusing, variant_named
from glyphlite.report.samples import SampleSheet
from glyphlite.results import Accuracy, ArtifactReport, FirmwareReport, Results, VerifyReport

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

PREFERRED_CORE = "cortex-m4"
RESULTS_FILE = "results.json"
SAMPLES_FILE = Path("figures") / "samples.json"


@dataclass(frozen=True)
class Scale:
    """A horizontal axis of accuracies: where on it a fraction lies, in percent of its width."""

    low: float
    high: float

    def at(self, fraction: float) -> str:
        """The place of a fraction, 0 to 100."""
        return f"{min(max((fraction - self.low) / (self.high - self.low), 0.0), 1.0) * 100:.2f}"

    def span(self, low: float, high: float) -> str:
        """The width of a stretch, 0 to 100."""
        return f"{float(self.at(high)) - float(self.at(low)):.2f}"


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix: its count, which side of the diagonal's truth it is on, how deep its colour is."""

    count: int
    kind: str
    depth: str


@dataclass(frozen=True)
class Run:
    """One run among several: its results, its recommended artifact and what to say of it on a microcontroller."""

    folder: Path
    results: Results
    shipped: ArtifactReport | None
    core: FirmwareReport | None
    arena_bytes: int | None
    link: str | None
    is_best: bool = False


def write_report(
    results: Results,
    folder: Path,
    *,
    samples: SampleSheet | None = None,
    history: Path | None = None,
    graph_svg: str | None = None,
) -> Path:
    """Write ``report.html`` into a run's folder.

    Args:
        results: the run's records.
        folder: the run's folder. ``run.toml`` is shown if it is there.
        samples: test images with predictions; by default those in ``figures/samples.json``.
        history: the CSV of training; by default ``history.csv`` in the folder.
        graph_svg: a picture of the recommended artifact's graph.

    Returns:
        The page's path.
    """
    if samples is None and (folder / SAMPLES_FILE).exists():
        samples = SampleSheet.load(folder / SAMPLES_FILE)
    history = history or folder / "history.csv"
    recipe = folder / "run.toml"
    page = render_report(
        results,
        samples=samples,
        training_chart=_training_chart(history, results.keras.best_epoch) if history.exists() else None,
        graph_svg=graph_svg,
        run_toml=recipe.read_text(encoding="utf-8", errors="replace") if recipe.exists() else None,
    )
    return write_text(folder / "report.html", page)


def render_report(
    results: Results,
    *,
    samples: SampleSheet | None = None,
    training_chart: "Markup | None" = None,
    graph_svg: str | None = None,
    run_toml: str | None = None,
) -> str:
    """The page of one run as HTML."""
    interpretation = interpret(results)
    recommendation = interpretation.recommendation
    shipped = recommendation.artifact if recommendation else None
    context: dict[str, Any] = {
        "results": results,
        "recommendation": recommendation,
        "findings": interpretation.findings,
        "shipped": shipped,
        "float32": variant_named(results, "float32"),
        "accepted": accepting(shipped) if shipped else [],
        "refused": refusing(shipped) if shipped else [],
        "core": preferred_core(results.firmware),
        "meanings": words.VARIANT_MEANINGS,
        "scale": accuracy_scale([results.keras.accuracy, *(each.accuracy for each in results.artifacts)]),
        "largest_bytes": max((each.bytes for each in results.artifacts), default=1),
        "largest_latency": max((each.latency_us or 0.0 for each in results.artifacts), default=0.0) or 1.0,
        "runtime_names": list(dict.fromkeys(name for each in results.artifacts for name in each.runtimes)),
        "verify": _grouped_verify(results.verify),
        "label": lambda number: _label(results, number),
        "samples": samples,
        "training_chart": training_chart,
        "size_chart": _size_chart(results) if results.artifacts else None,
        "graph_image": _svg_image(graph_svg) if graph_svg else None,
        "run_toml": run_toml,
        "version": __version__,
    }
    if shipped and shipped.confusion:
        context |= {
            "classes": [_label(results, each) for each in range(len(shipped.confusion))],
            "confusion": confusion_cells(shipped.confusion),
            "macro": macro_of(shipped.confusion),
            "class_scale": accuracy_scale(shipped.per_class),
        }
    return _environment().get_template("report.html.j2").render(context)


def compare_report(folders: Sequence[Path], path: Path) -> Path:
    """Write one page that puts several runs side by side.

    Args:
        folders: folders of finished runs, each with a ``results.json``.
        path: the page to write.

    Raises:
        DataError: a folder holds no results.
    """
    return write_text(path, render_comparison(load_runs(folders, path.parent)))


def load_runs(folders: Sequence[Path], beside: Path) -> list[Run]:
    """Read the results of several runs; links are made for those whose report lies under ``beside``.

    Raises:
        DataError: no folder is named, or one holds no results.
    """
    if not folders:
        raise DataError("no run was named; name one or more folders that `glyphlite run` wrote")
    return [_run(folder, beside) for folder in folders]


def render_comparison(runs: Sequence[Run]) -> str:
    """The page of several runs as HTML."""
    best = _best(runs)
    runs = [Run(**{**vars(each), "is_best": each is best}) for each in runs]
    shipped = [each.shipped for each in runs if each.shipped]
    context = {
        "runs": runs,
        "headline": _comparison_words(runs),
        "datasets": list(dict.fromkeys(each.results.dataset for each in runs)),
        "scale": accuracy_scale([each.results.keras.accuracy for each in runs] + [each.accuracy for each in shipped]),
        "largest_bytes": max((each.bytes for each in shipped), default=1),
        "largest_latency": max((each.latency_us or 0.0 for each in shipped), default=0.0) or 1.0,
        "chart": _comparison_chart(runs) if len(shipped) > 1 else None,
        "version": __version__,
    }
    return _environment().get_template("compare.html.j2").render(context)


def preferred_core(firmware: Sequence[FirmwareReport]) -> FirmwareReport | None:
    """The core to name first: the Cortex-M4 where it was emulated, else the first."""
    return next((each for each in firmware if each.cpu == PREFERRED_CORE), firmware[0] if firmware else None)


def accuracy_scale(accuracies: Sequence[Accuracy]) -> Scale:
    """An axis that holds all the intervals with a little air, within 0 and 1."""
    counted = [each for each in accuracies if each.n] or list(accuracies)
    low, high = min((each.low for each in counted), default=0.0), max((each.high for each in counted), default=1.0)
    air = max(high - low, 0.001) * 0.08
    return Scale(max(low - air, 0.0) if low else -air, high + air)


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


def _label(results: Results, number: int) -> str:
    return results.labels[number] if number < len(results.labels) else str(number)


def _grouped_verify(records: Iterable[VerifyReport]) -> list[VerifyReport]:
    """Records by artifact, the reference first, otherwise as they came."""
    return sorted(records, key=lambda each: (each.artifact, each.runtime != each.reference))


def _size_chart(results: Results) -> "Markup":
    from glyphlite.report.plots import size_accuracy_figure

    return _chart(size_accuracy_figure(results, title=False), "size", "Accuracy of each file over its size")


def _training_chart(history: Path, best_epoch: int | None) -> "Markup | None":
    from glyphlite.report.plots import training_figure
    from glyphlite.training.history import read_history

    records = read_history(history)
    return (
        _chart(training_figure(records, best_epoch, title=False), "training", "Accuracy by epoch of training")
        if records
        else None
    )


def _comparison_chart(runs: Sequence[Run]) -> "Markup":
    from glyphlite.report.plots import comparison_figure

    shown = [(each.results.model, each.shipped, each.is_best) for each in runs if each.shipped]
    return _chart(comparison_figure(shown), "runs", "Accuracy of each run's recommended file over its size")


def _chart(figure: Any, name: str, description: str) -> "Markup":
    """A drawing as SVG inside the page. Its text was escaped by matplotlib, its description by us."""
    from markupsafe import Markup

    from glyphlite.report.style import themed_svg

    return Markup(themed_svg(figure, name, description))  # noqa: S704


def _svg_image(svg: str) -> str:
    """An SVG as a data URI: as an image it can run nothing and load nothing, whatever it holds."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"


def _run(folder: Path, beside: Path) -> Run:
    results = Results.load(folder / RESULTS_FILE if folder.is_dir() else folder)
    folder = folder if folder.is_dir() else folder.parent
    recommendation = recommend(results)
    shipped = recommendation.artifact if recommendation else None
    tflm = shipped.runtimes.get("tflm") if shipped else None
    return Run(
        folder, results, shipped, preferred_core(results.firmware), tflm.arena_bytes if tflm else None, _link(folder, beside)
    )


def _link(folder: Path, beside: Path) -> str | None:
    """A relative link to a run's report, None where it has none or lies elsewhere."""
    from urllib.parse import quote

    page = folder.resolve() / "report.html"
    if not page.exists() or not page.is_relative_to(beside.resolve()):
        return None
    return "./" + quote(page.relative_to(beside.resolve()).as_posix())


def _best(runs: Sequence[Run]) -> Run | None:
    """The run whose recommended file is most accurate, the smaller one of equals; None where datasets differ."""
    shown = [each for each in runs if each.shipped]
    if not shown or len({each.results.dataset for each in shown}) > 1:
        return None
    return max(shown, key=lambda each: (each.shipped.accuracy.value, -each.shipped.bytes) if each.shipped else (0.0, 0))


def _comparison_words(runs: Sequence[Run]) -> list[str]:
    """What the comparison says, in sentences."""
    best = _best(runs)
    if best is None or best.shipped is None or len(runs) < 2:
        return []
    top = best.shipped
    figures = f"{words.percent(top.accuracy.value)}, {words.kilobytes(top.bytes)}"
    found = [f"The most accurate file is {best.results.model}'s {top.variant}: {figures}."]
    close = [
        each
        for each in runs
        if each.shipped and each is not best and each.shipped.bytes < top.bytes and each.shipped.accuracy.high >= top.accuracy.low
    ]
    if close:
        small = min(close, key=lambda each: each.shipped.bytes if each.shipped else 0)
        if small.shipped:
            ratio = words.times(top.bytes / small.shipped.bytes)
            found.append(
                f"{small.results.model}'s is {ratio} times smaller at {words.percent(small.shipped.accuracy.value)}: "
                "their intervals overlap, so the difference may be chance."
            )
    smallest = min((each for each in runs if each.shipped), key=lambda each: each.shipped.bytes if each.shipped else 0)
    if smallest.shipped and smallest is not best and smallest not in close:
        loss = words.points(top.accuracy.value - smallest.shipped.accuracy.value)
        found.append(
            f"The smallest is {smallest.results.model}'s, {words.kilobytes(smallest.shipped.bytes)}, {loss} less accurate."
        )
    return found


def _refused_by(artifact: ArtifactReport) -> str:
    return ", ".join(words.runtime_words(each) for each in refusing(artifact)) or "none"


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("glyphlite.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": words.percent,
        "count": words.count,
        "kilobytes": words.kilobytes,
        "microseconds": words.microseconds,
        "times": words.times,
        "duration": words.duration,
        "p_value": words.p_value,
        "p_number": lambda p: words.p_value(p).removeprefix("p = ").removeprefix("p "),
        "runtime_title": words.runtime_title,
        "runtime_words": words.runtime_words,
        "cpu_title": words.cpu_title,
        "difference": words.difference,
        "refused_by": _refused_by,
    }
    return environment
