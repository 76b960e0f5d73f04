"""Glyphs on paper as a phone's camera sees them: shaded, with shadows, blurred, on textured paper, ink or chalk.

A glyph comes as its coverage, from 0 paper to 1 ink; where the coverage is from (fonts, MNIST enlarged) is the caller's business.
Used by the tests and by benchmarks/real_pictures.py. Everything is drawn from the generator that is given.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

DARK_ON_LIGHT = 0.7
"""The part of the scenes that is ink on paper; the rest is chalk on a board."""


def scene(coverage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture of one glyph somewhere on a sheet of 90 to 420 pixels a side, its longer side 35 to 85 % of the shorter one's.

    Args:
        coverage: float ``(rows, columns)`` of the glyph, cut out to its rectangle, larger than it will be seen.
        rng: where everything that varies is drawn from.

    Returns:
        uint8 ``(height, width)``.
    """
    height, width = (int(side) for side in rng.integers(90, 420, 2))
    longer = rng.uniform(0.35, 0.85) * min(height, width)
    glyph = _resized(coverage, longer / max(coverage.shape))
    sheet = np.zeros((height, width))
    top = int(rng.integers(2, max(3, height - glyph.shape[0] - 2)))
    left = int(rng.integers(2, max(3, width - glyph.shape[1] - 2)))
    sheet[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph[: height - top, : width - left]
    return photograph(_blurred(sheet, rng.uniform(0, 0.018) * longer), rng)


def photograph(sheet: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sheet of ink, ``(rows, columns)`` from 0 paper to 1 ink, as uint8 with light, shade, texture and noise."""
    paper, ink = (rng.uniform(190, 250), rng.uniform(15, 100))
    if rng.random() > DARK_ON_LIGHT:
        paper, ink = (rng.uniform(20, 60), rng.uniform(150, 240))
    brightness = (paper + (ink - paper) * sheet) * _light(sheet.shape, rng)
    grain = _texture(sheet.shape, rng) * rng.uniform(0.2, 1) + rng.standard_normal(sheet.shape) * rng.uniform(0, 4)
    return np.clip(np.rint(brightness + grain), 0, 255).astype(np.uint8)


def blank_sheet(rng: np.random.Generator) -> np.ndarray:
    """A photograph of paper with nothing on it."""
    height, width = rng.integers(90, 420, 2)
    return photograph(np.zeros((int(height), int(width))), rng)


def noise_picture(rng: np.random.Generator) -> np.ndarray:
    """Grey noise."""
    side = int(rng.integers(60, 300))
    return np.clip(rng.normal(128, rng.uniform(2, 60), (side, side)), 0, 255).astype(np.uint8)


def drawn_glyph(character: str, font: ImageFont.FreeTypeFont, degrees: float = 0.0) -> np.ndarray:
    """A character's coverage, turned by some degrees and cut out."""
    left, top, right, bottom = (int(edge) for edge in font.getbbox(character))
    canvas = Image.new("L", (right - left + 80, bottom - top + 80), 0)
    ImageDraw.Draw(canvas).text((40 - left, 40 - top), character, font=font, fill=255)
    turned = canvas.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    return np.asarray(turned.crop(turned.getbbox()), float) / 255


def enlarged(digit: np.ndarray, factor: int = 12) -> np.ndarray:
    """An MNIST digit's coverage, many times its size and smooth, cut out."""
    inked = np.argwhere(digit > 0)
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0) + 1
    return _resized(digit[top:bottom, left:right] / 255, factor)


def _resized(coverage: np.ndarray, factor: float) -> np.ndarray:
    rows, columns = (max(2, round(side * factor)) for side in coverage.shape)
    image = Image.fromarray((coverage * 255).astype(np.uint8)).resize((columns, rows), Image.Resampling.LANCZOS)
    return np.asarray(image, float) / 255


def _blurred(sheet: np.ndarray, radius: float) -> np.ndarray:
    image = Image.fromarray((sheet * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, float) / 255


def _light(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Brightness that falls off to one side, and on some pictures the edge of a shadow."""
    falling, edge = _position(shape, rng), _position(shape, rng)
    least = 1 - rng.uniform(0, 0.6)
    light = least + (1 - least) * np.clip(falling / 1.2 + 0.5, 0, 1)
    place, depth, softness = rng.uniform(-0.3, 0.3), rng.uniform(0.2, 0.45), rng.uniform(0.01, 0.06)
    if rng.random() < 0.3:
        light = light * (1 - depth / (1 + np.exp(-(edge + place) / softness)))
    return light


def _position(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """How far each pixel is from the middle in a direction drawn at random, in picture sides."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (columns / shape[1] - 0.5) * np.cos(angle) + (rows / shape[0] - 0.5) * np.sin(angle)


def _texture(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Unevenness of three grain sizes, in grey levels."""
    total = np.zeros(shape)
    for grain, strength in ((1, 3), (3, 3), (12, 4)):
        coarse = rng.standard_normal((shape[0] // grain + 2, shape[1] // grain + 2)).astype(np.float32)
        total += strength * np.asarray(Image.fromarray(coarse).resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
    return total
