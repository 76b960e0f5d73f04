"""A folder with a file for each array, told apart by their names: IDX (MNIST, EMNIST), .npy, .npz of one array (KMNIST)."""

from pathlib import Path

import numpy as np

from glyphlite.datasets.idx import read_idx
from glyphlite.datasets.own.archives import read_array
from glyphlite.datasets.own.assemble import assemble
from glyphlite.datasets.own.content import SPLITS, TRAIN, FoundData, StoredSplit
from glyphlite.datasets.own.labels import read_class_names
from glyphlite.datasets.own.roles import IMAGES, LABELS, Role, role_of
from glyphlite.errors import DataError

_ARRAYS = (".npy", ".npz")


def find_role_files(folder: Path, start: str = "") -> dict[Role, list[Path]]:
    """Returns the files of a folder by what they hold; of a file and its .gz the file alone.

    Args:
        folder: where to look.
        start: how their names begin, where a folder holds several datasets.
    """
    found: dict[Role, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(start) or path.name.startswith(".") or not path.is_file():
            continue
        if "idx" not in path.name.lower() and path.suffix.lower() not in _ARRAYS:
            continue
        role = role_of(path.name, among_others=True)
        if role is None or role.split is None:
            continue
        others = found.setdefault(role, [])
        if not (path.suffix == ".gz" and path.with_suffix("") in others):
            others.append(path)
    return found


def datasets_in(files: dict[Role, list[Path]]) -> list[str]:
    """Returns how the names of a folder's training images begin, where they are of several datasets (EMNIST's six)."""
    names = [path.name for path in files.get(Role(TRAIN, IMAGES), [])]
    return [name[: name.lower().index("train")].rstrip("-_.") for name in names if "train" in name.lower()]


def read_role_files(folder: Path, start: str = "") -> FoundData:
    """Reads a folder with a file of images and one of labels for each split, compressed or not.

    The names hold ``train``, ``val`` or ``test``/``t10k``, and ``images`` or ``labels``, as MNIST's and EMNIST's do.
    ``labels.txt`` names the classes, one per line; so does EMNIST's mapping.

    Args:
        folder: where to look.
        start: how the names of the files begin.

    Raises:
        DataError: a file is missing or ambiguous, malformed, of the wrong shape, type or range.
    """
    files = find_role_files(folder, start)
    several = [name for name in datasets_in(files) if name]
    if len(several) > 1:
        raise DataError(f"{folder} holds several datasets: {', '.join(several)}; name one, as {folder / several[0]}")
    stored = {}
    for split in SPLITS:
        paths = [files.get(Role(split, content), []) for content in (IMAGES, LABELS)]
        if split != TRAIN and not any(paths):
            continue
        for content, found in zip((IMAGES, LABELS), paths, strict=True):
            if len(found) != 1:
                names = ", ".join(path.name for path in found) or "none"
                raise DataError(f"{folder} needs exactly one file for {split} {content}, found {names}")
        images, labels = paths[0][0], paths[1][0]
        stored[split] = StoredSplit(_read(images), _read(labels), str(images), str(labels))
    return assemble(stored, read_class_names(folder, start or (several[0] if several else "")))


def _read(path: Path) -> np.ndarray:
    return read_array(path) if path.suffix.lower() in _ARRAYS else read_idx(path)
