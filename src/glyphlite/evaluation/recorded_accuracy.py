"""The accuracy that was measured on a file, found in the records that lie beside it, in words for people."""

from pathlib import Path

from glyphlite.evaluation.recorded_confidence import recorded
from glyphlite.records import Accuracy


def accuracy_words(path: Path) -> str:
    """Returns what results.json or card.json beside a file says of this very file; empty where they say nothing.

    Args:
        path: a .tflite or .keras file.
    """
    for said in recorded(path, "accuracy"):
        try:
            found = Accuracy.model_validate(said)
        except ValueError:
            continue
        return in_words(found)
    for said in recorded(path, "validation_accuracy"):
        if isinstance(said, float):
            twin = next((each for each in recorded(path, "certainty") if isinstance(each, dict)), {}).get("twin")
            return f"{said:.2%} of the validation images right{', before it was trained on these, too' if twin else ''}"
    return ""


def in_words(accuracy: Accuracy) -> str:
    """Returns an accuracy on test images with its interval, in a phrase of plain ASCII."""
    low, high = f"{accuracy.low:.2%}", f"{accuracy.high:.2%}"
    return f"{accuracy.value:.2%} of {accuracy.n:,} test images right (95 % interval {low} to {high})"
