"""The folder of the Python program: predict.py, the model and its record, and copies of the modules that prepare pictures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glyphlite import __version__
from glyphlite.datasets.dataset import image_shape_of
from glyphlite.errors import ArtifactError
from glyphlite.escaping import json_text, name_of
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.export.model_name import model_name
from glyphlite.export.python.modules import copied_modules
from glyphlite.export.templating import render
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.reader import parse_graph, read_artifact

PACKAGE = "glyph_reader"
"""The name of the copies' package."""

MODULES = (
    "glyphlite.preprocessing.images",
    "glyphlite.preprocessing.pictures",
    "glyphlite.models.interface.certainty",
    "glyphlite.models.interface.output_kind",
    "glyphlite.tflite.quantization",
    "glyphlite.formatting",
)
"""All that the program takes over from glyphlite, with what these import."""

NEEDED = ("ai-edge-litert", "numpy", "pillow")

TEMPLATES = ("predict.py", "README.md", "requirements.txt")

_MINORS = range(11, 20)
"""Minor versions of Python that the program may run in."""


@dataclass(frozen=True)
class PythonExport:
    """The record of what was written."""

    folder: Path
    files: tuple[Path, ...]
    labels: tuple[str, ...]
    model_bytes: int
    sha256: str


def export_python(
    artifact: Path, folder: Path, *, labels: Sequence[str], convention: InputConvention, overwrite: bool = False
) -> PythonExport:
    """Writes the program; the folder appears whole or not at all.

    Args:
        artifact: a .tflite file of a classifier of grey or RGB images, of any variant that LiteRT runs.
        folder: created, or replaced where it holds an earlier export and nothing else.
        labels: the classes' names.
        convention: how the model takes a pixel.
        overwrite: also replace files of an earlier export that were changed, and keep the user's own.

    Raises:
        ArtifactError: the file is malformed, no classifier of images, or LiteRT refuses it.
        OutputError: the folder holds other files or cannot be written.
    """
    require_own(folder, overwrite=overwrite)
    content = read_artifact(artifact)
    graph = parse_graph(content, artifact.name)
    with get_runtime("litert").load(artifact):
        record = _record(artifact, content, graph, tuple(labels), convention)
    values = {
        "package": PACKAGE,
        "source": model_name(artifact, content),
        "version": __version__,
        "tested": [f"{name} {version(name)}" for name in NEEDED],
        "needed": NEEDED,
        "record": record,
        "bytes": len(content),
    }
    files = {name: render(f"python/{name}.j2", values) for name in TEMPLATES}
    files |= {"model.json": json_text(record) + "\n"}
    files |= {f"{PACKAGE}/{name}": text for name, text in copied_modules(MODULES, PACKAGE).items()}
    files[f"{PACKAGE}/__init__.py"] = (
        f'"""Copies of modules of glyphlite {__version__}: how a picture becomes what a model sees."""\n'
    )
    with owned_folder(folder, overwrite=overwrite, built=_caches([*files])) as new:
        (new / PACKAGE).mkdir()
        for name, text in files.items():
            (new / name).write_text(text, encoding="utf-8")
        (new / "model.tflite").write_bytes(content)
    names = ("model.tflite", *files)
    return PythonExport(folder, tuple(folder / name for name in names), tuple(labels), len(content), record["sha256"])


def _caches(files: Sequence[str]) -> list[str]:
    """Returns the files that Python will write beside modules; they are no reason to refuse the next export."""
    modules = [Path(file) for file in files if file.endswith(".py")]
    return [str(each.parent / "__pycache__" / f"{each.stem}.cpython-3{minor}.pyc") for each in modules for minor in _MINORS]


def _record(artifact: Path, content: bytes, graph: Graph, labels: tuple[str, ...], convention: InputConvention) -> dict[str, Any]:
    """Returns what the program knows of the model.

    Raises:
        ArtifactError: it classifies no images, or knows another number of classes.
    """
    shape = image_shape_of(graph.input.shape[1:])
    if len(graph.inputs) != 1 or len(graph.outputs) != 1 or shape is None:
        found = "x".join(map(str, graph.input.shape))
        raise ArtifactError(f"{artifact.name} takes inputs of shape {found}, not one image; expected height x width x 1 or 3")
    kind = outputs_of(graph, artifact.name)
    if kind.classes(graph.output.elements) != len(labels):
        raise ArtifactError(f"{artifact.name} knows {kind.classes(graph.output.elements)} classes, but has {len(labels)} labels")
    known = certainty_of(artifact)
    fitted = ("temperature", "least_certainty", "floor", "independent")
    return {
        "name": model_name(artifact, content),
        "file": name_of(artifact.name),
        "sha256": sha256(content).hexdigest(),
        "labels": list(labels),
        "image": {"height": shape[0], "width": shape[1], "channels": shape[2]},
        "input": {
            "range": convention.title,
            "mean": list(convention.mean),
            "std": list(convention.std),
            "layout": convention.layout,
            "quantization": _quantization(graph.input.quantization),
        },
        "output": {"kind": str(kind), "quantization": _quantization(graph.output.quantization)},
        "certainty": None if known is None else {name: getattr(known, name) for name in fitted},
        "made_by": f"glyphlite {__version__}",
    }


def _quantization(quantization: Quantization | None) -> dict[str, Any] | None:
    """Returns scale and zero point as the record holds them; None for a tensor of floats."""
    return None if quantization is None else asdict(quantization)
