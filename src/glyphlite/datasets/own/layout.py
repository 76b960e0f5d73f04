"""Layouts of picture folders: finds the pictures, and reads their classes and splits from the usual arrangements of folder names.

``CLASS/...``, ``train/CLASS/...`` with ``val`` and ``test`` (any usual name, any case), ``CLASS/train/...``; below each class to
any depth; wrapped into further folders or not. Reads names, no pictures.
"""

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from glyphlite.datasets.own.content import SPLITS, TEST, TRAIN, VALIDATION
from glyphlite.datasets.own.labels import natural_order
from glyphlite.datasets.own.roles import split_named, split_within
from glyphlite.errors import DataError, first_of
from glyphlite.escaping import name_of
from glyphlite.preprocessing.pictures import SUFFIXES

MAX_PICTURES = 2_000_000
_DEEPEST_WRAP = 4
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
_SYSTEM_FOLDERS = frozenset({"__macosx"})


@dataclass
class Listing:
    """The pictures of each split with the number of their class, and what was left aside."""

    classes: tuple[str, ...]
    pictures: dict[str, list[tuple[Path, int]]]
    unread: Counter[str] = field(default_factory=Counter)
    stray: dict[str, int] = field(default_factory=dict)
    validation_folder: str = ""
    other_folders: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Says which folder is the validation split, and what was left aside."""
        said = [f"{self.validation_folder}/ is the validation split"] if self.validation_folder else []
        if self.other_folders:
            said.append(f"beside the splits and left aside: {', '.join(f'{name}/' for name in self.other_folders[:6])}")
        if self.unread:
            what = "file is" if self.unread.total() == 1 else "files are"
            said.append(f"{self.unread.total():,} {what} no picture that is read, and left aside: {_kinds(self.unread)}")
        for place, number in self.stray.items():
            what = "picture lies" if number == 1 else "pictures lie"
            said.append(f"{number:,} {what} in {place}/ itself, in no class folder: left aside")
        return tuple(said)


def subfolders(folder: Path) -> list[Path]:
    """Returns the visible subfolders in the natural order of their names (2 before 10)."""
    found = [path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path.name, _SYSTEM_FOLDERS)]
    return sorted(found, key=lambda path: natural_order(_class_name(path)))


def list_pictures(folder: Path) -> Listing:
    """Finds the pictures of a folder, their classes and their splits.

    Raises:
        DataError: no classes, no training pictures, a class without pictures, or one that only validation or test has.
    """
    root = _unwrapped(folder)
    folders = subfolders(root)
    splits = _split_folders(folders, root)
    if splits:
        places = {split: _unwrapped(path) for split, path in splits.items()}
        by_class = {split: _by_class(subfolders(place)) for split, place in places.items()}
    elif inner := _inner_splits(folders):
        places, by_class = {TRAIN: root}, inner
    else:
        places, by_class = {TRAIN: root}, {TRAIN: _by_class(folders)}
    classes = tuple(by_class[TRAIN])
    if len(classes) < 2:
        found = "one class folder" if classes else "no class folders"
        raise DataError(f"{places[TRAIN]} has {found}; expected one for each class, as CLASS/picture.png, at least two")
    listing = Listing(classes, {split: [] for split in SPLITS if split in by_class})
    if splits:
        listing.validation_folder = splits[VALIDATION].name if VALIDATION in splits else ""
        listing.other_folders = tuple(path.name for path in folders if path not in splits.values())
    for split, of_class in by_class.items():
        _check_classes(of_class, classes, split, places.get(split, root))
        for number, name in enumerate(classes):
            unread: Counter[str] = Counter()
            found = [path for place in of_class.get(name, []) for path in _walk(place, unread)]
            if not found and split == TRAIN:
                holds = f"but {_kinds(unread)}; " if unread else ""
                raise DataError(
                    f"{of_class[name][0]} holds no pictures ({', '.join(sorted(SUFFIXES))}), {holds}fill or remove it"
                )
            listing.unread += unread
            listing.pictures[split] += [(path, number) for path in found]
    listing.pictures = {split: found for split, found in listing.pictures.items() if found}
    for place in dict.fromkeys((root, *places.values())):
        if stray := sum(is_picture(path) for path in place.iterdir()):
            listing.stray[place.name] = stray
    total = sum(len(found) for found in listing.pictures.values())
    if total > MAX_PICTURES:
        raise DataError(f"{folder} holds {total:,} pictures, more than the {MAX_PICTURES:,} allowed")
    return listing


def _unwrapped(folder: Path) -> Path:
    """Returns the folder inside those that hold nothing but one folder with folders of its own."""
    for _ in range(_DEEPEST_WRAP):
        inside = subfolders(folder)
        if len(inside) != 1 or not subfolders(inside[0]) or split_within(inside[0].name) == TRAIN:
            return folder
        if any(is_picture(path) for path in folder.iterdir()):
            return folder
        folder = inside[0]
    return folder


def _split_folders(folders: list[Path], root: Path) -> dict[str, Path]:
    """Returns the folders that are splits by their names, training first; none where the folders are classes.

    Raises:
        DataError: splits without one to train with, two for one split, or pictures without class folders.
    """
    named = {path: split_named(path.name) or split_within(path.name) for path in folders}
    splits = {path: split for path, split in named.items() if split}
    training = [path for path, split in splits.items() if split == TRAIN]
    if not training:
        if splits and len(splits) == len(folders) and any(subfolders(path) for path in folders):
            names = ", ".join(path.name for path in folders)
            raise DataError(f"{root} holds {names}, but no folder to train with; expected train/CLASS/picture.png")
        return {}
    if not any(subfolders(path) for path in training):
        if len(splits) == len(folders):
            raise DataError(f"{training[0]} holds no class folders; expected {training[0].name}/CLASS/picture.png")
        return {}
    chosen: dict[str, Path] = {}
    for split in SPLITS:
        several = [path for path, each in splits.items() if each == split]
        if len(several) > 1:
            raise DataError(f"{root} holds {', '.join(path.name for path in several)}, which both are {split} data; keep one")
        chosen |= dict.fromkeys([split] if several else [], several[0] if several else root)
    return chosen


def _inner_splits(folders: list[Path]) -> dict[str, dict[str, list[Path]]]:
    """Splits within every class, ``CLASS/train`` and ``CLASS/test``; none where a class has no such folders."""
    found: dict[str, dict[str, list[Path]]] = {}
    for path in folders:
        inside = {split: place for place in subfolders(path) if (split := split_named(place.name))}
        if TRAIN not in inside:
            return {}
        for split, place in inside.items():
            found.setdefault(split, {})[_class_name(path)] = [place]
    return {split: found[split] for split in (TRAIN, VALIDATION, TEST) if split in found}


def _by_class(folders: list[Path]) -> dict[str, list[Path]]:
    """Returns folders by the class that their names say; é has two spellings, and so may have two folders.

    Raises:
        DataError: two folders differ only in blanks around their names, or in what is not visible.
    """
    found: dict[str, list[Path]] = {}
    for path in folders:
        same = found.setdefault(_class_name(path), [])
        same.append(path)
        if unicodedata.normalize("NFC", path.name) != unicodedata.normalize("NFC", same[0].name):
            raise DataError(
                f"{path.parent} holds the folders {same[0].name!r} and {path.name!r}, which both name the class "
                f"{_class_name(path)}; rename one"
            )
    return found


def _check_classes(of_class: dict[str, list[Path]], classes: tuple[str, ...], split: str, place: Path) -> None:
    """Refuses classes that training does not have.

    Raises:
        DataError: there are some.
    """
    strangers = [name for name in of_class if name not in classes]
    if strangers:
        what = "class" if len(strangers) == 1 else "classes"
        raise DataError(
            f"{place} holds the {what} {first_of(strangers, 5)}, which the training pictures do not have "
            f"({len(classes)} classes: {', '.join(classes[:5])}{', ...' if len(classes) > 5 else ''}); "
            f"expected the same folders in {split} and train"
        )


def _walk(folder: Path, unread: Counter[str]) -> list[Path]:
    """Returns every picture below a folder in the order of their paths; other visible files are counted by their suffix."""
    found = []
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not _is_hidden(name, _SYSTEM_FOLDERS)]
        for name in files:
            suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a Path for each of a million files costs seconds
            if _is_hidden(name, _SYSTEM_FILES):
                continue
            if suffix in SUFFIXES:
                found.append(Path(place, name))
            else:
                unread[suffix or "without suffix"] += 1
    return sorted(found)


def _kinds(files: Counter[str]) -> str:
    """Lists the number of files per suffix, in words."""
    return ", ".join(f"{number:,} {suffix}" for suffix, number in files.most_common(6))


def is_picture(path: Path) -> bool:
    """Returns whether a file is a picture that is read, by its name."""
    return path.suffix.lower() in SUFFIXES and not _is_hidden(path.name, _SYSTEM_FILES) and path.is_file()


def _is_hidden(name: str, system: frozenset[str]) -> bool:
    """Returns whether an operating system put the file there: ``._x.png``, ``.DS_Store``, ``Thumbs.db``, ``__MACOSX``."""
    return name.startswith(".") or name.lower() in system


def _class_name(path: Path) -> str:
    """Returns the class that a folder's name says; composed, since macOS hands out é as two characters."""
    return name_of(path.name)


def _raise(failure: OSError) -> NoReturn:
    """Stops a walk at a folder that cannot be read, whose pictures would be missing without a word."""
    raise failure
