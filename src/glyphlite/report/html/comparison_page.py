"""Several runs on one page, side by side: the recommended file of each, and what to say of them together. Writes no file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from glyphlite import __version__, formatting
from glyphlite.errors import DataError
from glyphlite.records import ArtifactReport, FirmwareReport
from glyphlite.report.findings.emulated_cores import preferred_core
from glyphlite.report.findings.obstacles import Obstacle, obstacles, with_training
from glyphlite.report.findings.recommendation import recommend
from glyphlite.report.html.templating import accuracy_scale, chart, environment
from glyphlite.results import Results
from glyphlite.training.history import read_history

if TYPE_CHECKING:
    from markupsafe import Markup

RESULTS_FILE = "results.json"


@dataclass(frozen=True)
class Run:
    """One run among several: its results, its recommended artifact and what to say of it on a microcontroller."""

    folder: Path
    name: str
    results: Results
    shipped: ArtifactReport | None
    core: FirmwareReport | None
    arena_bytes: int | None
    link: str | None
    waiting: tuple[Obstacle, ...] = ()
    is_best: bool = False


def load_runs(folders: Sequence[Path], beside: Path) -> list[Run]:
    """Reads the results of several runs; links are made for those whose report lies under ``beside``.

    Raises:
        DataError: no folder is named, or one holds no results.
    """
    if not folders:
        raise DataError("no run was named; name one or more folders that `glyphlite run` wrote")
    folders = [folder if folder.is_dir() else folder.parent for folder in folders]
    loaded = [_load(folder) for folder in folders]
    names = distinct_names(loaded, folders)
    return [_run(*each, beside) for each in zip(folders, names, loaded, strict=True)]


def _load(folder: Path) -> Results:
    """Reads a run's results, with its training's curve where they are of an earlier version."""
    results, history = Results.load(folder / RESULTS_FILE), folder / "history.csv"
    return with_training(results, read_history(history)) if history.is_file() else results


def distinct_names(runs: Sequence[Results], folders: Sequence[Path]) -> list[str]:
    """Names each run so that no two are called alike: the model, then what tells equal ones apart.

    That is the dataset and the seed where they differ, and as much of the folder's path as is needed where they don't.
    """
    names = [each.model for each in runs]
    for ending in (lambda run: f" on {run.dataset}", lambda run: f", seed {run.seed}"):
        names = _told_apart(names, [ending(each) for each in runs])
    for parts in range(1, max((len(each.resolve().parts) for each in folders), default=0) + 1):
        tails = ["/".join(each.resolve().parts[-parts:]) for each in folders]
        if all(tails.count(tail) == 1 for name, tail in zip(names, tails, strict=True) if names.count(name) > 1):
            return _told_apart(names, [f" ({tail})" for tail in tails])
    return names


def _told_apart(names: Sequence[str], endings: Sequence[str]) -> list[str]:
    """Adds its ending to each name that several have, where their endings are not all the same."""
    different = {name: len({end for other, end in zip(names, endings, strict=True) if other == name}) > 1 for name in names}
    return [name + ending if different[name] else name for name, ending in zip(names, endings, strict=True)]


def render_comparison(runs: Sequence[Run]) -> str:
    """Returns the page of several runs as HTML."""
    best = _best(runs)
    runs = [replace(each, is_best=each is best) for each in runs]
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
    return environment().get_template("compare.html.j2").render(context)


def _comparison_chart(runs: Sequence[Run]) -> "Markup":
    from glyphlite.report.figures.plots import comparison_figure

    shown = [(each.name, each.shipped, each.is_best) for each in runs if each.shipped]
    return chart(comparison_figure(shown), "runs", "Accuracy of each run's recommended file over its size")


def _run(folder: Path, name: str, results: Results, beside: Path) -> Run:
    recommendation = recommend(results)
    shipped = recommendation.artifact if recommendation else None
    tflm = shipped.runtimes.get("tflm") if shipped else None
    return Run(
        folder,
        name,
        results,
        shipped,
        preferred_core(results.firmware),
        tflm.arena_bytes if tflm else None,
        _link(folder, beside),
        obstacles(results),
    )


def _link(folder: Path, beside: Path) -> str | None:
    """Returns a relative link to a run's report, None where it has none or lies elsewhere."""
    from urllib.parse import quote

    page = folder.resolve() / "report.html"
    if not page.exists() or not page.is_relative_to(beside.resolve()):
        return None
    return "./" + quote(page.relative_to(beside.resolve()).as_posix())


def _best(runs: Sequence[Run]) -> Run | None:
    """Returns the run whose recommended file is most accurate, ties go to the smaller one; None where datasets differ."""
    shown = [each for each in runs if each.shipped]
    if not shown or len({each.results.dataset for each in shown}) > 1:
        return None
    return max(shown, key=lambda each: (each.shipped.accuracy.value, -each.shipped.bytes) if each.shipped else (0.0, 0))


def _comparison_words(runs: Sequence[Run]) -> list[str]:
    """Returns what the comparison says, in sentences."""
    best = _best(runs)
    if best is None or best.shipped is None or len(runs) < 2:
        return []
    top = best.shipped
    figures = f"{formatting.percent(top.accuracy.value)}, {formatting.kilobytes(top.bytes)}"
    found = [f"The most accurate file is {best.name}'s {top.variant}: {figures}."]
    close = [
        each
        for each in runs
        if each.shipped and each is not best and each.shipped.bytes < top.bytes and each.shipped.accuracy.high >= top.accuracy.low
    ]
    if close:
        small = min(close, key=lambda each: each.shipped.bytes if each.shipped else 0)
        if small.shipped:
            ratio = formatting.times(top.bytes / small.shipped.bytes)
            found.append(
                f"{small.name}'s is {ratio} times smaller at {formatting.percent(small.shipped.accuracy.value)}: "
                "their 95 % intervals overlap, so there may be no difference."
            )
    smallest = min((each for each in runs if each.shipped), key=lambda each: each.shipped.bytes if each.shipped else 0)
    if smallest.shipped and smallest is not best and smallest not in close:
        loss = formatting.points(top.accuracy.value - smallest.shipped.accuracy.value)
        found.append(f"The smallest is {smallest.name}'s, {formatting.kilobytes(smallest.shipped.bytes)}, {loss} less accurate.")
    beaten = [each.name for each in runs if any(_beats(other, each) for other in runs)]
    if beaten:
        verb = "is" if len(beaten) == 1 else "are"
        found.append(
            f"{formatting.listing(beaten)} {verb} worse in both: another run's file is smaller and significantly more accurate."
        )
    return found


def _beats(one: Run, other: Run) -> bool:
    """Returns whether a run's file is smaller than another's and more accurate by more than their intervals overlap."""
    if one.shipped is None or other.shipped is None:
        return False
    return one.shipped.bytes < other.shipped.bytes and one.shipped.accuracy.low > other.shipped.accuracy.high
