"""A sentence on a classifier whose classes are unequal, where accuracy hides the rare ones. A pure function of the records."""

from collections.abc import Sequence

from glyphlite.datasets.splits import UNEQUAL, imbalance
from glyphlite.formatting import percent, things
from glyphlite.records import ArtifactReport, KerasReport


def mean_recall_beside(report: KerasReport | ArtifactReport) -> float | None:
    """Returns the balanced accuracy that stands beside a file's accuracy; None where the test images' classes are about equal."""
    counts = [each.n for each in report.per_class if each.measured]
    return report.balanced_accuracy if len(counts) > 1 and imbalance(counts) >= UNEQUAL else None


def unequal_classes(name: str, report: KerasReport | ArtifactReport, labels: Sequence[str]) -> str | None:
    """Returns a file's balanced accuracy and its least recognized class in words; None where the classes are about equal.

    Args:
        name: what the file is called.
        report: what was measured on it.
        labels: the classes' names.
    """
    balanced = mean_recall_beside(report)
    if balanced is None:
        return None
    measured = [number for number, each in enumerate(report.per_class) if each.measured]
    counts = [report.per_class[number].n for number in measured]
    least = min(measured, key=lambda number: report.per_class[number].value)
    label = labels[least] if least < len(labels) else str(least)
    recall = report.per_class[least]
    return (
        f"The classes are unequal, {min(counts):,} to {things(max(counts), 'test image')}: the balanced accuracy (mean recall) "
        f"of {name} is {percent(balanced)}; least recognized is {label}, {percent(recall.value)} of {recall.n:,}."
    )
