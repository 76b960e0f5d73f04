"""The input convention for a command: as the user stated it, else as found; assumptions are printed."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.evaluation.convention_search import FoundConvention, at_chance, chance_words, find_convention
from glyphlite.models.choice import ModelChoice
from glyphlite.models.interface.input_convention import OURS, InputConvention, parse_input_range
from glyphlite.models.registry import resolve_model
from glyphlite.pipeline.inputs.datasets import RunData
from glyphlite.pipeline.inputs.files import own_image_shape
from glyphlite.records import Accuracy


def input_convention(path: Path, dataset: Dataset | None, input_range: str | None, model: Any = None) -> FoundConvention:
    """Finds how a model takes a pixel and says so where it needs to be said; ``input_range``, what the user has said, decides.

    ``model`` is what a .keras file holds, where it has been loaded before.

    Raises:
        ModelError: ``input_range`` is none, or a .keras file cannot be loaded.
        ArtifactError: a .tflite file is malformed.
    """
    chosen = parse_input_range(input_range) if input_range is not None else None
    found = find_convention(path, dataset, chosen=chosen, model=model)
    if found.words:
        say(found.words)
    return found


def choose_model(model: str, dataset: Dataset, input_range: str | None) -> ModelChoice:
    """Resolves what ``--model`` names for training on a dataset, with ``--input-range`` where the user gives one.

    A .keras file, which goes on from its weights, is asked how it takes a pixel as every file is.

    Raises:
        ModelError: there is no such model, it does not fit, or ``input_range`` is none.
    """
    choice = resolve_model(model, dataset.input_shape, dataset.classes)
    if input_range is not None:
        return choice.taking(parse_input_range(input_range))
    if model.endswith(".keras"):
        found = input_convention(Path(model), dataset, None).convention
        return choice if found.same_values(OURS) else choice.taking(found)
    return choice


def convention_on(path: Path, data: RunData, input_range: str | None) -> InputConvention:
    """Finds how a model takes a pixel, for commands that may do without a dataset; one that does not say is tried on ``data``, if
    that is what it knows. Says aloud what needs to be said.

    Raises:
        ModelError: ``input_range`` is none, or a .keras file cannot be loaded.
        ArtifactError: a .tflite file is malformed.
    """
    if input_range is not None:
        return input_convention(path, None, input_range).convention
    found = find_convention(path)
    if found.convention.assumed and data.may_fit(path):
        with suppress(DataError):
            tried = find_convention(path, loaded := data.load(takes=own_image_shape(path)))
            if tried.accuracy and not at_chance(tried.accuracy, loaded.classes):
                found = tried
    if found.words:
        say(found.words)
    return found.convention


def say_if_at_chance(path: Path, accuracy: Accuracy, dataset: Dataset, images: str, found: FoundConvention) -> None:
    """Says aloud that a model is no better than guessing, with what it was fed and what to try, unless that was said before."""
    if at_chance(accuracy, dataset.classes) and not (found.accuracy and at_chance(found.accuracy, dataset.classes)):
        say(chance_words(path.name, accuracy, dataset.classes, images, found.convention), style="yellow")
