"""Batches of a training and their augmentation: a pure function of seed, epoch and step.

So the position in the data is all the state there is, and a resumed training sees what an uninterrupted one would have seen.
Knows numbers of images and what a recipe says; nothing of models, and not the images themselves.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from glyphlite.errors import ModelError
from glyphlite.models.recipe import Recipe
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, ELASTIC_GRID, draw_affines

CHUNK_STEPS = 16
"""Steps run by one call into the compiled loop: long enough to hide the call, short enough for a live display and Ctrl-C."""


def transform_numbers(augmentation: str | None) -> int:
    """Returns how many numbers say what is done to one image: the last axis of `Chunk.transforms`; 0 where nothing is done."""
    return AUGMENTATIONS[augmentation].numbers if augmentation else 0


@dataclass(frozen=True)
class Chunk:
    """Some consecutive steps of equal batch size.

    Attributes:
        first_step: of the epoch.
        order: int32 ``(steps, batch)``, positions in the training split.
        transforms: float32 ``(steps, batch, numbers)`` where images are augmented, else None. Eight numbers of a projective
            transform as TensorFlow's ImageProjectiveTransformV3 takes them: a pixel (x, y) of the result comes from
            (a0 x + a1 y + a2, b0 x + b1 y + b2). Then, where images are bent, how far each point of a grid is moved along x,
            and along y, in pixels.
    """

    first_step: int
    order: np.ndarray
    transforms: np.ndarray | None


@dataclass(frozen=True)
class Batches:
    """The batches of a training.

    Attributes:
        images: how many there are in the training split.
        image_size: height and width.
        batch_size: images in a batch; the last of an epoch may be smaller.
        seed: of order and augmentation.
        augmentation: one of `AUGMENTATIONS`.
        cycle: the number of epochs after which order and warps repeat; None: never.
        warps_seed: of the augmentation, where each image is warped alike whatever the training's seed; the order then does not
            repeat. None: ``seed``'s.
    """

    images: int
    image_size: tuple[int, int]
    batch_size: int
    seed: int
    augmentation: str | None = None
    cycle: int | None = None
    warps_seed: int | None = None

    @classmethod
    def of_recipe(cls, recipe: Recipe, images: int, image_size: tuple[int, int], seed: int) -> "Batches":
        """Returns the batches of a training by a recipe, of so many images of a height and a width."""
        return cls(
            images,
            image_size,
            recipe.batch_size,
            seed,
            recipe.augmentation,
            cycle=recipe.augmentation_cycle,
            warps_seed=recipe.warps_seed,
        )

    def __post_init__(self) -> None:
        if self.warps_seed is not None and self.augmentation is None:
            raise ModelError("there is a seed of warps, but no augmentation")
        if self.augmentation is not None and self.augmentation not in AUGMENTATIONS:
            raise ModelError(f"unknown augmentation {self.augmentation!r}; expected one of {', '.join(AUGMENTATIONS)}")

    @property
    def steps(self) -> int:
        """Returns steps in an epoch."""
        return -(-self.images // self.batch_size)

    def in_cycle(self, epoch: int) -> int:
        """Returns the earliest epoch that has the same warps."""
        return epoch % self.cycle if self.cycle else epoch

    def epoch(self, epoch: int, from_step: int = 0) -> Iterator[Chunk]:
        """Yields the chunks of an epoch, from a step on at which a chunk begins."""
        warps = self.warps(epoch)
        if warps is None:
            epoch = self.in_cycle(epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(self.images).astype(np.int32)
        whole = self.images // self.batch_size
        starts = [*range(0, whole, CHUNK_STEPS), whole]
        for first, end in [*pairwise(starts), (whole, self.steps)]:
            if from_step <= first < end:
                picked = order[first * self.batch_size : end * self.batch_size].reshape(end - first, -1)
                if warps is None:
                    yield Chunk(first, picked, self._transforms(picked, np.random.default_rng([self.seed, epoch, first])))
                else:
                    yield Chunk(first, picked, warps[picked])

    def warps(self, epoch: int) -> np.ndarray | None:
        """Returns what is done to each image in an epoch, float32 ``(images, numbers)``; None where the seed of the training, not
        `warps_seed`, says it.
        """
        if self.warps_seed is None:
            return None
        return self._transforms(np.arange(self.images), np.random.default_rng([self.warps_seed, self.in_cycle(epoch)]))

    def warps_named(self, epoch: int) -> dict[str, Any]:
        """Returns everything that `warps` of an epoch depends on; plain JSON."""
        ranges = asdict(AUGMENTATIONS[self.augmentation]) if self.augmentation else None
        return {"seed": self.warps_seed, "epoch": self.in_cycle(epoch), "images": self.images, "ranges": ranges}

    def _transforms(self, picked: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        if self.augmentation is None:
            return None
        matrices, shifts = draw_affines(picked.size, AUGMENTATIONS[self.augmentation], rng)
        centre = (np.array(self.image_size, np.float32) - 1) / 2
        offsets = shifts + centre - matrices @ centre
        rows, columns = (np.column_stack([matrices[:, axis, 1], matrices[:, axis, 0], offsets[:, axis]]) for axis in (0, 1))
        transforms = np.column_stack([columns, rows, np.zeros((picked.size, 2))]).astype(np.float32)
        if largest := AUGMENTATIONS[self.augmentation].elastic_pixels:
            displacements = rng.uniform(-largest, largest, (picked.size, 2 * ELASTIC_GRID * ELASTIC_GRID)).astype(np.float32)
            transforms = np.column_stack([transforms, displacements])
        return transforms.reshape(*picked.shape, -1)
