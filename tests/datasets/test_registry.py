"""Datasets by name or path: split as promised, read from whatever a user has, refused in one line when malformed."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.idx import write_idx
from glyphlite.datasets.registry import list_datasets, load_dataset
from glyphlite.datasets.splits import stratified_split
from glyphlite.errors import DataError

Arrays = dict[str, Any]
TRAIN = 240
TEST = 60


@pytest.fixture(scope="session")
def arrays(mnist: Dataset) -> Arrays:
    """A few hundred real digits in the arrangement of an .npz."""
    return {
        "x_train": mnist.train.images[:TRAIN, ..., 0],
        "y_train": mnist.train.labels[:TRAIN],
        "x_test": mnist.test.images[:TEST, ..., 0],
        "y_test": mnist.test.labels[:TEST],
    }


def test_mnist_is_split_55000_5000_10000_stratified(mnist: Dataset) -> None:
    assert [len(split) for split in (mnist.train, mnist.validation, mnist.test)] == [55000, 5000, 10000]
    assert mnist.input_shape == (28, 28, 1)
    assert mnist.labels == tuple("0123456789")
    whole = np.bincount(mnist.train.labels) + np.bincount(mnist.validation.labels)
    np.testing.assert_allclose(np.bincount(mnist.validation.labels), whole / 12, atol=1)
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_mnists_training_and_validation_images_are_the_60000_and_each_once(mnist: Dataset) -> None:
    both = np.concatenate([mnist.train.images, mnist.validation.images])
    assert both.astype(np.int64).sum() == 1_567_298_545  # the published mean, 33.318, times 60,000 x 784
    assert len({image.tobytes() for image in mnist.validation.images} & {image.tobytes() for image in mnist.train.images}) == 0


def test_the_split_depends_on_the_seed_alone(mnist: Dataset) -> None:
    again, other = load_dataset("MNIST", seed=0), load_dataset("mnist", seed=1)
    np.testing.assert_array_equal(again.validation.images, mnist.validation.images)
    assert not np.array_equal(other.validation.images, mnist.validation.images)
    np.testing.assert_array_equal(other.test.images, mnist.test.images)


@given(hnp.arrays(np.int64, st.integers(1, 300), elements=st.integers(0, 5)), st.floats(0, 0.5), st.integers(0, 2**32))
def test_a_split_is_a_partition_in_proportion(labels: np.ndarray, fraction: float, seed: int) -> None:
    kept, held_out = stratified_split(labels, fraction, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held_out])), np.arange(len(labels)))
    assert set(labels[kept]) == set(labels)
    for label in set(labels):
        assert abs(np.sum(labels[held_out] == label) - fraction * np.sum(labels == label)) <= 1
    assert len(held_out) <= round(fraction * len(labels))


def test_known_datasets_are_listed_with_their_place_and_without_a_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Dataset
) -> None:
    here = {info.name: info for info in list_datasets()}
    assert here["mnist"].available == mnist.source.startswith("your cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("GLYPHLITE_DATA", raising=False)
    there = {info.name: info for info in list_datasets()}
    assert {"mnist", "fashion-mnist", "FOLDER", "FILE.npz"} <= there.keys()
    assert not there["mnist"].available
    assert there["mnist"].location is None
    assert "60,000 + 10,000" in there["mnist"].sizes


@pytest.mark.parametrize("scale", ["uint8", "float32", "int64"])
def test_an_npz_is_read_whatever_its_numbers(tmp_path: Path, arrays: Arrays, scale: str) -> None:
    stored: Arrays = dict(arrays)
    for key in ("x_train", "x_test"):
        stored[key] = arrays[key] / np.float32(255) if scale == "float32" else arrays[key].astype(scale)
    np.savez_compressed(tmp_path / "digits.npz", **stored)
    dataset = load_dataset(str(tmp_path / "digits.npz"))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (TRAIN * 11 // 12, TRAIN // 12, TEST)
    np.testing.assert_array_equal(dataset.test.images[..., 0], arrays["x_test"])
    np.testing.assert_array_equal(dataset.test.labels, arrays["y_test"])
    assert dataset.name == "digits"
    assert dataset.labels == tuple("0123456789")
    assert list(dataset.sha256) == ["digits.npz"]


def test_an_npz_may_name_its_classes_and_have_colours(tmp_path: Path, arrays: Arrays) -> None:
    colours: Arrays = {key: np.repeat(arrays[key][..., None], 3, -1) for key in ("x_train", "x_test")}
    np.savez(tmp_path / "named.npz", **{**arrays, **colours, "class_names": np.array(list("ABCDEFGHIJ"))})
    dataset = load_dataset(str(tmp_path / "named.npz"))
    assert dataset.labels == tuple("ABCDEFGHIJ")
    assert dataset.input_shape == (28, 28, 3)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("x_train", np.full((TRAIN, 28, 28), np.nan), "floats between 0 and 1"),
        ("x_train", np.full((TRAIN, 28, 28), 7.5), "expected both scaled alike"),
        ("x_train", np.full((TRAIN, 28, 28), -1), "expected both scaled alike"),
        ("x_train", np.full((TRAIN, 28, 28), 1j), "complex128"),
        ("x_train", np.zeros((TRAIN, 785), np.uint8), "shape"),
        ("x_train", np.zeros((TRAIN, 32, 32), np.uint8), "expected the same"),
        ("x_train", np.zeros((0, 28, 28), np.uint8), "empty"),
        ("y_train", np.zeros(TRAIN - 1, int), "labels for"),
        ("y_train", np.zeros(TRAIN, int), "one class"),
        ("y_train", np.arange(TRAIN) - 5, "whole numbers from 0"),
        ("y_train", np.linspace(0, 9, TRAIN), "whole number or one name per image"),
        ("y_test", np.full(TEST, 11), "class 11"),
        ("x_train", np.array([{"a": 1}] * TRAIN, dtype=object), "pickled"),
        ("class_names", np.array(["A", "B"]), "class names"),
        ("class_names", np.arange(10), "list of strings"),
    ],
)
def test_an_npz_with_something_else_in_it_is_refused(
    tmp_path: Path, arrays: Arrays, key: str, value: np.ndarray, words: str
) -> None:
    np.savez(tmp_path / "odd.npz", **{**arrays, key: value})
    with pytest.raises(DataError, match=words):
        load_dataset(str(tmp_path / "odd.npz"))


def test_an_npz_whose_header_lies_is_refused_before_it_is_allocated(tmp_path: Path, arrays: Arrays) -> None:
    path = tmp_path / "lie.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if key != "x_train"})
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 28, 28)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", header.getvalue() + bytes(100))
    with pytest.raises(DataError, match="header promises"):
        load_dataset(str(path))


def test_an_npz_bomb_is_refused_by_the_size_it_declares(tmp_path: Path, arrays: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glyphlite.datasets.own.archives.MAX_BYTES", 10**6)
    np.savez_compressed(tmp_path / "bomb.npz", **{**arrays, "x_train": np.zeros((TRAIN, 280, 280), np.uint8)})
    with pytest.raises(DataError, match="allowed"):
        load_dataset(str(tmp_path / "bomb.npz"))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "text", "missing array"])
def test_a_damaged_npz_is_refused(tmp_path: Path, arrays: Arrays, damage: str) -> None:
    path = tmp_path / "damaged.npz"
    np.savez_compressed(path, **{key: value for key, value in arrays.items() if damage != "missing array" or key != "y_test"})
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    path.write_bytes({"truncated": content[: len(content) // 2], "text": b"not a zip"}.get(damage, content))
    with pytest.raises(DataError, match=r"damaged\.npz"):
        load_dataset(str(path))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_folder_of_idx_files_is_read(tmp_path: Path, arrays: Arrays, suffix: str) -> None:
    letters = tmp_path / "emnist"
    for split, name in (("train", "emnist-letters-train"), ("test", "emnist-letters-test")):
        write_idx(letters / f"{name}-images-idx3-ubyte{suffix}", arrays[f"x_{split}"])
        write_idx(letters / f"{name}-labels-idx1-ubyte{suffix}", (arrays[f"y_{split}"] + 1).astype(np.uint8))
    dataset = load_dataset(str(letters))
    assert dataset.labels == tuple(str(number) for number in range(1, 11))
    np.testing.assert_array_equal(dataset.test.labels, arrays["y_test"])
    assert len(dataset.sha256) == 4
    (letters / "labels.txt").write_text("-\n" + "\n".join("abcdefghij"))
    assert load_dataset(str(letters)).labels[1:] == tuple("abcdefghij")
    (letters / f"emnist-letters-test-labels-idx1-ubyte{suffix}").unlink()
    with pytest.raises(DataError, match="exactly one file for test labels, found none"):
        load_dataset(str(letters))


def _save_pictures(folder: Path, images: np.ndarray, labels: np.ndarray, suffix: str = ".png") -> None:
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{i:05}{suffix}")


def test_a_folder_of_pictures_of_the_right_size_is_taken_as_it_is(tmp_path: Path, arrays: Arrays) -> None:
    _save_pictures(tmp_path / "train", arrays["x_train"], arrays["y_train"])
    _save_pictures(tmp_path / "test", arrays["x_test"], arrays["y_test"])
    dataset = load_dataset(str(tmp_path))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (TRAIN * 11 // 12, TRAIN // 12, TEST)
    assert {image.tobytes() for image in dataset.test.images} == {image.tobytes() for image in arrays["x_test"]}
    assert dataset.labels == tuple("0123456789")


def test_a_folder_without_test_pictures_gives_the_same_ones_whatever_the_seed(tmp_path: Path, arrays: Arrays) -> None:
    _save_pictures(tmp_path, arrays["x_train"], arrays["y_train"] + 5)
    first, second = load_dataset(str(tmp_path), seed=1), load_dataset(str(tmp_path), seed=2)
    np.testing.assert_array_equal(first.test.images, second.test.images)
    assert not np.array_equal(first.validation.images, second.validation.images)
    assert len(first.train) + len(first.validation) + len(first.test) == TRAIN
    assert first.labels == tuple(str(number) for number in range(5, 15))


@pytest.mark.slow
def test_pictures_of_other_sizes_and_polarity_are_prepared_as_predict_does(tmp_path: Path, arrays: Arrays) -> None:
    large = 255 - arrays["x_train"].repeat(4, 1).repeat(4, 2)
    _save_pictures(tmp_path, large, arrays["y_train"], ".webp")
    dataset = load_dataset(str(tmp_path))
    assert dataset.input_shape == (28, 28, 1)
    assert np.median(dataset.train.images) == 0
    assert dataset.train.images.max(axis=(1, 2, 3)).min() > 200
    small = load_dataset(str(tmp_path), size=(20, 16))
    assert small.input_shape == (20, 16, 1)


def test_pictures_of_the_right_size_but_dark_on_light_are_prepared_too(tmp_path: Path, arrays: Arrays) -> None:
    _save_pictures(tmp_path, 255 - arrays["x_train"], arrays["y_train"])
    assert np.median(load_dataset(str(tmp_path)).train.images) == 0


def test_a_bad_picture_in_a_folder_is_named(tmp_path: Path, arrays: Arrays) -> None:
    _save_pictures(tmp_path, arrays["x_train"], arrays["y_train"])
    (tmp_path / "3" / "notes.png").write_text("not a picture")
    with pytest.raises(DataError, match=r"3/notes\.png is not a picture"):
        load_dataset(str(tmp_path))
    Image.new("L", (100, 100), 200).save(tmp_path / "3" / "notes.png")
    with pytest.raises(DataError, match=r"3/notes\.png: .*blank"):
        load_dataset(str(tmp_path))


def test_classes_without_pictures_and_strangers_among_the_test_classes_are_refused(tmp_path: Path, arrays: Arrays) -> None:
    _save_pictures(tmp_path / "train", arrays["x_train"], arrays["y_train"])
    _save_pictures(tmp_path / "test", arrays["x_test"], arrays["y_test"] + 1)
    with pytest.raises(DataError, match="class 10"):
        load_dataset(str(tmp_path))
    (tmp_path / "train" / "10").mkdir()
    with pytest.raises(DataError, match="10 holds no pictures"):
        load_dataset(str(tmp_path))


def test_a_dataset_in_the_users_data_folder_is_found_by_its_name(tmp_path: Path, arrays: Arrays) -> None:
    np.savez(tmp_path / "mine.npz", **arrays)
    assert load_dataset("mine.npz", data_dir=tmp_path).name == "mine"


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    for name, words in (
        ("empty", "no dataset"),
        ("notes.txt", "no dataset"),
        ("nothing", "there is no dataset"),
        ("", "there is no"),
    ):
        with pytest.raises(DataError, match=words):
            load_dataset(str(tmp_path / name) if name else "")


def test_equal_pictures_are_told_where_too_few_differ(tmp_path: Path) -> None:
    images = np.zeros((40, 9, 9), np.uint8)
    images[:, 0] = 200
    images[20:, 1] = 200
    np.savez(tmp_path / "alike.npz", x=images, y=np.repeat([0, 1], 20))
    with pytest.raises(
        DataError, match=r"too few images .*: 40 in 2 classes, of which 2 differ .*; ten of each class that differ"
    ):
        load_dataset(str(tmp_path / "alike.npz"))


def test_ten_pictures_of_each_class_are_enough(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 9, 9), dtype=np.uint8)
    np.savez(tmp_path / "few.npz", x=images, y=np.repeat([0, 1], 10))
    assert load_dataset(str(tmp_path / "few.npz")).classes == 2


def test_too_few_images_for_three_splits_are_refused(tmp_path: Path, arrays: Arrays) -> None:
    _save_pictures(tmp_path, arrays["x_train"][:4], np.array([0, 0, 1, 1]))
    with pytest.raises(DataError, match="too few"):
        load_dataset(str(tmp_path))
