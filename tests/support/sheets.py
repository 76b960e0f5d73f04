"""Digits as people photograph them: on school paper (ruled, with a margin line, squared, in a printed box), and on a sheet that
lies on a desk.

Builds on `scenes`: glyphs come as coverage from 0 paper to 1 ink, everything is drawn from the generator that is given, and greys
are those that a camera sees of usual colours (a light blue line, a red margin, a ballpoint, a pencil).
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from support.scenes import _blurred, _light, _position, _resized, _texture

PAPERS = ("ruled", "ruled with a margin", "squared", "squared with a margin", "printed box")
DESKS = ("dark", "grey", "light", "wood")


def school_sheet(coverage: np.ndarray, rng: np.random.Generator, kind: str | None = None) -> np.ndarray:
    """A digit on printed paper that fills the picture.

    Args:
        coverage: float ``(rows, columns)`` of the glyph, cut out, larger than it will be seen.
        rng: where everything that varies is drawn from.
        kind: one of `PAPERS`, drawn when left out.

    Returns:
        uint8 ``(height, width)``.
    """
    kind = kind or PAPERS[rng.integers(len(PAPERS))]
    height, width = (int(side) for side in rng.integers(380, 900, 2))
    longer = rng.uniform(0.25, 0.7) * min(height, width)
    ink, (top, left, bottom, right) = _placed(coverage, longer, (height, width), rng)
    paper = rng.uniform(205, 250)
    sheet = np.full((height, width), paper)
    if kind == "printed box":
        _print_boxes(sheet, (top, left, bottom, right), longer, rng)
    else:
        _print_lines(sheet, longer, rng, squared="squared" in kind, margin="margin" in kind)
    return _photographed(_with_ink(sheet, ink, longer, rng), rng)


def desk_scene(coverage: np.ndarray, rng: np.random.Generator, desk: str | None = None, *, lines: bool = False) -> np.ndarray:
    """A digit on a sheet that lies on a desk, with the desk in sight on one to four sides.

    Args:
        coverage: as of `school_sheet`.
        rng: where everything that varies is drawn from.
        desk: one of `DESKS`, drawn when left out.
        lines: whether the sheet is ruled or squared.

    Returns:
        uint8 ``(height, width)``.
    """
    desk = desk or DESKS[rng.integers(len(DESKS))]
    height, width = (int(side) for side in rng.integers(420, 1000, 2))
    inside, signed = _sheet_mask((height, width), rng)
    rows, columns = np.nonzero(signed > 0.02 * min(height, width))
    longer = rng.uniform(0.2, 0.5) * float(min(np.ptp(rows), np.ptp(columns)))
    ink = np.zeros((height, width))
    # Well inside the sheet: a place whose whole surroundings are paper.
    deep = np.argwhere(signed > 0.75 * longer)
    if not len(deep):
        deep, longer = np.argwhere(signed == signed.max()), float(signed.max())
    glyph = _resized(coverage, longer / max(coverage.shape))
    row, column = deep[rng.integers(len(deep))]
    top, left = max(0, row - glyph.shape[0] // 2), max(0, column - glyph.shape[1] // 2)
    glyph = glyph[: height - top, : width - left]
    ink[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    sheet = np.full((height, width), rng.uniform(205, 250))
    if lines:
        _print_lines(sheet, longer, rng, squared=rng.random() < 0.5, margin=False)
    sheet = _with_ink(sheet, ink, longer, rng)
    table = _desk(desk, (height, width), float(sheet.max()), rng)
    # The sheet throws a narrow shadow on one side, or shows a thin edge.
    away = -signed
    shade = 1 - rng.uniform(0.08, 0.35) * np.exp(-np.clip(away, 0, None) / rng.uniform(1.5, 6)) * (
        _position((height, width), rng) > -0.1
    )
    picture = np.where(inside, sheet, table * shade)
    if rng.random() < 0.3:
        picture = _with_intruder(picture, (top, left, top + glyph.shape[0], left + glyph.shape[1]), rng)
    return _photographed(picture, rng)


def _placed(coverage: np.ndarray, longer: float, shape: tuple[int, int], rng: np.random.Generator):
    glyph = _resized(coverage, longer / max(coverage.shape))
    height, width = shape
    top = int(rng.integers(int(0.04 * height), max(int(0.04 * height) + 1, int(0.96 * height) - glyph.shape[0])))
    left = int(rng.integers(int(0.04 * width), max(int(0.04 * width) + 1, int(0.96 * width) - glyph.shape[1])))
    ink = np.zeros(shape)
    ink[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    return ink, (top, left, top + glyph.shape[0], left + glyph.shape[1])


def _with_ink(sheet: np.ndarray, ink: np.ndarray, longer: float, rng: np.random.Generator) -> np.ndarray:
    """Ballpoint, felt pen or pencil over what is printed."""
    grey = rng.uniform(20, 110)
    soft = _blurred(ink, rng.uniform(0, 0.012) * longer)
    return sheet + (np.minimum(grey, sheet) - sheet) * soft


def _print_lines(sheet: np.ndarray, longer: float, rng: np.random.Generator, *, squared: bool, margin: bool) -> None:
    """Lines over the whole sheet, in place: the digit is from half a line to several lines high."""
    height, width = sheet.shape
    pitch = max(14.0, longer * (rng.uniform(0.12, 0.5) if squared else rng.uniform(0.25, 1.3)))
    angle = np.deg2rad(rng.uniform(-3, 3))
    thick, grey = rng.uniform(0.8, 2.6) * max(1.0, pitch / 60), rng.uniform(140, 205)
    rows, columns = np.mgrid[:height, :width]
    down = rows * np.cos(angle) + columns * np.sin(angle)
    right = columns * np.cos(angle) - rows * np.sin(angle)
    families = [down] + ([right] if squared else [])
    for along in families:
        phase = (along + rng.uniform(0, pitch)) % pitch
        _print(sheet, np.minimum(phase, pitch - phase), thick, grey)
    if margin:
        place = width * rng.uniform(0.05, 0.3) if rng.random() < 0.8 else width * rng.uniform(0.75, 0.95)
        _print(sheet, np.abs(right - place), rng.uniform(1, 3), rng.uniform(110, 175))


def _print_boxes(sheet: np.ndarray, glyph: tuple[int, int, int, int], longer: float, rng: np.random.Generator) -> None:
    """A box around the glyph, sometimes one in a row of boxes, in place."""
    top, left, bottom, right = glyph
    room = longer * rng.uniform(0.03, 0.4)
    middle_row, middle = (top + bottom) / 2, (left + right) / 2
    half_high = (bottom - top) / 2 + room
    half_wide = max((right - left) / 2 + room, half_high * rng.uniform(0.6, 1.1))
    angle = np.deg2rad(rng.uniform(-2, 2))
    rows, columns = np.mgrid[: sheet.shape[0], : sheet.shape[1]]
    down = (rows - middle_row) * np.cos(angle) + (columns - middle) * np.sin(angle)
    across = (columns - middle) * np.cos(angle) - (rows - middle_row) * np.sin(angle)
    thick, grey = rng.uniform(1, 4) * max(1.0, longer / 250), rng.uniform(20, 180)
    for shift in (-1, 0, 1) if rng.random() < 0.3 else (0,):
        beyond = np.maximum(np.abs(down) - half_high, np.abs(across - 2 * shift * half_wide) - half_wide)
        _print(sheet, np.abs(beyond), thick, grey)


def _print(sheet: np.ndarray, distance: np.ndarray, thick: float, grey: float) -> None:
    printed = np.clip(thick / 2 + 0.5 - distance, 0, 1)
    sheet += (np.minimum(grey, sheet) - sheet) * printed


def _sheet_mask(shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mask of a sheet, and the distance of each pixel inside its edge (negative: outside)."""
    height, width = shape
    while True:
        seen = rng.random(4) < 0.6  # top, bottom, left, right: is the desk seen there
        if seen.any():
            break
    angle = np.deg2rad(rng.uniform(-9, 9))
    rows, columns = np.mgrid[:height, :width]
    y, x = rows - height / 2, columns - width / 2
    down, right = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
    distances = []
    for shown, along, half in (
        (seen[0], -down, height / 2),
        (seen[1], down, height / 2),
        (seen[2], -right, width / 2),
        (seen[3], right, width / 2),
    ):
        edge = half * (1 - 2 * rng.uniform(0.05, 0.28)) if shown else half * 3
        distances.append(edge - along)
    signed = np.minimum.reduce(distances)
    # How much room a glyph has, at the picture's rim too.
    room = np.minimum.reduce([signed, rows, height - 1 - rows, columns, width - 1 - columns])
    return signed > 0, np.where(signed > 0, room, signed)


def _desk(kind: str, shape: tuple[int, int], paper: float, rng: np.random.Generator) -> np.ndarray:
    if kind == "light":
        # White wood, or grey paper under the sheet: a little lighter or darker than it.
        level = paper * rng.choice([rng.uniform(0.8, 0.94), rng.uniform(1.02, 1.1)])
        return np.full(shape, min(level, 254.0))
    level = {"dark": rng.uniform(25, 80), "grey": rng.uniform(100, 165), "wood": rng.uniform(70, 175)}[kind]
    if kind != "wood":
        return np.full(shape, level)
    along, across = (_position(shape, rng) for _ in range(2))
    grain = np.sin(rng.uniform(60, 160) * along + 3 * np.sin(rng.uniform(3, 9) * across)) * rng.uniform(4, 16)
    return level + grain + rng.uniform(0, 1.5) * _texture(shape, rng)


def _with_intruder(picture: np.ndarray, glyph: tuple[int, int, int, int], rng: np.random.Generator) -> np.ndarray:
    """A finger or a pen that reaches into the picture from its rim, away from the glyph."""
    height, width = picture.shape
    _, left, bottom, right = glyph
    free = {"left": left, "right": width - right, "bottom": height - bottom}
    side = max(free, key=lambda name: free[name])
    reach = free[side] * rng.uniform(0.2, 0.6)
    thick = reach * rng.uniform(0.3, 0.7) if rng.random() < 0.5 else rng.uniform(8, 20)
    middle = rng.uniform(0.2, 0.8)
    start, end = {
        "left": ((-20, middle * height), (reach, middle * height + rng.uniform(-0.3, 0.3) * reach)),
        "right": ((width + 20, middle * height), (width - reach, middle * height + rng.uniform(-0.3, 0.3) * reach)),
        "bottom": ((middle * width, height + 20), (middle * width + rng.uniform(-0.3, 0.3) * reach, height - reach)),
    }[side]
    mask = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(mask)
    draw.line([start, end], fill=255, width=round(thick))
    draw.ellipse((end[0] - thick / 2, end[1] - thick / 2, end[0] + thick / 2, end[1] + thick / 2), fill=255)
    part = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.5)), float) / 255
    return picture + (rng.choice([rng.uniform(20, 70), rng.uniform(120, 190)]) - picture) * part


def _photographed(brightness: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With light, texture, noise, a little blur, and what JPEG does."""
    light = _light(brightness.shape, rng)
    light = 1 - (1 - light) * rng.uniform(0.2, 1)
    grain = _texture(brightness.shape, rng) * rng.uniform(0.05, 0.4) + rng.standard_normal(brightness.shape) * rng.uniform(
        0.5, 3.5
    )
    seen = np.clip(np.rint(brightness * light + grain), 0, 255).astype(np.uint8)
    picture = Image.fromarray(seen).filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.1)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(rng.integers(70, 95)))
    return np.asarray(Image.open(buffer))
