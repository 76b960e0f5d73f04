"""Which images every step of a training sees, and how they are altered: a pure function of seed, epoch and step.

So the position in the data is all the state there is, and a resumed training sees what an uninterrupted one would have seen.
Knows arrays; nothing of models.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from glyphlite.data.augment import AUGMENTATIONS, augment
from glyphlite.data.records import Split
from glyphlite.errors import ModelError

CHUNK_STEPS = 16
"""Steps run by one call into the compiled loop: long enough to hide the call, short enough for a live display and Ctrl-C."""


@dataclass(frozen=True)
class Chunk:
    """Some consecutive steps of equal batch size.

    Attributes:
        first_step: of the epoch.
        order: int32 ``(steps, batch)``, positions in the training split.
        images: uint8 ``(steps, batch, height, width, channels)`` where they are augmented, else None: as in the split.
    """

    first_step: int
    order: np.ndarray
    images: np.ndarray | None


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Steps in an epoch, the last of which may be smaller than the others."""
    return -(-images // batch_size)


def epoch_chunks(
    split: Split, batch_size: int, *, seed: int, epoch: int, from_step: int = 0, augmentation: str | None = None
) -> Iterator[Chunk]:
    """The chunks of an epoch, from a step on at which a chunk begins; augmented one chunk ahead, in a thread.

    Raises:
        ModelError: the augmentation is unknown.
    """
    if augmentation is not None and augmentation not in AUGMENTATIONS:
        raise ModelError(f"unknown augmentation {augmentation!r}; expected one of {', '.join(AUGMENTATIONS)}")
    order = np.random.default_rng([seed, epoch]).permutation(len(split)).astype(np.int32)
    whole = len(split) // batch_size
    starts = [(step, min(CHUNK_STEPS, whole - step)) for step in range(0, whole, CHUNK_STEPS)]

    def make(first_step: int, steps: int) -> Chunk:
        picked = order[first_step * batch_size : (first_step + steps) * batch_size].reshape(steps, -1)
        if augmentation is None:
            return Chunk(first_step, picked, None)
        rng = np.random.default_rng([seed, epoch, first_step])
        images = augment(split.images[picked.reshape(-1)], AUGMENTATIONS[augmentation], rng)
        return Chunk(first_step, picked, images.reshape(*picked.shape, *split.images.shape[1:]))

    if len(split) % batch_size:
        starts.append((whole, 1))
    wanted = [(first, steps) for first, steps in starts if first >= from_step]
    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = [worker.submit(make, *start) for start in wanted[:2]]
        for following in [*wanted[2:], None, None]:
            if not ahead:
                return
            chunk = ahead.pop(0).result()
            if following is not None:
                ahead.append(worker.submit(make, *following))
            yield chunk
