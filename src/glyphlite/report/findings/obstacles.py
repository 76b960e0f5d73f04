"""Obstacles to remove before any file of a run is used: a model at chance, classes never recognized, a training cut short,
conversions that all cost accuracy. Pure functions of the results.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glyphlite.formatting import count, listing, percent, points, things
from glyphlite.records import ArtifactReport, KerasReport, TrainingReport
from glyphlite.report.findings.recommendation import keeps_accuracy, loss, unrecognized_classes
from glyphlite.results import Results
from glyphlite.training.history import training_report

if TYPE_CHECKING:
    from glyphlite.training.history import EpochRecord

ANNEALED = 0.1
"""A learning rate at most this part of its peak has run down: the training came to the end of its schedule."""

STANDARD_ERRORS = 2.0
"""A rise of the validation accuracy by this many standard errors is more than chance."""

LARGE_RISE = 0.25
"""A rise that takes away this part of the mistakes is large; one standard error is enough for it."""

MOST_NAMED = 5
"""Classes that are named in a sentence."""


@dataclass(frozen=True)
class Obstacle:
    """A reason not to use a model yet: what is wrong, and what to do first."""

    topic: str
    title: str
    advice: str


def obstacles(results: Results) -> tuple[Obstacle, ...]:
    """Finds what speaks against every file of a run, most serious first; empty where the model is ready to be used."""
    if at_chance(results.keras):
        return (_chance(results.keras),)
    found = [_unrecognized(results.keras, results.labels), _unfinished(results.training), _lossy(results)]
    return tuple(each for each in found if each)


def with_training(results: Results, history: Sequence["EpochRecord"]) -> Results:
    """Adds the training's curve to results that lack it, as those of earlier versions do.

    The number of validation images is that of the calibrated confidence, or the test's where that is not known either.
    """
    if results.training or results.pretrained or not history:
        return results
    fitted = results.keras.certainty
    images = fitted.images if fitted and fitted.images else results.keras.accuracy.n
    return results.model_copy(update={"training": training_report(history, images)})


def at_chance(report: KerasReport | ArtifactReport) -> bool:
    """Tells whether accuracy cannot be told from always answering the commonest class, by its 95 % interval."""
    images = [each.n for each in report.per_class]
    if len(images) < 2 or not sum(images):
        return False
    return report.accuracy.low <= max(images) / sum(images)


def named_classes(report: KerasReport | ArtifactReport, classes: Sequence[int], labels: Sequence[str]) -> str:
    """Names classes with their number of images in a sentence, at most five of them."""
    shown = [
        f"{labels[each] if each < len(labels) else each} ({things(report.per_class[each].n, 'image')})"
        for each in classes[:MOST_NAMED]
    ]
    more = len(classes) - MOST_NAMED
    return listing([*shown, f"{count(more)} more"] if more > 0 else shown)


def still_rises(training: TrainingReport) -> bool:
    """Tells whether the validation accuracy was still rising, by more than chance, when the training ended.

    Compared are the best accuracy of the last fifth of the epochs and the best before it: the rise counts from two standard
    errors of a difference of two shares, or from one where a quarter of the mistakes went. Where the learning rate had not run
    down, three new bests in a row count, too. One epoch has nothing to be compared with: it counts as rising.
    """
    accuracies = training.validation_accuracy
    if len(accuracies) < 2:
        return bool(accuracies)
    gain, error, mistakes = _rise(training, _window(len(accuracies)))
    if gain > 0 and (gain >= STANDARD_ERRORS * error or (gain >= error and gain >= LARGE_RISE * mistakes)):
        return True
    if len(accuracies) < 4 or training.learning_rate[-1] <= ANNEALED * max(training.learning_rate):
        return False
    gain, error, _ = _rise(training, 3)
    in_a_row = all(accuracies[-each] > max(accuracies[:-each]) for each in (1, 2, 3))
    return in_a_row and gain >= STANDARD_ERRORS * error


def _window(epochs: int) -> int:
    """Returns how many epochs the end of a training is: a fifth, at least one."""
    return max(1, epochs // 5)


def _rise(training: TrainingReport, last: int) -> tuple[float, float, float]:
    """Returns by how much the last epochs' best is ahead of the best before, its standard error, and the mistakes before."""
    before, after = max(training.validation_accuracy[:-last]), max(training.validation_accuracy[-last:])
    share, images = (before + after) / 2, training.validation_images
    return after - before, math.sqrt(2 * share * (1 - share) / images) if images else 0.0, 1 - before


def _chance(keras: KerasReport) -> Obstacle:
    classes = things(len(keras.per_class), "class", "classes")
    return Obstacle(
        "chance",
        f"The model is no better than chance: {percent(keras.accuracy.value)} of {things(keras.accuracy.n, 'test image')} "
        f"right, on {classes}",
        "First find out why: which range of pixel values it was trained on, whether the labels are in its order, whether it was "
        "trained long enough.",
    )


def _unrecognized(keras: KerasReport, labels: Sequence[str]) -> Obstacle | None:
    missing = unrecognized_classes(keras)
    if not missing:
        return None
    number = "One class is" if len(missing) == 1 else f"{count(len(missing))} classes are"
    return Obstacle(
        "unrecognized",
        f"{number} never recognized: {named_classes(keras, missing, labels)}",
        "First give what is not recognized more training images, or train longer; the confusion matrix shows what it is read as.",
    )


def _unfinished(training: TrainingReport | None) -> Obstacle | None:
    if training is None or not still_rises(training):
        return None
    accuracies, epochs = training.validation_accuracy, len(training.validation_accuracy)
    if epochs == 1:
        title = f"One epoch does not show where the training ends: validation accuracy {percent(accuracies[0])}"
    else:
        last = _window(epochs)
        before, after = max(accuracies[:-last]), max(accuracies[-last:])
        span = "epoch" if last == 1 else f"{last} epochs"
        title = f"The validation accuracy still rises: from {percent(before)} to {percent(after)} in the last {span} of {epochs}"
    return Obstacle("unfinished", title, f"First train longer, for example with --epochs {max(10, 2 * epochs)}.")


def _lossy(results: Results) -> Obstacle | None:
    if not results.artifacts or any(keeps_accuracy(each, results.keras) for each in results.artifacts):
        return None
    best = min(results.artifacts, key=lambda each: loss(each, results.keras))
    lost = loss(best, results.keras)
    cost = f"{best.path} loses {points(lost)}" if lost > 0 else f"{best.path} recognizes no image of some class"
    return Obstacle(
        "lossy",
        f"No file keeps the accuracy of the Keras model: {cost}",
        "First convert with more --calibration-samples, or train a quantization-aware model.",
    )
