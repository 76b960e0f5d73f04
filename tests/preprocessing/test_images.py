"""Pictures of glyphs to MNIST's form: MNIST's own stay themselves, others become like them, and what is no glyph is told."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import ImageFont
from support.scenes import blank_sheet, drawn_glyph, enlarged, noise_picture, photograph, scene
from support.slow import rest_slow

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.models.interface.input_convention import OURS
from glyphlite.preprocessing.glyphs import ink_parts
from glyphlite.preprocessing.images import Box, prepare_glyph, prepare_glyphs
from glyphlite.preprocessing.ink import find_ink, is_dark_on_light
from glyphlite.preprocessing.normalize import centre_of_mass, fit_to_box, resample, stroke_width, widen
from glyphlite.runtimes.base import LoadedModel, predict_probabilities
from glyphlite.runtimes.registry import get_runtime


@pytest.fixture(scope="module")
def model(samples: Path) -> LoadedModel:
    return get_runtime("litert", isolated=False).load(samples / "model_float32.tflite")


def _classes(model: LoadedModel, images: list[np.ndarray]) -> np.ndarray:
    return predict_probabilities(model, np.stack(images)[..., None], OURS).argmax(axis=1)


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean difference in grey levels, whatever the whole pixel is that the centre of mass was rounded to."""
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(float(np.abs(np.roll(first.astype(int), shift, (0, 1)) - second).mean()) for shift in shifts)


def test_mnists_own_images_are_read_as_well_as_before(mnist: Dataset, model: LoadedModel) -> None:
    images, labels = mnist.test.images[:500, ..., 0], mnist.test.labels[:500]
    prepared = [prepare_glyph(image).pixels for image in images]
    before, after = ((_classes(model, list(each)) == labels).mean() for each in (images, prepared))
    assert after >= before - 0.01
    assert np.abs(np.stack(prepared).astype(int) - images).mean() < 6


@pytest.mark.slow
def test_digits_on_shaded_paper_are_read_nearly_as_well_as_mnists_own(mnist: Dataset, model: LoadedModel) -> None:
    rng = np.random.default_rng(0)
    images, labels = mnist.test.images[:100, ..., 0], mnist.test.labels[:100]
    before = (_classes(model, list(images)) == labels).mean()
    after = (_classes(model, [prepare_glyph(scene(enlarged(image), rng)).pixels for image in images]) == labels).mean()
    assert after >= before - 0.05


def test_what_comes_out_is_made_as_mnist_was(mnist: Dataset) -> None:
    rng = np.random.default_rng(1)
    for image in mnist.test.images[:20, ..., 0]:
        pixels = prepare_glyph(scene(enlarged(image), rng)).pixels
        inked = np.argwhere(pixels > 0)
        extent = inked.max(axis=0) - inked.min(axis=0) + 1
        assert pixels.shape == (28, 28)
        assert 18 <= extent.max() <= 20
        assert pixels.max() > 200
        assert np.abs(np.array(centre_of_mass(pixels.astype(float))) - 14).max() <= 1.01 or extent.max() + 2 > 20


@pytest.mark.parametrize("factor", rest_slow([1, 3, 7], fast=2))
def test_neither_polarity_nor_size_nor_place_nor_margin_changes_much(mnist: Dataset, factor: int) -> None:
    for image in mnist.test.images[:20, ..., 0]:
        large = np.clip(np.rint(np.pad(np.kron(image, np.ones((factor, factor))), ((9, 40), (50, 3)))), 0, 255).astype(np.uint8)
        first, second = prepare_glyph(large), prepare_glyph(255 - large)
        assert (first.inverted, second.inverted) == (False, True)
        assert first.box == second.box
        assert np.abs(first.pixels.astype(int) - second.pixels).max() <= 1
        assert _difference(first.pixels, prepare_glyph(image).pixels) < 14


@pytest.mark.slow
def test_light_does_not_matter(mnist: Dataset) -> None:
    rows, columns = np.mgrid[:300, :260]
    for image in mnist.test.images[:20, ..., 0]:
        sheet = np.zeros((300, 260))
        coverage = enlarged(image, 6)
        sheet[60 : 60 + coverage.shape[0], 70 : 70 + coverage.shape[1]] = coverage
        even = np.rint(230 - 180 * sheet).astype(np.uint8)
        light = (0.4 + 0.6 * columns / 260) * np.where(rows + columns > 330, 0.7, 1)
        shaded = np.rint((230 - 180 * sheet) * light).astype(np.uint8)
        assert _difference(prepare_glyph(even).pixels, prepare_glyph(shaded).pixels) < 9


def test_the_box_is_where_the_glyph_is(mnist: Dataset) -> None:
    coverage = enlarged(mnist.test.images[0, ..., 0], 8)
    sheet = np.zeros((1900, 1200))
    sheet[700 : 700 + coverage.shape[0], 300 : 300 + coverage.shape[1]] = coverage
    box = prepare_glyph(photograph(sheet, np.random.default_rng(0))).box
    expected = Box(300, 700, 300 + coverage.shape[1], 700 + coverage.shape[0])
    for edge in ("left", "top", "right", "bottom"):
        assert abs(getattr(box, edge) - getattr(expected, edge)) <= 8


def test_thin_pens_and_thick_markers_get_mnists_strokes() -> None:
    for thickness in (2, 5, 12, 40):
        picture = np.full((300, 300), 235, np.uint8)
        picture[40:260, 150 - thickness // 2 : 150 + (thickness + 1) // 2] = 25
        picture[260 - thickness : 260, 60:240] = 25
        pixels = prepare_glyph(picture).pixels
        assert 1.5 <= stroke_width(pixels / 255) <= 3.6
        assert pixels.max() > 240


def test_dust_shadows_and_the_edge_of_the_paper_are_left_out(mnist: Dataset) -> None:
    coverage = enlarged(mnist.test.images[0, ..., 0], 6)
    picture = np.full((300, 300), 225.0)
    picture[100 : 100 + coverage.shape[0], 120 : 120 + coverage.shape[1]] -= 180 * coverage
    alone = prepare_glyph(picture.astype(np.uint8)).pixels
    picture[:, :14] = 40
    picture[20:24, 270:274] = 40
    np.testing.assert_allclose(prepare_glyph(picture.astype(np.uint8)).pixels.astype(int), alone, atol=25)


@pytest.mark.parametrize("number", [2, 5, 8])
def test_a_row_of_digits_is_found_from_left_to_right(mnist: Dataset, model: LoadedModel, number: int) -> None:
    rng = np.random.default_rng(number)
    right = total = 0
    for start in (0, 40):
        glyphs = [enlarged(image, 4) for image in mnist.test.images[start : start + number, ..., 0]]
        sheet = np.zeros((260, 110 * number + 60))
        places = []
        for i, glyph in enumerate(glyphs):
            left, top = 30 + 110 * i, 60 + int(rng.integers(0, 40))
            sheet[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
            places.append((left, top))
        page = photograph(sheet, rng)
        found = prepare_glyphs(page)
        assert len(found) == number
        for box, (left, top) in zip([glyph.box for glyph in found], places, strict=True):
            assert abs(box.left - left) <= 6
            assert abs(box.top - top) <= 6
        answers = _classes(model, [glyph.pixels for glyph in found])
        right += int((answers == mnist.test.labels[start : start + number]).sum())
        total += number
    assert right >= 0.8 * total


def test_lines_are_read_from_top_to_bottom_and_ruled_lines_are_no_glyphs() -> None:
    page = np.full((400, 500), 240, np.uint8)
    expected = []
    for top in (60, 240):
        for left in (60, 200, 340):
            page[top : top + 90, left : left + 12] = 20
            page[top : top + 12, left : left + 60] = 20
            expected.append(Box(left, top, left + 60, top + 90))
        page[top + 120 : top + 123, 20:480] = 20
    assert [glyph.box for glyph in prepare_glyphs(page)] == expected


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_picture_is_refused(grey: int) -> None:
    for shape in ((1, 1), (28, 28), (300, 200)):
        picture = np.full(shape, grey, np.uint8)
        with pytest.raises(DataError, match="blank"):
            prepare_glyph(picture)
        assert prepare_glyphs(picture) == []


@pytest.mark.slow
def test_blank_paper_and_noise_are_refused_or_doubted_and_digits_are_not(mnist: Dataset) -> None:
    rng = np.random.default_rng(3)

    def doubted(picture: np.ndarray) -> bool:
        try:
            return prepare_glyph(picture).doubt is not None
        except DataError:
            return True

    assert np.mean([doubted(blank_sheet(rng)) for _ in range(20)]) >= 0.9
    assert np.mean([doubted(noise_picture(rng)) for _ in range(10)]) == 1
    assert np.mean([doubted(image) for image in mnist.test.images[:200, ..., 0]]) <= 0.01
    assert np.mean([doubted(scene(enlarged(image), rng)) for image in mnist.test.images[:25, ..., 0]]) <= 0.04


def test_a_blot_is_doubted() -> None:
    rows, columns = np.mgrid[:200, :200]
    blot = np.where((rows - 100) ** 2 + (columns - 90) ** 2 < 50**2, 20, 230).astype(np.uint8)
    assert "blot" in (prepare_glyph(blot).doubt or "")


def test_polarity_is_told_from_the_strokes_not_from_the_light() -> None:
    rng = np.random.default_rng(7)
    font = ImageFont.load_default(300)
    assert isinstance(font, ImageFont.FreeTypeFont)
    for character in "0123456789":
        coverage = drawn_glyph(character, font)
        ratio = 60 / max(coverage.shape)
        small = resample(coverage, max(1, round(coverage.shape[0] * ratio)), max(1, round(coverage.shape[1] * ratio)))
        sheet = np.zeros((150, 150))
        sheet[60 : 60 + small.shape[0], 50 : 50 + small.shape[1]] = small
        shadow = np.where(np.mgrid[:150, :150].sum(axis=0) > rng.integers(60, 240), 0.6, 1.0)
        assert is_dark_on_light((220 - 140 * sheet) * shadow)
        assert not is_dark_on_light((40 + 140 * sheet) * shadow)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_array_is_prepared_or_refused(picture: np.ndarray) -> None:
    try:
        prepared = prepare_glyph(picture)
    except DataError:
        return
    assert prepared.pixels.shape == (28, 28)
    assert 0 <= prepared.box.left < prepared.box.right <= picture.shape[1]
    assert 0 <= prepared.box.top < prepared.box.bottom <= picture.shape[0]
    prepare_glyphs(picture)


@pytest.mark.parametrize("shape", [(3000, 4), (4, 3000), (2000, 1500)])
def test_odd_and_large_shapes_are_prepared(shape: tuple[int, int]) -> None:
    picture = np.full(shape, 250, np.uint8)
    picture[shape[0] // 4 : shape[0] // 2, shape[1] // 4 : shape[1] // 2 + 1] = 10
    assert prepare_glyph(picture, 32, 24).pixels.shape == (32, 24)


def test_the_same_picture_gives_the_same_bytes(mnist: Dataset) -> None:
    picture = scene(enlarged(mnist.test.images[3, ..., 0]), np.random.default_rng(9))
    assert prepare_glyph(picture).pixels.tobytes() == prepare_glyph(picture.copy()).pixels.tobytes()


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
def test_resampling_keeps_what_is_even(rows: int, columns: int, target_rows: int, target_columns: int) -> None:
    even = resample(np.full((rows, columns), 0.7), target_rows, target_columns)
    np.testing.assert_allclose(even, np.full((target_rows, target_columns), 0.7), atol=0.51 / 255)


@pytest.mark.parametrize("side", [20, 80, 77])
def test_what_was_enlarged_averages_to_what_it_was(mnist: Dataset, side: int) -> None:
    digit = mnist.test.images[0, 4:24, 6:22, 0] / 255
    small = resample(digit, 8, 6)

    def missed(enlarged: np.ndarray) -> float:
        return float(np.abs(resample(enlarged, 8, 6) - small).mean())

    by_area, linear = resample(small, side, side * 6 // 8), resample(small, side, side * 6 // 8, by_area=False)
    assert missed(by_area) < missed(linear) / 3
    assert by_area.min() >= 0
    assert by_area.max() <= 1


def test_a_hole_of_one_pixel_stays_open() -> None:
    ring = np.ones((3, 3))
    ring[1, 1] = 0
    assert resample(ring, 20, 20)[9:11, 9:11].max() < 0.05
    assert resample(ring, 20, 20, by_area=False)[9:11, 9:11].max() > 0.1


def test_a_whole_reduction_is_the_mean_of_blocks() -> None:
    image = np.random.default_rng(0).random((12, 20))
    np.testing.assert_allclose(resample(image, 3, 5), image.reshape(3, 4, 5, 4).mean(axis=(1, 3)), atol=0.51 / 255)


@pytest.mark.parametrize("width", [3, 8, 15])
def test_the_width_of_a_stroke_is_measured_and_changed(width: int) -> None:
    bar = np.zeros((200, 60))
    bar[10:190, 20 : 20 + width] = 1
    assert stroke_width(bar) == pytest.approx(width, rel=0.12)
    assert stroke_width(widen(bar, 2.0)) == pytest.approx(width + 4, rel=0.15)
    np.testing.assert_array_equal(widen(bar, 0), bar)
    assert widen(bar, -1)[100].sum() == width - 2


def test_strokes_within_mnists_range_are_left_alone(mnist: Dataset) -> None:
    glyph = resample(mnist.test.images[0, 4:24, 6:22, 0] / 255, 40, 32)
    np.testing.assert_array_equal(fit_to_box(glyph, 20), fit_to_box(glyph, 20, adjust_stroke=False))


def test_ink_needs_something_strong() -> None:
    strength = np.zeros((20, 20))
    strength[2:6, 2:6] = 0.5
    strength[10:14, 10:14] = 0.5
    strength[12, 12] = 0.9
    parts = ink_parts(strength)
    assert len(parts) == 1
    assert parts.boxes.tolist() == [[10, 10, 14, 14]]


def test_a_picture_without_ink_has_no_contrast() -> None:
    ink = find_ink(np.full((50, 50), 200, np.uint8))
    assert ink.contrast == 0
    assert not ink.strength.any()
