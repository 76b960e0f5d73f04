"""A user's file or folder as a dataset: which reader it is for, told by names; a line on what to do where none is."""

from dataclasses import replace
from pathlib import Path

from glyphlite.datasets.idx import is_idx
from glyphlite.datasets.own.archives import read_npz
from glyphlite.datasets.own.array_files import find_role_files, read_role_files
from glyphlite.datasets.own.content import TEST, TRAIN, VALIDATION, FoundData
from glyphlite.datasets.own.layout import is_picture, list_pictures, subfolders
from glyphlite.datasets.own.orientation import turn_upright
from glyphlite.datasets.own.picture_folders import read_picture_folder
from glyphlite.datasets.own.tables import find_tables, holds_pixels, is_table, read_table, read_tables
from glyphlite.errors import DataError
from glyphlite.files.single import sha256_of
from glyphlite.files.untrusted import open_input, reading_folder

_NAME_FOLDER = "name the folder that holds all its files"
_WHAT_TO_DO = {
    (".mat",): "MATLAB files are not read; EMNIST is handed out as IDX files (its 'binary format') and CSV, too",
    (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"): "unpack it and name the folder",
    (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".pkl.gz"): (
        "a pickle runs whatever is in it; save the arrays with numpy.savez(FILE, x_train=..., y_train=...)"
    ),
    (
        ".npy",
    ): "one array is no dataset; name the folder, or put images and labels into one .npz (x_train, y_train, x_test, y_test)",
    ("usps.h5",): "USPS's images are read by its name: --dataset usps --data-dir FOLDER, the folder that holds it",
    (".parquet", ".arrow", ".feather", ".h5", ".hdf5", ".tfrecord"): "save it as .npz (x_train, y_train, x_test, y_test) or CSV",
    (".gz",): _NAME_FOLDER,
}
_EXPECTED = "an .npz, a CSV file, or a folder of IDX files, CSV files or class-named folders of pictures"
_WRAPPED = ("raw", "gzip")
"""Subfolders in which torchvision and EMNIST's archive keep their IDX files."""


def read_users_dataset(
    path: Path, size: tuple[int, int], lie: str | None = None, group_by: str | None = None
) -> tuple[FoundData, dict[str, str]]:
    """Reads what a user has, its glyphs upright, and the SHA-256 of its files by their names (none of pictures).

    Args:
        path: a file, a folder, or a folder with how the names of its files begin (``gzip/emnist-letters``).
        size: rows and columns that pictures are brought to.
        lie: how the user says that the glyphs lie, upright or transposed; None finds out.
        group_by: how the images' groups are told; None for none.

    Raises:
        DataError: it is no dataset, or malformed.
    """
    try:
        with reading_folder(path):
            found, hashes = _read(path, size, group_by)
    except DataError as error:
        if str(path) in str(error):
            raise
        raise DataError(f"{path}: {error}") from None
    splits = {TRAIN: found.train, VALIDATION: found.validation, TEST: found.test}
    images = {split: each.images for split, each in splits.items() if each is not None}
    # EMNIST is handed out in files of numbers; who made pictures of it has looked at them.
    source = " ".join([path.name, *hashes]) if hashes else ""
    images, words = turn_upright(images, found.train.labels, found.labels, source, lie)
    turned = {split: replace(each, images=images[split]) for split, each in splits.items() if each is not None}
    notes = (*found.notes, *([words] if words else []))
    return FoundData(turned[TRAIN], turned.get(VALIDATION), turned.get(TEST), found.labels, notes), hashes


def _read(path: Path, size: tuple[int, int], group_by: str | None) -> tuple[FoundData, dict[str, str]]:
    """Reads a user's dataset as it is stored; returns it and the SHA-256 of its files.

    Raises:
        DataError: it is no dataset, or malformed.
    """
    if path.exists() and not path.is_dir():
        open_input(path, _EXPECTED).close()
        return _read_file(path, group_by), {path.name: sha256_of(path)}
    folder, start = (path, "") if path.is_dir() else (path.parent, path.name)
    folder = _with_files(folder, start)
    files = [file for found in find_role_files(folder, start).values() for file in found]
    if files:
        _refuse_groups(path, group_by)
        return read_role_files(folder, start), _hashes(files)
    files = [file for found in find_tables(folder, start).values() for file in found]
    # A table beside class folders may only list their pictures.
    if files and (all(holds_pixels(file) for file in files) or not _holds_classes(folder)):
        _refuse_groups(path, group_by)
        return read_tables(folder, start), _hashes(files)
    if not subfolders(folder):
        raise DataError(
            f"{path} is no dataset: no IDX or CSV files and no class-named folders of pictures are in it{_hint(folder)}"
        )
    return read_picture_folder(folder, *size, group_by=group_by), {}


def _hint(folder: Path) -> str:
    """Returns what may be done about a folder that is no dataset, told by the files in it."""
    files = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    single = [each.name for each in files if is_table(each) or each.suffix.lower() == ".npz"]
    if single:
        return f"; name a file in it: {', '.join(single[:3])}"
    idx = [each.name for each in files if is_idx(each)]
    if idx:
        expected = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"
        return f"; IDX files under other names are: {', '.join(idx[:4])}; call them as MNIST's, .gz or not: {expected}"
    pictures = sum(is_picture(each) for each in files)
    if pictures:
        lie = "1 picture lies" if pictures == 1 else f"{pictures:,} pictures lie"
        return f"; {lie} in it itself, in no class folder: move each into a folder with the name of its class"
    return next((f"; {each.name}: {words}" for each in files if (words := _what_to_do(each))), "")


def _what_to_do(path: Path) -> str | None:
    return next((words for suffixes, words in _WHAT_TO_DO.items() if path.name.lower().endswith(suffixes)), None)


def _refuse_groups(path: Path, group_by: str | None) -> None:
    """Refuses to tell groups of images that have neither file names nor an array beside them.

    Raises:
        DataError: the user asks for groups.
    """
    if group_by is not None:
        raise DataError(
            f"{path} does not tell groups; --group-by takes folders of pictures (by their names or a CSV file), or an .npz (by "
            "the name of an array)"
        )


def count_picture_classes(path: Path) -> int | None:
    """Returns how many classes a folder of pictures has, by its names alone; None of every other kind of dataset.

    Raises:
        DataError: the folder's classes cannot be told.
    """
    if not is_picture_folder(path):
        return None
    with reading_folder(path):
        return len(list_pictures(_with_files(path, "")).classes)


def is_picture_folder(path: Path) -> bool:
    """Returns whether a path is a folder of pictures, by its names alone, and not of another kind of dataset.

    Raises:
        DataError: it is not readable.
    """
    if not path.is_dir():
        return False
    with reading_folder(path):
        folder = _with_files(path, "")
        files = any(find_role_files(folder, "").values()) or any(find_tables(folder, "").values())
        return not files and bool(subfolders(folder))


def begins_files(path: Path) -> bool:
    """Returns whether a path that does not exist is the common prefix of a dataset's file names."""
    folder = path.parent
    if not path.name or not folder.is_dir():
        return False
    return any(find_role_files(folder, path.name)) or any(find_tables(folder, path.name))


def _read_file(path: Path, group_by: str | None) -> FoundData:
    """Returns one file.

    Raises:
        DataError: it is no dataset.
    """
    if path.suffix.lower() == ".npz":
        return read_npz(path, group_by)
    if is_table(path):
        _refuse_groups(path, group_by)
        return read_table(path)
    hint = _NAME_FOLDER if is_idx(path) else _what_to_do(path)
    raise DataError(f"{path} is no dataset: {hint or f'expected {_EXPECTED}'}")


def _with_files(folder: Path, start: str) -> Path:
    """Returns the folder itself, or the one inside it that holds the IDX or CSV files."""
    inside = subfolders(folder)
    for place in (folder, *(each for each in inside if len(inside) == 1 or each.name.lower() in _WRAPPED)):
        if find_role_files(place, start) or find_tables(place, start):
            return place
        deeper = [each for each in subfolders(place) if each.name.lower() in _WRAPPED] if place != folder else []
        if len(deeper) == 1 and find_role_files(deeper[0], start):
            return deeper[0]
    return folder


def _holds_classes(folder: Path) -> bool:
    """Returns whether a folder has pictures in class-named folders."""
    try:
        return bool(list_pictures(folder).pictures)
    except DataError:
        return False


def _hashes(files: list[Path]) -> dict[str, str]:
    return {file.name: sha256_of(file) for file in files}
