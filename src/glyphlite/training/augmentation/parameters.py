"""Random changes of training images: warped a little, as handwriting varies; fainter or noisier, as pictures do.

Knows arrays and a random generator, nothing of training. A recipe names one of ``AUGMENTATIONS`` and one of ``PHOTOMETRIC``.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

ELASTIC_GRID = 5
"""Points along each axis at which elastic distortion displaces an image."""

BARS = 3
"""Bars over an occluded image, at most; each is drawn in two of three images."""

BAR_PIXELS = (1.0, 3.5), (4.0, 36.0)
"""Least and largest width and length of a bar."""

BAR_GREYS = 0.2, 1.0
"""The darkest and the lightest bar."""

COARSE_SIDES = (8, 10, 12, 14)
"""Pixels along each axis of the pictures that a coarse image may be taken from."""

RANGES = "_ranges"
"""Ending behind a recipe's word for an augmentation (`augmentation`, `photometric`) in records, where its numbers stand."""


@dataclass(frozen=True)
class Augmentation:
    """Ranges of affine augmentation and elastic distortion, from which each image's is drawn, uniformly, both signs.

    Attributes:
        rotation_degrees: largest turn.
        shift_pixels: largest move along each axis.
        scale: largest relative change of size along each axis (0.1: from 0.9 to 1.1).
        shear_degrees: largest slant.
        elastic_pixels: largest displacement along each axis of each point of a grid of `ELASTIC_GRID` by `ELASTIC_GRID` over the
            image; what lies between follows smoothly. P. Simard et al., "Best Practices for Convolutional Neural Networks"
            (ICDAR 2003), distort digits so, by smoothed noise.
    """

    rotation_degrees: float = 10.0
    shift_pixels: float = 2.0
    scale: float = 0.1
    shear_degrees: float = 8.0
    elastic_pixels: float = 0.0

    @property
    def numbers(self) -> int:
        """Returns how many numbers say what is done to one image: 8 of a projective transform, and each point's two moves."""
        return 8 + (2 * ELASTIC_GRID**2 if self.elastic_pixels else 0)


AUGMENTATIONS: dict[str, Augmentation] = {
    "affine": Augmentation(),
    "affine_gentle": Augmentation(rotation_degrees=6.0, shift_pixels=1.0, scale=0.06, shear_degrees=4.0),
    "affine_strong": Augmentation(rotation_degrees=15.0, shift_pixels=2.5, scale=0.15, shear_degrees=12.0),
    "elastic_gentle": Augmentation(rotation_degrees=8.0, shift_pixels=1.0, scale=0.08, shear_degrees=6.0, elastic_pixels=1.6),
    "elastic": Augmentation(elastic_pixels=1.6),
    "elastic_wide": Augmentation(shift_pixels=2.4, elastic_pixels=1.6),
    "elastic_wider": Augmentation(shift_pixels=2.6, elastic_pixels=1.6),
}


@dataclass(frozen=True)
class Photometric:
    """Changes of light: which shares of the images lose contrast, get noise, lie behind bars or are coarse, and how much of it.
    Another share is written by others.

    Attributes:
        faded: share of the images that lose contrast.
        least_contrast: what is left at worst, drawn uniformly up to 1; the ground takes any grey that the rest leaves room for.
        noisy: share of the images with Gaussian noise.
        largest_noise: its largest deviation, as a part of the range from black to white; drawn uniformly from 0.
        occluded: share of the images that up to `BARS` bars lie over, of any place, direction, length, width and grey. They hide
            parts of a glyph, as random erasing does (Z. Zhong et al., "Random Erasing Data Augmentation", AAAI 2020).
        coarse: share of the images that are taken from a picture of fewer pixels (one of `COARSE_SIDES`), as small pictures are.
        rewritten: share of the images of a class that `glyphlite.training.augmentation.digit_styles` draws in other styles, which
            are replaced by drawn ones of their class; where the classes are the ten digits.
    """

    faded: float
    least_contrast: float
    noisy: float
    largest_noise: float
    occluded: float = 0.0
    coarse: float = 0.0
    rewritten: float = 0.0


PHOTOMETRIC: dict[str, Photometric] = {
    "faded_noisy": Photometric(faded=0.2, least_contrast=0.2, noisy=0.1, largest_noise=0.4),
    "faded_noisy_gentle": Photometric(faded=0.08, least_contrast=0.2, noisy=0.04, largest_noise=0.4),
    "occluded": Photometric(faded=0.12, least_contrast=0.2, noisy=0.06, largest_noise=0.4, occluded=0.06),
    "occluded_gentle": Photometric(faded=0.08, least_contrast=0.2, noisy=0.04, largest_noise=0.4, occluded=0.06),
    "occluded_often": Photometric(faded=0.08, least_contrast=0.2, noisy=0.04, largest_noise=0.4, occluded=0.14),
    "occluded_coarse": Photometric(faded=0.12, least_contrast=0.2, noisy=0.06, largest_noise=0.4, occluded=0.06, coarse=0.06),
    "occluded_coarse_rewritten": Photometric(
        faded=0.12, least_contrast=0.2, noisy=0.06, largest_noise=0.4, occluded=0.06, coarse=0.06, rewritten=0.02
    ),
    "occluded_gentle_rewritten": Photometric(
        faded=0.08, least_contrast=0.2, noisy=0.04, largest_noise=0.4, occluded=0.06, rewritten=0.02
    ),
}


def ranges_behind(augmentation: str | None, photometric: str | None) -> dict[str, dict[str, Any]]:
    """Returns the numbers that stand behind the names of a recipe, plain JSON: what is kept of a training names them both.

    A name alone would not do: what it stands for is changed here, and was once by a script that trained.
    """
    return {
        f"{key}{RANGES}": asdict(table[name])
        for key, name, table in (("augmentation", augmentation, AUGMENTATIONS), ("photometric", photometric, PHOTOMETRIC))
        if name is not None and name in table
    }


def draw_affines(count: int, augmentation: Augmentation, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws transformations: where each pixel of a result comes from.

    Returns:
        Matrices ``(n, 2, 2)`` and shifts ``(n, 2)``, float32, over (row, column) measured from the image's centre: a result's
        pixel p comes from matrix @ p + shift.
    """
    angle, shear, row_scale, column_scale, row_shift, column_shift = rng.uniform(-1, 1, (6, count)).astype(np.float32)
    angle = angle * np.float32(np.deg2rad(augmentation.rotation_degrees))
    slant = np.tan(shear * np.float32(np.deg2rad(augmentation.shear_degrees)))
    rows, columns = 1 + row_scale * np.float32(augmentation.scale), 1 + column_scale * np.float32(augmentation.scale)
    sine, cosine = np.sin(angle), np.cos(angle)
    turn = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    stretch = np.stack([np.stack([rows, np.zeros_like(rows)], -1), np.stack([slant, columns], -1)], -2)
    return turn @ stretch, np.stack([row_shift, column_shift], -1) * np.float32(augmentation.shift_pixels)


def warp(images: np.ndarray, matrices: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Samples each image at the places that its matrix and shift name."""
    count, height, width, channels = images.shape
    centre = np.array([(height - 1) / 2, (width - 1) / 2], np.float32)
    grid = (
        np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), 0).reshape(2, -1).astype(np.float32)
        - centre[:, None]
    )
    places = matrices @ grid + (shifts + centre)[:, :, None]
    # A rim of zeros, one before and two behind, lets every place find four neighbours without a question.
    rows, columns = np.clip(places[:, 0], -1, height) + 1, np.clip(places[:, 1], -1, width) + 1
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    down, right = rows - top, columns - left
    stride = width + 3
    corner = top * stride + left + (np.arange(count, dtype=np.int32) * ((height + 3) * stride))[:, None]
    result = np.empty_like(images)
    for channel in range(channels):
        padded = np.zeros((count, height + 3, stride), np.float32)
        padded[:, 1 : height + 1, 1 : width + 1] = images[..., channel]
        flat = padded.ravel()
        upper = flat.take(corner) * (1 - right) + flat.take(corner + 1) * right
        lower = flat.take(corner + stride) * (1 - right) + flat.take(corner + stride + 1) * right
        mixed = (upper + (lower - upper) * down).reshape(count, height, width)
        result[..., channel] = np.rint(mixed) if images.dtype == np.uint8 else mixed
    return result
