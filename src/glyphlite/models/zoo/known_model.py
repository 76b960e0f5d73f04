"""The record of each of glyphlite's own models. Data; nothing of Keras."""

from dataclasses import dataclass

from glyphlite.models.architecture import Architecture
from glyphlite.models.recipe import Recipe


@dataclass(frozen=True)
class KnownModel:
    """An architecture, its recipe, and what it is for, in words."""

    architecture: Architecture
    recipe: Recipe
    description: str


@dataclass(frozen=True)
class RetiredModel(KnownModel):
    """A model that is no longer offered: which member took its place, and why, in words that go on behind that member's name."""

    replaced_by: str
    why: str
