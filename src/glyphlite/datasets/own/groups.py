"""Groups of pictures that belong together, as those of one writer: told by their file names, or by a table beside them.

Knows names; which images go into which split is `splits`' business.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glyphlite.datasets.own.labels import encoding_of
from glyphlite.errors import DataError, first_of
from glyphlite.escaping import lines_of
from glyphlite.files.untrusted import parsing, read_input, reason_of

_LARGEST = 64 << 20
"""Bytes of a table of groups."""
_TABLES = (".csv", ".tsv", ".txt")
_HEADERS = ("file", "filename", "path", "picture", "image", "name")


def check_group_by(how: str) -> None:
    """Checks how groups are told, as far as that needs no data.

    Raises:
        DataError: it is a table that is not there, or no regular expression.
    """
    if how.lower().endswith(_TABLES):
        if not Path(how).is_file():
            raise DataError(f"--group-by {how}: there is no such table; expected a CSV file with the columns file and group")
    elif not is_separator(how):
        _compiled(how)


def is_separator(how: str) -> bool:
    """Returns whether it is what stands behind the group in file names, as the _ of writer07_a.png."""
    return 0 < len(how) <= 2 and not any(letter.isalnum() or letter in r"\()[]^$.*+?|" for letter in how)


def groups_of(paths: Sequence[Path], folder: Path, how: str) -> np.ndarray:
    """Returns the group of each picture, strings ``(n,)``.

    Args:
        paths: the pictures, below the folder.
        folder: what the user named.
        how: as for :func:`told_groups`.

    Raises:
        DataError: it is malformed, or some picture has no group.
    """
    found = told_groups(paths, folder, how)
    without = [path.relative_to(folder).as_posix() for path, group in zip(paths, found, strict=True) if not group]
    if without:
        raise DataError(f"--group-by {how} tells no group of {len(without):,} of {len(paths):,} pictures: {first_of(without, 3)}")
    return np.array(found)


def told_groups(paths: Sequence[Path], folder: Path, how: str) -> list[str]:
    """Returns the group of each picture, empty where none is told.

    Args:
        paths: the pictures, below the folder.
        folder: what the user named.
        how: a separator, up to which a file's name says its group; a .csv file with the columns file and group; else a regular
            expression on the path below the folder, whose first group in parentheses, or whole match, is the group.

    Raises:
        DataError: it is malformed.
    """
    names = [path.relative_to(folder).as_posix() for path in paths]
    if how.lower().endswith(_TABLES):
        found = _from_table(names, Path(how))
    elif is_separator(how):
        found = [_before(name.rpartition("/")[2], how) for name in names]
    else:
        pattern = _compiled(how)
        found = [_matched(pattern, name) for name in names]
    return [group or "" for group in found]


def _before(name: str, separator: str) -> str | None:
    group, found, _ = name.partition(separator)
    return group if found else None


def _matched(pattern: re.Pattern[str], name: str) -> str | None:
    match = pattern.search(name)
    return (match[1] if pattern.groups else match[0]) if match else None


def _compiled(how: str) -> re.Pattern[str]:
    try:
        return re.compile(how)
    except re.error as error:
        raise DataError(
            f"--group-by {how} is no regular expression ({error}); expected one, a separator as _, or a CSV file of file,group"
        ) from None


def _from_table(names: Sequence[str], path: Path) -> list[str | None]:
    """Returns the groups that a table gives: by the path below the folder, else by the file's name alone.

    Raises:
        DataError: it is no such table, or names a file twice.
    """
    content = read_input(path, "a table of file,group", largest=_LARGEST)
    with parsing(lambda error: f"{path} is not a readable table: {reason_of(error)}"):
        lines = [line for line in lines_of(content.decode(encoding_of(content))) if line.strip()]
    delimiter = next((each for each in (",", ";", "\t") if lines and each in lines[0]), ",")
    rows = [[cell.strip() for cell in row[:2]] for row in csv.reader(lines, delimiter=delimiter)]
    if rows and rows[0][0].lower() in _HEADERS:
        rows = rows[1:]
    odd = next((number for number, row in enumerate(rows, 1) if len(row) != 2 or not all(row)), None)
    if odd is not None or not rows:
        raise DataError(f"{path}{f' row {odd}' if odd else ''} is no pair of file and group; expected a line FILE,GROUP each")
    table: dict[str, str] = {}
    for file, group in rows:
        file = file.replace("\\", "/").removeprefix("./")
        if table.setdefault(file, group) != group:
            raise DataError(f"{path} gives {file} two groups: {table[file]} and {group}")
    return [table.get(name) or table.get(name.rpartition("/")[2]) for name in names]
