"""Resolution of what a user types after ``--model``: a known name, a Python function, or a .keras file.

Knows which models there are; knows nothing of data beyond the shape of an image and the number of classes.
"""

import hashlib
import json
from dataclasses import dataclass, replace

from glyphlite.errors import ModelError, did_you_mean
from glyphlite.models.choice import ModelChoice
from glyphlite.models.pretrained import pretrained_card, pretrained_names
from glyphlite.models.recipe import describe_recipe
from glyphlite.models.zoo.glyph_family import FRONTIER, RETIRED, TEACHERS
from glyphlite.models.zoo.known_model import KnownModel
from glyphlite.models.zoo.reference import CLASSICS

LISTED: tuple[KnownModel, ...] = (*CLASSICS, *FRONTIER)

KNOWN: tuple[KnownModel, ...] = (*LISTED, *RETIRED, *TEACHERS)

MODEL_NAMES: tuple[str, ...] = tuple(model.architecture.name for model in LISTED)

REFERENCE_NAMES: tuple[str, ...] = tuple(model.architecture.name for model in CLASSICS)
"""The five reference architectures: what ``--model all`` runs."""


@dataclass(frozen=True)
class ModelSummary:
    """One line of `glyphlite models`.

    The last three are of the trained int8 file that comes with glyphlite, where one does: its weights and biases as stored, the
    share of validation images that it is right about, and how many seeds were trained.
    """

    name: str
    parameters: int
    macs: int
    recipe: str
    description: str
    weight_bytes: int | None = None
    validation_accuracy: float | None = None
    seeds: int = 0


def describe_models(input_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> list[ModelSummary]:
    """Returns every listed model with its parameters and multiply-accumulates for one image; counted without TensorFlow."""
    summaries = []
    for model in LISTED:
        costs = list(model.architecture.costs(input_shape, classes))
        summaries.append(
            ModelSummary(
                name=model.architecture.name,
                parameters=sum(cost.parameters for cost in costs),
                macs=sum(cost.macs for cost in costs),
                recipe=describe_recipe(model.recipe),
                description=model.description,
            )
        )
    return [_with_shipped(summary) for summary in summaries]


def resolve_model(text: str, input_shape: tuple[int, int, int], classes: int) -> ModelChoice:
    """Finds the model that a user named.

    Args:
        text: one of `MODEL_NAMES`, ``path/to/file.py:function`` or ``path/to/model.keras`` (or .h5).
        input_shape: height, width, channels of the dataset's images.
        classes: number of the dataset's classes.

    Raises:
        ModelError: no such name or file, or the architecture does not fit the images.
    """
    known_model = _known(text)
    if known_model is not None:
        return _choose_known(known_model, input_shape, classes)
    if text.endswith((".keras", ".h5", ".py")) or ".py:" in text:
        from glyphlite.models.user import choose_user_model

        return choose_user_model(text, input_shape, classes)
    known = ", ".join(MODEL_NAMES)
    raise ModelError(
        f"no model is called {text!r}{did_you_mean(text, MODEL_NAMES)}; expected one of {known}, path/to/file.py:function or "
        "path/to/model.keras"
    )


def is_known_model(text: str) -> bool:
    """Returns whether a model is named that glyphlite brings, rather than a file."""
    return _known(text) is not None


def split_seed(text: str, seed: int) -> int:
    """Returns the seed of the validation images that a training of a model holds out: its recipe's, if that fixes one, else
    its own.
    """
    model = _known(text)
    return seed if model is None or model.recipe.split_seed is None else model.recipe.split_seed


def _known(text: str) -> KnownModel | None:
    return next((model for model in KNOWN if model.architecture.name == text), None)


def _choose_known(model: KnownModel, input_shape: tuple[int, int, int], classes: int) -> ModelChoice:
    architecture = model.architecture
    list(architecture.costs(input_shape, classes))
    definition = json.dumps(architecture.document(), sort_keys=True)
    return ModelChoice(
        name=architecture.name,
        input_shape=input_shape,
        classes=classes,
        recipe=model.recipe,
        origin=f"glyphlite's {architecture.name}",
        fingerprint=hashlib.sha256(definition.encode()).hexdigest(),
        builder=lambda: architecture.build(input_shape, classes),
    )


def _with_shipped(summary: ModelSummary) -> ModelSummary:
    if summary.name not in pretrained_names():
        return summary
    card = pretrained_card(summary.name)
    return replace(
        summary,
        weight_bytes=card.best.weight_bytes,
        validation_accuracy=card.best.validation_accuracy,
        seeds=len(card.seeds),
    )
