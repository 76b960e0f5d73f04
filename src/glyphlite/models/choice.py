"""A model chosen for a training: what builds it, for which images and classes, and how it is trained."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from glyphlite.models.definition.definition import StoredDefinition
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.recipe import Recipe

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be built for one image shape and number of classes, and how it is trained.

    Attributes:
        name: what results and run folders call it.
        input_shape: height, width, channels.
        classes: number of classes.
        recipe: how it is trained.
        origin: where it comes from, in words.
        fingerprint: SHA-256 of what defines it; a changed definition cannot resume an earlier training.
        convention: how it takes a pixel, where the user has said it; else as its first layers say, else pixel / 255.
        definition: the file that defines it, if it comes from one (`glyphlite.models.definition`).
    """

    name: str
    input_shape: tuple[int, int, int]
    classes: int
    recipe: Recipe
    origin: str
    fingerprint: str
    builder: Callable[[], "keras.Model"] = field(repr=False, compare=False)
    convention: InputConvention | None = None
    definition: StoredDefinition | None = field(default=None, repr=False, compare=False)

    def taking(self, convention: InputConvention) -> "ModelChoice":
        """Returns the same, trained on pixels that enter otherwise; what was trained otherwise cannot be resumed."""
        defined = f"{self.fingerprint} {convention.mean} {convention.std}"
        return replace(self, convention=convention, fingerprint=hashlib.sha256(defined.encode()).hexdigest())

    def build(self) -> "keras.Model":
        """Returns a Keras model: untrained for a name or a function; with the file's weights for a .keras file.

        Raises:
            ModelError: a user's function or file does not give a classifier of this shape.
        """
        return self.builder()
