"""Tables of pixels: CSV files with an image a row and its label in one column, as Kaggle hands MNIST and EMNIST out.

Read in blocks of rows, compressed or not; a line is bounded before it is read. The label stands in the column that the header
calls so, else in the first (or the last, where only that can be one).
"""

import csv
import gzip
import io
import math
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import IO

import numpy as np

from glyphlite.console import Advance, progress_bar
from glyphlite.datasets.own.assemble import assemble
from glyphlite.datasets.own.content import SPLITS, TEST, TRAIN, FoundData, StoredSplit
from glyphlite.datasets.own.labels import MAX_CLASSES, ClassNames, encoding_of, read_class_names
from glyphlite.datasets.own.roles import split_within
from glyphlite.errors import DataError
from glyphlite.files.untrusted import check_unfolded, open_input, parsing, reason_of

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
MAX_CONTENT = 2**32
"""The most bytes of text that a table may unpack to."""
MAX_LINE = 2**20
_ROWS = 2000
"""Rows read at a time."""
_LABEL_COLUMNS = ("label", "labels", "class", "target", "y", "digit", "letter", "character")
_OTHER_COLUMNS = ("", "id", "index", "imageid", "unnamed: 0", "split", "usage")
"""Columns of a header that are neither label nor pixel."""


@dataclass(frozen=True)
class _Table:
    """One CSV file as it is stored: pixels ``(n, pixels)``, labels ``(n,)`` unless it has none, and what was assumed."""

    pixels: np.ndarray
    labels: np.ndarray | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Columns:
    """Holds a table's layout: its number of columns, whether it has a header, the label's column, and others without pixels."""

    count: int
    has_header: bool
    label: int | None
    others: tuple[int, ...]


def is_table(path: Path) -> bool:
    """Returns whether a file is a table, judged by its name."""
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")


def find_tables(folder: Path, start: str = "") -> dict[str, list[Path]]:
    """Returns the tables of a folder by the split that their names say; those that say none are left out.

    Args:
        folder: where to look.
        start: how their names begin, where a folder holds several datasets.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        split = split_within(path.name) if is_table(path) and path.is_file() and path.name.startswith(start) else None
        if split and not (path.suffix == ".gz" and path.with_suffix("") in found.get(split, [])):
            found.setdefault(split, []).append(path)
    return found


def read_table(path: Path) -> FoundData:
    """Reads one table, whose images are to train with.

    Raises:
        DataError: it is no table of pixels with a label each.
    """
    return _assembled({TRAIN: path}, read_class_names(path.parent, _stem(path), lists=False))


def read_tables(folder: Path, start: str = "") -> FoundData:
    """Reads a folder with ``*train*.csv`` and, where they are there, ``*test*.csv`` and ``*val*.csv``.

    A test table without labels, as of Kaggle's competitions, is left aside, and that is said.

    Args:
        folder: where to look.
        start: how the names of the files begin.

    Raises:
        DataError: a split has several tables, or one is no table of pixels with a label each.
    """
    found = find_tables(folder, start)
    if TRAIN not in found:
        names = ", ".join(path.name for paths in found.values() for path in paths)
        raise DataError(f"{folder} holds {names}, but no table to train with; expected one with train in its name, as train.csv")
    for split, paths in found.items():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise DataError(
                f"{folder} holds several tables of {split} images: {names}; name one dataset, as {folder / _stem(paths[0])}"
            )
    paths = {split: found[split][0] for split in SPLITS if split in found}
    return _assembled(paths, read_class_names(folder, _stem(paths[TRAIN])))


def holds_pixels(path: Path) -> bool:
    """Returns whether a table's first rows are of pixels, or of something else (names of pictures, measurements)."""
    try:
        with _lines(path) as lines:
            _columns(*_begin(lines, path), path)
    except DataError:
        return False
    return True


def _assembled(paths: dict[str, Path], names: ClassNames | None) -> FoundData:
    """Tables by split, read and put together.

    Raises:
        DataError: as :func:`read_tables`.
    """
    stored, notes = {}, []
    for split, path in paths.items():
        table = _read(path)
        if table.labels is not None:
            stored[split] = StoredSplit(table.pixels, table.labels, f"the pixels of {path}", f"the labels of {path}")
            notes += table.notes
        elif split == TEST:
            notes.append(f"{path.name} has no labels, so nothing can be measured on its {len(table.pixels):,} images: left aside")
        else:
            raise DataError(f"{path} has {table.pixels.shape[1]} columns of pixels, but none of labels; expected the label first")
    return assemble(stored, names, tuple(notes))


def _read(path: Path) -> _Table:
    """Returns one table.

    Raises:
        DataError: a row is something else than the first, no number, or too long; the file is damaged.
    """
    texts: dict[str, int] = {}
    with _lines(path) as lines:
        begin, delimiter = _begin(lines, path)
        columns = _columns(begin, delimiter, path)
        cells = _parse(chain(begin[columns.has_header :], lines), path, delimiter, columns, texts)
    return _divide(cells, columns, list(texts), path)


def _begin(lines: Iterator[str], path: Path) -> tuple[list[str], str]:
    """Returns a table's first two lines, and what stands between its cells.

    Raises:
        DataError: there is none.
    """
    begin = list(islice((line for line in lines if line.strip()), 2))
    if not begin:
        raise DataError(f"{path} is empty, expected a row of label and pixels for each image")
    return begin, next((each for each in (",", ";", "\t") if each in begin[0]), ",")


def _columns(begin: list[str], delimiter: str, path: Path) -> _Columns:
    """Returns the layout that a table's first rows show.

    Raises:
        DataError: there is no telling where the label stands.
    """
    rows = [[cell.strip() for cell in row] for row in csv.reader(begin, delimiter=delimiter)]
    first, second = rows[0], rows[-1]
    words, below = ({place for place, cell in enumerate(row) if cell and _number(cell) is None} for row in (first, second))
    if len(begin) == 1 and len(words) > 1:
        raise DataError(f"{path} has a header but no rows, expected a row of label and pixels for each image")
    has_header = bool(words - below) or _is_numbered(first, second)
    words = below if has_header else words & below
    header = [cell.lower() for cell in first] if has_header else []
    others = tuple(place for place, name in enumerate(header) if name in _OTHER_COLUMNS)
    named = [place for place, name in enumerate(header) if name in _LABEL_COLUMNS] or [
        each for each in words if each not in others
    ]
    if len(named) > 1:
        raise DataError(f"{path} has {len(named)} columns that could be labels, expected one called label")
    texts = sorted(words - {*others, *named})
    if texts:
        what = f" ({first[texts[0]]})" if has_header else ""
        raise DataError(
            f"{path} has text in column {texts[0] + 1}{what}, expected pixels; pictures that are named in a table are read from "
            "class-named folders only: move each into CLASS/"
        )
    pixels = len(first) - len(others)
    if named and pixels < 5:
        raise DataError(f"{path} has {len(first)} columns, too few for a label and the pixels of an image")
    if named:
        return _Columns(len(first), has_header, named[0], others)
    if pixels > 4 and math.isqrt(pixels - 1) ** 2 == pixels - 1:
        return _Columns(len(first), has_header, next(place for place in range(len(first)) if place not in others), others)
    if pixels > 3 and math.isqrt(pixels) ** 2 == pixels:
        return _Columns(len(first), has_header, None, others)
    raise DataError(
        f"{path} has {len(first)} columns and none called label; expected the label first and height * width pixels with "
        "height = width (785 columns for 28x28)"
    )


def _is_numbered(first: list[str], second: list[str]) -> bool:
    """Returns whether a row of numbers is a header: it counts the columns, or is pandas' 0, 0.1, 0.2, ... above whole numbers."""
    head, below = ([number for number in map(_number, row) if number is not None] for row in (first, second))
    if len(head) > 4 and all(after - before == 1 for before, after in pairwise(head[1:])):
        return True
    return not all(number.is_integer() for number in head if math.isfinite(number)) and all(map(float.is_integer, below))


def _divide(cells: np.ndarray, columns: _Columns, texts: list[str], path: Path) -> _Table:
    """Tells the columns apart: pixels, the label, and what is neither."""
    label = columns.label
    if label is None:
        return _Table(np.delete(cells, columns.others, axis=1), None)
    if label == 0 and not columns.has_header and len(texts) == 1 and _are_numbers_of_classes(cells[:, -1]):
        pixels = cells[:, :-1].copy()
        pixels[:, 0] = float(texts[0])
        return _Table(pixels, cells[:, -1], (f"the first column of {path.name} is {texts[0]} everywhere: the last is the label",))
    names = np.array(texts)[cells[:, label].astype(np.int64)]
    pixels = np.delete(cells, [*columns.others, label], axis=1)
    try:
        return _Table(pixels, names.astype(np.float64))
    except ValueError:
        return _Table(pixels, names)


def _are_numbers_of_classes(column: np.ndarray) -> bool:
    """Returns whether a column's values are all integers from 0 or 1 up without a gap, as labels are and pixels are not."""
    values = np.unique(column)
    return 2 <= len(values) <= MAX_CLASSES and np.array_equal(values - values[0], np.arange(len(values))) and values[0] in (0, 1)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _parse(rows: Iterator[str], path: Path, delimiter: str, columns: _Columns, texts: dict[str, int]) -> np.ndarray:
    """Returns all cells as float32 ``(n, columns)``, or uint8; the label's are places in ``texts``, which collects them as
    they appear.

    Raises:
        DataError: a row has other columns, or a cell is no number.
    """
    converters: dict[int | str, Callable[[str], float]] = dict.fromkeys(columns.others, lambda _: 0.0)
    if columns.label is not None:
        converters[columns.label] = lambda text: texts.setdefault(text.strip().strip('"'), len(texts))
    blocks, read = [], 0
    while block := [row for row in islice(rows, _ROWS) if row.strip()]:
        try:
            cells = np.loadtxt(
                block,
                np.float32,
                comments=None,
                delimiter=delimiter,
                quotechar='"',
                ndmin=2,
                converters=converters,
                encoding=None,
            )
        except ValueError as error:
            words = str(error).split(";")[0]
            raise DataError(
                f"{path}, rows of images from {read + 1}: {words}; expected {columns.count} numbers in every row"
            ) from None
        if cells.shape[1] != columns.count:
            raise DataError(
                f"{path} has {cells.shape[1]} columns from row {read + 1} of its images, the first line has {columns.count}"
            )
        if "" in texts:
            raise DataError(f"{path} has a row without a label between row {read + 1} and {read + len(cells)} of its images")
        if len(texts) > MAX_CLASSES:
            raise DataError(
                f"{path} has more than {MAX_CLASSES:,} different labels in column {(columns.label or 0) + 1}, expected classes"
            )
        blocks.append(_smallest(cells))
        read += len(cells)
    if not blocks:
        raise DataError(f"{path} has a header but no rows, expected a row of label and pixels for each image")
    return np.concatenate(blocks)


def _smallest(cells: np.ndarray) -> np.ndarray:
    """Returns whole numbers from 0 to 255 as bytes, a quarter of the memory, and others as they are."""
    as_bytes = cells.astype(np.uint8, casting="unsafe") if cells.min() >= 0 and cells.max() <= 255 else None
    return as_bytes if as_bytes is not None and np.array_equal(as_bytes, cells) else cells


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    """Yields the lines of a text file, compressed or not (told by its first bytes); every failure to read it becomes a
    DataError.
    """
    with open_input(path, "a table of numbers with commas between") as stream, parsing(lambda error: _reason(path, error)):
        size = os.fstat(stream.fileno()).st_size
        compressed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        unpacked = io.BufferedReader(gzip.GzipFile(fileobj=stream)) if compressed else stream  # type: ignore[arg-type]
        text = io.TextIOWrapper(unpacked, encoding_of(unpacked.peek(4)[:4]), newline="\n")
        with progress_bar(f"rows of {path.name}", size) as advance:
            yield _bounded_lines(text, stream, path, advance)


def _reason(path: Path, failure: BaseException) -> str:
    """Describes in one line why a table cannot be read."""
    if isinstance(failure, UnicodeDecodeError):
        byte = failure.object[failure.start]
        return f"{path} is not UTF-8 text (byte 0x{byte:02x}); save the table as UTF-8, with commas between"
    if isinstance(failure, EOFError | zlib.error | gzip.BadGzipFile):
        return f"{path} is a damaged gzip file ({reason_of(failure)}); fetch it again"
    return f"{path} is not a readable table: {reason_of(failure)}"


def _bounded_lines(unpacked: IO[str], stored: IO[bytes], path: Path, advance: Advance) -> Iterator[str]:
    """Yields lines, none longer than :data:`MAX_LINE`, and together at most :data:`MAX_CONTENT`.

    Raises:
        DataError: one of them is, or a compressed file unpacks to far more than it is.
    """
    total = told = 0
    size = os.fstat(stored.fileno()).st_size
    while line := unpacked.readline(MAX_LINE):
        total += len(line)
        if total > MAX_CONTENT or (len(line) == MAX_LINE and not line.endswith("\n")):
            raise DataError(f"{path} is no table of images: more than {MAX_LINE:,} letters in a line, or {MAX_CONTENT:,} in all")
        check_unfolded(str(path), size, total)
        yield line
        advance(stored.tell() - told)
        told = stored.tell()


def _stem(path: Path) -> str:
    """Returns the common prefix of a dataset's table names, taken from the name of its training table."""
    return re.split(r"[-_.]*train", path.name, flags=re.IGNORECASE)[0]
