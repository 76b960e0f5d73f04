"""Artifacts with made-up figures for rules that choose among them: which file is right is plain from the figures."""

from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.records import ArtifactReport, KerasReport, RuntimeReport
from glyphlite.results import Results

N = 10_000
KERAS = KerasReport(parameters=10, macs=10, bytes=300_000, accuracy=wilson_interval(9_900, N))


def artifact(
    variant: str, *, size: int, right: int = 9_900, p: float | None = 1.0, refused: bool = False, us: float = 5.0
) -> ArtifactReport:
    tflm = RuntimeReport(accepts=not refused, reason="no kernel" if refused else None, arena_bytes=None if refused else 9_472)
    return ArtifactReport(
        variant=variant,
        path=f"model_{variant}.tflite",
        bytes=size,
        weight_bytes=size // 2,
        sha256="",
        accuracy=wilson_interval(right, N),
        agreement_with_keras=0.999,
        mcnemar_p=p,
        latency_us=us,
        runtimes={"litert": RuntimeReport(accepts=True), "tflm": tflm},
    )


def crowded(results: Results, classes: int) -> Results:
    """The run with so many classes, each read as the next one once; the last has no image."""
    confusion = [[5 * (row == column) + (column == row + 1) for column in range(classes)] for row in range(classes - 1)]
    confusion.append([0] * classes)
    per_class = [wilson_interval(row[number], sum(row)) for number, row in enumerate(confusion)]
    artifact = results.artifacts[3].model_copy(update={"confusion": confusion, "per_class": per_class})
    labels = [f"class {each}" for each in range(classes)]
    return results.model_copy(update={"artifacts": [artifact], "labels": labels})
