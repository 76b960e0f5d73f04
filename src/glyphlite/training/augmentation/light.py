"""Changes of light of a batch of images before a model sees it: arrays in, arrays changed. The same for every engine.

Every kind of change draws from a stream of its own, so that the others' stay as they are where a recipe leaves one out.
"""

from functools import cache
from typing import Any

import numpy as np

from glyphlite.datasets.dataset import as_float
from glyphlite.training.augmentation.digit_styles import Drawings
from glyphlite.training.augmentation.parameters import BAR_GREYS, BAR_PIXELS, BARS, COARSE_SIDES, Photometric

_SHARES, _NOISE, _BARS, _SIDES, _PICTURES, _STREAMS = range(6)
"""Streams of random numbers of one step, and how many there may be."""


def relight(
    images: np.ndarray, photometric: Photometric, seed: Any, labels: np.ndarray | None = None, drawings: Drawings | None = None
) -> None:
    """Makes some images noisy, others faint, lays bars over others, makes others coarse and replaces others by drawn ones: the
    first, the last of a batch, whose order is random, those behind the noisy ones, and those behind these, twice.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1]; changed in place.
        photometric: how many, and how much.
        seed: two integers, of the training and of the step; the same give the same images.
        labels: int ``(batch,)``; read where there are drawings.
        drawings: what images may be replaced by; None for nothing.
    """
    count = len(images)
    shares = (photometric.faded, photometric.noisy, photometric.occluded, photometric.coarse, photometric.rewritten)
    faded, noisy, hidden, rough, other = (round(share * count) for share in shares)
    light = _stream(seed, _SHARES).random((3, count), np.float32)[..., None, None, None]
    between = slice(noisy, max(noisy, count - faded))
    head, middle, tail = images[:noisy], images[between], images[count - faded :]
    if noisy:
        noise = _stream(seed, _NOISE).standard_normal(head.shape, np.float32)
        np.clip(head + noise * (light[0, :noisy] * np.float32(photometric.largest_noise)), 0, 1, out=head)
    if hidden:
        occlude(middle[:hidden], _stream(seed, _BARS))
    if rough:
        coarsen(middle[hidden : hidden + rough], _stream(seed, _SIDES))
    if other and drawings is not None and labels is not None:
        few = slice(hidden + rough, hidden + rough + other)
        rewrite(middle[few], labels[between][few], drawings, _stream(seed, _PICTURES))
    lost = light[1, count - faded :] * np.float32(1 - photometric.least_contrast)
    tail *= 1 - lost
    tail += light[2, count - faded :] * lost


def occlude(images: np.ndarray, rng: np.random.Generator) -> None:
    """Lays up to `BARS` bars over each image, soft at their edges.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1]; changed in place.
        rng: where the bars come from.
    """
    count, height, width = images.shape[:3]
    rows, columns = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    for row, column, turn, breadth, length, grey, is_there in rng.random((BARS, 7, count), np.float32):
        there = is_there < 2 / 3
        sine, cosine = np.sin(np.pi * turn[there, None]), np.cos(np.pi * turn[there, None])
        down, right = rows - row[there, None] * height, columns - column[there, None] * width
        across = np.abs((down * cosine)[:, :, None] - (right * sine)[:, None])
        along = np.abs((down * sine)[:, :, None] + (right * cosine)[:, None])
        across -= (_between(BAR_PIXELS[0], breadth[there]) / 2)[:, None, None]
        along -= (_between(BAR_PIXELS[1], length[there]) / 2)[:, None, None]
        cover = np.clip(0.5 - np.maximum(across, along), 0, 1)[..., None]
        images[there] += (_between(BAR_GREYS, grey[there])[:, None, None, None] - images[there]) * cover


def coarsen(images: np.ndarray, rng: np.random.Generator) -> None:
    """Makes each image from a picture of fewer pixels, one of `COARSE_SIDES`: the means of its areas, enlarged bilinearly.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1]; changed in place.
        rng: where the sides come from.
    """
    _, height, width, channels = images.shape
    sides = rng.integers(0, len(COARSE_SIDES), len(images))
    rows, columns = (_coarsenings(pixels)[sides] for pixels in (height, width))
    for channel in range(channels):
        images[..., channel] = rows @ images[..., channel] @ columns.swapaxes(1, 2)


def rewrite(images: np.ndarray, labels: np.ndarray, drawings: Drawings, rng: np.random.Generator) -> None:
    """Replaces each image whose class has drawn pictures by one of these.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1]; changed in place.
        labels: int ``(batch,)``.
        drawings: the pictures.
        rng: where the choice among the pictures comes from.
    """
    of_class = drawings.rows[labels]
    chosen = rng.integers(0, drawings.pictures.shape[1], len(labels))
    drawn = of_class >= 0
    images[drawn] = as_float(drawings.pictures[of_class[drawn], chosen[drawn]])


def _stream(seed: Any, stream: int) -> np.random.Generator:
    """Returns a stream of random numbers of a step: counter-based, so that steps share none."""
    training, step = (int(each) for each in seed)
    return np.random.Generator(np.random.Philox(key=np.array([training, step * _STREAMS + stream], np.int64).view(np.uint64)))


@cache
def _coarsenings(pixels: int) -> np.ndarray:
    """Returns the matrices ``(sides, pixels, pixels)`` of `_coarsening`, of each of `COARSE_SIDES`."""
    return np.stack([_coarsening(pixels, side) for side in COARSE_SIDES])


def _coarsening(pixels: int, side: int) -> np.ndarray:
    """Returns the matrix ``(pixels, pixels)`` that averages along an axis over ``side`` areas and interpolates between these."""
    edges, starts = np.linspace(0, pixels, side + 1), np.arange(pixels)
    shares = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    means = np.clip(shares, 0, None) * side / pixels
    places = np.clip((starts + 0.5) * side / pixels - 0.5, 0, side - 1)
    nearness = np.clip(1 - np.abs(places[:, None] - np.arange(side)), 0, None)
    return (nearness @ means).astype(np.float32)


def _between(ends: tuple[float, float], share: np.ndarray) -> np.ndarray:
    return np.float32(ends[0]) + np.float32(ends[1] - ends[0]) * share
