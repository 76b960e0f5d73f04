"""``glyphlite predict``: pictures, or images of a test split, through one artifact."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.dataset import SMALLEST_SIDE, image_shape_of
from glyphlite.errors import ArtifactError, DataError
from glyphlite.evaluation.confidence import REFUSED
from glyphlite.evaluation.recorded_confidence import RECORDS, certainty_of
from glyphlite.files.named import require_own_file
from glyphlite.formatting import confidence, percent, things
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.models.interface.image_shape import image_shape
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.models.interface.purpose import check_one_in_and_out
from glyphlite.pipeline.inputs.conventions import convention_on
from glyphlite.pipeline.inputs.datasets import RunData, data_of, say_if_labels_differ
from glyphlite.pipeline.inputs.files import host_runtime, is_keras, model_and_pictures, trained_on
from glyphlite.pipeline.inputs.labels import labels_of
from glyphlite.preprocessing.images import find_glyph, prepare_lines, read_picture
from glyphlite.preprocessing.pictures import page_count
from glyphlite.records import Certainty
from glyphlite.runtimes.base import LoadedModel, predict_probabilities
from glyphlite.runtimes.keras import KerasModel
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.metadata import read_labels
from glyphlite.tflite.reader import read_graph

TOP = 3


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one glyph.

    ``probability`` and ``top`` are the artifact's own, dequantized; ``certainty`` and ``calibrated`` are the same at the
    temperature fitted for the file, None where none is known. ``refused`` says that the certainty is below what 99 of 100
    validation images reach. ``box`` is where the glyph was on a page of several; ``doubt`` says in words why not to believe the
    answer: the picture may hold no glyph at all, or the answer is refused. ``glyphs`` counts what the picture holds. Of a page
    read as a whole, ``line`` is the glyph's line from 1, and ``reads`` the whole page, a string per line. ``input`` is the record
    of how a pixel entered.
    """

    picture: str
    label: str
    probability: float
    top: tuple[tuple[str, float], ...]
    true_label: str | None = None
    box: tuple[int, int, int, int] | None = None
    doubt: str | None = None
    certainty: float | None = None
    calibrated: tuple[tuple[str, float], ...] | None = None
    refused: bool = False
    glyphs: int = 1
    line: int | None = None
    reads: tuple[str, ...] | None = None
    input: dict[str, Any] | None = None

    @property
    def believed(self) -> tuple[tuple[str, float], ...]:
        """Returns the best classes with what to believe of them: calibrated where that is known."""
        return self.calibrated or self.top

    @property
    def correct(self) -> bool | None:
        """Returns whether the class is the true one, where that is known."""
        return None if self.true_label is None else self.label == self.true_label

    @property
    def words(self) -> str:
        """Returns where the glyph came from; its place, or its true label and whether that was found, where known."""
        if self.true_label is not None:
            return f"{self.picture}: {self.true_label}, {'right' if self.correct else 'WRONG'}"
        return self.picture if self.box is None else f"{self.picture} at {self.box[0]},{self.box[1]}"

    @property
    def note(self) -> str | None:
        """Returns a hint at the picture's other glyphs, where only one was read."""
        if self.glyphs == 1 or self.box is not None:
            return None
        return f"{self.glyphs} glyphs found; this is the largest; --all reads each"


@dataclass(frozen=True)
class Failure:
    """A picture that gave no answer, and why."""

    picture: str
    error: str


@dataclass(frozen=True)
class Answers:
    """Holds the answers and failures of all pictures and test images, in the order they were named."""

    entries: tuple[Prediction | Failure, ...]

    @property
    def predictions(self) -> list[Prediction]:
        """Returns the answers."""
        return [entry for entry in self.entries if isinstance(entry, Prediction)]

    @property
    def failures(self) -> list[Failure]:
        """Returns the pictures that gave none."""
        return [entry for entry in self.entries if isinstance(entry, Failure)]

    @property
    def readings(self) -> dict[str, tuple[str, ...]]:
        """Returns the lines of every picture that was read as a page, by its name."""
        return {each.picture: each.reads for each in self.predictions if each.reads is not None}

    def document(self) -> list[dict[str, Any]]:
        """Returns an entry per glyph and one per picture that failed, for ``--json``."""
        return [asdict(entry) for entry in self.entries]

    def raise_failures(self) -> None:
        """Tells which pictures gave no answer.

        Raises:
            DataError: at least one gave none.
        """
        if not self.failures:
            return
        if len(self.entries) == 1:
            raise DataError(self.failures[0].error)
        for failure in self.failures:
            say(failure.error)
        pictures = dict.fromkeys(entry.picture for entry in self.entries)
        names = ", ".join(failure.picture for failure in self.failures)
        raise DataError(f"{len(self.failures)} of {len(pictures)} pictures gave no answer, for the reasons above: {names}")


@dataclass(frozen=True)
class _Glyph:
    """One input: where it came from, how it looked, and what the model sees ``(height, width, channels)`` uint8."""

    picture: str
    original: np.ndarray
    seen: np.ndarray
    true_label: str | None = None
    box: tuple[int, int, int, int] | None = None
    found: tuple[int, int, int, int] | None = None
    doubt: str | None = None
    glyphs: int = 1
    line: int | None = None


def predict_pictures(
    named: Sequence[Path],
    *,
    model_path: Path | None,
    samples: Sequence[int],
    show: Path | None,
    every: bool,
    dataset: str | None,
    data_dir: Path | None,
    input_range: str | None = None,
    engine: str = "litert",
) -> Answers:
    """Recognizes the glyphs of pictures and of test images. A picture that cannot be read does not stop the others.

    Args:
        named: image files, one glyph each unless ``every``; the first may be the model instead.
        model_path: a .tflite or .keras file, a run's folder or a pretrained model's name; if neither it nor ``named`` has one,
            the pretrained model that is right most often on validation images.
        samples: indices of test images, compared with their labels.
        show: where to write what the model saw beside the originals.
        every: find all glyphs of each picture, left to right.
        dataset: where ``samples`` come from; None takes the data of the model's run, else MNIST.
        data_dir: where the dataset lies already.
        input_range: how the model takes a pixel, where the user says it.
        engine: what runs a .tflite file: "litert", or "c", generated C.

    Raises:
        ArtifactError: the file is malformed, or is no image classifier.
        ModelError: no model is named and no pretrained one is installed, or a released file was altered.
        DataError: there is nothing to read, or no such test image.
        ToolError: ``engine`` is "c", and no C compiler is here.
        OutputError: ``show`` cannot be written, or another file lies in its place.
    """
    nothing = DataError("there is nothing to predict; name a picture, or a test image with --sample 0")
    if not named and not samples:
        raise nothing
    path, pictures = model_and_pictures(named, model_path)
    if not pictures and not samples:
        raise nothing
    if show is not None:
        for number in range(len(pictures) + len(samples)):
            require_own_file(_shown(show, number + 1), "--show")
    known = trained_on(path)
    if samples and dataset and known not in (None, dataset):
        raise DataError(f"the model that comes with glyphlite was trained on {known}; name one of {dataset} with --model")
    if not is_keras(path):  # before a line says how it takes a pixel
        graph = read_graph(path)
        check_one_in_and_out(graph, str(path))
        _image_shape(graph.input.shape[1:], path)
    convention = convention_on(path, data_of(path, dataset, data_dir), input_range)
    runtime = get_runtime(host_runtime(path, engine))
    with runtime.load(path) as model:
        height, width, channels = _image_shape(model.input.shape, path)
        read = [each for picture in pictures for each in _read_or_failure(picture, height, width, channels, every)]
        if samples:
            carried = () if is_keras(path) else read_labels(path.read_bytes())
            data = data_of(path, dataset, data_dir)
            read += _samples(samples, (height, width, channels), model.output.shape[-1], data, path, carried)
        glyphs = [each for each in read if isinstance(each, _Glyph)]
        if not glyphs:
            return Answers(tuple(each for each in read if isinstance(each, Failure)))
        images = np.stack([glyph.seen for glyph in glyphs])
        probabilities = _outputs(model, path).probabilities(predict_probabilities(model, images, convention))
    labels = labels_of(path, probabilities.shape[1])
    certainty = certainty_of(path)
    if certainty is None:
        say(f"The confidence is {path.name}'s own, not calibrated, and no answer is rejected for it: {_unknown(path)}")
    predictions = [_prediction(glyph, scores, labels, certainty) for glyph, scores in zip(glyphs, probabilities, strict=True)]
    report = convention.report().model_dump(mode="json")
    predictions = [replace(each, input=report) for each in predictions]
    if every:
        predictions = _with_readings(predictions)
    if show is not None:
        _show(glyphs, predictions, show)
    answered = iter(predictions)
    return Answers(tuple(each if isinstance(each, Failure) else next(answered) for each in read))


def _with_readings(predictions: list[Prediction]) -> list[Prediction]:
    """Returns each with the text of its whole page: labels with a space between, a question mark behind what is doubted."""
    pages: dict[str, dict[int, list[str]]] = {}
    for each in predictions:
        if each.line is not None:
            label = f"{each.label}?" if each.doubt else each.label
            pages.setdefault(each.picture, {}).setdefault(each.line, []).append(label)
    texts = {picture: tuple(" ".join(line) for line in lines.values()) for picture, lines in pages.items()}
    return [replace(each, reads=texts[each.picture]) if each.line is not None else each for each in predictions]


def _show(glyphs: list[_Glyph], predictions: list[Prediction], path: Path) -> None:
    """Writes one picture per input: ``path`` itself, with ``-2``, ``-3``, ... before its suffix for the further ones.

    A page with several glyphs is drawn once, with a box and a label for each.
    """
    from glyphlite.report.figures.annotated_picture import found_picture
    from glyphlite.report.figures.plots import saw_picture

    pages: dict[int, list[tuple[_Glyph, Prediction]]] = {}
    for glyph, prediction in zip(glyphs, predictions, strict=True):
        pages.setdefault(id(glyph.original), []).append((glyph, prediction))
    for number, page in enumerate(pages.values(), start=1):
        place = _shown(path, number)
        glyph, prediction = page[0]
        if prediction.box is None:
            saw_picture(glyph.original, glyph.seen, prediction.believed, place, box=glyph.found)
        else:
            boxes = [(each.box, each.label, each.believed[0][1]) for _, each in page if each.box is not None]
            found_picture(glyph.original, boxes, place)


def _shown(path: Path, number: int) -> Path:
    """Returns the path of a picture of what the model saw: ``path`` itself for the first, ``-2`` in its name for the second."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


def _outputs(model: LoadedModel, path: Path) -> OutputKind:
    """Returns the meaning of the model's outputs."""
    return model.output_kind if isinstance(model, KerasModel) else outputs_of(read_graph(path), str(path))


def _image_shape(shape: tuple[int, ...], path: Path) -> tuple[int, int, int]:
    """Returns height, width and channels of the images that a model takes, whose channels may come first."""
    found = image_shape(shape) or image_shape_of(shape)
    if found is None or min(found[:2]) < SMALLEST_SIDE:
        raise ArtifactError(
            f"{path} takes inputs of shape {'x'.join(map(str, shape))}, not images; predict needs height x width x 1 or 3, "
            f"{SMALLEST_SIDE} rows and columns or more"
        )
    return found


def _read_or_failure(path: Path, height: int, width: int, channels: int, every: bool) -> Sequence[_Glyph | Failure]:
    try:
        return _read(path, height, width, channels, every)
    except DataError as error:
        return [Failure(str(path), str(error))]


def _read(path: Path, height: int, width: int, channels: int, every: bool) -> list[_Glyph]:
    picture = read_picture(path)
    if (pages := page_count(path)) > 1:
        say(f"{path} holds {pages} pages or frames; the first is read")
    if every:
        lines = prepare_lines(picture, height, width)
    else:
        glyph = find_glyph(picture, height, width)
        lines = [[glyph]] if glyph else []
    if not lines:
        raise DataError(f"{path} is blank: no glyph stands out from its background; write darker, or crop to the glyph")
    count = sum(map(len, lines)) if every else 1 + lines[0][0].others
    glyphs = []
    for number, each in ((number, each) for number, line in enumerate(lines, start=1) for each in line):
        box = (each.box.left, each.box.top, each.box.right, each.box.bottom)
        place = {"box": box, "line": number} if every else {}
        seen = _with_channels(each.pixels, channels)
        glyphs.append(_Glyph(str(path), picture, seen, found=box, doubt=each.doubt, glyphs=count, **place))
    return glyphs


def _samples(
    samples: Sequence[int], shape: tuple[int, int, int], outputs: int, data: RunData, path: Path, carried: Sequence[str]
) -> list[_Glyph]:
    loaded = data.load(takes=shape)
    if loaded.classes != (outputs if outputs > 1 else 2):
        classes = f"{loaded.name} has {loaded.classes} classes, the model {things(outputs, 'output')}"
        raise DataError(f"{classes}; name the dataset that it was trained on with --dataset")
    if loaded.input_shape != shape:
        found, wanted = ("x".join(map(str, each)) for each in (loaded.input_shape, shape))
        raise DataError(f"images of {loaded.name} are {found}, the model takes {wanted}; name its dataset with --dataset")
    say_if_labels_differ(path, carried, loaded)
    beyond = [sample for sample in samples if sample >= len(loaded.test)]
    if beyond:
        raise DataError(f"{loaded.name} has test images 0 to {len(loaded.test) - 1}; there is no image {beyond[0]}")
    return [
        _Glyph(
            f"{loaded.name} test image {sample}",
            loaded.test.images[sample],
            loaded.test.images[sample],
            true_label=loaded.labels[int(loaded.test.labels[sample])],
        )
        for sample in samples
    ]


def _with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    return np.repeat(pixels[..., np.newaxis], channels, axis=2)


def _prediction(glyph: _Glyph, scores: np.ndarray, labels: tuple[str, ...], certainty: Certainty | None) -> Prediction:
    order = np.argsort(-scores, kind="stable")[:TOP]
    top = tuple((labels[index], float(scores[index])) for index in order)
    prediction = Prediction(
        glyph.picture,
        *top[0],
        top,
        true_label=glyph.true_label,
        box=glyph.box,
        doubt=glyph.doubt,
        glyphs=glyph.glyphs,
        line=glyph.line,
    )
    if certainty is None:
        return prediction
    believed = calibrated(scores[np.newaxis], certainty)
    refused = bool(is_refused(believed, certainty)[0])
    sure = float(believed[0, order[0]])
    return replace(
        prediction,
        certainty=sure,
        calibrated=tuple((labels[index], float(believed[0, index])) for index in order),
        refused=refused,
        doubt=prediction.doubt or (_refusal(sure, labels, certainty) if refused else None),
    )


def _refusal(sure: float, labels: tuple[str, ...], certainty: Certainty) -> str:
    """Returns why an answer is refused, in words."""
    digits = all(label.isdecimal() for label in labels)
    images, one = ("digits", "digit") if digits else ("images", "glyph of these classes")
    least = confidence(certainty.least_certainty)
    reach = f"reached {least} before the model was trained on them, too" if certainty.twin else f"reach {least}"
    reached = f"{percent(1 - REFUSED, 0)} of validation {images} {reach}"
    return f"confidence {confidence(sure)}; {reached}, so this may not be one single {one}"


def _unknown(path: Path) -> str:
    """Returns why no certainty is known for a file."""
    beside = [name for name in RECORDS if (path.parent / name).is_file()]
    return f"{beside[0]} holds none for this file" if beside else f"it has no {RECORDS[0]} beside it, as in a run's folder"
