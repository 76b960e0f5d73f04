"""Datasets served as archives: small files in the same forms, verified by MD5, from the user's folder, the cache or a server.

The real files are nowhere on the machines that test this: their MD5s are those that torchvision publishes.
"""

import bz2
import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.download import mirrors, served_files
from glyphlite.datasets.download.catalogue import CATALOGUE
from glyphlite.datasets.download.served import SERVED, ServedDataset
from glyphlite.datasets.download.served_files import cache_place
from glyphlite.datasets.idx import encode_idx
from glyphlite.datasets.registry import list_datasets, load_dataset
from glyphlite.errors import DataError

TRAIN, TEST = 48, 24
Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no data folder of the user's own, and no server."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GLYPHLITE_DATA", raising=False)

    def unreachable(url: str, *_: object) -> None:
        raise DataError(f"{url.split('/')[2]}: Connection refused")

    monkeypatch.setattr(served_files, "download", unreachable)
    return tmp_path


def _idx(array: np.ndarray) -> bytes:
    return gzip.compress(encode_idx(array), mtime=0)


@pytest.fixture
def pixels(mnist: Dataset) -> tuple[np.ndarray, np.ndarray]:
    images = mnist.train.images[: TRAIN + TEST, ..., 0]
    return images[:TRAIN], images[TRAIN:]


def _labels(count: int, classes: int) -> np.ndarray:
    return (np.arange(count) % classes).astype(np.uint8)


def _kmnist(train: np.ndarray, test: np.ndarray) -> Files:
    return {
        "train-images-idx3-ubyte.gz": _idx(train),
        "train-labels-idx1-ubyte.gz": _idx(_labels(len(train), 10)),
        "t10k-images-idx3-ubyte.gz": _idx(test),
        "t10k-labels-idx1-ubyte.gz": _idx(_labels(len(test), 10)),
    }


def _qmnist(train: np.ndarray, test: np.ndarray) -> Files:
    files = {}
    for split, images in (("train", train), ("test", test)):
        labels = np.zeros((len(images), 8), np.int32)
        labels[:, 0], labels[:, 2] = _labels(len(images), 3), np.arange(len(images)) // 6 + 100 * (split == "test")
        files[f"qmnist-{split}-images-idx3-ubyte.gz"] = _idx(images)
        files[f"qmnist-{split}-labels-idx2-int.gz"] = _idx(labels)
    return files


def _emnist(train: np.ndarray, test: np.ndarray) -> Files:
    """Letters as EMNIST has them: transposed, numbered from 1, among its other datasets."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for split, images in (("train", train), ("test", test)):
            turned = np.ascontiguousarray(images.swapaxes(1, 2))
            for part, first in (("letters", 1), ("digits", 0)):
                archive.writestr(f"gzip/emnist-{part}-{split}-images-idx3-ubyte.gz", _idx(turned))
                labels = (_labels(len(images), 6) + first).astype(np.uint8)
                archive.writestr(f"gzip/emnist-{part}-{split}-labels-idx1-ubyte.gz", _idx(labels))
        archive.writestr("gzip/emnist-letters-mapping.txt", "1 65 97\n")
    return {"gzip.zip": packed.getvalue()}


def _usps(train: np.ndarray, test: np.ndarray) -> Files:
    files = {}
    for name, images in (("usps.bz2", train), ("usps.t.bz2", test)):
        values = images[:, 6:22, 6:22].reshape(len(images), -1) / 127.5 - 1
        lines = [
            f"{1 + number % 10} " + " ".join(f"{place}:{value:.5f}" for place, value in enumerate(row, 1)) + "\n"
            for number, row in enumerate(values)
        ]
        files[name] = bz2.compress("".join(lines).encode())
    return files


MAKERS: dict[str, Callable[[np.ndarray, np.ndarray], Files]] = {
    "kmnist": _kmnist,
    "qmnist": _qmnist,
    "emnist-letters": _emnist,
    "emnist-digits": _emnist,
    "usps": _usps,
}


@pytest.fixture
def serve(pixels: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Files]:
    """Returns small files in a dataset's form, and has the catalogue expect their MD5s."""

    def made(name: str) -> Files:
        files, known = MAKERS[name](*pixels), CATALOGUE[name]
        assert isinstance(known, ServedDataset)
        hashed = tuple(replace(file, md5=hashlib.md5(files[file.name]).hexdigest()) for file in known.files)
        monkeypatch.setitem(CATALOGUE, name, replace(known, files=hashed))
        return files

    return made


def _put(folder: Path, files: Files) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", list(MAKERS))
def test_small_files_in_the_same_form_are_read_upright_from_the_users_folder(
    name: str,
    tmp_path: Path,
    serve: Callable[[str], Files],
    pixels: tuple[np.ndarray, np.ndarray],
    capsys: pytest.CaptureFixture[str],
) -> None:
    _put(tmp_path / "own" / CATALOGUE[name].name, serve(name))
    dataset = load_dataset(name, data_dir=tmp_path / "own")
    expected = pixels[1][:, 6:22, 6:22] if name == "usps" else pixels[1]
    np.testing.assert_array_equal(dataset.test.images[..., 0], expected)
    assert len(dataset.train) + len(dataset.validation) == TRAIN
    assert dataset.test.labels.tolist() == (np.arange(TEST) % (3 if name == "qmnist" else 6 if "emnist" in name else 10)).tolist()
    assert dataset.labels == CATALOGUE[name].labels
    assert "MD5 verified" in capsys.readouterr().err
    assert len(dataset.sha256) == (2 if name == "usps" else 4)
    assert {info.name: info for info in list_datasets(data_dir=tmp_path / "own")}[name].available


def test_qmnists_validation_images_are_of_writers_of_their_own(tmp_path: Path, serve: Callable[[str], Files]) -> None:
    _put(tmp_path / "qmnist", serve("qmnist"))
    dataset = load_dataset("qmnist", data_dir=tmp_path)
    assert dataset.train.groups is not None
    assert dataset.validation.groups is not None
    assert not set(dataset.train.groups) & set(dataset.validation.groups)
    assert set(dataset.validation.groups) < set("01234567")


@pytest.mark.parametrize("place", ["EMNIST/raw", "gzip", "."])
def test_emnist_that_somebody_unpacked_is_read_and_called_unverified(
    place: str, tmp_path: Path, serve: Callable[[str], Files], capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(io.BytesIO(serve("emnist-letters")["gzip.zip"])) as archive:
        unpacked = {Path(each).name: archive.read(each) for each in archive.namelist()}
    _put(tmp_path / place, {name.removesuffix(".gz"): gzip.decompress(each) for name, each in unpacked.items() if ".gz" in name})
    assert len(load_dataset("emnist-letters", data_dir=tmp_path).test) == TEST
    assert "not verified, its MD5 is published for gzip.zip alone" in " ".join(capsys.readouterr().err.split())


def test_another_file_of_the_name_is_refused(tmp_path: Path, serve: Callable[[str], Files]) -> None:
    files = serve("kmnist")
    files["train-labels-idx1-ubyte.gz"] = _idx(np.zeros(TRAIN, np.uint8))
    _put(tmp_path, files)
    with pytest.raises(DataError, match=r"is not kmnist's train-labels-idx1-ubyte.gz: MD5 \w{32}, expected \w{32}; .*kmnist/\)"):
        load_dataset("kmnist", data_dir=tmp_path)


@pytest.mark.parametrize("name", ["kmnist", "qmnist", "emnist-balanced", "emnist-byclass", "usps"])
def test_without_a_server_one_line_names_what_to_fetch_by_hand(name: str, tmp_path: Path) -> None:
    known = CATALOGUE[name]
    assert isinstance(known, ServedDataset)
    with pytest.raises(DataError, match=f"no source has {name}: .*Connection refused.*--data-dir") as caught:
        load_dataset(name)
    said = str(caught.value)
    assert "\n" not in said
    assert all(file.urls[0] in said for file in known.files)
    assert str(cache_place(known)) in said


def test_what_is_fetched_is_verified_and_kept(serve: Callable[[str], Files], monkeypatch: pytest.MonkeyPatch) -> None:
    files, asked = serve("usps"), []

    def served(url: str, path: Path, *_: object) -> None:
        asked.append(url)
        path.write_bytes(files[url.rpartition("/")[2]])

    monkeypatch.setattr(served_files, "download", served)
    first = load_dataset("usps")
    assert len(asked) == 2
    np.testing.assert_array_equal(load_dataset("usps").test.images, first.test.images)
    assert len(asked) == 2
    known = CATALOGUE["usps"]
    assert isinstance(known, ServedDataset)
    cache_place(known).joinpath("usps.bz2").unlink()
    files["usps.bz2"] = b"damaged"
    with pytest.raises(DataError, match=r"no source has usps: .*MD5"):
        load_dataset("usps")
    assert not cache_place(known).joinpath("usps.bz2").exists()


def test_a_server_that_sends_too_much_or_breaks_off_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Opener:
        def open(self, url: str) -> io.BytesIO:
            if url.endswith("gone"):
                raise OSError(111, "Connection refused")
            return io.BytesIO(b"x" * 3_000_000)

    monkeypatch.setattr(mirrors.urllib.request, "build_opener", lambda *_: Opener())
    mirrors.download("https://a.test/file", tmp_path / "file", "file", 3)
    assert (tmp_path / "file").stat().st_size == 3_000_000
    with pytest.raises(DataError, match=r"a\.test: it sends more than 1 MB"):
        mirrors.download("https://a.test/file", tmp_path / "file", "file", 1)
    with pytest.raises(DataError, match=r"a\.test: Connection refused"):
        mirrors.download("https://a.test/gone", tmp_path / "file", "file", 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1 257:0.5\n", "a pixel beyond the 256"),
        (b"1 1:7\n", "no lines of pixels from -1 to 1"),
        (b"11 1:0.5\n", "are not the 10 classes"),
        (b"one 1:0.5\n", "damaged or not a file of lines in LIBSVM's format"),
        (b"", "no lines of pixels"),
    ],
)
def test_malformed_lines_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    _put(tmp_path / "usps", {"usps": content, "usps.t": content})
    with pytest.raises(DataError, match=words):
        load_dataset("usps", data_dir=tmp_path)


def _hdf5(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "usps.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return folder


@pytest.mark.parametrize(
    "scale", [lambda grey: grey / np.float32(255), lambda grey: grey, lambda grey: grey / np.float32(127.5) - 1]
)
def test_usps_is_read_as_hdf5(
    scale: Callable[[np.ndarray], np.ndarray],
    tmp_path: Path,
    pixels: tuple[np.ndarray, np.ndarray],
    capsys: pytest.CaptureFixture[str],
) -> None:
    grey = [images[:, 6:22, 6:22].reshape(len(images), -1) for images in pixels]
    arrays = {f"{split}/data": scale(images) for split, images in zip(("train", "test"), grey, strict=True)}
    _hdf5(tmp_path, {**arrays, "train/target": np.arange(TRAIN) % 10, "test/target": np.arange(TEST, dtype=np.int32) % 10})
    dataset = load_dataset("usps", data_dir=tmp_path)
    np.testing.assert_array_equal(dataset.test.images.reshape(TEST, -1), grey[1])
    assert dataset.test.labels.tolist() == (np.arange(TEST) % 10).tolist()
    assert len(dataset.train) + len(dataset.validation) == TRAIN
    assert list(dataset.sha256) == ["usps.h5"]
    assert "not verified, its MD5 is published for usps.bz2, usps.t.bz2 alone" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(DataError, match="--dataset usps --data-dir FOLDER"):
        load_dataset(str(tmp_path / "usps.h5"))


def test_malformed_hdf5_is_refused(tmp_path: Path) -> None:
    rows, labels = np.zeros((20, 256), np.float32), np.arange(20) % 10
    rows[:, 5] = 1
    sound = {"train/data": rows, "train/target": labels, "test/data": rows, "test/target": labels}
    for number, (changed, words) in enumerate(
        (
            ({"test/target": labels[:9]}, "expected rows of 256 pixels"),
            ({"test/data": rows[:, :255]}, "expected rows of 256 pixels"),
            ({"train/target": labels + 1}, "are not the 10 classes"),
            ({"train/target": labels + 0.5}, "no whole numbers"),
            ({"train/data": np.array([b"x"] * 20)}, r"an array train/data of \|S1"),
        )
    ):
        with pytest.raises(DataError, match=words):
            load_dataset("usps", data_dir=_hdf5(tmp_path / str(number), sound | changed))
    with pytest.raises(DataError, match="has no array train/data"):
        load_dataset("usps", data_dir=_hdf5(tmp_path / "other", {"usps/train_X": rows}))
    whole = (_hdf5(tmp_path / "whole", sound) / "usps.h5").read_bytes()
    for name, content in (("half", whole[: len(whole) // 2]), ("text", b"no HDF5"), ("empty", b"")):
        _put(tmp_path / name, {"usps.h5": content})
        with pytest.raises(DataError, match="is not a readable HDF5 file"):
            load_dataset("usps", data_dir=tmp_path / name)


def test_arrays_of_another_shape_are_refused(tmp_path: Path) -> None:
    files = _qmnist(np.zeros((6, 20, 20), np.uint8), np.zeros((6, 28, 28), np.uint8))
    _put(tmp_path, {name.removesuffix(".gz"): gzip.decompress(each) for name, each in files.items()})
    with pytest.raises(DataError, match=r"expected n images of 28x28 and n labels"):
        load_dataset("qmnist", data_dir=tmp_path)


def test_records_are_complete() -> None:
    for known in SERVED:
        assert CATALOGUE[known.name] is known
        assert len(known.labels) == len(set(known.labels))
        for file in known.files:
            assert len(bytes.fromhex(file.md5)) == 16
            assert all(url.startswith("https://") and url.endswith(file.name) for url in file.urls)
