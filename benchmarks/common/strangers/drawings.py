"""Digits as a pen writes them, and the paper and desks that they are photographed on."""

from typing import Any

import numpy as np

PEN: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(120, 30), (75, 60), (62, 130), (80, 205), (120, 228), (160, 205), (178, 130), (165, 60), (120, 30)]],
    "1": [[(85, 75), (125, 30), (125, 230)]],
    "2": [[(70, 80), (85, 45), (125, 30), (165, 50), (172, 90), (150, 130), (70, 220), (185, 220)]],
    "3": [[(75, 50), (125, 30), (168, 65), (150, 110), (110, 122), (155, 138), (172, 185), (125, 225), (70, 205)]],
    "4": [[(130, 30), (60, 150), (190, 150)], [(150, 90), (150, 240)]],
    "5": [[(170, 35), (85, 35), (80, 115), (130, 105), (172, 140), (165, 200), (115, 228), (70, 208)]],
    "7": [[(60, 40), (180, 40), (110, 230)]],
}
INK = (25, 25, 60)
PAPER = (235, 232, 225)
DESKS = {"dark": (48, 44, 42), "grey": (142, 140, 136), "wood": (126, 92, 62), "light": (205, 186, 158), "white": (250, 250, 250)}


def write_digit(draw: Any, digit: str, left: float, top: float, *, size: float = 1.0, ink: Any = INK, width: float = 14) -> None:
    """Draw one digit into a field of about 240 by 260 pixels, times ``size``, with round ends."""
    for stroke in PEN[digit]:
        points = [(left + a * size, top + b * size) for a, b in stroke]
        draw.line(points, fill=ink, width=round(width), joint="curve")
        for a, b in points:
            draw.ellipse((a - width / 2, b - width / 2, a + width / 2, b + width / 2), fill=ink)


def sheet(width: int = 900, height: int = 700, colour: Any = PAPER) -> tuple[Any, Any]:
    """Returns an empty sheet and what draws on it."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), colour)
    return picture, ImageDraw.Draw(picture)


def photographed(picture: Any, seed: int = 0, *, shade: float = 0.0) -> Any:
    """The picture with a camera's grain, and darker towards the right by ``shade``."""
    from PIL import Image

    pixels = np.asarray(picture).astype(np.float32)
    light = 1 - shade * np.linspace(0, 1, pixels.shape[1])[None, :, None]
    grain = np.random.default_rng(seed).normal(0, 3, (*pixels.shape[:2], 1))
    return Image.fromarray((pixels * light + grain).clip(0, 255).astype(np.uint8))


def with_desk(draw: Any, colour: Any, sides: str, rim: int, width: int = 900, height: int = 700) -> None:
    """Paint a desk over the sides named (l, r, t, b) of a sheet."""
    boxes = {
        "l": (0, 0, rim, height),
        "r": (width - rim, 0, width, height),
        "t": (0, 0, width, rim),
        "b": (0, height - rim, width, height),
    }
    for side in sides:
        draw.rectangle(boxes[side], fill=colour)


def ruled(draw: Any, kind: str, width: int = 900, height: int = 700) -> None:
    """Print what school paper has: lines, a margin line, squares, or a box around the glyph."""
    blue, red = (160, 185, 215), (225, 150, 150)
    if kind in ("ruled", "margin"):
        for y in range(40, height, 60):
            draw.line((0, y, width, y), fill=blue, width=2)
    if kind == "margin":
        draw.line((130, 0, 130, height), fill=red, width=3)
    if kind == "squared":
        for at in range(20, max(width, height), 40):
            draw.line((0, at, width, at), fill=blue, width=2)
            draw.line((at, 0, at, height), fill=blue, width=2)
    if kind == "boxed":
        draw.rectangle((300, 190, 600, 520), outline=(60, 60, 60), width=4)
    if kind == "form":
        for left in (40, 300, 600):
            draw.rectangle((left, 190, left + 240, 520), outline=(120, 120, 120), width=3)
