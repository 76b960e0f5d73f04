"""The orientation of stored glyphs: finds it and turns them upright. EMNIST is distributed with every image transposed.

Where classes are digits the images answer: they are held against the mean images of MNIST's digits in each of the eight ways a
square can lie. Else the name EMNIST says it, unless the glyphs contradict: those of most scripts are taller than wide.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from glyphlite.datasets.own.content import TRAIN
from glyphlite.datasets.own.upright_digits import SIDE, upright_digits

Turn = Callable[[np.ndarray], np.ndarray]
UPRIGHT, TRANSPOSED = "upright", "transposed"
TURNS: dict[str, Turn] = {
    UPRIGHT: lambda images: images,
    TRANSPOSED: lambda images: images.swapaxes(1, 2),
    "turned by 90 degrees to the left": lambda images: np.rot90(images, -1, (1, 2)),
    "turned by 90 degrees to the right": lambda images: np.rot90(images, 1, (1, 2)),
    "upside down": lambda images: np.rot90(images, 2, (1, 2)),
    "mirrored left to right": lambda images: images[:, :, ::-1],
    "mirrored top to bottom": lambda images: images[:, ::-1],
    "transposed and turned upside down": lambda images: np.rot90(images.swapaxes(1, 2), 2, (1, 2)),
}
"""The orientations that images may have, in words, each with the function that turns them upright."""
_LOOKED_AT = 2000
_FEWEST = 30
"""Images, below which their likeness to digits proves nothing."""
_LEAST_LIKE, _ABOVE_CHANCE, _ABOVE_NEXT = 0.45, 1.8, 1.4
"""MNIST's images are nearest to their own digit's mean in 78 %; mirrored in 43 %, transposed in 13 %, clothes in 13 %."""
_INK, _HALF = 64, 127
_MOST_CLASSES, _MANY_CLASSES, _FEWEST_CLASSES = 0.8, 0.65, 5
"""Shares of the classes that must be wider than tall to speak of it, and taller than wide to doubt EMNIST's name; of how many."""


def turn_upright(
    images: Mapping[str, np.ndarray], numbers: np.ndarray, labels: Sequence[str], source: str, lie: str | None = None
) -> tuple[dict[str, np.ndarray], str | None]:
    """Returns the images upright, and in words what was found or assumed; None where nothing speaks against upright.

    Args:
        images: uint8 ``(n, height, width, channels)`` by split, training images among them.
        numbers: classes of the training images.
        labels: class names.
        source: names of the files, in which EMNIST may be named.
        lie: how the user says that they lie: :data:`UPRIGHT` or :data:`TRANSPOSED`; None leaves it to be found.
    """
    if lie is not None:
        words: str | None = f"the images lie {lie}, as you say" + (": every one was turned" if lie == TRANSPOSED else "")
    else:
        lie, words = _find_lie(images[TRAIN], numbers, labels, is_emnist="emnist" in source.lower())
    if lie == UPRIGHT:
        return dict(images), words
    return {split: np.ascontiguousarray(TURNS[lie](array)) for split, array in images.items()}, words


def _find_lie(images: np.ndarray, numbers: np.ndarray, labels: Sequence[str], *, is_emnist: bool) -> tuple[str, str | None]:
    """Finds how the images lie, a key of :data:`TURNS`, from what they show or else their name; returns it and a note if any."""
    height, width, channels = images.shape[1:]
    if channels != 1 or height != width or height < SIDE:
        return UPRIGHT, None
    sample = np.random.default_rng(0).permutation(len(numbers))[:_LOOKED_AT]
    grey, chosen = images[sample, ..., 0], numbers[sample]
    grey = 255 - grey if np.median(grey) > _HALF else grey
    found = how_digits_lie(grey, chosen, labels)
    wide, tall = _wide_and_tall(grey, chosen)
    if found not in (None, UPRIGHT):
        return (
            found,
            f"compared with MNIST's, the digits lie {found}: every image was turned upright (PATH:upright leaves them)",
        )
    if is_emnist and (found == UPRIGHT or tall >= _MANY_CLASSES):
        seen = "these digits stand upright" if found == UPRIGHT else "these glyphs are taller than wide"
        return UPRIGHT, f"EMNIST's images usually lie transposed; {seen}: left as they are"
    if is_emnist:
        return TRANSPOSED, "EMNIST's images are handed out transposed: every image was turned upright (PATH:upright leaves them)"
    if found is None and wide >= _MOST_CLASSES:
        classes = f"the glyphs of {wide:.0%} of the classes are wider than tall"
        return UPRIGHT, f"{classes} and stay so; if they lie transposed, as EMNIST's do, name them PATH:transposed"
    return UPRIGHT, None


def how_digits_lie(images: np.ndarray, numbers: np.ndarray, labels: Sequence[str]) -> str | None:
    """Returns which of :data:`TURNS` the images lie in, by their likeness to MNIST's digits; None where they show no digits.

    Args:
        images: uint8 ``(n, side, side)``.
        numbers: their classes.
        labels: class names; those of one digit are looked at.
    """
    digit = np.array([int(name) if name in set("0123456789") else -1 for name in labels])[numbers]
    shown = digit >= 0
    if np.count_nonzero(shown) < _FEWEST or len(np.unique(digit[shown])) < 2:
        return None
    means = _unit(upright_digits()[np.unique(digit[shown])])
    answers = np.searchsorted(np.unique(digit[shown]), digit[shown])
    coarse = _coarse(images[shown])
    likeness = {way: float(np.mean((_unit(turn(coarse)) @ means.T).argmax(axis=1) == answers)) for way, turn in TURNS.items()}
    (best, most), (_, second) = sorted(likeness.items(), key=lambda each: -each[1])[:2]
    return best if most >= max(_LEAST_LIKE, _ABOVE_CHANCE / len(means), _ABOVE_NEXT * second) else None


def _wide_and_tall(images: np.ndarray, numbers: np.ndarray) -> tuple[float, float]:
    """Shares of the classes whose glyphs are mostly wider than tall, and mostly taller than wide; 0 for too few classes."""
    heights, widths = ((images.max(axis=axis) > _INK).sum(axis=1) for axis in (2, 1))
    leaning = [float(np.sign(widths - heights)[numbers == each].mean()) for each in np.unique(numbers)]
    if len(leaning) < _FEWEST_CLASSES:
        return 0.0, 0.0
    return float(np.mean(np.array(leaning) > 0)), float(np.mean(np.array(leaning) < 0))


def _coarse(images: np.ndarray) -> np.ndarray:
    """Returns images averaged to ``(n, SIDE, SIDE)``."""
    side = images.shape[1]
    edges = np.arange(SIDE + 1) * side // SIDE
    sums = np.zeros((len(images), side + 1, side + 1), np.float32)
    sums[:, 1:, 1:] = images.astype(np.float32).cumsum(axis=1).cumsum(axis=2)
    corners = sums[:, edges][:, :, edges]
    areas = np.diff(edges)[:, None] * np.diff(edges)
    return (corners[:, 1:, 1:] - corners[:, :-1, 1:] - corners[:, 1:, :-1] + corners[:, :-1, :-1]) / areas


def _unit(images: np.ndarray) -> np.ndarray:
    """Returns the images flattened, with mean 0 and length 1, so that products are correlations."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
