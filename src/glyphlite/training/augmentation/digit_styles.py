"""Ways of writing digits that MNIST's writers hardly use, drawn as strokes: a one with a long upstroke, a four in two open
strokes, a seven with a bar, a nine whose foot curls to the left. Many people in Europe write so.

A style is a few strokes, each given by where its points lie on average and how far they stray, in a box of 1 by 1; a curve goes
through the points. A picture is brought to the size and place of MNIST's digits.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.models.recipe import Recipe
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, PHOTOMETRIC, Augmentation, draw_affines, warp

SIDE = 28
"""Pixels along each axis of a picture."""

LABELS = tuple("0123456789")
"""The classes, in order, of a dataset into which these digits may be drawn."""

BOX = 20.0
"""Pixels of the longer side of a digit, as in MNIST, whose centre of mass is a picture's centre."""

PEN_PIXELS = 1.4, 4.8
"""The thinnest and the thickest pen."""

EDGE_PIXELS = 0.8, 2.0
"""Over how many pixels the edge of a stroke goes from black to white: of the sharpest and of the softest picture."""

STRAYING = 0.05
"""Largest distance of a point from its place, where a style says nothing else: a part of the box, along each axis."""

SLANT_DEGREES = -15.0, 25.0
"""Least and largest lean of a writer's digits to the right."""

PIECES = 4
"""Straight pieces between two points of a curve."""

_AT_ONCE = 32
"""Pictures whose pixels are computed together: as many as fit the processor's cache."""

_LOOKED_AT, _DARK = 1000, 63
"""Images whose pixels' median tells the ground, and the lightest ground that is dark."""

Point = tuple[float, ...]
"""Column and row of a point in the box, and how far it strays along each, where that is not `STRAYING`. Equal points of a style
are one: where two strokes meet."""

Stroke = tuple[Point, ...]


@dataclass(frozen=True)
class Style:
    """A way to write a digit.

    Attributes:
        digit: the class.
        strokes: what the pen does in any case.
        optional: strokes each of which is there in half of the pictures.
    """

    digit: int
    strokes: tuple[Stroke, ...]
    optional: tuple[Stroke, ...] = ()


_TIP: Point = (0.55, 0.0, 0.06, 0.02)
_STEM: Stroke = (_TIP, (0.56, 0.5, 0.04, 0.0), (0.55, 1.0, 0.06, 0.0))

STYLES: tuple[Style, ...] = (
    # An upstroke from halfway down, and one from higher or lower: a foot is there or not.
    Style(1, (((0.18, 0.42, 0.12, 0.18), (0.38, 0.2, 0.04, 0.06), _TIP), _STEM)),
    Style(
        1,
        (((0.2, 0.4, 0.15, 0.2), _TIP), _STEM),
        (((0.25, 1.0, 0.1, 0.02), (0.85, 1.0, 0.12, 0.03)),),
    ),
    # Down to the left and, with or without a corner, to the right; a second stroke across, short or long.
    Style(
        4,
        (
            ((0.5, 0.0, 0.12, 0.0), (0.22, 0.38, 0.08, 0.08), (0.08, 0.66, 0.04, 0.08)),
            ((0.08, 0.66, 0.04, 0.08), (0.9, 0.66, 0.1, 0.08)),
            ((0.62, 0.42, 0.08, 0.14), (0.56, 1.0, 0.1, 0.02)),
        ),
    ),
    Style(
        4,
        (
            ((0.55, 0.0, 0.12, 0.0), (0.2, 0.4, 0.08, 0.08), (0.1, 0.72), (0.25, 0.8), (0.9, 0.62, 0.1, 0.08)),
            ((0.62, 0.4, 0.08, 0.12), (0.55, 0.97, 0.1, 0.06)),
        ),
    ),
    Style(
        7,
        (
            ((0.05, 0.04), (0.9, 0.0, 0.06, 0.03)),
            ((0.9, 0.0, 0.06, 0.03), (0.58, 0.48, 0.06, 0.06), (0.42, 1.0, 0.14, 0.0)),
            ((0.28, 0.52, 0.1, 0.08), (0.86, 0.48, 0.1, 0.08)),
        ),
        (((0.05, 0.04), (0.03, 0.2, 0.04, 0.06)),),
    ),
    # A loop, then down on its right side and along the line to the left, curled up at the end.
    Style(
        9,
        (
            (
                (0.74, 0.16),
                (0.48, 0.0, 0.08, 0.02),
                (0.2, 0.22, 0.1, 0.06),
                (0.42, 0.43, 0.08, 0.08),
                (0.74, 0.26, 0.04, 0.05),
                (0.79, 0.55, 0.08, 0.06),
                (0.74, 0.86, 0.1, 0.06),
                (0.42, 1.0, 0.1, 0.02),
                (0.08, 0.84, 0.08, 0.12),
            ),
        ),
    ),
    # A small loop, down to the right, and from a corner straight to the left.
    Style(
        9,
        (
            (
                (0.6, 0.12, 0.06, 0.05),
                (0.38, 0.0, 0.08, 0.02),
                (0.15, 0.18, 0.08, 0.06),
                (0.36, 0.38, 0.08, 0.08),
                (0.6, 0.2, 0.06, 0.05),
                (0.68, 0.48, 0.08, 0.06),
                (0.85, 0.8, 0.08, 0.08),
            ),
            ((0.85, 0.8, 0.08, 0.08), (0.72, 0.97, 0.08, 0.03), (0.12, 1.0, 0.12, 0.03)),
        ),
    ),
)


PICTURES = 1024
"""Pictures of each class that a training draws."""


@dataclass(frozen=True)
class Drawings:
    """Drawn pictures of some classes.

    Attributes:
        pictures: uint8 ``(classes drawn, pictures, height, width, channels)``.
        rows: int32 ``(classes,)``: where in these a class's are; -1 for one that is not drawn.
    """

    pictures: np.ndarray
    rows: np.ndarray


def drawings_for(recipe: Recipe, dataset: Dataset, seed: int) -> Drawings | None:
    """Draws the digits that a training replaces some of its images by, and says so where it cannot be done.

    Returns:
        The same for the same recipe and seed; None where the recipe rewrites nothing, or the images are not such digits.
    """
    if recipe.photometric not in PHOTOMETRIC or not PHOTOMETRIC[recipe.photometric].rewritten:
        return None
    if why_not := why_not_drawn(dataset):
        say(f"no digits are drawn into the training images, as {recipe.photometric} would: {why_not}")
        return None
    augmentation = AUGMENTATIONS[recipe.augmentation] if recipe.augmentation else None
    drawn = draw_digits(PICTURES, augmentation, np.random.default_rng([seed, *b"digit styles"]))
    rows = np.full(len(LABELS), -1, np.int32)
    rows[list(drawn)] = np.arange(len(drawn))
    return Drawings(np.stack(list(drawn.values())), rows)


def why_not_drawn(dataset: Dataset) -> str:
    """Returns why drawn digits do not belong to a dataset's images; empty where they do."""
    if dataset.labels != LABELS:
        return f"the classes of {dataset.name} are not the ten digits"
    if dataset.input_shape != (SIDE, SIDE, 1):
        return f"the images of {dataset.name} are not of {SIDE}x{SIDE} grey pixels"
    if np.median(dataset.train.images[:_LOOKED_AT]) > _DARK:
        return f"the ground of {dataset.name}'s images is not dark"
    return ""


def draw_digits(count: int, augmentation: Augmentation | None, rng: np.random.Generator) -> dict[int, np.ndarray]:
    """Draws digits in the styles of `STYLES`, each class's styles in turn.

    Args:
        count: how many of each class that has styles.
        augmentation: ranges of the affine augmentation that each picture undergoes; None for none.
        rng: what chance takes its numbers from.

    Returns:
        For each class, uint8 ``(count, 28, 28, 1)``.
    """
    drawn = {}
    for digit in sorted({style.digit for style in STYLES}):
        styles = [style for style in STYLES if style.digit == digit]
        pictures = np.zeros((count, SIDE, SIDE, 1), np.float32)
        for place, style in enumerate(styles):
            pictures[place :: len(styles)] = _draw(style, len(range(place, count, len(styles))), augmentation, rng)
        drawn[digit] = np.rint(pictures * 255).astype(np.uint8)
    return drawn


def _draw(style: Style, count: int, augmentation: Augmentation | None, rng: np.random.Generator) -> np.ndarray:
    """Returns pictures of a style, float32 ``(count, 28, 28, 1)`` in [0, 1]."""
    there = rng.random((count, len(style.optional))) < 0.5
    curves = _curves(style, count, rng)
    pens, edges = (rng.uniform(*ends, (count, 1, 1)).astype(np.float32) for ends in (PEN_PIXELS, EDGE_PIXELS))
    pictures = np.concatenate(
        [
            _ink([curve[some] for curve in curves], there[some], pens[some], edges[some])
            for some in (slice(first, first + _AT_ONCE) for first in range(0, count, _AT_ONCE))
        ]
    )
    matrices, shifts = draw_affines(count, augmentation or Augmentation(0.0, 0.0, 0.0, 0.0), rng)
    return warp(pictures, matrices, shifts + _off_centre(pictures))


def _curves(style: Style, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Returns each stroke's points in pixels, ``(count, points, 2)``, x first, as large as MNIST's digits and amid the picture.

    The longer side is `BOX` from one line of the pen to the other.
    """
    strokes = (*style.strokes, *style.optional)
    places = {}
    for point in dict.fromkeys(point for stroke in strokes for point in stroke):
        column, row, *reach = point
        reach = reach or [STRAYING, STRAYING]
        places[point] = np.array([column, row]) + rng.uniform(-1, 1, (count, 2)) * reach
    slant = np.tan(np.deg2rad(rng.uniform(*SLANT_DEGREES, (count, 1))))
    curves = []
    for stroke in strokes:
        points = np.stack([places[point] for point in stroke], axis=1)
        points[..., 0] -= slant * points[..., 1]
        curves.append(_through(points))
    every = np.concatenate(curves, axis=1)
    least, most = every.min(axis=1, keepdims=True), every.max(axis=1, keepdims=True)
    scale = (BOX - sum(PEN_PIXELS) / 2) / (most - least).max(axis=2, keepdims=True)
    return [((curve - (least + most) / 2) * scale + (SIDE - 1) / 2).astype(np.float32) for curve in curves]


def _through(points: np.ndarray) -> np.ndarray:
    """Returns points along Catmull-Rom curves through ``(count, points, 2)``: E. Catmull, R. Rom (1974)."""
    ends = np.concatenate([2 * points[:, :1] - points[:, 1:2], points, 2 * points[:, -1:] - points[:, -2:-1]], axis=1)
    before, here, there, behind = (ends[:, start : start + points.shape[1] - 1, None] for start in range(4))
    t = (np.arange(PIECES) / PIECES)[:, None]
    along = (
        2 * here
        + (there - before) * t
        + (2 * before - 5 * here + 4 * there - behind) * t**2
        + (3 * here - before - 3 * there + behind) * t**3
    ) / 2
    return np.concatenate([along.reshape(len(points), -1, 2), points[:, -1:]], axis=1)


def _ink(curves: list[np.ndarray], there: np.ndarray, pens: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Returns how white each pixel is, float32 ``(count, 28, 28, 1)``: by how far it is from the nearest stroke."""
    axis = np.arange(SIDE, dtype=np.float32)
    nearest = np.full((len(pens), SIDE, SIDE), np.inf, np.float32)
    for number, curve in enumerate(curves):
        found = np.full_like(nearest, np.inf)
        for start, end in zip(np.moveaxis(curve[:, :-1], 1, 0), np.moveaxis(curve[:, 1:], 1, 0), strict=True):
            x, y = axis[None, None, :] - start[:, 0, None, None], axis[None, :, None] - start[:, 1, None, None]
            along_x, along_y = (end - start).T[..., None, None]
            share = np.clip((x * along_x + y * along_y) / np.maximum(along_x**2 + along_y**2, 1e-6), 0, 1)
            np.minimum(found, (x - share * along_x) ** 2 + (y - share * along_y) ** 2, out=found)
        option = number - (len(curves) - there.shape[1])
        if option >= 0:
            found[~there[:, option]] = np.inf
        np.minimum(nearest, found, out=nearest)
    return np.clip(0.5 + (pens / 2 - np.sqrt(nearest)) / edges, 0, 1)[..., None]


def _off_centre(pictures: np.ndarray) -> np.ndarray:
    """Returns how far each picture's centre of mass lies from its middle, ``(count, 2)``, row first."""
    axis = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    mass = pictures.sum(axis=(1, 2, 3))
    return (
        np.stack([np.einsum("nrc,r->n", pictures[..., 0], axis), np.einsum("nrc,c->n", pictures[..., 0], axis)], -1)
        / mass[:, None]
    )
