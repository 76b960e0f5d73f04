"""The verdict of a comparison of runtimes, in words. Knows the records only."""

import math
from collections.abc import Mapping, Sequence

from glyphlite.records import VerifyReport
from glyphlite.runtimes.registry import runtime_title


def disagreements(records: Sequence[VerifyReport], tolerance: float, keras_tolerance: float) -> list[VerifyReport]:
    """Returns the records whose classes differ from the reference's on more of the images than tolerated."""
    return [
        record
        for record in records
        if _differing(record) > tolerated(record.images, keras_tolerance if record.runtime == "keras" else tolerance)
    ]


def tolerated(images: int, tolerance: float) -> int:
    """Returns how many of the images a share is, rounded up: one image in a small draw is no worse than it is in the whole
    split.
    """
    return math.ceil(images * tolerance - 1e-9)


def verdict_of(
    records: Sequence[VerifyReport], refused: Mapping[str, str], *, tolerance: float, keras_tolerance: float
) -> tuple[bool, str]:
    """Returns whether the runtimes agree, and a paragraph that says how far.

    Args:
        records: one per runtime, the reference among them.
        refused: runtimes that did not take the file, with their reasons.
        tolerance: the share of images whose class may differ from the reference's.
        keras_tolerance: the same for the float source, which is another arithmetic.
    """
    reference = next(record for record in records if record.runtime == record.reference)
    others = [record for record in records if record is not reference]
    failing = disagreements(others, tolerance, keras_tolerance)
    sentences = [_opening(reference, others, failing, keras_tolerance)]
    if equal := [record for record in others if record.identical == 1]:
        sentences.append(f"{_names(equal)}: identical to {_title(reference)} on every byte of the output.")
    sentences += [_difference(record) for record in others if record.identical < 1]
    if any(record.same_class < 1 for record in others):
        sentences.append(
            f"Tolerated: another class on {tolerance:.2%} of the images, on {keras_tolerance:.2%} in the float source."
        )
    if refused:
        sentences.append(
            "Not compared: " + "; ".join(f"{runtime_title(name)} ({reason})" for name, reason in refused.items()) + "."
        )
    return not failing, " ".join(sentences)


def _opening(
    reference: VerifyReport, others: Sequence[VerifyReport], failing: Sequence[VerifyReport], keras_tolerance: float
) -> str:
    over = f"over {reference.images:,} image{'s' if reference.images != 1 else ''}"
    if not others:
        return f"Nothing to compare: {_title(reference)} alone accepts {reference.artifact}."
    if failing and all(record.runtime == "keras" for record in failing):
        return (
            f"The runtimes agree on {reference.artifact} {over}, but the float Keras model gives another class than "
            f"{_title(reference)} on {_count(failing[0])}, above the limit of {keras_tolerance:.2%}."
        )
    if failing:
        worst = "; ".join(f"{_title(record)} on {_count(record)}" for record in failing)
        return f"The runtimes disagree on {reference.artifact} {over}: another class than {_title(reference)} in {worst}."
    if all(record.same_class == 1 for record in others):
        return f"The runtimes agree on {reference.artifact} {over}: the same class on every image."
    return f"The runtimes agree on {reference.artifact} {over} within the tolerance."


def _difference(record: VerifyReport) -> str:
    """Returns how far one runtime is from the reference."""
    unit = "step" if record.difference_unit == "steps" else "in probability"
    amount = (
        f"{record.largest_difference:.0f} {unit}{'s' if record.largest_difference != 1 else ''}"
        if unit == "step"
        else f"{record.largest_difference:.2g} {unit}"
    )
    words = f"{_title(record)}: identical on {record.identical:.2%} of the images, maximum difference {amount}"
    if record.same_class < 1:
        words += f", another class on {_count(record)}"
    if first := record.first_difference:
        words += f"; first in op {first.op_index}, {first.op}, by {first.largest_difference:g}"
    return words + "."


def _differing(record: VerifyReport) -> int:
    """Returns the number of images on which the class is not the reference's."""
    return round((1 - record.same_class) * record.images)


def _count(record: VerifyReport) -> str:
    differing = _differing(record)
    return f"{differing:,} image{'s' if differing != 1 else ''} ({1 - record.same_class:.2%})"


def _names(records: Sequence[VerifyReport]) -> str:
    return ", ".join(_title(record) for record in records)


def _title(record: VerifyReport) -> str:
    return runtime_title(record.runtime)
