"""Pen points to pixels: what the page's drawing of the same points becomes."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from support.picture_c import STRICT

from glyphlite.compiler.picture.sources import picture_sources
from glyphlite.host_compiler import Compiler, compile_shared, host_compilers
from glyphlite.preprocessing.images import prepare_glyph

Strokes = Sequence[Sequence[tuple[float, float]]]

SIDE = 240
STROKES: dict[str, Strokes] = {
    "1": [[(120, 40), (118, 120), (116, 200)]],
    "2": [[(70, 80), (90, 50), (130, 45), (155, 75), (140, 115), (90, 160), (60, 195), (110, 190), (170, 192)]],
    "4": [[(130, 40), (60, 140), (180, 140)], [(140, 90), (135, 205)]],
    "7": [[(60, 60), (170, 55), (130, 120), (100, 190)]],
    "0": [[(120 + 50 * np.sin(t), 120 - 70 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 24)]],
}


class Point(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int16), ("y", ctypes.c_int16), ("down", ctypes.c_uint8))


class StrokeC:
    """The function, on lists of strokes."""

    def __init__(self, folder: Path, compiler: Compiler | None = None) -> None:
        for file, text in picture_sources("net", 28, 28, "Generated.").items():
            (folder / file).write_text(text)
        flags = ("-O2", *STRICT)
        self._library = ctypes.CDLL(
            str(compile_shared([folder / "net_stroke.c"], folder / "net.so", compiler=compiler, flags=flags))
        )

    def points(self, points: list[tuple[int, int, int]], pen: int) -> tuple[int, np.ndarray]:
        array = (Point * max(len(points), 1))(*(Point(*point) for point in points))
        pixels = np.full((28, 28), 7, np.uint8)
        number = self._library.net_stroke(
            array, ctypes.c_uint16(len(points)), ctypes.c_uint16(pen), pixels.ctypes.data_as(ctypes.c_void_p)
        )
        return number, pixels

    def strokes(self, strokes: Strokes, pen: int) -> tuple[int, np.ndarray]:
        points = [(round(x), round(y), int(i > 0)) for stroke in strokes for i, (x, y) in enumerate(stroke)]
        return self.points(points, pen)


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> StrokeC:
    return StrokeC(tmp_path_factory.mktemp("stroke"))


def drawn(strokes: Strokes, pen: int) -> np.ndarray:
    """The strokes on a page, four times as large as the panel and made smaller again, round ends and corners."""
    image = Image.new("L", (4 * SIDE, 4 * SIDE), 255)
    canvas = ImageDraw.Draw(image)
    for stroke in strokes:
        scaled = [(4 * x, 4 * y) for x, y in stroke]
        canvas.line(scaled, fill=0, width=4 * pen)
        for x, y in scaled:
            canvas.ellipse((x - 2 * pen, y - 2 * pen, x + 2 * pen, y + 2 * pen), fill=0)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))


@pytest.mark.parametrize("pen", [4, 17, 30])
@pytest.mark.parametrize("digit", STROKES)
def test_the_pixels_are_nearly_those_of_the_drawing(c: StrokeC, digit: str, pen: int) -> None:
    number, pixels = c.strokes(STROKES[digit], pen)
    expected = prepare_glyph(drawn(STROKES[digit], pen)).pixels.astype(int)
    assert number == 0
    shifts = [np.roll(pixels.astype(int), (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    assert min(np.abs(shifted - expected).mean() for shifted in shifts) < (4 if pen < 20 else 8.5)
    inked = np.argwhere(pixels > 0)
    assert (np.ptp(inked, axis=0) + 1).max() == 20


def test_scale_and_place_change_nothing(c: StrokeC) -> None:
    far = [[(30_000 - 120 * x, 25_000 - 100 * y) for x, y in stroke] for stroke in [[(0, 0), (100, 300), (200, 0)]]]
    near = [[(300 - 1.2 * x, 305 - y) for x, y in stroke] for stroke in [[(0, 0), (100, 300), (200, 0)]]]
    assert np.abs(c.strokes(far, 1500)[1].astype(int) - c.strokes(near, 15)[1]).max() <= 16


def test_nothing_drawn_is_told(c: StrokeC) -> None:
    assert c.points([], 10)[0] == 1
    assert c.points([(5, 5, 1)], 10)[0] == 2
    assert c.points([(5, 5, 0), (200, 9, 0)], 10)[0] == 2
    assert c.points([(-32768, -32768, 0), (32767, 32767, 1)], 65535)[0] == 2
    number, pixels = c.points([(-32768, -32768, 0), (32767, 32767, 1)], 0)
    assert number == 0
    assert pixels.max() > 200


def test_points_in_the_air_leave_no_ink(c: StrokeC) -> None:
    line = [(10, 10, 0), (100, 100, 1)]
    _, alone = c.points(line, 8)
    _, with_others = c.points([(0, 240, 0), (230, 0, 0), *line, (240, 240, 0)], 8)
    np.testing.assert_array_equal(alone, with_others)


@pytest.mark.parametrize("compiler", host_compilers(), ids=lambda compiler: compiler.name)
def test_no_compiler_warns(tmp_path: Path, compiler: Compiler) -> None:
    StrokeC(tmp_path, compiler)
