"""A model's input convention, found in one place for every command: as the model states it, else from the training images.

What is said goes first: a record beside the file, its metadata, its quantized input, its first layers. Where nothing is said, the
usual ranges are tried on training images, and the one that more of them are right with is taken. A model that is no better than
guessing on them is never measured without a word.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.splits import balanced_order
from glyphlite.errors import GlyphliteError
from glyphlite.evaluation.accuracy import mcnemar_p, wilson_interval
from glyphlite.evaluation.recorded_confidence import recorded
from glyphlite.models.interface.input_convention import OURS, InputConvention, named_convention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.stated_convention import stated_convention
from glyphlite.models.pretrained import ROOT
from glyphlite.records import Accuracy, InputReport
from glyphlite.runtimes.base import LoadedModel, predict_probabilities
from glyphlite.tflite.reader import read_graph

if TYPE_CHECKING:
    import keras

FIRST_IMAGES, MORE_IMAGES = 200, 2000
"""Training images that every range is tried on, and those that the ranges go on to which the first cannot tell apart."""

CLEARLY = 0.01
"""p of McNemar's test below which one range is better than another, not luckier."""

GUESSING_MARGIN = 0.2
"""Fraction of the way from chance to perfect accuracy; a model below it shows no learning on these images."""

CONVINCING = 0.8
"""Fraction of the way from chance to perfect accuracy; a range that the model states and that reaches it is not questioned."""

MOST_PIXELS = 1 << 24
"""Number of pixels of a training split that give its mean and deviation as well as all pixels do."""

IMAGENET = InputConvention((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), "ImageNet's mean and std")
"""The standardization of colours in torchvision and in mode "torch" of ``keras.applications``."""


@dataclass(frozen=True)
class FoundConvention:
    """Holds a model's input convention, and a note for the user on how it was found.

    ``words`` is one line, None where nothing needs to be said. ``accuracy`` is that on the training images which were tried,
    None where none were.
    """

    convention: InputConvention
    words: str | None = None
    accuracy: Accuracy | None = None


Answer = Callable[[InputConvention, np.ndarray], np.ndarray]
"""A convention and uint8 images to the classes ``(n,)`` that a model gives them."""


def find_convention(
    path: Path, dataset: Dataset | None = None, *, chosen: InputConvention | None = None, model: "keras.Model | None" = None
) -> FoundConvention:
    """Finds how the model in a .keras or .tflite file takes a pixel.

    Args:
        path: the file.
        dataset: what it is meant for; without one nothing can be tried, and what the file does not say is assumed.
        chosen: what the user has said, which decides.
        model: what the .keras file holds, where it has been loaded before.

    Raises:
        ArtifactError: a .tflite file is missing or malformed.
        ModelError: a .keras file likewise.
    """
    if path.suffix.lower() == ".tflite":
        return _of_artifact(path, dataset, chosen)
    from glyphlite.models.loading import load_keras_model

    return keras_convention(load_keras_model(path) if model is None else model, path, dataset, chosen=chosen)


def keras_convention(
    model: "keras.Model", path: Path | None, dataset: Dataset | None = None, *, chosen: InputConvention | None = None
) -> FoundConvention:
    """Finds how a Keras model takes a pixel; ``path`` is its file, where it has one. Otherwise as :func:`find_convention`."""
    from glyphlite.models.interface.input_layers import stated_by_layers
    from glyphlite.runtimes.keras import KerasModel

    name = path.name if path else str(model.name)
    known = recorded_convention(path) if path and not chosen else None
    if known:
        return FoundConvention(known)
    stated = stated_by_layers(model)
    try:
        shape, dtype = tuple(model.inputs[0].shape[1:]), str(model.inputs[0].dtype)
        if chosen:
            return FoundConvention(chosen.at(shape, dtype))
        loaded = KerasModel(model, name)
    except (GlyphliteError, AttributeError, IndexError, TypeError, ValueError):
        return FoundConvention(stated or _assumed(name, None).convention)
    with loaded:
        found = _found(name, stated, loaded, dataset)
    return replace(found, convention=found.convention.at(shape, dtype))


def artifact_convention(path: Path, dataset: Dataset | None = None) -> InputConvention:
    """Returns how a .tflite file takes a pixel, without words; see :func:`find_convention`."""
    return _of_artifact(Path(path), dataset, None).convention


def recorded_convention(path: Path) -> InputConvention | None:
    """Returns what is known of this very file by its place: a record beside it names it, or it comes with glyphlite."""
    if path.resolve().is_relative_to(ROOT.resolve()):
        return OURS
    for entry in recorded(path, "input"):
        try:
            said = InputReport.model_validate(entry)
            mean, std = (tuple(each) if isinstance(each, list) else (each,) for each in (said.mean, said.std))
            if not said.assumed:
                return InputConvention(mean, std, said.source, dtype=said.dtype, layout=said.layout)
        except ValueError:
            continue
    return None


def at_chance(accuracy: Accuracy, classes: int) -> bool:
    """Returns whether an accuracy is too low to tell the model from one that guesses."""
    return accuracy.n > 0 and accuracy.low < _way(classes, GUESSING_MARGIN)


def chance_words(name: str, accuracy: Accuracy, classes: int, images: str, convention: InputConvention) -> str:
    """Returns one line for a model that is no better than guessing: what it was fed, and what to try."""
    return (
        f"{name} is right on {accuracy.value:.0%} of {accuracy.n:,} {images}, where guessing reaches {1 / classes:.0%}: "
        f"it was fed {convention.title} ({convention.source}). If it takes another range, say "
        "--input-range 0..1, 0..255, -1..1 or MEAN,STD; if it was trained on other data, name them with --dataset"
    )


def _of_artifact(path: Path, dataset: Dataset | None, chosen: InputConvention | None) -> FoundConvention:
    from glyphlite.runtimes.registry import get_runtime

    graph = read_graph(path)
    shape, dtype = graph.input.shape[1:], graph.input.dtype
    if chosen:
        return FoundConvention(chosen.at(shape, dtype))
    known = recorded_convention(path)
    if known:
        return FoundConvention(known.at(shape, dtype))
    stated = stated_convention(graph)
    if stated and not stated.assumed:
        spoken = None if stated.same_values(OURS) else f"{path.name} takes pixels as {stated.title} ({stated.source})"
        return FoundConvention(stated, spoken)
    try:
        with get_runtime("litert").load(path) as model:
            found = _found(path.name, stated, model, dataset)
    except GlyphliteError:  # no classifier, or refused: whoever measures it says so
        found = _assumed(path.name, stated)
    return replace(found, convention=found.convention.at(shape, dtype))


def _found(name: str, stated: InputConvention | None, model: LoadedModel, dataset: Dataset | None) -> FoundConvention:
    if dataset is None or not _fits(model, dataset):
        return _assumed(name, stated)
    return compare_conventions(
        name, stated, lambda convention, images: classes_of(predict_probabilities(model, images, convention)), dataset
    )


def compare_conventions(name: str, stated: InputConvention | None, answer: Answer, dataset: Dataset) -> FoundConvention:
    """Tries a model on training images under each usual range, and takes the one that it is clearly better with.

    Ranges that cannot be told apart go by their order: what the model states, 0..1, 0..255, -1..1, the rest.

    Args:
        name: what the words call the model.
        stated: what it says itself, if anything.
        answer: runs it.
        dataset: its training split is used.
    """
    order = balanced_order(np.asarray(dataset.train.labels), seed=0)[:MORE_IMAGES]
    images, labels = dataset.train.images[order], np.asarray(dataset.train.labels)[order]

    def tried(conventions: Sequence[InputConvention], count: int) -> list[_Trial]:
        return [_Trial(each, answer(each, images[:count]) == labels[:count]) for each in conventions]

    candidates = usual_conventions(dataset)
    if stated:
        candidates = [stated, *(each for each in candidates if not each.same_values(stated))]
        (first,) = tried([stated], FIRST_IMAGES)
        if not stated.assumed and first.share.value >= _way(dataset.classes, CONVINCING):
            return FoundConvention(stated, f"{name} takes pixels as {stated.title} ({stated.source})", first.share)
    every = tried(candidates, FIRST_IMAGES)
    left = _not_worse(tried([trial.convention for trial in _not_worse(every)], MORE_IMAGES))
    others = [trial for trial in every if all(trial.convention is not each.convention for each in left)]
    return _told(name, left, others, stated, dataset)


def usual_conventions(dataset: Dataset) -> list[InputConvention]:
    """Returns the ranges that images are commonly given to models in, the likeliest first; standardized by this dataset, too."""
    named = [named_convention(name, "tried on training images") for name in ("0..1", "0..255", "-1..1")]
    sample = dataset.train.images[:: 1 + dataset.train.images.size // MOST_PIXELS]
    channels = dataset.input_shape[2]
    ways = [[sample]] if channels == 1 else [[sample], [sample[..., channel] for channel in range(channels)]]
    standardized = []
    for parts in ways:
        means, stds = zip(*map(_mean_and_std, parts), strict=True)
        if min(stds) > 0:
            standardized.append(InputConvention(means, stds, "tried on training images"))
    colours = [IMAGENET] if channels == 3 else []
    return [*named, *standardized, *colours, named_convention("-0.5..0.5", "tried on training images")]


def _mean_and_std(pixels: np.ndarray) -> tuple[float, float]:
    counts = np.bincount(pixels.ravel(), minlength=256) / max(pixels.size, 1)
    mean = float(counts @ np.arange(256))
    return mean, float(np.sqrt(counts @ (np.arange(256) - mean) ** 2))


def classes_of(scores: np.ndarray) -> np.ndarray:
    """Returns the classes ``(n,)`` of scores ``(n, classes)``; a single one is a sigmoid's if all lie in 0..1, else a logit."""
    scores = scores.reshape(len(scores), -1)
    return (OutputKind.LOGIT if scores.shape[1] == 1 else OutputKind.LOGITS).chosen(scores)


@dataclass(frozen=True)
class _Trial:
    """A model on training images in one range: which of them it is right with, bool ``(n,)``."""

    convention: InputConvention
    right: np.ndarray

    @property
    def share(self) -> Accuracy:
        return wilson_interval(int(self.right.sum()), len(self.right))


def _not_worse(trials: list[_Trial]) -> list[_Trial]:
    """Returns those that none is clearly better than, in their order."""
    best = max(trials, key=lambda trial: trial.right.sum())  # the first of equals
    return [trial for trial in trials if not _clearly_better(best.right, trial.right)]


def _clearly_better(first: np.ndarray, second: np.ndarray) -> bool:
    return (
        bool(first.sum() > second.sum())
        and mcnemar_p(first.astype(np.int64), second.astype(np.int64), np.ones(len(first), np.int64)) < CLEARLY
    )


def _told(
    name: str, left: list[_Trial], others: list[_Trial], stated: InputConvention | None, dataset: Dataset
) -> FoundConvention:
    """Returns the first of the best, with the words for it."""
    taken = left[0]
    share, title = taken.share, taken.convention.title
    if at_chance(share, dataset.classes):
        convention = stated or replace(OURS, source="no range that was tried does better than guessing", assumed=True)
        return FoundConvention(convention, chance_words(name, share, dataset.classes, "training images", convention), share)
    source = f"{share.value:.1%} of {share.n:,} training images are right so"
    if stated and taken.convention is stated:
        return FoundConvention(
            replace(stated, assumed=False), f"{name} takes pixels as {title} ({stated.source}); {source}", share
        )
    decides = "--input-range decides otherwise"
    if len(left) > 1:
        alike = " as with ".join(trial.convention.title for trial in left)
        convention = replace(taken.convention, source=f"{source}, and no other range is clearly better", assumed=True)
        return FoundConvention(convention, f"{name} is as right with pixels as {alike}: {title} is taken ({decides})", share)
    doubted = next((trial for trial in others if trial.convention is stated), None)
    other = doubted or max(others, key=lambda trial: trial.right.sum())
    compared = f"{other.share.value:.0%} as {other.convention.title}" + (
        f", which {doubted.convention.source} speaks of" if doubted else ""
    )
    words = f"{name} takes pixels as {title}: {source}, {compared} ({decides})"
    return FoundConvention(replace(taken.convention, source=f"{source}, {compared}"), words, share)


def _assumed(name: str, stated: InputConvention | None) -> FoundConvention:
    """Returns the convention to use if none can be tried on images: the stated one, else 0..1 as an assumption."""
    if stated and not stated.assumed:
        return FoundConvention(stated, f"{name} takes pixels as {stated.title} ({stated.source})")
    convention = stated or replace(OURS, source="the file does not say", assumed=True)
    return FoundConvention(
        convention,
        f"{name} is assumed to take pixels as {convention.title} ({convention.source}); where that is wrong, say --input-range",
    )


def _fits(model: LoadedModel, dataset: Dataset) -> bool:
    """Returns whether a model accepts this dataset's images and has as many classes."""
    classes = int(np.prod(model.output.shape))
    return int(np.prod(model.input.shape)) == int(np.prod(dataset.input_shape)) and (
        classes == dataset.classes or (classes == 1 and dataset.classes == 2)
    )


def _way(classes: int, part: float) -> float:
    """Returns the accuracy that lies so far on the way from guessing to perfection."""
    return 1 / classes + part * (1 - 1 / classes)
