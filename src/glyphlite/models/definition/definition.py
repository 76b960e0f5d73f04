"""The records of a model that a file defines: what the file says, and which file said it. Data; nothing of TOML or Keras."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from glyphlite.models.architecture import Architecture, Layer
from glyphlite.models.recipe import Recipe, Schedule


@dataclass(frozen=True)
class ModelDefinition:
    """A model as data: all that a file says of it.

    Attributes:
        architecture: its layers, and its name.
        recipe: how it is trained.
        description: what it is for, in words.
        input_size: height and width that pictures are brought to; None: 28x28, or what ``--input-size`` says.
    """

    architecture: Architecture
    recipe: Recipe
    description: str = ""
    input_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class StoredDefinition:
    """A definition and the file that it was read from.

    Attributes:
        definition: what the file says.
        path: of the file.
        content: its bytes.
        lines: for each of its keys and layers, by the way to it, the line that it stands on, from 1.
    """

    definition: ModelDefinition
    path: Path
    content: bytes
    lines: Mapping[tuple[str | int, ...], int] = field(repr=False, compare=False)

    @property
    def sha256(self) -> str:
        """Returns the SHA-256 of the file's bytes."""
        return hashlib.sha256(self.content).hexdigest()

    def line_of(self, key: str) -> int:
        """Returns the line of a key of the document itself; 1 where the file has no such key."""
        return self.lines.get((key,), 1)

    def line_of_layer(self, name: str) -> int:
        """Returns the line on which a layer begins; of what every model has besides, that of the last layer."""
        names = [each.name for each in self.definition.architecture.layers]
        return self.lines.get(("layers", names.index(name) if name in names else len(names) - 1), 1)


def default_recipe(name: str, *, quantization_aware: bool) -> Recipe:
    """Returns the recipe of a file that has none: one cycle, the last quarter with int8 simulated where the layers can be."""
    recipe = Recipe(name, 12, 128, Schedule("one_cycle", peak=0.002, warmup=0.2))
    if not quantization_aware:
        return recipe
    return replace(recipe, quantized_epochs=3, quantized_schedule=Schedule("one_cycle", peak=0.0005, warmup=0.1))


def layer_keys(layer: Layer) -> dict[str, object]:
    """Returns what a file says of a layer: its kind, its name, and what differs from the kind's own values."""
    changed = {key: value for key, value in vars(layer).items() if key == "name" or value != getattr(type(layer), key, ...)}
    return {"kind": type(layer).__name__, **changed}
