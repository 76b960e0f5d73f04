"""The folder of the Python program: predict.py, the model and its record, and copies of the modules that prepare pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from glyphlite import __version__
from glyphlite.escaping import json_text
from glyphlite.export.model_name import model_name
from glyphlite.export.picture_record import picture_record
from glyphlite.export.python.modules import copied_modules
from glyphlite.export.templating import render
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.runtimes.registry import get_runtime
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
        record = picture_record(artifact, content, graph, tuple(labels), convention)
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
