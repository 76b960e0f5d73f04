"""Folders with a file for each array: MNIST's and EMNIST's IDX files in all their arrangements, KMNIST's .npz, plain .npy."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.datasets.idx import write_idx
from glyphlite.datasets.registry import dataset_exists, load_dataset
from glyphlite.errors import DataError

Arrays = tuple[np.ndarray, np.ndarray]


def _emnist(folder: Path, digits: Arrays, name: str = "emnist-letters", suffix: str = "") -> None:
    """EMNIST as it is handed out: transposed, labels from 1."""
    images, labels = digits
    for split, part in (("train", slice(0, 300)), ("test", slice(300, 400))):
        write_idx(folder / f"{name}-{split}-images-idx3-ubyte{suffix}", np.ascontiguousarray(images[part].swapaxes(1, 2)))
        write_idx(folder / f"{name}-{split}-labels-idx1-ubyte{suffix}", (labels[part] + 1).astype(np.uint8))


@pytest.mark.parametrize("wrap", ["", "gzip", "EMNIST/raw"])
def test_emnist_as_it_is_handed_out_is_read_upright(
    tmp_path: Path, digits: Arrays, wrap: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _emnist(tmp_path / "data" / wrap, digits, suffix=".gz" if wrap == "gzip" else "")
    dataset = load_dataset(str(tmp_path / "data"))
    np.testing.assert_array_equal(dataset.test.images[..., 0], digits[0][300:])
    assert dataset.labels == tuple(str(number) for number in range(1, 11))
    assert "turned upright" in capsys.readouterr().err


def test_one_of_emnists_datasets_is_named_by_how_its_files_begin(tmp_path: Path, digits: Arrays) -> None:
    _emnist(tmp_path / "gzip", digits, "emnist-letters")
    _emnist(tmp_path / "gzip", (digits[0], (digits[1] + 1) % 10), "emnist-balanced")
    (tmp_path / "gzip" / "emnist-letters-mapping.txt").write_text("\n".join(f"{k} {64 + k} {96 + k}" for k in range(1, 11)))
    with pytest.raises(DataError, match="several datasets: emnist-balanced, emnist-letters; name one, as"):
        load_dataset(str(tmp_path / "gzip"))
    dataset = load_dataset(str(tmp_path / "gzip" / "emnist-letters"))
    assert dataset.labels == tuple("ABCDEFGHIJ")
    assert dataset.name == "emnist-letters"
    np.testing.assert_array_equal(dataset.test.labels, digits[1][300:])
    with pytest.raises(DataError, match="there is no dataset"):
        load_dataset(str(tmp_path / "gzip" / "emnist-digits"))


def test_as_many_names_as_labels_from_one_fit(tmp_path: Path, digits: Arrays) -> None:
    _emnist(tmp_path / "emnist", digits)
    (tmp_path / "emnist" / "labels.txt").write_text("\n".join("abcdefghij"))
    dataset = load_dataset(str(tmp_path / "emnist"))
    assert dataset.labels == tuple("abcdefghij")
    np.testing.assert_array_equal(dataset.test.labels, digits[1][300:])


def test_a_file_and_its_compressed_twin_are_one(tmp_path: Path, digits: Arrays) -> None:
    _emnist(tmp_path / "emnist", digits)
    _emnist(tmp_path / "emnist", digits, suffix=".gz")
    assert len(load_dataset(str(tmp_path / "emnist")).test) == 100


@pytest.mark.parametrize("suffix", ["npz", "npy"])
@pytest.mark.parametrize("form", ["kmnist-{}-{}", "{1}_{0}"])
def test_arrays_in_files_of_their_own_are_read(tmp_path: Path, digits: Arrays, suffix: str, form: str) -> None:
    images, labels = digits
    for split, part in (("train", slice(0, 200)), ("val", slice(200, 300)), ("test", slice(300, 400))):
        for content, array in (("imgs", images[part]), ("labels", labels[part])):
            path = tmp_path / f"{form.format(split, content)}.{suffix}"
            np.savez(path, array) if suffix == "npz" else np.save(path, array)
    dataset = load_dataset(str(tmp_path))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (200, 100, 100)
    np.testing.assert_array_equal(dataset.validation.images[..., 0], images[200:300])


def test_masks_in_idx_files_are_black_and_white(tmp_path: Path, strokes: Arrays) -> None:
    images, labels = strokes
    for split, part in (("train", slice(0, 90)), ("t10k", slice(90, 120))):
        write_idx(tmp_path / f"{split}-images.idx3-ubyte", (images[part] > 0).astype(np.uint8))
        write_idx(tmp_path / f"{split}-labels.idx1-ubyte", labels[part].astype(np.uint8))
    assert np.unique(load_dataset(str(tmp_path)).train.images).tolist() == [0, 255]


@pytest.mark.parametrize("form", ["folder", "beginning", "file"])
def test_the_user_may_say_how_glyphs_lie(tmp_path: Path, digits: Arrays, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Leaves images as stored if told so, although they lie; turns them if told so, although they are upright."""
    images, labels = digits
    lying = np.ascontiguousarray(images.swapaxes(1, 2))
    _emnist(tmp_path / "gzip", digits)
    np.savez(tmp_path / "a.npz", x_train=lying[:300], y_train=labels[:300], x_test=lying[300:], y_test=labels[300:])
    path = {"folder": tmp_path / "gzip", "beginning": tmp_path / "gzip" / "emnist-letters", "file": tmp_path / "a.npz"}[form]
    for lie, expected in (("upright", lying), ("transposed", images)):
        dataset = load_dataset(f"{path}:{lie}")
        np.testing.assert_array_equal(dataset.test.images[..., 0], expected[300:])
        assert dataset.source == f"{path}:{lie}"
        assert f"the images lie {lie}, as you say" in capsys.readouterr().err
        assert dataset_exists(dataset.source)
    assert dataset_exists(str(path))
    assert dataset_exists("mnist")
    assert not dataset_exists(f"{path}-other:upright")


def test_a_folder_that_is_no_dataset_is_told_what_to_do_with_what_is_in_it(tmp_path: Path, strokes: Arrays) -> None:
    folders = {name: tmp_path / name for name in ("idx", "mat", "pictures", "empty", "table")}
    for folder in folders.values():
        folder.mkdir()
    for name, array in (("images.gz", strokes[0]), ("labels.gz", strokes[1].astype(np.uint8))):
        write_idx(folders["idx"] / "plain", array)
        (folders["idx"] / name).write_bytes(gzip.compress((folders["idx"] / "plain").read_bytes()))
    (folders["idx"] / "plain").rename(folders["idx"] / "readme.md")
    (folders["mat"] / "emnist-letters.mat").write_bytes(b"MATLAB 5.0")
    Image.fromarray(strokes[0][0]).save(folders["pictures"] / "0_1.png")
    (folders["table"] / "digits.csv").write_text("0,1\n")
    for name, words in (
        ("idx", "IDX files under other names are: images.gz, labels.gz, readme.md; call them as MNIST's"),
        ("mat", "emnist-letters.mat: MATLAB files are not read"),
        ("pictures", "1 picture lies in it itself, in no class folder: move each into a folder with the name of its class"),
        ("table", "name a file in it: digits.csv"),
        ("empty", "are in it$"),
    ):
        with pytest.raises(DataError, match=words):
            load_dataset(str(folders[name]))
    with pytest.raises(DataError, match="name the folder that holds all its files"):
        load_dataset(str(folders["idx"] / "readme.md"))
