"""Resolution of what a user types after ``--model``: a known name, a model file (TOML), a Python function, or a .keras file.

Knows which models there are; knows nothing of data beyond the shape of an image and the number of classes.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from glyphlite.errors import ModelError, did_you_mean
from glyphlite.models.choice import ModelChoice
from glyphlite.models.definition.definition import ModelDefinition
from glyphlite.models.definition.writing import write_definition
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

    The last four are of the trained int8 file that comes with glyphlite, where one does: its weights and biases as stored, the
    share of validation images that it is right about (or its twin is, where it was trained on all images), and how many seeds
    were trained.
    """

    name: str
    parameters: int
    macs: int
    recipe: str
    description: str
    weight_bytes: int | None = None
    validation_accuracy: float | None = None
    seeds: int = 0
    all_images: bool = False


def describe_models(input_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> list[ModelSummary]:
    """Returns every listed model with its parameters and multiply-accumulates for one image; counted without TensorFlow."""
    return [_with_shipped(_summary(_as_definition(model), input_shape, classes)) for model in LISTED]


def describe_model(text: str, input_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> ModelSummary:
    """Returns the same of one model: a known name, or a model file, which may set the images' size.

    Raises:
        ModelError: it is neither, or a file that defines no model for these images.
    """
    definition = require_definition(text)
    shape = (*definition.input_size, input_shape[2]) if definition.input_size else input_shape
    resolve_model(text, shape, classes)
    summary = _summary(definition, shape, classes)
    return summary if is_definition(text) else _with_shipped(summary)


def resolve_model(text: str, input_shape: tuple[int, int, int], classes: int) -> ModelChoice:
    """Finds the model that a user named.

    Args:
        text: one of `MODEL_NAMES`, ``path/to/model.toml``, ``path/to/file.py:function`` or ``path/to/model.keras`` (or .h5).
        input_shape: height, width, channels of the dataset's images.
        classes: number of the dataset's classes.

    Raises:
        ModelError: no such name or file, or the architecture does not fit the images.
    """
    known_model = _known(text)
    if known_model is not None:
        return _choose_known(known_model, input_shape, classes)
    if is_definition(text):
        from glyphlite.models.definition.choosing import choose_defined_model

        return choose_defined_model(text, input_shape, classes)
    if text.endswith((".keras", ".h5", ".py")) or ".py:" in text:
        from glyphlite.models.user import choose_user_model

        return choose_user_model(text, input_shape, classes)
    known = ", ".join(MODEL_NAMES)
    raise ModelError(
        f"no model is called {text!r}{did_you_mean(text, MODEL_NAMES)}; expected one of {known}, path/to/model.toml, "
        "path/to/file.py:function or path/to/model.keras"
    )


def is_definition(text: str) -> bool:
    """Returns whether a model file (TOML) is named."""
    return text.endswith(".toml")


def definition_of(text: str) -> ModelDefinition | None:
    """Returns a known model or what a model file says, as data; None for models that are programs or Keras files.

    Raises:
        ModelError: the file is missing or defines no model.
    """
    if is_definition(text):
        from glyphlite.models.definition.reading import read_definition

        return read_definition(Path(text)).definition
    model = _known(text)
    return None if model is None else _as_definition(model)


def model_file_text(text: str | None) -> str:
    """Returns the model file of a known model, or of another file, every key in its place.

    Raises:
        ModelError: none is named, it is neither, or a file that defines no model.
    """
    if text is None:
        raise ModelError("which model? for example: glyphlite models micro-cnn --toml")
    return write_definition(require_definition(text))


def split_seed(text: str, seed: int) -> int:
    """Returns the seed of the validation images that a training of a model holds out: its recipe's, if that fixes one, else
    its own.

    Raises:
        ModelError: a model file is missing or defines no model.
    """
    definition = definition_of(text)
    return seed if definition is None or definition.recipe.split_seed is None else definition.recipe.split_seed


def _known(text: str) -> KnownModel | None:
    return next((model for model in KNOWN if model.architecture.name == text), None)


def require_definition(text: str) -> ModelDefinition:
    """Returns a known model or what a model file says, as data.

    Raises:
        ModelError: it is neither, or a file that defines no model.
    """
    definition = definition_of(text)
    if definition is None:
        known = ", ".join(MODEL_NAMES)
        guess = did_you_mean(text, MODEL_NAMES)
        raise ModelError(f"{text!r} is no known model and no model file{guess}; expected one of {known}, or a .toml file")
    return definition


def _as_definition(model: KnownModel) -> ModelDefinition:
    return ModelDefinition(model.architecture, model.recipe, model.description)


def _summary(definition: ModelDefinition, input_shape: tuple[int, int, int], classes: int) -> ModelSummary:
    costs = list(definition.architecture.costs(input_shape, classes))
    return ModelSummary(
        name=definition.architecture.name,
        parameters=sum(cost.parameters for cost in costs),
        macs=sum(cost.macs for cost in costs),
        recipe=describe_recipe(definition.recipe),
        description=definition.description,
    )


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
        all_images=card.all_images,
    )
