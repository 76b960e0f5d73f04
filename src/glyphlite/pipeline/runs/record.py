"""``run.toml``: everything needed to repeat a run. Versions, seeds, recipe, hashes; the command that does it again."""

import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tomli_w

from glyphlite import __version__
from glyphlite.datasets.dataset import Dataset
from glyphlite.escaping import is_unicode, visible
from glyphlite.files.owned import write_owned
from glyphlite.models.choice import ModelChoice
from glyphlite.models.definition.definition import StoredDefinition
from glyphlite.pipeline.runs.folder import DEFINITION, is_same_file
from glyphlite.records import DefinitionReport

PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "tflite-micro", "numpy", "pillow", "unicorn", "ziglang")


def write_run_record(
    folder: Path,
    *,
    command: list[str],
    model: str,
    dataset: Dataset,
    recipe: dict[str, Any],
    settings: dict[str, Any],
    hashes: dict[str, str],
    remember: dict[str, Any] | None = None,
    pretrained: dict[str, Any] | None = None,
    definition: StoredDefinition | None = None,
) -> Path:
    """Writes ``run.toml``, and, of a model that a file defines, a copy of that file.

    Args:
        folder: the run's folder.
        command: the command line that repeats the run.
        model: the model as it was named.
        dataset: where its bytes came from, and their SHA-256.
        recipe: how the model was trained.
        settings: seeds and sizes, by name; None is left out.
        hashes: SHA-256 of the run's files, by name.
        remember: how the dataset is named so that it is found again, by :func:`glyphlite.pipeline.inputs.datasets.to_remember`.
        pretrained: where the model came from, if it was not trained here.
        definition: the file that defines the model, as it was read.

    Raises:
        OutputError: it cannot be written.
    """
    document = {
        "repeat": shlex.join(command),
        "model": model,
        "settings": _known(settings),
        "dataset": _known(
            {
                "name": dataset.name,
                "source": dataset.source,
                "train": len(dataset.train),
                "validation": len(dataset.validation),
                "test": len(dataset.test),
                "sha256": dataset.sha256,
                **(remember or {}),
            }
        ),
        "recipe": _known(recipe),
        **({"pretrained": pretrained} if pretrained else {}),
        **({"definition": {"file": str(definition.path), "sha256": definition.sha256}} if definition else {}),
        "versions": {"glyphlite": __version__, "python": platform.python_version(), **_versions()},
        "machine": {"system": platform.platform(terse=True), "architecture": platform.machine(), "byte_order": sys.byteorder},
        "sha256": hashes,
    }
    if definition and not is_same_file(folder / DEFINITION, definition.path):
        write_owned(folder / DEFINITION, definition.content)
    return write_owned(folder / "run.toml", tomli_w.dumps(_writable(document)))


def definition_report(choice: ModelChoice) -> DefinitionReport | None:
    """Returns what ``results.json`` says of the file that defines a model; None where none does."""
    stored = choice.definition
    return None if stored is None else DefinitionReport(file=str(stored.path), sha256=stored.sha256)


def _writable(value: Any) -> Any:
    """Returns a document without what no TOML can hold: the bytes of file names that are not UTF-8 are written out."""
    if isinstance(value, dict):
        return {_writable(key): _writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return visible(value) if isinstance(value, str) and not is_unicode(value) else value


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """Leaves out what is not set, as TOML has no null."""
    return {
        key: _known(value) if isinstance(value, dict) else str(value) if isinstance(value, Path) else value
        for key, value in values.items()
        if value is not None
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        for name in (package, f"{package}-cpu"):
            try:
                found[package] = version(name)
                break
            except PackageNotFoundError:
                continue
    return found
