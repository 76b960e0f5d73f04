"""``glyphlite inspect``: the records of one .tflite file, and its graph as a picture."""

from pathlib import Path

from glyphlite.evaluation.inspection import Inspection, inspect_artifact
from glyphlite.files.named import require_own_file
from glyphlite.files.single import write_text
from glyphlite.pipeline.inputs.files import artifact_in
from glyphlite.report.figures.graph_picture import draw_graph
from glyphlite.tflite.reader import read_graph


def inspect_file(path: Path, *, graph: Path | None, runtimes: bool) -> Inspection:
    """Inspects a .tflite file (or a run's int8 artifact) and draws its graph where ``graph`` names a file.

    Raises:
        ArtifactError: the file is malformed; one line says how.
        OutputError: the picture cannot be written, or another file lies in its place.
    """
    if graph is not None:
        require_own_file(graph, "--graph")
    path = artifact_in(path)
    inspection = inspect_artifact(path, runtimes=runtimes, arena=runtimes)
    if graph is not None:
        write_text(graph, draw_graph(read_graph(path), path.name))
    return inspection
