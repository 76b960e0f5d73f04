"""Letters drawn from fonts: the same every time, upright as `predict` makes them, no test font in another split."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from glyphlite.datasets.dataset import Split
from glyphlite.datasets.download.catalogue import CATALOGUE, RENDERED_LETTERS
from glyphlite.datasets.registry import list_datasets, load_dataset
from glyphlite.datasets.rendered import fonts, letters
from glyphlite.datasets.rendered.drawing import draw_letter, write_variants
from glyphlite.datasets.rendered.faces import CLASSES, FACES, TEST, TRAIN, VALIDATION, class_of
from glyphlite.errors import DataError

PER_CLASS = (8, 4, 4)


@pytest.fixture(scope="module")
def font() -> bytes:
    """The font that comes with Pillow."""
    face = ImageFont.load_default(40)
    assert isinstance(face, ImageFont.FreeTypeFont)
    assert isinstance(face.path, io.BytesIO)
    return face.path.getvalue()


@pytest.fixture(scope="module")
def splits(font: bytes) -> dict[str, Split]:
    return letters.draw_splits(dict.fromkeys(FACES, font), PER_CLASS)


def test_each_class_has_its_images_in_each_split(splits: dict[str, Split]) -> None:
    for split, count in zip(splits.values(), PER_CLASS, strict=True):
        assert np.bincount(split.labels).tolist() == [count] * len(CLASSES)
        assert split.images.shape == (count * len(CLASSES), 28, 28, 1)


def test_no_font_of_one_split_is_in_another(splits: dict[str, Split]) -> None:
    families = [{face.family for face in faces} for faces in (TRAIN, VALIDATION, TEST)]
    assert not families[0] & families[1] | families[0] & families[2] | families[1] & families[2]
    for split, known in zip(splits.values(), families, strict=True):
        assert split.groups is not None
        assert set(split.groups) <= known


def test_every_split_has_a_font_with_small_letters_and_no_font_twice() -> None:
    assert all(any(face.has_small for face in faces) for faces in (TRAIN, VALIDATION, TEST))
    assert len({face.sha256 for face in FACES}) == len({face.path for face in FACES}) == len(FACES)


def test_letters_are_the_same_every_time_and_others_with_another_seed(font: bytes, splits: dict[str, Split]) -> None:
    again = letters.draw_splits(dict.fromkeys(FACES, font), PER_CLASS)
    other = letters.draw_splits(dict.fromkeys(FACES, font), PER_CLASS, seed=1)
    for name, split in splits.items():
        np.testing.assert_array_equal(split.images, again[name].images)
        np.testing.assert_array_equal(split.labels, again[name].labels)
        assert not np.array_equal(split.images, other[name].images)


def test_a_letter_fills_mnists_box_and_is_light_on_dark(font: bytes) -> None:
    images = write_variants(draw_letter(font, "R"), 20, np.random.default_rng(0))
    assert images.dtype == np.uint8
    for image in images:
        rows, columns = np.flatnonzero(image.max(axis=1)), np.flatnonzero(image.max(axis=0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        assert 100 < image.max() <= 255
        assert np.median(image) == 0
    assert len({image.tobytes() for image in images}) == 20


def test_a_drawn_letter_is_upright_and_not_mirrored(font: bytes) -> None:
    ell = draw_letter(font, "L")
    assert ell[:, :42].sum() > ell[:, 42:].sum()
    assert ell[50:].sum() > ell[:34].sum()


def test_small_letters_that_look_like_capitals_share_their_class() -> None:
    assert [CLASSES[class_of(letter)] for letter in "cCoOsSaAgG"] == list("CCOOSSaAgG")


def test_the_set_is_loaded_with_its_splits_cached_and_listed(
    font: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    small = replace(RENDERED_LETTERS, per_class=(4, 2, 2))
    monkeypatch.setitem(CATALOGUE, "rendered-letters", small)
    monkeypatch.setattr(fonts, "read_fonts", lambda faces: dict.fromkeys(faces, font))
    listed = {info.name: info for info in list_datasets()}["rendered-letters"]
    assert (listed.available, listed.sizes) == (False, "222 + 74 images, 28x28x1, 37 classes")
    dataset = load_dataset("Rendered_Letters", seed=3)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [148, 74, 74]
    assert "a demonstration" in capsys.readouterr().err
    assert {info.name: info for info in list_datasets()}["rendered-letters"].available

    def no_fonts(_: object) -> dict[object, bytes]:
        raise DataError("no fonts")

    monkeypatch.setattr(fonts, "read_fonts", no_fonts)
    again = load_dataset("rendered-letters", seed=4)
    np.testing.assert_array_equal(again.validation.images, dataset.validation.images)
    assert again.sha256 == dataset.sha256
    letters.cached_file(small).write_bytes(b"damaged")
    with pytest.raises(DataError, match="no fonts"):
        load_dataset("rendered-letters")


def test_installed_fonts_are_taken_and_another_version_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    face = replace(TRAIN[0], sha256=hashlib.sha256(b"font").hexdigest())
    (tmp_path / face.path).parent.mkdir(parents=True)
    (tmp_path / face.path).write_bytes(b"font")
    assert fonts.read_fonts([face], tmp_path) == {face: b"font"}
    assert not capsys.readouterr().err
    assert fonts.read_fonts([TRAIN[0]], tmp_path) == {TRAIN[0]: b"font"}
    assert "another version" in capsys.readouterr().err


def test_fonts_that_cannot_be_fetched_name_the_packages_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"no apt-get.*fonts-breip.*apt-get install") as caught:
        fonts.read_fonts(FACES, tmp_path)
    assert "\n" not in str(caught.value)
