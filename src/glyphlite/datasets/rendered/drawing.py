"""A font's letter as many people would write it: turned, sheared, bent and unevenly dark, then normalized as `predict` does.

Pure functions of a font's bytes and a random generator. Letters are drawn large and without hinting, so that the version of the
library that draws them hardly shows.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from glyphlite.preprocessing.images import FIELD_SIDE
from glyphlite.preprocessing.normalize import BOX_PART, fit_to_box, nearest, set_into_field, trim

_SIDE, _LETTER = 84, 60
"""Sides of the canvas that a letter is warped on, and of the letter on it, in pixels."""
_POINTS = 160
_TURN, _SHEAR, _STRETCH = 0.18, 0.2, 0.15
"""Radians either way, sideways shift per row either way, and how much wider or narrower a letter may become."""
_GRID, _BEND = 4, 0.035
"""A letter is bent by the displacements of so many points a side, each of this deviation, in sides of the canvas."""
_DARKEST, _LIGHTEST = 0.55, 1.0
"""Ink from one side of the letter to the other."""
_FAINT = 0.1


def draw_letter(font: bytes, letter: str) -> np.ndarray:
    """Draws a letter in the middle of a canvas.

    Args:
        font: content of a font file.
        letter: one character.

    Returns:
        Ink from 0 to 1, float32 ``(84, 84)``, the letter's longer side 60 pixels.
    """
    face = ImageFont.truetype(io.BytesIO(font), _POINTS, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = face.getbbox(letter)
    picture = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(picture).text((4 - left, 4 - top), letter, font=face, fill=255)
    ink = trim(np.asarray(picture, np.float64) / 255, 0.5)
    scale = _LETTER / max(ink.shape)
    size = (max(1, nearest(ink.shape[1] * scale)), max(1, nearest(ink.shape[0] * scale)))
    small = np.asarray(Image.fromarray((ink * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX), np.float32) / 255
    canvas = np.zeros((_SIDE, _SIDE), np.float32)
    row, column = (_SIDE - small.shape[0]) // 2, (_SIDE - small.shape[1]) // 2
    canvas[row : row + small.shape[0], column : column + small.shape[1]] = small
    return canvas


def write_variants(canvas: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Returns a drawn letter as it might be written so many times, uint8 ``(count, 28, 28)``, light on dark.

    Args:
        canvas: as :func:`draw_letter` gives it.
        count: of the images.
        rng: what every choice is drawn from.
    """
    bent = _sample(canvas, *_places(count, rng))
    shades = _shades(count, rng)
    return np.stack([_normalized(ink, shade) for ink, shade in zip(bent, shades, strict=True)])


def _places(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows and columns that each pixel of each variant is taken from, ``(count, side, side)``."""
    turn, shear = rng.uniform(-_TURN, _TURN, count), rng.uniform(-_SHEAR, _SHEAR, count)
    high, wide = (np.exp(rng.uniform(-_STRETCH, _STRETCH, count)) for _ in range(2))
    bend = rng.normal(0, _BEND * _SIDE, (2, count, _GRID, _GRID))
    along = np.arange(_SIDE) - (_SIDE - 1) / 2
    rows, columns = along[None, :, None], along[None, None, :]
    cosine, sine = (each(turn)[:, None, None] for each in (np.cos, np.sin))
    high, wide, shear = (each[:, None, None] for each in (high, wide, shear))
    spread = _spread()
    down, across = (spread @ each @ spread.T for each in bend)
    from_rows = (cosine * rows + sine * columns) * high + down
    from_columns = (cosine * columns - sine * rows) * wide + shear * rows + across
    return from_rows + (_SIDE - 1) / 2, from_columns + (_SIDE - 1) / 2


def _spread() -> np.ndarray:
    """Returns how much each point of the grid moves each row, ``(side, grid)``: smooth, and 1 in all."""
    points = np.linspace(0, _SIDE - 1, _GRID)
    near = np.exp(-(((np.arange(_SIDE)[:, None] - points) / (_SIDE / _GRID)) ** 2))
    return near / near.sum(axis=1, keepdims=True)


def _sample(canvas: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Returns a canvas sampled bilinearly, zeros coming in from outside."""
    padded = np.pad(canvas, 1)
    rows, columns = np.clip(rows + 1, 0, _SIDE + 0.999), np.clip(columns + 1, 0, _SIDE + 0.999)
    top, left = rows.astype(np.int64), columns.astype(np.int64)
    down, right = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    upper = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    lower = padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


def _shades(count: int, rng: np.random.Generator) -> np.ndarray:
    """Returns how dark the ink is at each pixel of the field, ``(count, 28, 28)``: it fades from one side to the other."""
    direction = rng.uniform(0, 2 * np.pi, count)[:, None, None]
    ends = rng.uniform(_DARKEST, _LIGHTEST, (count, 2))
    first, change = ends.max(axis=1)[:, None, None], np.abs(np.diff(ends))[:, :, None]
    along = np.linspace(-0.5, 0.5, FIELD_SIDE)
    place = np.cos(direction) * along[:, None] + np.sin(direction) * along
    return np.clip(first - change * (place + 0.5), 0, 1)


def _normalized(ink: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """Returns a letter in its field as `predict` would make it of a picture, its ink shaded."""
    fitted = fit_to_box(trim(ink.astype(np.float64), _FAINT), nearest(FIELD_SIDE * BOX_PART))
    field = set_into_field(fitted, FIELD_SIDE, FIELD_SIDE) * shade
    return np.floor(field * 255 + 0.5).astype(np.uint8)
