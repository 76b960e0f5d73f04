"""The crate's folder: the C, a build script, an interface in safe Rust, and a test with TFLite Micro's answer to one sample."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.compile import check_name
from glyphlite.compiler.picture.sources import picture_numbers
from glyphlite.compiler.report import CompilationReport, EdgePlan
from glyphlite.escaping import visible
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.export.checked_edges import CheckedC, checked_c
from glyphlite.export.dispatch import dispatch_files
from glyphlite.export.model_name import model_and_file
from glyphlite.export.templating import render
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.tflite.reader import read_artifact

FILES = {
    "Cargo.toml": "Cargo.toml",
    "build.rs": "build.rs",
    "lib.rs": "src/lib.rs",
    "check.rs": "tests/check.rs",
    "rust.c": "c/{name}_rust.c",
    "README.md": "README.md",
}
"""Where each template goes."""

TYPES = {"int8": "i8", "uint8": "u8", "int16": "i16", "int32": "i32"}
"""Rust's names of the element types."""

_KEYWORDS = frozenset(
    """
    abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if impl in let
    loop macro match mod move mut override priv pub ref return self static struct super trait true try type typeof unsafe unsized
    use virtual where while yield
    """.split()  # noqa: SIM905 - a list of words is read more easily than one of strings
)
"""The words that Rust keeps for itself."""


@dataclass(frozen=True)
class RustEdge:
    """An input or output as the interface names it: the parameter, its constant's prefix, element type and count."""

    name: str
    constant: str
    type: str
    plan: EdgePlan


@dataclass(frozen=True)
class RustReport:
    """The record of what was written."""

    folder: Path
    crate: str
    files: tuple[str, ...]
    compilation: CompilationReport


def export_rust(
    artifact: Path,
    folder: Path,
    *,
    name: str,
    sample: Sequence[np.ndarray],
    sample_words: str,
    labels: Sequence[str] | None = None,
    convention: InputConvention | None = None,
    overwrite: bool = False,
) -> RustReport:
    """Writes the crate; the folder appears whole or not at all.

    Args:
        artifact: an int8 or int16x8 .tflite file.
        folder: created, or replaced where it holds an earlier export and nothing else.
        name: of the C symbols; the crate is ``glyphlite-NAME``.
        sample: what every input of the file holds, ``(1, ...)``, for the test; TFLite Micro says what must come out.
        sample_words: where the sample comes from.
        labels: the classes' names.
        convention: how the model takes a raw pixel.
        overwrite: also replace files of an earlier export that were changed, and keep the user's own.

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
        OutputError: the name is no C identifier, or the folder holds other files or cannot be written.
        ToolError: TFLite Micro's Python wheel is not installed.
    """
    check_name(name)
    require_own(folder, overwrite=overwrite)
    c = checked_c(
        artifact,
        name=name,
        sample=sample,
        optimize="speed",
        labels=labels,
        convention=convention,
        with_picture=True,
        certainty=certainty_of(artifact),
    )
    dispatched = dispatch_files(name, c.files[f"{name}.h"])
    sources = {f"c/{file}": text for file, text in (c.files | dispatched).items()}
    values = _values(artifact, c.report, sample_words)
    values["modules"] = [each for each in ("image", "stroke", "sure") if f"{name}_{each}.c" in c.files]
    values["picture"] = _picture(c) if "image" in values["modules"] else {}
    values["dispatched"] = sorted(file for file in dispatched if file.endswith(".c"))
    values["checked_inputs"] = [*zip(c.inputs, values["inputs"], strict=True)]
    values["checked_outputs"] = [*zip(c.outputs, values["outputs"], strict=True)]
    for template, path in FILES.items():
        sources[path.format(name=name)] = render(f"rust/{template}.j2", values)
    with owned_folder(folder, overwrite=overwrite, built=("Cargo.lock",)) as temporary:
        for path, text in sources.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_text(text, encoding="utf-8")
    return RustReport(folder, values["crate"], tuple(sorted(sources)), c.report)


def rust_string(text: str) -> str:
    r"""Returns text as the inside of a Rust string literal, in ASCII.

    Example:
        >>> print(rust_string('a"\\é'))
        a\"\\\u{e9}
    """
    escaped = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return re.sub(r"[^ -~]", lambda found: f"\\u{{{ord(found[0]):x}}}", escaped)


def _values(artifact: Path, report: CompilationReport, sample_words: str) -> dict[str, Any]:
    """Returns what the templates are told but for the sample."""
    kind = f"classifier of {len(report.labels)} classes" if report.classifies else "network"
    return {
        "name": report.name,
        "crate": "glyphlite-" + report.name.lower().strip("_").replace("_", "-"),
        "library": "glyphlite_" + report.name.lower().strip("_"),
        "version": __version__,
        "source": model_and_file(artifact, read_artifact(artifact)),
        "kind": kind,
        "sample_words": sample_words,
        "report": report,
        "labels": [rust_string(label) for label in report.labels],
        "inputs": _edges(report.input_tensors),
        "outputs": _edges(report.output_tensors),
        # The arena's size depends on the core: the larger one is enough for each, and no arena of C is empty.
        "arena_bytes": max(report.arena_bytes, report.plain_arena_bytes, 4),
    }


def _picture(c: CheckedC) -> dict[str, int]:
    """Returns the numbers that the working memory of a picture's preparation is computed from."""
    height, width = (int(each) for each in c.report.input_tensors[0].shape[1:3])
    return picture_numbers(height, width)


def _edges(plans: Sequence[EdgePlan]) -> list[RustEdge]:
    """Returns inputs or outputs under names that Rust takes."""
    return [RustEdge(_parameter(plan.name), plan.name.upper(), TYPES[plan.element_type], plan) for plan in plans]


def _parameter(name: str) -> str:
    """Returns a C parameter's name as Rust writes one."""
    lower = name.lower()
    return f"{lower}_" if lower in _KEYWORDS else lower
