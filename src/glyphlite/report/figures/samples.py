"""Test images with what a model said of them: drawn at random among those it got right, and its surest mistakes.

They are kept beside the results, since a page of numbers is understood by looking at what was read right and wrong.
"""

import base64
import io
from pathlib import Path

import numpy as np
from pydantic import Field, ValidationError

from glyphlite.errors import DataError
from glyphlite.files.owned import write_owned
from glyphlite.files.untrusted import parsing, read_input
from glyphlite.records import Record, what_is_wrong


class Sample(Record):
    """One test image: its index in the split, true and predicted class, how sure the model was, and of what else it thought."""

    index: int
    label: int
    predicted: int
    certainty: float
    label_probability: float
    png: str
    """The image as a PNG in base64."""

    @property
    def is_right(self) -> bool:
        """Returns whether the prediction is the label."""
        return self.label == self.predicted


class SampleSheet(Record):
    """Samples of one artifact: some that it got right, its surest mistakes, and how many mistakes there are in all."""

    artifact: str
    images: int
    mistakes: int
    right: list[Sample] = Field(default_factory=list)
    wrong: list[Sample] = Field(default_factory=list)

    def save(self, path: Path) -> Path:
        """Writes the sheet as JSON, atomically."""
        return write_owned(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "SampleSheet":
        """Reads a sheet.

        Raises:
            DataError: the file is missing or is no such sheet.
        """
        content = read_input(path, "a sheet of samples")
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise DataError(f"{path} is not a sheet of samples: {what_is_wrong(error)}; run glyphlite again") from None


def choose_samples(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    artifact: str,
    right: int = 10,
    wrong: int = 20,
    seed: int = 0,
) -> SampleSheet:
    """Picks what to show of a model.

    Args:
        images: uint8 ``(n, height, width, channels)``, 1 or 3 channels.
        labels: true classes ``(n,)``.
        probabilities: ``(n, classes)`` as the artifact gives them.
        artifact: the file's name.
        right: how many it got right, drawn at random, one per class as far as that goes.
        wrong: how many mistakes, those it was surest of first.
        seed: for the draw.
    """
    predictions = probabilities.argmax(axis=1)
    certainty = probabilities.max(axis=1)
    mistaken = np.flatnonzero(predictions != labels)
    surest = mistaken[np.argsort(-certainty[mistaken], kind="stable")][:wrong]
    correct = np.random.default_rng(seed).permutation(np.flatnonzero(predictions == labels))
    # First of each class, then second of each class ...: one per class as far as that goes.
    rounds = _occurrence(labels[correct])
    drawn = correct[np.lexsort((labels[correct], rounds))][:right]

    def sample(index: int) -> Sample:
        return Sample(
            index=index,
            label=int(labels[index]),
            predicted=int(predictions[index]),
            certainty=float(certainty[index]),
            label_probability=float(probabilities[index, labels[index]]),
            png=encode_png(images[index]),
        )

    return SampleSheet(
        artifact=artifact,
        images=len(labels),
        mistakes=len(mistaken),
        right=[sample(int(each)) for each in drawn],
        wrong=[sample(int(each)) for each in surest],
    )


def encode_png(image: np.ndarray) -> str:
    """Returns a uint8 image ``(height, width[, channels])`` as a PNG in base64."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image.squeeze(-1) if image.ndim == 3 and image.shape[-1] == 1 else image).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def decode_png(png: str) -> np.ndarray:
    """Returns the uint8 image of a PNG in base64.

    Raises:
        DataError: it is none.
    """
    from PIL import Image

    with parsing("a sample is not a picture", advice="run glyphlite again"):
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(png)), formats=["PNG"]))


def _occurrence(values: np.ndarray) -> np.ndarray:
    """Returns for each value, how many equal ones come before it."""
    seen: dict[int, int] = {}
    counts = []
    for value in values.tolist():
        counts.append(seen.get(value, 0))
        seen[value] = counts[-1] + 1
    return np.array(counts, np.int64)
