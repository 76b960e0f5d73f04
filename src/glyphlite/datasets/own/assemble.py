"""Assembly of a dataset: turns what a source stores into pixels, numbered labels and splits, and states every assumption.

Composes shapes, ranges and labels. Everything that users bring passes here, whatever it was read from.
"""

from collections.abc import Mapping

import numpy as np

from glyphlite.datasets.array_shapes import arrange_images
from glyphlite.datasets.dataset import Split
from glyphlite.datasets.own.content import TEST, TRAIN, VALIDATION, FoundData, StoredSplit
from glyphlite.datasets.own.labels import ClassNames, number_classes, read_labels
from glyphlite.errors import DataError
from glyphlite.preprocessing.pixel_range import find_range

_LIGHT = 128
MOST, _FEW = 0.5, 0.01
"""Shares of images that are dark on light: all are taken to be, and so few that it is not spoken of."""
_LEAST_CONTRAST = 16
"""Brightest less darkest pixel of the median image, of 255."""


def assemble(stored: Mapping[str, StoredSplit], names: ClassNames | None, notes: tuple[str, ...] = ()) -> FoundData:
    """Checks what a source holds and turns it into splits.

    Args:
        stored: by split; ``train`` is there, ``validation`` and ``test`` where the source has them.
        names: the class names, as far as the source gives any.
        notes: what its reader assumed already.

    Raises:
        DataError: shapes, types, ranges or labels that cannot be understood or don't fit together.
    """
    said = list(notes)
    order = [split for split in (TRAIN, VALIDATION, TEST) if split in stored]
    images = {}
    for split in order:
        each = stored[split]
        count = each.labels.shape[-1] if each.labels.ndim == 2 and each.labels.shape[0] == 1 else len(np.atleast_1d(each.labels))
        images[split], note = arrange_images(each.images, each.images_name, count)
        said += [note] if note and split == TRAIN else []
    _check_one_shape(images)
    pixels = find_range({stored[split].images_name: images[split] for split in order})
    said += [pixels.words] if pixels.words else []
    images, words = _without_opacity({split: pixels.to_bytes(array) for split, array in images.items()})
    said += [words] if words else []
    _check_contrast(images[TRAIN], stored[TRAIN].images_name, pixels.words)
    read = {split: read_labels(stored[split].labels, stored[split].labels_name, len(images[split])) for split in order}
    numbers, labels, assumed = number_classes(read, names)
    said += assumed
    dark = dark_on_light(images[TRAIN])
    if dark.mean() > _FEW:
        number = "most" if dark.mean() > MOST else f"{np.count_nonzero(dark):,} of {len(dark):,}"
        said.append(
            f"{number} images are dark on light and stay so, but predict and draw show a model light on dark: invert them"
        )
    splits = {split: Split(images[split], numbers[split], stored[split].groups) for split in order}
    return FoundData(splits[TRAIN], splits.get(VALIDATION), splits.get(TEST), labels, tuple(said))


def _without_opacity(images: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], str | None]:
    """Returns images without a last channel of 2 or 4 that is opaque everywhere, and what is to be said of such a channel."""
    channels = images[TRAIN].shape[3]
    if channels not in (2, 4):
        return images, None
    if all((array[..., -1] == 255).all() for array in images.values()):
        kept = {split: np.ascontiguousarray(array[..., :-1]) for split, array in images.items()}
        return kept, f"the last of {channels} channels is opaque everywhere and left out"
    return (
        images,
        f"the images have {channels} channels, the last of them perhaps transparency; predict gives a model 1 or 3 only",
    )


def dark_on_light(images: np.ndarray) -> np.ndarray:
    """Returns ``(n,)`` whether an image of ``(n, height, width, 1)`` has a light rim; colours never have."""
    if images.shape[3] != 1:
        return np.zeros(len(images), bool)
    grey = images[..., 0]
    rims = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    return np.median(rims, axis=1) >= _LIGHT


def _check_contrast(images: np.ndarray, name: str, words: str | None) -> None:
    """Refuses images most of which show nothing: a single bright pixel, or a wrong range, has made the rest black.

    Raises:
        DataError: half of them have hardly any contrast.
    """
    flat = images.reshape(len(images), -1)
    contrast = float(np.median(flat.max(axis=1).astype(np.int64) - flat.min(axis=1)))
    if contrast < _LEAST_CONTRAST:
        why = f" ({words})" if words else ""
        raise DataError(
            f"half of {name} show nothing: their brightest and darkest pixels differ by {contrast:.0f} of 255 at most{why}; "
            "expected black (0) and white (255) in most images"
        )


def _check_one_shape(images: Mapping[str, np.ndarray]) -> None:
    """Refuses splits whose images differ in size.

    Raises:
        DataError: they do.
    """
    for split, array in images.items():
        expected = images[TRAIN].shape[1:]
        if array.shape[1:] != expected:
            raise DataError(f"training images are {expected} and {split} images {array.shape[1:]}; expected the same")
