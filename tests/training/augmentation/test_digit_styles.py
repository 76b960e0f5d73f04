"""Digits drawn in other styles: where the ink of a stroke lies, of what size, and that no dataset but digits gets them."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.training.augmentation import digit_styles
from glyphlite.training.augmentation.digit_styles import LABELS, STYLES, Style, draw_digits, drawings_for
from glyphlite.training.augmentation.parameters import AUGMENTATIONS

RECIPE = Recipe("r", 1, 128, Schedule("constant", peak=0.01), augmentation="elastic", photometric="occluded_coarse_rewritten")
STILL = (0.0, 0.0)


def _drawn(count: int = 40, seed: int = 0, augmentation: str | None = None) -> dict[int, np.ndarray]:
    return draw_digits(count, AUGMENTATIONS[augmentation] if augmentation else None, np.random.default_rng(seed))


def test_a_stroke_is_as_wide_as_the_pen_and_as_long_as_a_digit(monkeypatch):
    """One upright stroke by a pen of 3 pixels: its ink, worked out by hand, in columns 12 to 15 and rows 4 to 23."""
    upright = Style(1, (((0.5, 0.0, *STILL), (0.5, 0.4, *STILL), (0.5, 1.0, *STILL)),))
    for name, value in (
        ("PEN_PIXELS", (3.0, 3.0)),
        ("EDGE_PIXELS", (1.0, 1.0)),
        ("SLANT_DEGREES", STILL),
        ("STYLES", (upright,)),
    ):
        monkeypatch.setattr(digit_styles, name, value)
    drawn = _drawn(1)[1][0, ..., 0]
    row = np.zeros(28)
    row[12:16] = 1  # 13.5 is the middle: the edge lies 1.5 from it, so the pixels 0.5 and 1.5 from it get all and half
    row[[12, 15]] = 0.5
    np.testing.assert_array_equal(drawn[7:21], np.tile(np.rint(row * 255), (14, 1)))
    assert (drawn[:3] == 0).all()
    assert (drawn[25:] == 0).all()
    assert drawn.sum() / 255 == pytest.approx(3 * 17 + np.pi * 1.5**2, rel=0.02)  # a bar of 17 by 3 with round ends


def test_a_curve_goes_through_its_points_and_turns_where_it_should():
    """Against a circle, which a curve through twelve points of it leaves by less than a hundredth of its radius."""
    turns = np.linspace(0, 2 * np.pi, 13)
    circle = np.stack([np.cos(turns), np.sin(turns)], -1)[None]
    curve = digit_styles._through(circle)
    np.testing.assert_allclose(curve[:, :: digit_styles.PIECES], circle, atol=1e-12)
    inner = curve[0, digit_styles.PIECES : -digit_styles.PIECES]
    np.testing.assert_allclose(np.hypot(*inner.T), 1, atol=0.01)


def test_a_function_of_its_seed_no_two_alike():
    first, again, other = _drawn(seed=1, augmentation="elastic"), _drawn(seed=1, augmentation="elastic"), _drawn(seed=2)
    assert first.keys() == {1, 4, 7, 9}
    for digit, pictures in first.items():
        assert pictures.shape == (40, 28, 28, 1)
        assert pictures.dtype == np.uint8
        np.testing.assert_array_equal(pictures, again[digit])
        assert len({picture.tobytes() for picture in (*pictures, *other[digit])}) == 80


def test_the_size_and_the_place_of_mnists_digits():
    axis = np.arange(28) - 13.5
    for pictures in _drawn(60).values():
        ink = pictures[..., 0] / 255
        rows, columns = (ink.max(axis=other) > 0.25 for other in (2, 1))
        longer = np.maximum(*(np.array([np.ptp(np.flatnonzero(each)) + 1 for each in which]) for which in (rows, columns)))
        assert longer.min() >= 17
        assert longer.max() <= 24
        assert abs(longer.mean() - 20) < 1
        mass = ink.sum(axis=(1, 2))
        np.testing.assert_allclose(np.einsum("nrc,r->n", ink, axis) / mass, 0, atol=0.15)
        np.testing.assert_allclose(np.einsum("nrc,c->n", ink, axis) / mass, 0, atol=0.15)
        assert ink[:, :2].max() < 0.5
        assert 40 < mass.mean() < 150


def test_strokes_that_share_a_point_meet_there_and_some_are_there_in_half_of_the_pictures():
    for style in STYLES:
        curves = digit_styles._curves(style, 50, np.random.default_rng(0))
        strokes = (*style.strokes, *style.optional)
        for first in range(len(strokes)):
            for second in range(first):
                if strokes[first][0] == strokes[second][-1]:
                    np.testing.assert_allclose(curves[first][:, 0], curves[second][:, -1], atol=1e-4)
    foot = (((0.0, 1.0, *STILL), (1.0, 1.0, *STILL)),)
    style = Style(1, (((0.5, 0.0, *STILL), (0.5, 1.0, *STILL)),), foot)
    pictures = digit_styles._draw(style, 400, None, np.random.default_rng(0))[..., 0]
    with_foot = (pictures[:, :, 6] > 0.5).any(axis=1)
    assert 0.4 < with_foot.mean() < 0.6


def test_the_styles_that_released_members_were_trained_by_stay_as_they_are():
    """`run.toml` records the name of a set, not its styles: others than these need a set of another name."""
    sizes = [
        getattr(digit_styles, name) for name in ("BOX", "PEN_PIXELS", "EDGE_PIXELS", "STRAYING", "SLANT_DEGREES", "PICTURES")
    ]
    assert hashlib.sha256(repr((STYLES, sizes)).encode()).hexdigest()[:16] == "a91d5700ea4182c6"


def _dataset(labels: tuple[str, ...] = LABELS, shape: tuple[int, ...] = (28, 28, 1), ground: int = 0) -> Dataset:
    split = Split(np.full((20, *shape), ground, np.uint8), np.arange(20) % len(labels))
    return Dataset("mine", labels, split, split, split, "made here")


def test_a_recipe_gets_as_many_pictures_of_each_class_as_it_draws(capfd):
    drawings = drawings_for(RECIPE, _dataset(), seed=3)
    assert drawings is not None
    assert drawings.pictures.shape == (4, digit_styles.PICTURES, 28, 28, 1)
    assert drawings.rows.tolist() == [-1, 0, -1, -1, 1, -1, -1, 2, -1, 3]
    again, other = drawings_for(RECIPE, _dataset(), seed=3), drawings_for(RECIPE, _dataset(), seed=4)
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(drawings.pictures, again.pictures)
    assert not np.array_equal(drawings.pictures, other.pictures)
    assert drawings_for(replace(RECIPE, photometric="occluded_coarse"), _dataset(), seed=3) is None
    assert drawings_for(replace(RECIPE, photometric=None), _dataset(tuple("ab")), seed=3) is None
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("dataset", "why"),
    [
        (_dataset(tuple("abcdefghij")), "the classes of mine are not the ten digits"),
        (_dataset(tuple("1023456789")), "the classes of mine are not the ten digits"),
        (_dataset((*LABELS, "a")), "the classes of mine are not the ten digits"),
        (_dataset(shape=(28, 28, 3)), "the images of mine are not of 28x28 grey pixels"),
        (_dataset(shape=(32, 32, 1)), "the images of mine are not of 28x28 grey pixels"),
        (_dataset(ground=255), "the ground of mine's images is not dark"),
    ],
)
def test_other_images_are_left_as_they_are_with_a_word(dataset, why, capfd):
    assert drawings_for(RECIPE, dataset, seed=0) is None
    said = " ".join(capfd.readouterr().err.split())
    assert said == f"no digits are drawn into the training images, as occluded_coarse_rewritten would: {why}"
