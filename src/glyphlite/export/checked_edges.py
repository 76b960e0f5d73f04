"""The sample that an exported project checks itself with: its inputs, and the outputs that TFLite Micro gives for them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite.compiler.compile import compile_artifact
from glyphlite.compiler.report import CompilationReport, EdgePlan
from glyphlite.evaluation.recorded_accuracy import accuracy_words
from glyphlite.files.scratch import temporary_folder
from glyphlite.models.interface.certainty import FittedCertainty
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.runtimes.compiled import as_taken, offsets
from glyphlite.runtimes.registry import get_runtime


@dataclass(frozen=True)
class CheckedEdge:
    """An input or output of the sample that the check runs.

    Attributes:
        name: in C.
        element_type: what is stored.
        values: as stored.
        in_memory: whether it lies in ``NAME_memory_t``; an input that is never read does not.
    """

    name: str
    element_type: str
    values: tuple[int, ...]
    in_memory: bool = True

    @property
    def bytes(self) -> int:
        """Returns the bytes of the values."""
        return len(self.values) * np.dtype(self.element_type).itemsize

    @property
    def text(self) -> str:
        """Returns the values as lines of C."""
        return "\n    ".join(textwrap.wrap(", ".join(map(str, self.values)), 110))


def checked_edges(stored: np.ndarray, plans: Sequence[EdgePlan]) -> list[CheckedEdge]:
    """Returns inputs or outputs of one sample from the bytes that the C takes or gives."""
    found = []
    for plan, start in zip(plans, offsets([plan.bytes for plan in plans]), strict=True):
        values = stored[start : start + plan.bytes].view(plan.element_type)
        found.append(
            CheckedEdge(plan.name, plan.element_type, tuple(int(value) for value in values), plan.memory_offset is not None)
        )
    return found


@dataclass(frozen=True)
class CheckedC:
    """Generated C and a sample for it: its files' text by name, and what TFLite Micro takes and gives for one call."""

    report: CompilationReport
    files: dict[str, str]
    inputs: list[CheckedEdge]
    outputs: list[CheckedEdge]


def checked_c(
    artifact: Path,
    *,
    name: str,
    sample: Sequence[np.ndarray],
    optimize: str,
    labels: Sequence[str] | None,
    convention: InputConvention | None,
    with_picture: bool = False,
    certainty: FittedCertainty | None = None,
) -> CheckedC:
    """Compiles an artifact, and runs a sample, ``(1, ...)`` for every input, through TFLite Micro.

    ``with_picture`` and ``certainty`` are `compile_artifact`'s.

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
        ToolError: TFLite Micro's Python wheel is not installed.
    """
    with get_runtime("tflm").load(artifact) as reference:
        taken = tuple(np.repeat(values, reference.ports.batch, axis=0) for values in sample)  # of one call
        expected = reference.run(taken)
    with temporary_folder() as scratch:
        report = compile_artifact(
            artifact,
            scratch / "c",
            name=name,
            optimize=optimize,
            labels=labels,
            convention=convention,
            with_picture=with_picture,
            certainty=certainty,
            accuracy=accuracy_words(artifact),
            example=False,
        )
        own = [file for file in report.files if "/" not in file and file.endswith((".c", ".h"))]
        files = {file: (scratch / "c" / file).read_text(encoding="utf-8") for file in own}
    inputs = checked_edges(as_taken(taken, report.input_tensors)[0], report.input_tensors)
    return CheckedC(report, files, inputs, checked_edges(as_taken(expected, report.output_tensors)[0], report.output_tensors))
