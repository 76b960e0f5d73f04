"""Labels as people keep them, and the class names they stand for, to numbers from 0 and a list of names.

Labels come as whole numbers of any type, one-hot rows or names; class names as a list, as EMNIST's mapping files, or not at all.
"""

import codecs
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glyphlite.errors import DataError
from glyphlite.escaping import lines_of, name_of
from glyphlite.files.untrusted import parsing, read_input, reason_of

MAX_CLASSES = 4096
_LARGEST = 1 << 20
"""Bytes of a file of class names."""
NAME_FILES = ("labels.txt", "classes.txt", "class_names.txt")
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks with their encodings; UTF-32's in front, since UTF-16's begins it."""

ClassNames = tuple[str, ...] | dict[int, str]
"""A list that labels count into, or EMNIST's mapping: the name of each label."""


def read_labels(array: np.ndarray, name: str, images: int) -> np.ndarray:
    """Returns labels as ``(n,)``, int64 numbers or strings, one for each image.

    Args:
        array: ``(n,)``, ``(n, 1)``, ``(1, n)``, or one-hot ``(n, classes)``; whole numbers, stored as floats or not, or strings.
        name: what errors call it.
        images: how many there are.

    Raises:
        DataError: another number than there are images, or labels of another kind.
    """
    if array.ndim == 2 and array.shape != (1, 1) and 1 in array.shape:
        array = array.reshape(-1)
    if array.ndim == 2 and array.dtype.kind in "biuf" and array.shape[1] > 1:
        array = _from_one_hot(array, name)
    if array.ndim != 1 or array.dtype.kind not in "biufUS":
        raise DataError(f"{name} holds {array.dtype} of shape {array.shape}, expected one whole number or one name per image")
    if len(array) != images:
        raise DataError(f"{name} has {len(array):,} labels for {images:,} images")
    if array.dtype.kind in "US":
        return np.array([name_of(each) if each.strip() else "" for each in texts_of(array)])
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.rint(array)).all()):
        raise DataError(f"{name} holds {array.dtype} that are no whole numbers, expected one whole number or one name per image")
    if array.size and (int(array.min()) < 0 or int(array.max()) > np.iinfo(np.int64).max):
        raise DataError(f"{name} holds a label of {array.min()}, expected whole numbers from 0")
    return array.astype(np.int64)


def number_classes(
    splits: Mapping[str, np.ndarray], names: ClassNames | None
) -> tuple[dict[str, np.ndarray], tuple[str, ...], list[str]]:
    """Returns labels as positions in the list of class names, that list, and what was assumed.

    Args:
        splits: labels as :func:`read_labels` gives them, by their split, training first.
        names: the class names; None names each class after its label, in ascending order
            (so labels 1 to 26 become the classes "1" to "26" at positions 0 to 25).

    Raises:
        DataError: fewer than two classes, too many, labels without a name, or a class that no training image has.
    """
    training = next(iter(splits))
    values = np.unique(splits[training])
    if not 2 <= len(values) <= MAX_CLASSES:
        found = "one class" if len(values) == 1 else f"{len(values):,} classes"
        raise DataError(f"the training labels hold {found}, expected 2 to {MAX_CLASSES:,}")
    for split, labels in splits.items():
        strangers = np.setdiff1d(labels, values)
        if len(strangers):
            more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
            raise DataError(f"the {split} labels hold the class {strangers[0]}{more}, which no training image has")
    if values.dtype.kind in "US":
        order, notes = sorted((str(value) for value in values), key=natural_order), []
        if isinstance(names, tuple) and set(order) <= set(names):
            order = list(names)
        place = {name: number for number, name in enumerate(order)}
        numbered = {split: np.array([place[each] for each in labels], np.int64) for split, labels in splits.items()}
        return numbered, tuple(order), notes
    chosen, labels, notes = _name_numbers(values, names)
    return {split: chosen[np.searchsorted(values, each)] for split, each in splits.items()}, labels, notes


def read_class_names(folder: Path, start: str = "", *, lists: bool = True) -> ClassNames | None:
    """Returns the class names in a folder, from ``labels.txt`` (a name a line) or EMNIST's ``*-mapping.txt``; None without.

    Args:
        folder: where to look.
        start: how the mapping's file name begins; one that begins with anything else is another dataset's.
        lists: False leaves out what may be of anything else in the folder, ``labels.txt`` and mappings without a ``start``.

    Raises:
        DataError: the file is not text, or there are several mappings.
    """
    for name in NAME_FILES if lists else ():
        if (folder / name).is_file():
            return read_names(folder / name)
    if not (lists or start):
        return None
    mappings = sorted(path for path in folder.glob("*mapping*.txt") if path.name.startswith(start) and path.name[0] != ".")
    if len(mappings) > 1:
        raise DataError(f"{folder} has several mappings of labels: {', '.join(path.name for path in mappings)}; keep one")
    return _read_mapping(mappings[0]) if mappings else None


def read_names(path: Path) -> tuple[str, ...]:
    """Returns the names in a text file, one on each line that is not blank: UTF-8, or UTF-16 with its byte order mark.

    Raises:
        DataError: the file is not text.
    """
    return tuple(_lines(path))


def texts_of(array: np.ndarray) -> list[str]:
    """Returns an array of strings, or of bytes that are UTF-8 as a rule, as text."""
    return [each.decode(errors="surrogateescape") if isinstance(each, bytes) else str(each) for each in array.tolist()]


def encoding_of(start: bytes) -> str:
    """Returns the encoding that a text file's byte order mark names; UTF-8 without one."""
    return next((encoding for mark, encoding in _ENCODINGS if start.startswith(mark)), "utf-8")


def natural_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """Returns a sort key that puts 2 before 10, in any script's digits; equal numbers (01 and 1) by their text."""
    # \d is what int() reads; "²" is a digit to str.isdigit() only.
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)], name


def _from_one_hot(array: np.ndarray, name: str) -> np.ndarray:
    """Class numbers of one-hot rows.

    Raises:
        DataError: a row holds something else than a single 1.
    """
    if not (((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all()):
        raise DataError(
            f"{name} has {array.shape[1]} columns that are no one-hot rows (a single 1 each): several labels per image are not "
            "supported, expected one whole number or one name per image"
        )
    return array.argmax(axis=1)


def _name_numbers(values: np.ndarray, names: ClassNames | None) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Returns for each label that occurs, ascending, its position in the list of names; that list; what was assumed.

    Raises:
        DataError: labels without a name.
    """
    in_order = np.arange(len(values))
    if names is None:
        return in_order, tuple(str(value) for value in values), []
    if isinstance(names, dict):
        nameless = [int(value) for value in values if int(value) not in names]
        if nameless:
            raise DataError(f"the labels hold {nameless[0]}, which the mapping of labels does not name")
        return in_order, tuple(names[int(value)] for value in values), []
    last = len(names) - 1
    span = f"labels {values[0]} to {values[-1]}"
    if values[-1] <= last:
        return values, names, []
    if len(values) == len(names):
        return in_order, names, [f"{span} take the {len(names)} class names in ascending order: {values[0]} is {names[0]}"]
    if values[0] >= 1 and values[-1] == len(names):
        return values - 1, names, [f"{span} take the {len(names)} class names counted from 1: 1 is {names[0]}"]
    raise DataError(f"the {span} need {values[-1] + 1} class names, but there are {len(names)}")


def _read_mapping(path: Path) -> dict[int, str]:
    """Returns EMNIST's mapping: in each line a label and the code points it stands for; the first (the capital) names it.

    Raises:
        DataError: a line is something else.
    """
    names = {}
    for number, line in enumerate(_lines(path), 1):
        parts = line.split()
        if len(parts) < 2 or not all(part.isascii() and part.isdecimal() for part in parts) or not 32 < int(parts[1]) < 0xD800:
            raise DataError(
                f"{path} line {number} is {line[:40]!r}, expected a label and the code of its character, as '1 65 97'"
            )
        names[int(parts[0])] = chr(int(parts[1]))
    return names


def _lines(path: Path) -> list[str]:
    """Returns the lines of a text file that are not blank, as names.

    Raises:
        DataError: the file is not text.
    """
    content = read_input(path, "a text file of class names", largest=_LARGEST)
    with parsing(lambda error: _not_text(path, error)):
        text = content.decode(encoding_of(content))
    if "\0" in text:
        raise DataError(f"{path} is no text, or UTF-16 without a byte order mark; save it as UTF-8")
    return [name_of(line) for line in lines_of(text) if line.strip()]


def _not_text(path: Path, failure: BaseException) -> str:
    """Describes in one line why a file is no text in the encoding that it should be in."""
    if not isinstance(failure, UnicodeDecodeError):
        return f"{path} is not a readable text file: {reason_of(failure)}"
    byte, line = failure.object[failure.start], failure.object[: failure.start].count(b"\n") + 1
    return f"{path} is not UTF-8 text: byte 0x{byte:02x} in line {line}; save it as UTF-8"
