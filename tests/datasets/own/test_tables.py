"""CSV files as Kaggle and others hand them out: with and without header, label first, last or named, compressed, with gaps."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.own.tables import read_table, read_tables
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError

Arrays = tuple[np.ndarray, np.ndarray]
HEADER = ",".join(f"pixel{k}" for k in range(784))


def _rows(images: np.ndarray, labels: np.ndarray | list[str] | None, *, last: bool = False) -> list[str]:
    pixels = [",".join(str(value) for value in image.reshape(-1)) for image in images]
    if labels is None:
        return pixels
    pairs = zip(pixels, labels, strict=True)
    return [f"{row},{label}" if last else f"{label},{row}" for row, label in pairs]


def _write(path: Path, rows: list[str]) -> Path:
    content = "\n".join(rows).encode() + b"\n"
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _check(path: Path, strokes: Arrays) -> None:
    found = read_table(path)
    np.testing.assert_array_equal(found.train.images[..., 0], strokes[0])
    np.testing.assert_array_equal(found.train.labels, strokes[1])


@pytest.mark.parametrize("name", ["train.csv", "train.csv.gz"])
@pytest.mark.parametrize("header", [None, f"label,{HEADER}", f'"label","{HEADER.replace(",", chr(34) + "," + chr(34))}"'])
def test_the_label_is_first_with_a_header_or_without(tmp_path: Path, strokes: Arrays, name: str, header: str | None) -> None:
    _check(_write(tmp_path / name, [*([header] if header else []), *_rows(*strokes)]), strokes)


def test_the_label_is_where_the_header_calls_it_so(tmp_path: Path, strokes: Arrays) -> None:
    _check(_write(tmp_path / "a.csv", [f"{HEADER},class", *_rows(*strokes, last=True)]), strokes)
    rows = [f"{number},{row}" for number, row in enumerate(_rows(*strokes))]
    _check(_write(tmp_path / "a.csv", [f"id,Label,{HEADER}", *rows]), strokes)
    _check(_write(tmp_path / "a.csv", [f",y,{HEADER}", *rows]), strokes)


def test_a_label_without_header_may_be_last_and_names_stand_anywhere(tmp_path: Path, strokes: Arrays) -> None:
    _check(_write(tmp_path / "a.csv", _rows(*strokes, last=True)), strokes)
    names = [("up", "level", "fall", "rise")[label] for label in strokes[1]]
    found = read_table(_write(tmp_path / "a.csv", _rows(strokes[0], names, last=True)))
    assert found.labels == ("fall", "level", "rise", "up")
    assert [found.labels[label] for label in found.train.labels] == names
    found = read_table(_write(tmp_path / "a.csv", [f"label,{HEADER}", *_rows(strokes[0], names)]))
    assert [found.labels[label] for label in found.train.labels] == names


@pytest.mark.parametrize("form", ["0.{}", "{}"])
def test_a_header_of_numbers_is_no_image(tmp_path: Path, strokes: Arrays, form: str) -> None:
    _check(_write(tmp_path / "a.csv", [",".join(["0", *(form.format(k) for k in range(1, 785))]), *_rows(*strokes)]), strokes)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_blank_lines_and_a_byte_order_mark(tmp_path: Path, strokes: Arrays, delimiter: str) -> None:
    rows = [row.replace(",", delimiter) + "\r" for row in _rows(*strokes)]
    _check(_write(tmp_path / "a.csv", ["\ufeff" + rows[0], "", *rows[1:], ""]), strokes)


def test_floats_and_masks_in_a_table_are_0_to_255(tmp_path: Path, strokes: Arrays) -> None:
    found = read_table(_write(tmp_path / "a.csv", _rows((strokes[0] > 0).astype(int), strokes[1])))
    np.testing.assert_array_equal(found.train.images[..., 0], np.where(strokes[0] > 0, 255, 0))
    found = read_table(_write(tmp_path / "a.csv", _rows(np.round(strokes[0] / 255, 4), strokes[1])))
    np.testing.assert_array_equal(found.train.images[..., 0], strokes[0])


@pytest.mark.parametrize("form", ["{}.csv", "mnist_{}.csv", "emnist-digits-{}.csv.gz"])
def test_a_folder_of_tables_has_the_splits_that_their_names_say(tmp_path: Path, strokes: Arrays, form: str) -> None:
    for split, part in (("train", slice(0, 80)), ("valid", slice(80, 100)), ("test", slice(100, 120))):
        _write(tmp_path / form.format(split), _rows(strokes[0][part], strokes[1][part]))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    dataset = load_dataset(str(tmp_path))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (80, 20, 20)
    np.testing.assert_array_equal(dataset.validation.labels, strokes[1][80:100])
    assert len(dataset.sha256) == 3


def test_kaggles_test_table_without_labels_is_left_aside_and_that_is_said(tmp_path: Path, strokes: Arrays) -> None:
    _write(tmp_path / "train.csv", [f"label,{HEADER}", *_rows(*strokes)])
    _write(tmp_path / "test.csv", [HEADER, *_rows(strokes[0][:30], None)])
    found = read_tables(tmp_path)
    assert found.test is None
    assert "test.csv has no labels" in found.notes[0]


def test_several_tables_in_a_folder_are_named_by_how_they_begin(tmp_path: Path, strokes: Arrays) -> None:
    for name in ("emnist-letters", "emnist-digits"):
        for split in ("train", "test"):
            _write(tmp_path / f"{name}-{split}.csv", _rows(*strokes))
    with pytest.raises(DataError, match="several tables of test images"):
        load_dataset(str(tmp_path))
    assert len(load_dataset(str(tmp_path / "emnist-letters")).test) == 120


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "empty"),
        ([HEADER, "0" + ",0" * 783], "784 columns of pixels, but none of labels"),
        (["1,2,3", "1,2,3"], "3 columns and none called label"),
        ([f"label,{HEADER}"], "header but no rows"),
        (["1" + ",0" * 784, "1" + ",0" * 783], "784"),
        (["1" + ",0" * 784, "1" + ",0" * 783 + ",a"], "could not convert"),
        (["1" + ",0" * 784, "1,," + "0," * 782 + "0"], "could not convert"),
        (["1" + ",0" * 784, ",0" * 784], "without a label"),
        (["filename,label", "a.png,3"], "text in column 1 .filename., expected pixels"),
        (["ImageId,Label", "1,0"], "too few for a label and the pixels"),
        ([f"label,class,{HEADER}", "1,1" + ",0" * 784], "2 columns that could be labels"),
        ([f"label,{HEADER}", ",0" * 784], "without a label"),
        (["0" + ",0" * 784, "1" + ",0" * 784], "every pixel"),
        (["0" + ",nan" * 784, "1" + ",0" * 784], "not finite"),
    ],
)
def test_a_table_of_something_else_is_refused_in_one_line(tmp_path: Path, rows: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(_write(tmp_path / "a.csv", rows) if rows else _write(tmp_path / "a.csv", [""]))


def test_bytes_that_are_no_text_and_endless_lines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00" * 400)
    with pytest.raises(DataError, match=r"a\.csv"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 1000)[:-20])
    with pytest.raises(DataError, match="damaged gzip"):
        read_table(tmp_path / "a.csv.gz")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 2**21))
    with pytest.raises(DataError, match="letters in a line"):
        read_table(tmp_path / "a.csv.gz")


def test_names_beside_a_single_table_are_its_own_mapping_and_nothing_else(tmp_path: Path, strokes: Arrays) -> None:
    path = _write(tmp_path / "emnist-letters-train.csv", _rows(strokes[0], strokes[1] + 1))
    (tmp_path / "labels.txt").write_text("some\nother\nlabels")
    (tmp_path / "emnist-digits-mapping.txt").write_text("1 49\n")
    assert read_table(path).labels == ("1", "2", "3", "4")
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n3 67 99\n4 68 100\n")
    assert read_table(path).labels == tuple("ABCD")
    dataset = load_dataset(str(path.rename(tmp_path / "v1.train.csv.gz")))
    assert dataset.name == "v1.train"
    path.with_name("v1.train.csv.gz").rename(tmp_path / "v1.csv")
    np.savez(tmp_path / "a.npz", X=strokes[0])
    with pytest.raises(DataError, match=r"name a file in it: a\.npz, v1\.csv"):
        load_dataset(str(tmp_path))
