"""Folders of pictures as people keep them; what is hidden is skipped, what is left aside is said, the rest is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.datasets.own.layout import list_pictures
from glyphlite.datasets.own.picture_folders import read_picture_folder
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError

Arrays = tuple[np.ndarray, np.ndarray]
NAMES = ("c0", "c1", "c2", "c3")


def _put(folder: Path, strokes: Arrays, part: slice = slice(0, 120), *, form: str = "{name}/{number}.png") -> None:
    for number, (image, label) in enumerate(zip(strokes[0][part], strokes[1][part], strict=True)):
        path = folder / form.format(name=NAMES[label], number=number)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


def _sorted(images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in images)


@pytest.mark.parametrize("wrap", ["", "mnist_png", "archive/data"])
@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", None, "test"),
        ("training", None, "testing"),
        ("Train", None, "Test"),
        ("TRAINING", "Validation", "TESTING"),
        ("train", "valid", "test"),
        ("train", "val", None),
        ("train_set", "dev", "test_set"),
        ("seg_train", None, "seg_test"),
        ("train_images", "val_images", "test_images"),
    ],
)
def test_splits_are_known_by_any_usual_name(
    tmp_path: Path, strokes: Arrays, wrap: str, train: str, validation: str | None, test: str | None
) -> None:
    root = tmp_path / "data" / wrap
    parts = {train: slice(0, 80), validation: slice(80, 100), test: slice(100, 120)}
    for name, part in parts.items():
        if name:
            _put(root / name, strokes, part)
    found = read_picture_folder(tmp_path / "data")
    assert found.labels == NAMES
    for name, split in ((train, found.train), (validation, found.validation), (test, found.test)):
        assert (split is None) == (name is None)
        if split is not None:
            assert _sorted(split.images) == _sorted(strokes[0][parts[name]])


def test_a_folder_of_validation_pictures_is_the_validation_split(
    tmp_path: Path, strokes: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path / "data/train", strokes, slice(0, 80))
    _put(tmp_path / "data/valid", strokes, slice(80, 120))
    for seed in (0, 1):
        dataset = load_dataset(str(tmp_path / "data"), seed=seed)
        assert _sorted(dataset.validation.images) == _sorted(strokes[0][80:])
        assert len(dataset.train) + len(dataset.test) == 80
    said = capsys.readouterr().err
    assert "train 69, validation 40, test 11 images (28x28x1) of 4 classes (c0, c1, c2, c3); test held out" in said


@pytest.mark.parametrize("form", ["{name}/hsf_0/{number}.png", "{name}/a/b/c/{number}.png", "by_class/{name}/hsf_4/{number}.png"])
def test_pictures_further_down_belong_to_their_class(tmp_path: Path, strokes: Arrays, form: str) -> None:
    _put(tmp_path, strokes, form=form)
    found = read_picture_folder(tmp_path)
    assert found.labels == NAMES
    assert _sorted(found.train.images) == _sorted(strokes[0])


def test_splits_within_each_class_are_known(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path, strokes, slice(0, 80), form="{name}/train/{number}.png")
    _put(tmp_path, strokes, slice(80, 120), form="{name}/test/{number}.png")
    found = read_picture_folder(tmp_path)
    assert found.labels == NAMES
    assert found.test is not None
    assert _sorted(found.test.images) == _sorted(strokes[0][80:])


def test_classes_called_train_and_test_stay_classes(tmp_path: Path, strokes: Arrays) -> None:
    for label, name in enumerate(("train", "test", "car")):
        (tmp_path / name).mkdir()
        for number, image in enumerate(strokes[0][strokes[1] == label][:5]):
            Image.fromarray(image).save(tmp_path / name / f"{number}.png")
    assert read_picture_folder(tmp_path).labels == ("car", "test", "train")


def test_what_an_operating_system_left_behind_is_skipped(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path / "data", strokes)
    for name in ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden/1.png", "__MACOSX/2.png"):
        path = tmp_path / "data/c0" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0\5\x16\7" + bytes(60))
    (tmp_path / "data/__MACOSX").mkdir()
    (tmp_path / "data/.ipynb_checkpoints").mkdir()
    listing = list_pictures(tmp_path / "data")
    assert listing.classes == NAMES
    assert len(listing.pictures["train"]) == 120
    assert listing.notes() == ()


def test_files_of_other_kinds_are_counted_and_said(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path, strokes)
    for name in ("c0/a.svg", "c1/b.svg", "c1/notes.txt", "c2/README"):
        (tmp_path / name).write_text("x")
    Image.fromarray(strokes[0][0]).save(tmp_path / "stray.png")
    notes = read_picture_folder(tmp_path).notes
    assert notes[0] == "4 files are no picture that is read, and left aside: 2 .svg, 1 .txt, 1 without suffix"
    assert notes[1] == f"1 picture lies in {tmp_path.name}/ itself, in no class folder: left aside"


@pytest.mark.parametrize("suffix", ["tif", "TIFF", "pgm", "PNG", "bmp"])
def test_pictures_of_every_kind_are_read(tmp_path: Path, strokes: Arrays, suffix: str) -> None:
    _put(tmp_path, strokes, slice(0, 60))
    _put(tmp_path, strokes, slice(60, 120), form=f"{{name}}/more{{number}}.{suffix}")
    assert _sorted(read_picture_folder(tmp_path).train.images) == _sorted(strokes[0])


@pytest.mark.parametrize(
    "form",
    [
        lambda image: Image.fromarray((image > 0).astype(np.uint8)),
        lambda image: Image.fromarray((image > 0).astype(np.uint8) * 38),
        lambda image: Image.fromarray(image > 0),
        lambda image: Image.fromarray((image > 0).astype(np.uint16)),
        lambda image: Image.fromarray((image > 0).astype(np.uint16) * 255),
        lambda image: Image.fromarray(255 - (image > 0).astype(np.uint8) * 255),
    ],
)
def test_masks_are_light_on_dark_from_0_to_255(tmp_path: Path, strokes: Arrays, form: object) -> None:
    for number, (image, label) in enumerate(zip(*strokes, strict=True)):
        path = tmp_path / NAMES[label] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        form(image).save(path)  # type: ignore[operator]
    images = read_picture_folder(tmp_path).train.images
    assert images.max(axis=(1, 2, 3)).min() >= 200
    assert np.median(images) == 0


def test_classes_are_in_natural_order_whatever_they_are_called(tmp_path: Path, strokes: Arrays) -> None:
    for name in ("10", "2", "²", "1", "\u0661", "e\u0301", "é"):
        (tmp_path / name).mkdir()
        Image.fromarray(strokes[0][0]).save(tmp_path / name / "0.png")
    listing = list_pictures(tmp_path)
    assert listing.classes == ("1", "\u0661", "2", "10", "²", "é")
    assert len(listing.pictures["train"]) == 7


@pytest.mark.parametrize(
    ("forms", "words"),
    [
        (("test/{name}/{number}.png", "valid/{name}/{number}.png"), "no folder to train with"),
        (("train/{number}.png", "test/{number}.png"), "train holds no class folders"),
        (("val/{name}/{number}.png", "validation/{name}/{number}.png", "train/{name}/{number}.png"), "both are validation data"),
        (("only/{number}.png",), "one class folder; expected one for each class"),
    ],
)
def test_arrangements_that_say_nothing_are_refused(tmp_path: Path, strokes: Arrays, forms: tuple[str, ...], words: str) -> None:
    for form in forms:
        _put(tmp_path, strokes, slice(0, 8), form=form)
    with pytest.raises(DataError, match=words):
        read_picture_folder(tmp_path)


def test_test_classes_that_training_does_not_have_are_named(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path / "train", strokes)
    _put(tmp_path / "test", strokes, form="d{name}/{number}.png")
    with pytest.raises(
        DataError, match=r"test holds the classes dc0, dc1, dc2, dc3, which the training pictures do not have \(4"
    ):
        read_picture_folder(tmp_path)


def test_pictures_that_cannot_be_taken_are_counted_and_the_first_is_named(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path, strokes)
    (tmp_path / "c1" / "1.png").write_bytes((tmp_path / "c1" / "1.png").read_bytes()[:60])
    with pytest.raises(DataError, match=r"1 of 120 pictures of .*1\.png is .*; repair or remove it$"):
        read_picture_folder(tmp_path)
    for name in ("c2/2.png", "c3/3.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"3 of 120 pictures of .*c1/1\.png is .*; repair or remove them$"):
        read_picture_folder(tmp_path)


def test_classes_without_an_image_in_a_split_are_said(
    tmp_path: Path, strokes: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path / "data/train", strokes, slice(0, 60))
    _put(tmp_path / "data/val", strokes, slice(60, 63))
    _put(tmp_path / "data/test", strokes, slice(64, 66))
    load_dataset(str(tmp_path / "data"))
    said = capsys.readouterr().err
    assert "class c3 has no validation image: it is not looked at" in said
    assert "2 classes (c2, c3) have no test image: they are not measured" in said


def test_test_images_that_are_training_images_too_are_said(
    tmp_path: Path, strokes: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path / "data/train", strokes)
    _put(tmp_path / "data/test", strokes, slice(0, 8))
    load_dataset(str(tmp_path / "data"), seed=0)
    assert "of 8 test images are training images, too" in capsys.readouterr().err


def test_which_folder_is_validation_and_what_lies_beside_the_splits_is_said(tmp_path: Path, strokes: Arrays) -> None:
    for name, part in (("Training", slice(0, 80)), ("Valid", slice(80, 100)), ("extra", slice(100, 120))):
        _put(tmp_path / name, strokes, part)
    notes = read_picture_folder(tmp_path).notes
    assert notes[:2] == ("Valid/ is the validation split", "beside the splits and left aside: extra/")


def test_pictures_that_predict_would_doubt_are_counted(tmp_path: Path, strokes: Arrays, digits: Arrays) -> None:
    for number, (image, label) in enumerate(zip(strokes[0][:24], strokes[1][:24], strict=True)):
        path = tmp_path / NAMES[label] / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        picture = np.kron(255 - image, np.ones((4, 4), np.uint8))
        if number == 4:  # a blot
            picture[:] = 255
            picture[30:80, 30:80] = 0
        if number == 9:
            picture = np.kron(255 - np.concatenate(digits[0][:2], axis=1), np.ones((4, 4), np.uint8))
        Image.fromarray(picture).save(path)
    notes = read_picture_folder(tmp_path).notes
    assert "1 of 24 pictures may show no single glyph, and are used all the same: c0/04.png (" in notes[1]
    assert "1 of 24 pictures show several glyphs, of which the largest is taken: c1/09.png" in notes[2]
    assert notes[0].startswith(
        "the pictures are 112x112 (23), 112x224 (1), height x width: the glyph on each is cut out, made light on dark and"
    )


def test_classes_called_by_the_codes_of_characters_are_explained(tmp_path: Path, strokes: Arrays) -> None:
    for name, form in (("codes", ("30", "41", "61", "7a")), ("numbers", ("30", "40", "50", "60"))):
        for number, (image, label) in enumerate(zip(strokes[0][:40], strokes[1][:40], strict=True)):
            path = tmp_path / name / form[label] / "hsf_0" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    found = read_picture_folder(tmp_path / "codes")
    assert found.labels == ("7a", "30", "41", "61")
    assert any("7a is z" in note for note in found.notes)
    assert not any("codes" in note for note in read_picture_folder(tmp_path / "numbers").notes)


def test_folders_of_names_that_are_no_text_are_read(tmp_path: Path, strokes: Arrays, capsys: pytest.CaptureFixture[str]) -> None:
    _put(tmp_path / os.fsdecode(b"scans\xff"), strokes)
    assert load_dataset(str(tmp_path / os.fsdecode(b"scans\xff"))).labels == NAMES
    assert r"scans\xff: train" in capsys.readouterr().err


def test_a_class_of_files_that_are_not_read_is_refused_with_what_it_holds(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path, strokes)
    (tmp_path / "c9").mkdir()
    with pytest.raises(DataError, match=r"c9 holds no pictures \(.*\), fill or remove it"):
        read_picture_folder(tmp_path)
    (tmp_path / "c9" / "a.svg").write_text("<svg/>")
    with pytest.raises(DataError, match=r"c9 holds no pictures \(.*\), but 1 \.svg; fill or remove it"):
        read_picture_folder(tmp_path)


def test_test_pictures_without_classes_are_left_aside_and_said(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path / "train", strokes)
    _put(tmp_path / "test", strokes, slice(0, 30), form="{number}.png")
    found = read_picture_folder(tmp_path)
    assert found.test is None
    assert "30 pictures lie in test/ itself, in no class folder: left aside" in found.notes


def test_a_table_beside_class_folders_may_list_their_pictures(tmp_path: Path, strokes: Arrays) -> None:
    _put(tmp_path / "train", strokes)
    (tmp_path / "train.csv").write_text("filename,label\n0.png,c0\n1.png,c1\n")
    assert load_dataset(str(tmp_path)).labels == NAMES


def test_pictures_called_emnist_are_not_turned_by_their_name(tmp_path: Path, digits: Arrays) -> None:
    for number, (image, label) in enumerate(zip(digits[0][:100].swapaxes(1, 2), digits[1][:100], strict=True)):
        path = tmp_path / "emnist-png" / "abcdefghij"[label] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(image)).save(path)
    dataset = load_dataset(str(tmp_path / "emnist-png"))
    assert {image.tobytes() for image in dataset.test.images[..., 0]} <= set(_sorted(digits[0][:100].swapaxes(1, 2)))


def test_folders_that_differ_in_blanks_only_are_no_two_classes(tmp_path: Path) -> None:
    for name in ("a", "a ", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").touch()
    with pytest.raises(DataError, match="'a' and 'a ', which both name the class a; rename one"):
        list_pictures(tmp_path)
