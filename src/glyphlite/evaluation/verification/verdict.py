"""The verdict of a comparison of runtimes, in words. Knows the records only.

What is promised is that generated C gives TFLite Micro's bytes. Another runtime whose kernels round otherwise departs from them;
it is named, with how far, and is no disagreement.
"""

import math
from collections.abc import Mapping, Sequence

from glyphlite.formatting import listing, things
from glyphlite.records import VerifyReport
from glyphlite.runtimes.registry import BOARD, FLOAT_SOURCES, GENERATED, runtime_title, runtime_words

REFERENCE = "tflm"
"""The runtime whose bytes generated C gives."""


def disagreements(records: Sequence[VerifyReport], tolerance: float, keras_tolerance: float) -> list[VerifyReport]:
    """Returns the records whose classes differ from the reference's on more of the images than tolerated."""
    return [
        record
        for record in records
        if _differing(record) > tolerated(record.images, keras_tolerance if record.runtime in FLOAT_SOURCES else tolerance)
    ]


def promises(records: Sequence[VerifyReport]) -> tuple[list[VerifyReport], list[VerifyReport]]:
    """Returns the records of generated C that was compared with TFLite Micro, and those of them whose bytes are others."""
    promised = [record for record in records if record.runtime in GENERATED and record.reference == REFERENCE]
    return promised, [record for record in promised if record.identical < 1]


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
    promised, broken = promises(records)
    failing = disagreements(others, tolerance, keras_tolerance)
    if promised and not broken:
        failing = [record for record in failing if record.runtime in FLOAT_SOURCES]
    agrees = not failing and not broken
    equal = [record for record in others if record.identical == 1]
    if broken:
        sentences = [_fault(broken, reference)]
    elif promised:
        sentences = _kept(reference, equal, failing, keras_tolerance)
    else:
        sentences = [_opening(reference, others, failing, keras_tolerance)]
        if equal:
            sentences.append(f"{_names(equal)}: identical to {_title(reference)} on every byte of the output.")
    sentences += [_difference(record) for record in others if record.identical < 1 and record not in broken]
    if any(record.same_class is not None and record.same_class < 1 for record in others):
        sentences.append(
            f"Tolerated: another class on {tolerance:.2%} of the images, on {keras_tolerance:.2%} in the float source."
        )
    if (error := reference.mean_absolute_error) is not None:
        sentences.append(f"Mean absolute error of {_title(reference)} against the float source: {error:.3g}.")
    if refused:
        by_reason: dict[str, list[str]] = {}
        for name, reason in refused.items():
            by_reason.setdefault(reason, []).append(runtime_words(name) if len(refused) > 1 else runtime_title(name))
        sentences.append(f"Not compared: {'; '.join(f'{listing(names)} ({reason})' for reason, names in by_reason.items())}.")
    return agrees, " ".join(sentences)


def _fault(broken: Sequence[VerifyReport], reference: VerifyReport) -> str:
    """Returns what is wrong where generated C does not give TFLite Micro's bytes: with us, or with one board."""
    worst = "; ".join(
        f"{_title(record)} by up to {_amount(record)} on {things(_unequal(record), record.unit)} ({1 - record.identical:.2%})"
        for record in broken
    )
    if all(record.runtime == BOARD.name for record in broken):
        return (
            f"The board disagrees on {reference.artifact} {_over(reference)} with {_title(reference)}, {worst}. Generated C is "
            "right elsewhere: look at the board's compiler flags, stack and memory; NAME_check() runs one sample there."
        )
    return (
        f"The runtimes disagree on {reference.artifact} {_over(reference)}: generated C differs from {_title(reference)}, "
        f"{worst}. This is a fault of glyphlite: please report it with the file."
    )


def _kept(
    reference: VerifyReport, equal: Sequence[VerifyReport], failing: Sequence[VerifyReport], keras_tolerance: float
) -> list[str]:
    """Returns the opening where generated C gives TFLite Micro's bytes."""
    names = listing([*(runtime_words(record.runtime) for record in equal), runtime_words(reference.runtime)])
    opening = f"{names[0].upper()}{names[1:]} agree on every byte of {reference.artifact} {_over(reference)}"
    if not failing:
        return [f"{opening}."]
    return [f"{opening}, but {_float_fails(failing[0], reference, keras_tolerance)}"]


def _opening(
    reference: VerifyReport, others: Sequence[VerifyReport], failing: Sequence[VerifyReport], keras_tolerance: float
) -> str:
    over = _over(reference)
    if not others:
        return f"Nothing to compare: {_title(reference)} alone accepts {reference.artifact}."
    if failing and all(record.runtime in FLOAT_SOURCES for record in failing):
        return f"The runtimes agree on {reference.artifact} {over}, but {_float_fails(failing[0], reference, keras_tolerance)}"
    if failing:
        worst = "; ".join(f"{_title(record)} on {_count(record)}" for record in failing)
        return f"The runtimes disagree on {reference.artifact} {over}: another class than {_title(reference)} in {worst}."
    if reference.same_class is None:
        others = [record for record in others if record.runtime not in FLOAT_SOURCES]
        if all(record.identical == 1 for record in others):
            return f"The runtimes agree on {reference.artifact} {over}."
        return f"Compared with {runtime_words(reference.runtime)} on {reference.artifact} {over}:"
    if all(record.same_class == 1 for record in others):
        return f"The runtimes agree on {reference.artifact} {over}: the same class on every image."
    return f"The runtimes agree on {reference.artifact} {over} within the tolerance."


def _float_fails(record: VerifyReport, reference: VerifyReport, tolerance: float) -> str:
    model = "the float Keras model" if record.runtime == "keras" else "the float .tflite file"
    return f"{model} gives another class than {_title(reference)} on {_count(record)}, above the limit of {tolerance:.2%}."


def _difference(record: VerifyReport) -> str:
    """Returns how far one runtime is from the reference."""
    if record.values:
        share = record.differing_values / record.values
        words = (
            f"{runtime_words(record.runtime)} departs by up to {_amount(record)} on {share:.2%} of the outputs "
            f"({things(_unequal(record), record.unit)})"
        )
    else:
        words = f"{_title(record)}: identical on {record.identical:.2%} of the images, maximum difference {_amount(record)}"
    if record.same_class is not None and record.same_class < 1:
        words += f", another class on {_count(record)}"
    if first := record.first_difference:
        words += f"; first in op {first.op_index}, {first.op}, by {first.largest_difference:g}"
    return words + "."


def _amount(record: VerifyReport) -> str:
    if record.difference_unit == "steps":
        return things(round(record.largest_difference), "step")
    return f"{record.largest_difference:.2g}" + (" in probability" if record.difference_unit == "probability" else "")


def _over(record: VerifyReport) -> str:
    return f"over {things(record.images, record.unit)}"


def _unequal(record: VerifyReport) -> int:
    """Returns the number of inputs on which the outputs are not the reference's."""
    return round((1 - record.identical) * record.images)


def _differing(record: VerifyReport) -> int:
    """Returns the number of images on which the class is not the reference's."""
    return 0 if record.same_class is None else round((1 - record.same_class) * record.images)


def _count(record: VerifyReport) -> str:
    return f"{things(_differing(record), record.unit)} ({_differing(record) / max(record.images, 1):.2%})"


def _names(records: Sequence[VerifyReport]) -> str:
    return ", ".join(_title(record) for record in records)


def _title(record: VerifyReport) -> str:
    return runtime_title(record.runtime)
