"""The pages as files: one HTML document each that opens from disk, light or dark, on a phone or on paper, and needs no script.

Everything a page loads is inside it, and its content security policy says so. Whatever comes from outside (labels, names,
reasons) is escaped by the templates. Measures nothing: every figure comes from the results, and stands in the page with its
full value.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from glyphlite.escaping import visible
from glyphlite.files.owned import write_owned
from glyphlite.files.untrusted import read_input
from glyphlite.report.figures.samples import SampleSheet
from glyphlite.report.findings.obstacles import with_training
from glyphlite.report.html.comparison_page import load_runs, render_comparison
from glyphlite.report.html.run_page import render_report
from glyphlite.results import Results
from glyphlite.training.history import read_history

SAMPLES_FILE = Path("figures") / "samples.json"


def write_report(
    results: Results,
    folder: Path,
    *,
    samples: SampleSheet | None = None,
    history: Path | None = None,
    graph_svg: str | None = None,
) -> Path:
    """Writes ``report.html`` into a run's folder.

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
    epochs = read_history(history) if history.exists() else ()
    recipe = folder / "run.toml"
    page = render_report(
        with_training(results, epochs),
        samples=samples,
        history=epochs,
        graph_svg=graph_svg,
        run_toml=_without_places(read_input(recipe, "a run.toml").decode(errors="replace")) if recipe.exists() else None,
    )
    return write_owned(folder / "report.html", _seen(page))


def _without_places(run_toml: str) -> str:
    """Returns a run.toml without the lines that say where on this machine the data lies: a page is made to be passed on."""
    return re.sub(r'^(?:named|data_dir|group_by) = "/.*\n', "", run_toml, flags=re.MULTILINE)


def compare_report(folders: Sequence[Path], path: Path) -> Path:
    """Writes one page that puts several runs side by side.

    Args:
        folders: folders of finished runs, each with a ``results.json``.
        path: the page to write.

    Raises:
        DataError: a folder holds no results.
    """
    return write_owned(path, _seen(render_comparison(load_runs(folders, path.parent))))


def _seen(page: str) -> str:
    """Returns a page in which nothing is hidden, whichever of its parts a text came through."""
    return visible(page, keep="\n\t")
