"""One damaged file through inspect, verify and export, and the verdict: a clear refusal, a correct result, or a fault of ours.

A result is correct when what inspect tells is what the schema's own generated reader finds in the same bytes, and verify and
export come to their end. Whether runtimes agree on a damaged file is the runtimes' matter; it is counted, not judged.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import GlyphliteError, ToolError
from glyphlite.evaluation.inspection import Inspection, inspect_artifact
from glyphlite.evaluation.verification.agreement import verify
from glyphlite.export.tflm.project import export_tflm
from glyphlite.runtimes.registry import INTERPRETERS
from glyphlite.runtimes.tflm_arena import ArenaMeasurement
from support.mutants import Mutant

LONGEST_SECONDS = 2.0
LONGEST_LINE = 1000


@dataclass(frozen=True)
class Trial:
    """What became of one file: an outcome and the seconds for each stage, and the faults, which should be none."""

    index: int
    kind: str
    source: str
    longest_s: float
    outcomes: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def try_mutant(
    mutant: Mutant, folder: Path, dataset: Dataset, *, arena: ArenaMeasurement | None, longest_s: float = LONGEST_SECONDS
) -> Trial:
    """Put one file through inspect, verify and export.

    Args:
        mutant: the damaged file.
        folder: scratch space; the file is written into it.
        dataset: a few images, all of which are verified; the first is embedded by the export.
        arena: measured before, to spare a file that TFLite Micro takes the slow parts: the search for its smallest arena and
            the comparison of the tensors inside; None does them.
        longest_s: a stage that takes longer, three times over, hangs.
    """
    path = folder / "mutant.tflite"
    path.write_bytes(mutant.content)
    trial = Trial(mutant.index, mutant.kind, mutant.source, longest_s)
    inspection = _stage(trial, "inspect", lambda: inspect_artifact(path), lambda _: "shown")
    if isinstance(inspection, Inspection):
        trial.faults.extend(f"inspect: {fault}" for fault in _misread(inspection, mutant.content))
    thorough = arena is None
    if not (isinstance(inspection, Inspection) and inspection.runtimes["tflm"].accepts):
        arena = None  # whether TFLite Micro takes a file is for export to find out, which it does by measuring
    _stage(
        trial,
        "verify",
        lambda: verify(path, dataset, runtimes=INTERPRETERS, tensor_images=1 if thorough else 0),
        lambda verification: "agrees" if verification.agrees else "differs",
    )
    with tempfile.TemporaryDirectory(dir=folder) as parent:
        project = Path(parent) / "tflm"
        _stage(
            trial,
            "export",
            lambda: export_tflm(path, project, image=dataset.test.images[0], label=0, labels=dataset.labels, arena=arena),
            lambda report: "exported" if all(file.stat().st_size for file in report.files) else "empty",
        )
        if trial.outcomes["export"] == "refused" and project.exists():
            trial.faults.append("export: a refused file left a folder behind")
    return trial


def _stage(trial: Trial, stage: str, work: Callable[[], Any], judge: Callable[[Any], str]) -> Any:
    """Run one stage, note its outcome and its time.

    Time is what the processor spent on it, here and in the runtimes' child processes: on a busy machine the clock on the wall
    tells of others' work. The wall still counts, ten times more patiently, since a stage may hang without computing.
    """
    wall, processor = time.monotonic(), _processor_seconds()
    result = _run(trial, stage, work, judge)
    processor, wall = _processor_seconds() - processor, time.monotonic() - wall
    if processor > trial.longest_s or wall > 10 * trial.longest_s:
        trial.faults.append(
            f"{stage}: took {processor:.1f} s of processor, {wall:.1f} s in all; {trial.longest_s:g} s is the limit"
        )
    trial.seconds[stage] = round(processor, 4)
    return result


def _processor_seconds() -> float:
    """Processor time of this process and all its children, living or waited for (Linux keeps both in ``/proc``)."""
    tick = os.sysconf("SC_CLK_TCK")
    ended = os.times()
    return ended.user + ended.system + ended.children_user + ended.children_system + _ticks_of_children(os.getpid()) / tick


def _ticks_of_children(process: int) -> int:
    total = 0
    for child in _read(f"/proc/{process}/task/{process}/children").split():
        fields = _read(f"/proc/{child}/stat").rpartition(")")[2].split()
        total += sum(map(int, fields[11:15])) + _ticks_of_children(int(child))
    return total


def _read(path: str) -> str:
    """A file of ``/proc``, empty when its process is gone by now."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _run(trial: Trial, stage: str, work: Callable[[], Any], judge: Callable[[Any], str]) -> Any:
    try:
        result = work()
        trial.outcomes[stage] = judge(result)
    except GlyphliteError as error:
        trial.outcomes[stage] = "refused"
        line = str(error)
        if isinstance(error, ToolError) or not line.isprintable() or not 20 <= len(line) <= LONGEST_LINE or "Traceback" in line:
            trial.faults.append(f"{stage}: not a clear refusal: {type(error).__name__}: {line[:200]!r}")
    except Exception as error:
        trial.outcomes[stage] = "fault"
        trial.faults.append(f"{stage}: {type(error).__name__}: {str(error)[:200]}")
    else:
        return result
    return None


def _misread(inspection: Inspection, content: bytes) -> list[str]:
    """Where inspect tells something else than the schema's own reader finds."""
    from ai_edge_litert import schema_py_generated as schema

    try:
        model: Any = schema.ModelT.InitFromPackedBuf(content)
    except Exception as error:
        return [f"shown, but the schema's own reader fails on it: {type(error).__name__}: {str(error)[:100]}"]
    graph, faults = model.subgraphs[0], []
    if len(graph.operators) != len(inspection.operators):
        return [f"{len(inspection.operators)} ops instead of {len(graph.operators)}"]
    for told, stored in zip(inspection.operators, graph.operators, strict=True):
        code = model.operatorCodes[stored.opcodeIndex]
        if told.builtin_code != max(code.builtinCode, code.deprecatedBuiltinCode):
            faults.append(f"op {told.index} has code {told.builtin_code}")
        if [tensor.index for tensor in told.outputs] != stored.outputs.tolist():
            faults.append(f"op {told.index} has other outputs")
        for tensor in (*told.inputs, *told.constants, *told.outputs):
            kept = graph.tensors[tensor.index]
            shape = [] if kept.shape is None else kept.shape.tolist()
            if [abs(extent) for extent in tensor.shape] != shape:
                faults.append(f"tensor {tensor.index} has the shape {tensor.shape} instead of {shape}")
            scales = [] if kept.quantization is None or kept.quantization.scale is None else kept.quantization.scale.tolist()
            if tensor.scales and tensor.scales != scales:
                faults.append(f"tensor {tensor.index} has other scales")
    return faults


def summarize(trials: Sequence[Trial]) -> dict[str, Any]:
    """Counts and times over a campaign, ready for JSON."""
    stages = ("inspect", "verify", "export")
    return {
        "files": len(trials),
        "faults": [
            {"index": trial.index, "kind": trial.kind, "source": trial.source, "faults": trial.faults}
            for trial in trials
            if trial.faults
        ],
        "outcomes": {stage: _count(trial.outcomes[stage] for trial in trials) for stage in stages},
        "kinds": {
            kind: _count(trial.outcomes["inspect"] for trial in trials if trial.kind == kind)
            for kind in sorted({trial.kind for trial in trials})
        },
        "longest_seconds": {stage: max((trial.seconds[stage] for trial in trials), default=0.0) for stage in stages},
    }


def _count(values: Any) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items()))
