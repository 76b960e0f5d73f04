"""Corrupted images, to ask how well a classifier bears what it was not trained on: noise, blur, other pens, other postures.

A set of our own in the spirit of MNIST-C (N. Mu and J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision", 2019):
each corruption in three strengths that a person still reads, a pure function of images and seed. Images are light ink on a dark
ground. Knows arrays, nothing of models.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glyphlite.training.augmentation.parameters import warp

LEVELS = (1, 2, 3)

_CHUNK = 1000
"""Images at a time, so that the temporary arrays stay in the processor's cache."""

MNIST_C = "MNIST-C (Mu and Gilmer, 2019)"
MORPHO = "Morpho-MNIST (Castro et al., JMLR 2019)"

Apply = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Corruption:
    """One way to corrupt an image.

    Attributes:
        name: what results call it.
        description: what it does, with ``{}`` for the strength.
        strengths: of the three levels.
        source: whose idea it is.
        apply: float32 ``(n, height, width)`` in [0, 1], a strength, a generator; gives the same shape, clipped by the caller.
    """

    name: str
    description: str
    strengths: tuple[float, float, float]
    source: str
    apply: Apply

    def words(self, level: int) -> str:
        """Returns what it does at a level, in words."""
        return self.description.format(self.strengths[level - 1])


def corrupt(images: np.ndarray, corruption: Corruption, level: int, *, seed: int = 0) -> np.ndarray:
    """Corrupts each image on its own.

    Args:
        images: uint8 ``(n, height, width, channels)``; every channel is corrupted alike.
        corruption: one of :data:`CORRUPTIONS`.
        level: 1, 2 or 3.
        seed: the same gives the same images; corruptions and levels do not depend on each other.

    Returns:
        A new array of the same shape and type.
    """
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(f"images must be uint8 (n, height, width, channels), but {images.dtype} {images.shape} was given")
    if level not in LEVELS:
        raise ValueError(f"level must be one of {LEVELS}, but {level} was given")
    strength = corruption.strengths[level - 1]
    result = np.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        for channel in range(images.shape[3]):
            rng = np.random.default_rng((seed, zlib.crc32(corruption.name.encode()), level, start))
            values = images[part, ..., channel].astype(np.float32) / np.float32(255)
            result[part, ..., channel] = np.rint(np.clip(corruption.apply(values, strength, rng), 0, 1) * 255)
    return result


def _noise(images: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    return images + np.float32(deviation) * rng.standard_normal(images.shape, np.float32)


def _specks(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random(images.shape, np.float32)
    return np.where(draw < share, (draw < share / 2).astype(np.float32), images)


def _blur(images: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    del rng
    reach = int(np.ceil(3 * deviation))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2).astype(np.float32)
    taps /= taps.sum()
    for axis in (1, 2):
        padded = np.pad(images, [(reach, reach) if each == axis else (0, 0) for each in range(3)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(taps), axis)
        images = windows @ taps
    return images


def _thicker(images: np.ndarray, pixels: float, rng: np.random.Generator) -> np.ndarray:
    del rng
    return _morphed(images, pixels, np.maximum)


def _thinner(images: np.ndarray, pixels: float, rng: np.random.Generator) -> np.ndarray:
    del rng
    return _morphed(images, pixels, np.minimum)


def _morphed(images: np.ndarray, pixels: float, extreme: np.ufunc) -> np.ndarray:
    """Returns grey dilation or erosion by a cross of one pixel's reach, once a whole pixel; the rest is a part of one more."""
    while pixels > 0:
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
        middle = padded[:, 1:-1, 1:-1]
        vertical, horizontal = (
            extreme(padded[:, :-2, 1:-1], padded[:, 2:, 1:-1]),
            extreme(padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]),
        )
        moved = extreme(middle, extreme(vertical, horizontal))
        images = images + np.float32(min(pixels, 1.0)) * (moved - images)
        pixels -= 1
    return images


def _rotated(images: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    angle = np.deg2rad(degrees) * _signs(len(images), rng)
    return _transformed(images, np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle))


def _sheared(images: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    slant = np.tan(np.deg2rad(degrees)) * _signs(len(images), rng)
    one = np.ones_like(slant)
    return _transformed(images, one, 0 * one, slant, one)


def _scaled(images: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    step = factor ** _signs(len(images), rng)
    return _transformed(images, step, 0 * step, 0 * step, step)


def _translated(images: np.ndarray, pixels: float, rng: np.random.Generator) -> np.ndarray:
    direction = rng.uniform(0, 2 * np.pi, len(images))
    one = np.ones(len(images))
    return _transformed(images, one, 0 * one, 0 * one, one, pixels * np.stack([np.sin(direction), np.cos(direction)], -1))


def _transformed(
    images: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, shifts: np.ndarray | None = None
) -> np.ndarray:
    """Samples an image: each pixel of a result comes from ``(a, b; c, d)`` times its place from the centre, plus the shift;
    (row, column).
    """
    matrices = np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2).astype(np.float32)
    moves = np.zeros((len(images), 2), np.float32) if shifts is None else shifts.astype(np.float32)
    return warp(images[..., np.newaxis], matrices, moves)[..., 0]


def _faded(images: np.ndarray, contrast: float, rng: np.random.Generator) -> np.ndarray:
    del rng
    return np.float32((1 - contrast) / 2) + np.float32(contrast) * images


def _striped(images: np.ndarray, count: float, rng: np.random.Generator) -> np.ndarray:
    images = images.copy()
    every = np.arange(len(images))
    upright = rng.random(len(images)) < 0.5
    for _ in range(round(count)):
        places = rng.integers(0, images.shape[1], len(images)), rng.integers(0, images.shape[2], len(images))
        images[every[~upright], places[0][~upright]] = 1
        images[every[upright], :, places[1][upright]] = 1
    return images


def _signs(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(np.array([-1.0, 1.0]), count)


CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("noise", "Gaussian noise of {:g} of the range", (0.15, 0.3, 0.45), MNIST_C, _noise),
    Corruption("specks", "{:.0%} of the pixels turned black or white", (0.05, 0.1, 0.2), MNIST_C, _specks),
    Corruption("blur", "Gaussian blur of {:g} pixels", (0.8, 1.2, 1.6), MNIST_C, _blur),
    Corruption("thicker", "strokes wider by {:g} pixels per side", (0.5, 1.0, 1.5), MORPHO, _thicker),
    Corruption("thinner", "strokes narrower by {:g} pixels per side", (0.4, 0.6, 0.8), MORPHO, _thinner),
    Corruption("rotation", "turned by {:g} degrees to either side", (15, 25, 35), MNIST_C, _rotated),
    Corruption("shear", "slanted by {:g} degrees to either side", (15, 25, 35), MNIST_C, _sheared),
    Corruption("scale", "{:g} times as large or as small", (1.2, 1.35, 1.5), MNIST_C, _scaled),
    Corruption("translation", "moved by {:g} pixels in any direction", (2, 4, 6), MNIST_C, _translated),
    Corruption("contrast", "{:.0%} of the contrast left, around grey", (0.7, 0.5, 0.3), MNIST_C, _faded),
    Corruption("stripes", "white lines across: {:g}", (1, 2, 3), MNIST_C, _striped),
)
