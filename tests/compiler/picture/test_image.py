"""The C that prepares pictures: the pixels of `prepare_glyph`, within its memory, on any picture."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.picture_c import STRICT, PictureC, write_sources
from support.scenes import blank_sheet, enlarged, noise_picture, photograph, scene

from glyphlite.compiler.picture.sources import LONGEST
from glyphlite.datasets.dataset import Dataset
from glyphlite.host_compiler import host_compiler, host_compilers
from glyphlite.preprocessing.images import find_glyph


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> PictureC:
    return PictureC(tmp_path_factory.mktemp("picture"))


def frame(digit: np.ndarray, rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """A digit as a camera of a few thousand pixels sees it."""
    cover = enlarged(digit, 3)
    sheet = np.zeros((rows, columns))
    top, left = ((size - extent) // 2 for size, extent in zip(sheet.shape, cover.shape, strict=True))
    sheet[top : top + cover.shape[0], left : left + cover.shape[1]] = cover
    return photograph(sheet, rng)


def check_alike(c: PictureC, picture: np.ndarray) -> None:
    result, pixels, found = c.grey(picture)
    expected = find_glyph(picture)
    if expected is None:
        assert result == "blank"
        return
    assert result in (("ok", "several") if expected.doubt is None else ("blot", "faint", "boxed", "texture"))
    assert found.others == expected.others
    assert found.light_on_dark == (not expected.inverted)
    if result != "blot":
        assert found.box == tuple(vars(expected.box).values())
        np.testing.assert_array_equal(pixels, expected.pixels)


def test_camera_frames_are_predicts_to_the_byte(c: PictureC, mnist: Dataset) -> None:
    rng = np.random.default_rng(3)
    for number, digit in enumerate(mnist.validation.images[:20, ..., 0]):
        check_alike(c, frame(digit, *((96, 96), (72, 80), (118, 90), (96, 119))[number % 4], rng))


def test_mnists_own_images_are_predicts_to_the_byte(c: PictureC, mnist: Dataset) -> None:
    for digit in mnist.validation.images[100:160, ..., 0]:
        check_alike(c, digit)
        check_alike(c, 255 - digit)


@pytest.mark.slow
def test_photographs_are_predicts_to_the_byte(c: PictureC, mnist: Dataset) -> None:
    rng = np.random.default_rng(5)
    for digit in mnist.validation.images[:40, ..., 0]:
        check_alike(c, scene(enlarged(digit), rng))


def test_several_glyphs_and_none_are_told(c: PictureC, mnist: Dataset) -> None:
    rng = np.random.default_rng(11)
    digits = mnist.validation.images[:4, ..., 0]
    several = 255 - np.hstack([np.kron(digit, np.ones((2, 2), np.uint8)) for digit in digits])
    assert c.grey(several)[0] == "several"
    check_alike(c, several)
    blot = np.full((80, 80), 255, np.uint8)
    blot[10:70, 10:60] = 0
    box = np.full((90, 90), 250, np.uint8)
    box[10:80, 15:75] = 20
    box[14:76, 19:71] = 250
    check_alike(c, blot)
    assert c.grey(blot)[0] == "blot"
    check_alike(c, box)
    assert c.grey(box)[0] == "boxed"
    assert c.grey(np.full((40, 50), 128, np.uint8))[0] == "blank"
    names = [c.grey(blank_sheet(rng)[:110, :110])[0] for _ in range(10)]
    names += [c.grey(noise_picture(rng)[:110, :110])[0] for _ in range(10)]
    assert sum(name == "ok" for name in names) <= 1


def test_other_sizes_of_input(tmp_path: Path, mnist: Dataset) -> None:
    small = PictureC(tmp_path, 20, 16)
    picture = frame(mnist.validation.images[7, ..., 0], 96, 80, np.random.default_rng(1))
    expected = find_glyph(picture, 20, 16)
    assert expected is not None
    np.testing.assert_array_equal(small.grey(picture)[1], expected.pixels)


@pytest.mark.parametrize("side", [30, 64])
def test_a_canvas_of_bits_is_a_black_and_white_picture(c: PictureC, mnist: Dataset, side: int) -> None:
    for digit in mnist.validation.images[:20, ..., 0]:
        canvas = np.zeros((side, side), np.uint8)
        cover = enlarged(digit, 1 if side < 40 else 2) > 0.5
        canvas[3 : 3 + cover.shape[0], 5 : 5 + cover.shape[1]] = cover
        extent = max(np.ptp(axis) + 1 for axis in np.nonzero(cover))
        repeat = max(1, -(-20 // int(extent)))
        expected = find_glyph(np.kron(255 - 255 * canvas, np.ones((repeat, repeat), np.uint8)))
        result, pixels, _ = c.bits(canvas)
        if result != "blot":
            assert expected is not None
            assert np.abs(pixels.astype(int) - expected.pixels).max() <= 1


def test_sizes_that_are_refused(c: PictureC) -> None:
    for rows, columns in ((0, 5), (5, 0), (LONGEST + 1, 3), (3, 65535)):
        assert c.refuses(rows, columns)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.sampled_from([0, 1, 90, 128, 254, 255]))
)
def test_any_small_picture_stays_within_its_memory(c: PictureC, picture: np.ndarray) -> None:
    c.grey(picture)
    c.bits(picture > 100)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, LONGEST), (LONGEST, 1), (2, 300), (64, 3), (33, 97)])
def test_thin_pictures_stay_within_their_memory(c: PictureC, rows: int, columns: int) -> None:
    rng = np.random.default_rng(rows)
    for picture in (rng.integers(0, 256, (rows, columns)), rng.integers(0, 2, (rows, columns)) * 255):
        c.grey(picture.astype(np.uint8))
        c.bits(picture > 127)


def test_a_canvas_of_64x64_works_within_2_kib(c: PictureC) -> None:
    assert 64 * 64 // 8 + 4 * c.words(64, 64, "bits") <= 2 * 1024


def test_a_frame_may_hold_the_pixels_at_its_start(c: PictureC, mnist: Dataset) -> None:
    picture = frame(mnist.validation.images[3, ..., 0], 96, 96, np.random.default_rng(2))
    assert np.array_equal(c.grey(picture, in_place=True)[1], c.grey(picture)[1])


@pytest.mark.parametrize("compiler", [each.name for each in host_compilers()])
def test_no_compiler_warns(tmp_path: Path, compiler: str) -> None:
    PictureC(tmp_path, compiler=host_compiler(compiler))


def test_no_line_is_longer_than_120(tmp_path: Path) -> None:
    files = [*write_sources(tmp_path), tmp_path / "net_image.h"]
    assert max(len(line) for file in files for line in file.read_text().splitlines()) <= 120


@pytest.mark.slow
def test_sanitizers_find_nothing(tmp_path: Path) -> None:
    sources = write_sources(tmp_path)
    (tmp_path / "fuzz.c").write_text(FUZZ)
    flags = ["-std=c99", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *STRICT]
    command = [*host_compiler().command, *flags, *sources, tmp_path / "fuzz.c", "-o", tmp_path / "fuzz"]
    subprocess.run([str(word) for word in command], check=True)
    run = subprocess.run([tmp_path / "fuzz"], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[:2000]


FUZZ = """
#include "net_image.h"
#include <stdlib.h>
static uint32_t state = 1;
static uint32_t draw(uint32_t below) { state = state * 1664525u + 1013904223u; return (state >> 8) % below; }
int main(void) {
    for (int round = 0; round < 700; round++) {
        uint32_t width = 1 + draw(round % 7 ? 60 : 200), height = 1 + draw(round % 5 ? 60 : 200), kind = draw(5);
        if (round % 50 == 0) width = 800, height = 1 + draw(3);
        uint8_t *frame = malloc(width * height), *canvas = malloc((width + 7) / 8 * height), *pixels = malloc(784);
        uint32_t *work = malloc(4 * NET_IMAGE_WORDS(width, height)), *less = malloc(4 * NET_IMAGE_BITS_WORDS(width, height));
        uint32_t base = draw(256), x = draw(width), y = draw(height);
        for (uint32_t i = 0; i < width * height; i++) {
            frame[i] = (uint8_t)(kind == 0 ? draw(256) : kind == 1 ? base : kind == 2 ? 255 * draw(2) : base + draw(20));
        }
        for (uint32_t i = 0; kind > 2 && i < width + height; i++) {
            frame[y * width + x] = (uint8_t)(255 - base);
            x = (x + draw(3) + width - 1) % width;
            y = (y + draw(3) + height - 1) % height;
        }
        for (uint32_t i = 0; i < (width + 7) / 8 * height; i++) canvas[i] = (uint8_t)(draw(1 + kind) ? 0 : draw(256));
        net_image_grey(frame, (uint16_t)width, (uint16_t)height, work, round % 2 && width * height >= 784 ? frame : pixels, 0);
        net_image_bits(canvas, (uint16_t)width, (uint16_t)height, less, pixels, 0);
        free(frame); free(canvas); free(pixels); free(work); free(less);
    }
    return 0;
}
"""
