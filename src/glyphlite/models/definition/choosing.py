"""A model chosen by its file: what a training needs of it, for one image shape and number of classes."""

import hashlib
import json
import math
from pathlib import Path
from typing import NoReturn

from glyphlite.errors import ModelError
from glyphlite.models.architecture import FoldedConv, FoldedDepthwise
from glyphlite.models.choice import ModelChoice
from glyphlite.models.definition.definition import StoredDefinition
from glyphlite.models.definition.reading import read_definition

SUFFIX = ".toml"

MOST_PARAMETERS = 1 << 26
"""Training keeps four numbers of four bytes for each: 1 GiB."""
MOST_VALUES = 1 << 22
"""Values that a layer may give for one image; a batch of 128 of them takes 2 GiB."""


def choose_defined_model(text: str, input_shape: tuple[int, int, int], classes: int) -> ModelChoice:
    """Returns the model that a file defines; the file is read here, the model is built later.

    Raises:
        ModelError: the file, or the images are of another size, or too small for its layers.
    """
    stored = read_definition(Path(text))
    size, architecture = stored.definition.input_size, stored.definition.architecture
    if size and size != input_shape[:2]:
        given = "x".join(map(str, input_shape[:2]))
        words = f"input_size is {size[0]}x{size[1]}, the images are {given}; resize them, or change the line"
        raise ModelError(f"{stored.path}:{stored.line_of('input_size')}: {words}")
    check_shapes(stored, input_shape, classes)
    return ModelChoice(
        name=architecture.name,
        input_shape=input_shape,
        classes=classes,
        recipe=stored.definition.recipe,
        origin=f"the file {stored.path}",
        # Of what the file says, not of its bytes: a comment changes no training. The recipe is compared key by key.
        fingerprint=hashlib.sha256(json.dumps(architecture.document(), sort_keys=True).encode()).hexdigest(),
        builder=lambda: architecture.build(input_shape, classes),
        definition=stored,
    )


def check_shapes(stored: StoredDefinition, input_shape: tuple[int, int, int], classes: int) -> None:
    """Refuses layers that leave nothing of an image of this shape, or take more memory than a training may.

    Raises:
        ModelError: naming the layer's line.
    """
    architecture, inputs = stored.definition.architecture, dict[str, int]()
    costs = architecture.costs(input_shape, classes)
    shape: tuple[int, ...] = input_shape
    parameters = 0
    for layer in architecture.layers_for(classes):
        if isinstance(layer, FoldedConv | FoldedDepthwise):
            inputs[layer.name] = shape[-1]
            if layer.weights_of and inputs[layer.weights_of] != shape[-1]:
                seen = f"{layer.name} sees {shape[-1]} channels, {layer.weights_of}, whose weights it uses,"
                _refuse(stored, layer.name, f"{seen} {inputs[layer.weights_of]}")
        try:
            cost = next(costs)
        except ModelError:
            size, left = ("x".join(map(str, each)) for each in (input_shape, shape))
            words = f"nothing is left of an image of {size} after {layer.name}, which gets {left}; use a smaller kernel or stride"
            _refuse(stored, layer.name, words)
        shape, parameters = cost.output_shape, parameters + cost.parameters
        if parameters > MOST_PARAMETERS:
            words = f"with {layer.name} the model has {parameters:,} parameters, more than the {MOST_PARAMETERS:,} allowed"
            _refuse(stored, layer.name, words)
        if (values := math.prod(shape)) > MOST_VALUES:
            _refuse(stored, layer.name, f"{layer.name} gives {values:,} values per image, more than the {MOST_VALUES:,} allowed")


def _refuse(stored: StoredDefinition, layer: str, words: str) -> NoReturn:
    raise ModelError(f"{stored.path}:{stored.line_of_layer(layer)}: {words}")
