"""A sheet on a desk is cut out, printed lines and boxes are taken off, and a glyph cut close is still read."""

from pathlib import Path

import numpy as np
import pytest
from support.scenes import enlarged
from support.sheets import DESKS, PAPERS, desk_scene, school_sheet
from support.slow import rest_slow

from glyphlite.datasets.dataset import Dataset
from glyphlite.models.interface.input_convention import OURS
from glyphlite.preprocessing.images import find_glyph, prepare_lines
from glyphlite.preprocessing.ink import find_ink
from glyphlite.preprocessing.rules import without_rules
from glyphlite.preprocessing.sheet import find_sheet
from glyphlite.runtimes.base import LoadedModel, predict_probabilities
from glyphlite.runtimes.registry import get_runtime


@pytest.fixture(scope="module")
def model(samples: Path) -> LoadedModel:
    return get_runtime("litert", isolated=False).load(samples / "model_float32.tflite")


def right(model: LoadedModel, pictures: list[np.ndarray], labels: np.ndarray) -> float:
    """The part that is read right and not doubted; a picture taken for blank is not."""
    glyphs = [find_glyph(picture) for picture in pictures]
    seen = np.stack([np.zeros((28, 28), np.uint8) if glyph is None else glyph.pixels for glyph in glyphs])
    classes = predict_probabilities(model, seen[..., None], OURS).argmax(axis=1)
    believed = np.array([glyph is not None and glyph.doubt is None for glyph in glyphs])
    return float(np.mean(believed & (classes == labels)))


@pytest.mark.slow
@pytest.mark.parametrize("lines", [False, True])
def test_digits_on_a_sheet_on_a_desk_are_read(mnist: Dataset, model: LoadedModel, lines: bool) -> None:
    rng = np.random.default_rng(11)
    images, labels = mnist.validation.images[:16, ..., 0], mnist.validation.labels[:16]
    pictures = [desk_scene(enlarged(image), rng, DESKS[i % 4], lines=lines) for i, image in enumerate(images)]
    assert right(model, pictures, labels) >= 0.85


@pytest.mark.slow
def test_digits_on_school_paper_are_read(mnist: Dataset, model: LoadedModel) -> None:
    rng = np.random.default_rng(12)
    images, labels = mnist.validation.images[20:40, ..., 0], mnist.validation.labels[20:40]
    pictures = [school_sheet(enlarged(image), rng, PAPERS[i % 5]) for i, image in enumerate(images)]
    assert right(model, pictures, labels) >= 0.85


def on_sheet(digit: np.ndarray, desk: int, *, left: int = 0, right: int = 0, top: int = 0, bottom: int = 0) -> np.ndarray:
    """A digit in the middle of a sheet, and so many pixels of desk on each side."""
    picture = np.full((420, 500), 235, np.uint8)
    picture[120:288, 160:328] = 235 - np.kron(digit, np.ones((6, 6), int)) * 190 // 255
    return np.pad(picture, ((top, bottom), (left, right)), constant_values=desk)


@pytest.mark.parametrize("desk", [10, 60, 140, 210, 254])
@pytest.mark.parametrize("sides", [("left",), ("top",), ("right", "bottom"), ("left", "right", "top", "bottom")])
def test_the_desk_changes_nothing(mnist: Dataset, desk: int, sides: tuple[str, ...]) -> None:
    digit = mnist.validation.images[3, ..., 0]
    alone = find_glyph(on_sheet(digit, 0))
    found = find_glyph(on_sheet(digit, desk, **dict.fromkeys(sides, 110)))
    assert alone is not None
    assert found is not None
    assert found.doubt is None
    assert abs(found.box.left - alone.box.left - 110 * ("left" in sides)) <= 4
    assert abs(found.box.top - alone.box.top - 110 * ("top" in sides)) <= 4
    assert np.abs(found.pixels.astype(int) - alone.pixels).mean() < 4


def test_a_sheet_without_a_desk_is_the_whole_picture(mnist: Dataset) -> None:
    picture = on_sheet(mnist.validation.images[0, ..., 0], 0)
    assert find_sheet(picture) is None
    assert find_sheet(255 - picture) is None
    assert find_sheet(np.full((300, 400), 200, np.uint8)) is None
    desk = find_sheet(on_sheet(mnist.validation.images[0, ..., 0], 60, left=100))
    assert desk is not None
    assert abs(desk.left - 100) <= 12
    assert (desk.top, desk.right, desk.bottom) == (0, 600, 420)


@pytest.mark.parametrize("factor", rest_slow([1, 4, 12], fast=2))
def test_a_glyph_cut_close_is_still_read(mnist: Dataset, model: LoadedModel, factor: int) -> None:
    images, labels = mnist.validation.images[:40, ..., 0], mnist.validation.labels[:40]
    pictures = []
    for image in images:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        pictures.append(np.kron(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.ones((factor, factor), np.uint8)))
    assert right(model, pictures, labels) >= 0.9
    assert right(model, [255 - picture for picture in pictures], labels) >= 0.9


def test_a_pen_at_the_rim_is_no_glyph(mnist: Dataset) -> None:
    alone = find_glyph(on_sheet(mnist.validation.images[3, ..., 0], 0))
    picture = on_sheet(mnist.validation.images[3, ..., 0], 0)
    picture[360:385, 150:] = 30
    found = find_glyph(picture)
    assert alone is not None
    assert found is not None
    assert found.box == alone.box


def test_a_box_around_a_digit_is_no_glyph(mnist: Dataset) -> None:
    picture = on_sheet(mnist.validation.images[3, ..., 0], 0)
    alone = find_glyph(picture)
    for rows, columns in ((slice(100, 105), slice(140, 350)), (slice(305, 310), slice(140, 350))):
        picture[rows, columns] = 40
    for rows, columns in ((slice(100, 310), slice(140, 145)), (slice(100, 310), slice(345, 350))):
        picture[rows, columns] = 40
    found = find_glyph(picture)
    assert alone is not None
    assert found is not None
    assert (found.box, found.others) == (alone.box, 0)
    assert [len(line) for line in prepare_lines(picture)] == [1]


@pytest.mark.parametrize("digit", [1, 0])
def test_strokes_that_lines_cross_stay_whole(digit: int) -> None:
    darkness = np.zeros((400, 500))
    if digit:
        darkness[60:340, 240:262] = 0.8
    else:
        rows, columns = np.mgrid[:400, :500]
        radius = np.hypot((rows - 200) / 1.4, columns - 250)
        darkness[(radius > 78) & (radius < 100)] = 0.8
    written = darkness.copy()
    darkness[20::45] = np.maximum(darkness[20::45], 0.3)
    darkness[21::45] = np.maximum(darkness[21::45], 0.3)
    without, count = without_rules(darkness, 0.0)
    assert count == len(range(20, 400, 45))
    assert np.abs(without - written).mean() < 0.003
    assert without[written > 0].min() > 0.5


def test_lines_that_are_all_there_is_are_left() -> None:
    darkness = np.zeros((400, 500))
    darkness[40::60] = 0.7
    without, count = without_rules(darkness, 0.0)
    assert count == 0
    np.testing.assert_array_equal(without, darkness)


def test_the_strokes_of_a_thin_pen_are_no_lines() -> None:
    picture = np.full((300, 300), 235, np.uint8)
    picture[40:260, 148:153] = 25
    picture[255:260, 60:240] = 25
    assert find_ink(picture).rules == 0
