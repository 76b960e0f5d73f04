"""A run's pictures and page, from its records; written again from disk alone by ``glyphlite report``."""

from pathlib import Path

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.evaluation.model_evaluation import ArtifactEvaluation
from glyphlite.files.owned import require_ours, write_owned
from glyphlite.report.figures.graph_picture import draw_graph
from glyphlite.report.figures.plots import write_figures
from glyphlite.report.figures.samples import SampleSheet, choose_samples
from glyphlite.report.findings.recommendation import recommend
from glyphlite.report.html.files import compare_report, write_report
from glyphlite.results import Results
from glyphlite.tflite.reader import read_graph

SAMPLES = "figures/samples.json"


def write_report_of(folder: Path, results: Results, dataset: Dataset, shipped: ArtifactEvaluation | None) -> Path:
    """Writes the figures and ``report.html`` of a run.

    Args:
        folder: the run's folder.
        results: its records.
        dataset: whose test images are shown.
        shipped: the artifact whose predictions are shown, right and wrong.

    Returns:
        The page.

    Raises:
        OutputError: something cannot be written.
    """
    if shipped is not None:
        sheet = choose_samples(
            dataset.test.images, dataset.test.labels, shipped.probabilities, artifact=shipped.report.path, seed=results.seed
        )
        sheet.save(folder / SAMPLES)
    return _write(folder, results)


def write_reports(runs: list[Path], out: Path | None) -> Path:
    """Writes one run's page again, or several side by side.

    Raises:
        DataError: a folder holds no results.json.
        OutputError: the page cannot be written.
    """
    for run in runs:
        if not (run / "results.json").is_file():
            raise DataError(f"{run} holds no results.json; name the folder of a finished run")
    if out is not None:
        require_ours(out.parent, [out.name])
    if len(runs) > 1:
        return compare_report(runs, out or Path("comparison.html"))
    page = _write(runs[0], Results.load(runs[0] / "results.json"))
    if out is not None:
        return write_owned(out, page.read_bytes())
    return page


def _write(folder: Path, results: Results) -> Path:
    history = folder / "history.csv"
    known = history if history.is_file() else None
    sheet = SampleSheet.load(folder / SAMPLES) if (folder / SAMPLES).is_file() else None
    write_figures(results, folder, samples=sheet)
    chosen = recommend(results)
    shown = chosen.artifact if chosen else None
    graph_svg = None
    if shown is not None and (folder / shown.path).is_file():
        graph_svg = draw_graph(read_graph(folder / shown.path), shown.path)
    return write_report(results, folder, samples=sheet, history=known, graph_svg=graph_svg)
