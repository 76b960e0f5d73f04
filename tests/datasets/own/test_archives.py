"""Arrays in one .npz, by the names that Keras, MedMNIST, scikit-learn and NumPy itself give them; other names are refused."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glyphlite.datasets.own.archives import read_array, read_npz
from glyphlite.datasets.own.content import FoundData
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError

Arrays = tuple[np.ndarray, np.ndarray]


def _found(folder: Path, **arrays: Any) -> FoundData:
    np.savez(folder / "a.npz", **arrays)
    return read_npz(folder / "a.npz")


@pytest.mark.parametrize(
    "form", ["x_{}|y_{}", "{}_images|{}_labels", "X_{}|y_{}", "{}X|{}Y", "images_{}|labels_{}", "{}_data|{}_target"]
)
@pytest.mark.parametrize("validation", ["val", "valid", "validation"])
def test_splits_are_known_by_any_usual_name(tmp_path: Path, strokes: Arrays, form: str, validation: str) -> None:
    images, labels = strokes
    image_key, label_key = form.split("|")
    parts = {"train": slice(0, 80), validation: slice(80, 100), "test": slice(100, 120)}
    stored: dict[str, Any] = {image_key.format(name): images[part] for name, part in parts.items()}
    stored |= {label_key.format(name): labels[part] for name, part in parts.items()}
    found = _found(tmp_path, **stored)
    assert found.validation is not None
    assert found.test is not None
    for split, part in ((found.train, parts["train"]), (found.validation, parts[validation]), (found.test, parts["test"])):
        np.testing.assert_array_equal(split.images[..., 0], images[part])
        np.testing.assert_array_equal(split.labels, labels[part])


@pytest.mark.parametrize(("image_key", "label_key"), [("X", "y"), ("data", "target"), ("images", "labels"), ("arr_0", "arr_1")])
def test_images_without_a_split_are_to_train_with(tmp_path: Path, strokes: Arrays, image_key: str, label_key: str) -> None:
    images, labels = strokes
    found = _found(tmp_path, **{image_key: images, label_key: labels})
    assert found.test is None
    assert found.validation is None
    np.testing.assert_array_equal(found.train.images[..., 0], images)


def test_scikit_learns_digits_are_read_with_their_names(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 17, (60, 8, 8)).astype(np.float64)
    stored = {
        "data": images.reshape(60, 64),
        "images": images,
        "target": np.arange(60) % 10,
        "target_names": np.array(list("zyxwvutsrq")),
    }
    found = _found(tmp_path, **stored)
    assert found.labels == tuple("zyxwvutsrq")
    np.testing.assert_allclose(found.train.images[..., 0], images / 16 * 255, atol=0.51)
    assert any("16" in note for note in found.notes)
    assert any("left aside: data" in note for note in found.notes)


def test_arrays_saved_without_names_are_in_the_order_of_load_data(tmp_path: Path, strokes: Arrays) -> None:
    images, labels = strokes
    np.savez(tmp_path / "a.npz", images[:90], labels[:90], images[90:], labels[90:])
    found = read_npz(tmp_path / "a.npz")
    assert found.test is not None
    np.testing.assert_array_equal(found.test.labels, labels[90:])


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda images: images.reshape(len(images), -1), "are taken as images of 28x28"),
        (lambda images: images[:, None], "channels first"),
        (lambda images: np.moveaxis(images, 0, -1), "images last"),
        (lambda images: images[..., None], None),
    ],
)
def test_images_are_arranged_anew_and_that_is_said(tmp_path: Path, strokes: Arrays, arrange: Any, words: str | None) -> None:
    images, labels = strokes
    found = _found(tmp_path, X=arrange(images), y=labels)
    np.testing.assert_array_equal(found.train.images[..., 0], images)
    assert found.notes == () if words is None else words in found.notes[0]


def test_colours_with_channels_first_are_turned(tmp_path: Path, strokes: Arrays) -> None:
    images, labels = strokes
    colours = np.stack([images, images // 2, images // 3], axis=1)
    found = _found(tmp_path, X=colours, y=labels)
    np.testing.assert_array_equal(found.train.images, np.moveaxis(colours, 1, -1))


def test_names_may_be_the_labels_themselves(tmp_path: Path, strokes: Arrays) -> None:
    images, labels = strokes
    found = _found(tmp_path, images=images, labels=np.array(["²", "2", "1", "10"])[labels])
    assert found.labels == ("1", "2", "10", "²")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"pictures": "x", "classes_of": "y"}, "no arrays that are called as expected: x_train.*found pictures, classes_of"),
        ({"x_train": "x"}, "no array of train labels"),
        ({"x_train": "x", "y_train": "y", "x_test": "x"}, "no array of test labels"),
        ({"x_train": "x", "train_images": "x", "y_train": "y"}, "several arrays for one purpose"),
        ({"x_test": "x", "y_test": "y"}, "no array of train images and labels"),
    ],
)
def test_other_names_are_refused_with_what_was_found_and_expected(
    tmp_path: Path, strokes: Arrays, keys: dict[str, str], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        _found(tmp_path, **{key: strokes[what == "y"] for key, what in keys.items()})


def test_dark_on_light_images_stay_so_and_that_is_said(tmp_path: Path, strokes: Arrays) -> None:
    found = _found(tmp_path, X=255 - strokes[0], y=strokes[1])
    assert any("dark on light" in note for note in found.notes)
    np.testing.assert_array_equal(found.train.images[..., 0], 255 - strokes[0])
    some = np.where(np.arange(120)[:, None, None] < 9, 255 - strokes[0], strokes[0])
    assert _found(tmp_path, X=some, y=strokes[1]).notes[0].startswith("9 of 120 images are dark on light")


@pytest.mark.parametrize(
    "header", ["{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -2)}", "(1L", "{'descr': 'x'}", "1" * 90, "\x00"]
)
def test_headers_that_mean_nothing_are_refused(tmp_path: Path, header: str) -> None:
    text = header.encode("latin-1") + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(4)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for key in ("x_train", "y_train"):
            archive.writestr(f"{key}.npy", content)
    with pytest.raises(DataError, match="x_train"):
        read_npz(tmp_path / "a.npz")
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npy"):
        read_array(tmp_path / "a.npy")


def test_a_single_array_is_read_from_npy_and_from_npz(tmp_path: Path, strokes: Arrays) -> None:
    np.save(tmp_path / "a.npy", strokes[0])
    np.savez(tmp_path / "a.npz", strokes[0])
    for name in ("a.npy", "a.npz"):
        np.testing.assert_array_equal(read_array(tmp_path / name), strokes[0])
    np.savez(tmp_path / "a.npz", strokes[0], strokes[1])
    with pytest.raises(DataError, match="holds 2 arrays"):
        read_array(tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match="pickled"):
        read_array(tmp_path / "a.npy")
    buffer = io.BytesIO()
    np.save(buffer, strokes[0])
    (tmp_path / "a.npy").write_bytes(buffer.getvalue()[:-5])
    with pytest.raises(DataError, match="damaged"):
        read_array(tmp_path / "a.npy")


def test_what_a_terminal_would_obey_is_not_repeated(tmp_path: Path, strokes: Arrays, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\x1b[31m\u202e"
    with pytest.raises(DataError) as raised:
        _found(tmp_path, **{evil: strokes[0]})
    assert str(raised.value).isprintable()
    np.savez(tmp_path / "a.npz", X=strokes[0], y=np.array([evil, "b", "c", "d"])[strokes[1]])
    load_dataset(str(tmp_path / "a.npz"))
    assert capsys.readouterr().err.replace("\n", "").isprintable()


@pytest.mark.parametrize("share", [0.6, 0.99])
def test_images_most_of_which_show_nothing_are_refused(tmp_path: Path, strokes: Arrays, share: float) -> None:
    images, labels = strokes
    dark = np.where(np.arange(len(images))[:, None, None] < share * len(images), images // 64, images)
    with pytest.raises(DataError, match=r"half of X of .* show nothing"):
        _found(tmp_path, X=dark, y=labels)
    outlier = images.astype(np.uint16)
    outlier[0, 0, 0] = 65535
    with pytest.raises(DataError, match="show nothing"):
        _found(tmp_path, X=outlier, y=labels)


def test_a_header_may_not_claim_gigabytes(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little") + bytes(1000))
    with pytest.raises(DataError, match=r"a\.npy is not a NumPy array: EOF"):
        read_array(tmp_path / "a.npy")


@pytest.mark.parametrize("text", ["{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L", "{" * 2000, "'''", "{1:", "\\"])
def test_headers_that_are_no_literal_are_one_line(tmp_path: Path, text: str) -> None:
    header = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x_train.npy", header)
        archive.writestr("y_train.npy", header)
    with pytest.raises(DataError, match=r"x_train of .*a\.npz is not a NumPy array: ") as caught:
        read_npz(tmp_path / "a.npz")
    assert len(str(caught.value)) < 600


def test_every_refusal_of_a_dataset_names_it(tmp_path: Path, strokes: Arrays) -> None:
    images, labels = strokes
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels * 0)
    with pytest.raises(DataError, match=r"a\.npz: the training labels hold one class"):
        load_dataset(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_pixel_that_is_no_number_is_refused_in_any_split(tmp_path: Path, strokes: Arrays, split: str, odd: float) -> None:
    images, labels = strokes
    stored = {"train": images.astype(np.float64), "test": images.astype(np.float64)}
    stored[split][3, 2, 1] = odd
    arrays = {f"x_{name}": array for name, array in stored.items()} | {"y_train": labels, "y_test": labels}
    with pytest.raises(DataError, match="holds numbers that are not finite"):
        _found(tmp_path, **arrays)


@pytest.mark.parametrize(("channels", "left"), [(4, 3), (2, 1)])
def test_an_opaque_channel_is_left_out_and_transparency_is_said(
    tmp_path: Path, digits: Arrays, channels: int, left: int, capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.repeat(digits[0][:100, ..., None], channels, axis=3)
    images[..., -1] = 255
    np.savez(tmp_path / "opaque.npz", x_train=images, y_train=digits[1][:100])
    assert load_dataset(str(tmp_path / "opaque.npz")).input_shape == (28, 28, left)
    assert f"the last of {channels} channels is opaque everywhere and left out" in capsys.readouterr().err
    images[0, 0, 0, -1] = 0
    np.savez(tmp_path / "clear.npz", x_train=images, y_train=digits[1][:100])
    assert load_dataset(str(tmp_path / "clear.npz")).input_shape == (28, 28, channels)
    assert "predict gives a model 1 or 3 only" in " ".join(capsys.readouterr().err.split())
