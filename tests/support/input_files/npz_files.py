"""Archives of arrays as NumPy writes them, their parts changed with right checksums."""

import functools
import io
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.datasets.own.archives import read_npz
from glyphlite.datasets.registry import load_dataset
from support.input_files.idx_files import TRAIN_IMAGES, TRAIN_LABELS, arrays

NAMES = (
    "x_train",
    "y_train",
    "x_test",
    "x_val",
    "labels",
    "classes",
    "arr_0",
    "",
    ".",
    "../../etc/passwd",
    "/abs",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "line\nbreak",
    "[bold]x_train[/bold]",
    "$^$",
    "\u202eexe",
    "\u2028",
    "名",
    "x" * 5000,
)
DESCRIPTIONS = (
    "'|O'",
    "'|O8'",
    "'<M8[ns]'",
    "'|V4'",
    "'<U99999999'",
    "'<U0'",
    "'|S0'",
    "'<f16'",
    "'<c8'",
    "'|b1'",
    "'>u2'",
    "'<e'",
    "''",
    "'i'",
    "'x8'",
    "3",
    "None",
    "[('a','<f4')]",
    "[('a','|O')]",
    "('<f4',(2,))",
    "('<f4',(-1,))",
    "('<f4',(99999999999,))",
    "'<f4,<f4'",
    "'" + "(" * 300 + "'",
    "b'<f4'",
)
SHAPES = (
    "()",
    "(0,)",
    "(40,)",
    "(40,64)",
    "(-40,8,-8)",
    "(-1,)",
    "(40,8,8,)",
    "(8,40,8)",
    "(40,8,8,1,1,1,1,1)",
    "(2560,)",
    "(1L,)",
    "(40L,8,8",
    "40",
    "None",
    "(1.5,2)",
    "(True,2560)",
    "(99999999999999999999999,)",
    "(4294967296,4294967296)",
    "('a',)",
    "(0,99999999999)",
    "(" + "1," * 70 + ")",
    "(" * 500 + ")" * 500,
    "[40,8,8]",
    "(40,8,8) if 1 else 2",
    "(__import__('os').system('true'),)",
)


@functools.cache
def sources() -> dict[str, bytes]:
    """Returns archives called as Keras's, as MedMNIST's and without names; stored, compressed, of floats, with class names."""
    images, labels = arrays()[TRAIN_IMAGES], arrays()[TRAIN_LABELS]
    names = np.array(["one", "two", "three", "four"])
    return {
        "stored.npz": _saved(x_train=images, y_train=labels, x_test=images[:16], y_test=labels[:16]),
        "packed.npz": _saved(
            packed=True, train_images=images, train_labels=labels[:, None], test_images=images, test_labels=labels
        ),
        "floats.npz": _saved(X=(images / 255).astype(np.float32).reshape(40, 64), y=labels.astype(np.int64), class_names=names),
        "unnamed.npz": _saved(arr_0=images[..., None], arr_1=np.eye(4)[labels]),
        "words.npz": _saved(data=images.astype(np.float64), target=names[labels]),
    }


def _saved(*, packed: bool = False, **stored: Any) -> bytes:
    members = {f"{name}.npy": _npy(array) for name, array in stored.items()}
    return _zipped(list(members.items()), zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content)
    return stream.getvalue()


def _unzipped(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def take(path: Path) -> list[str]:
    """Reads the archive and loads it as a dataset; an accepted one must hold what NumPy's own reader finds."""
    load_dataset(str(path))
    found = read_npz(path)
    with np.load(path, allow_pickle=False) as stored:
        for name in ("x_train", "train_images"):
            if name in stored.files:
                expected = stored[name]
                plain = expected.dtype == np.uint8 and expected.ndim == 3 and (expected.min(), expected.max()) == (0, 255)
                if plain and len(expected) == len(found.train) and not np.array_equal(found.train.images[..., 0], expected):
                    return ["the images accepted are not those that NumPy reads"]
    return []


def _picked(content: bytes, rng: Any) -> tuple[list[tuple[str, bytes]], int]:
    members = _unzipped(content)
    return members, int(rng.integers(len(members)))


def _header(content: bytes, rng: Any) -> bytes:
    """Another text in an array's header, with the length that fits it, or nearly."""
    members, place = _picked(content, rng)
    name, array = members[place]
    length = struct.unpack_from("<H", array, 8)[0]
    text = array[10 : 10 + length].decode()
    choice = int(rng.integers(7))
    if choice == 0:
        start = text.index("'shape':") + 8
        text = f"{text[:start]} {SHAPES[int(rng.integers(len(SHAPES)))]}, }}"
    elif choice == 1:
        start, end = text.index("'descr':") + 8, text.index(", 'fortran")
        text = f"{text[:start]} {DESCRIPTIONS[int(rng.integers(len(DESCRIPTIONS)))]}{text[end:]}"
    elif choice == 2:
        text = text.replace("False", str(rng.choice(("True", "1", "'x'", "None", "[]"))))
    elif choice == 3:
        text = str(rng.choice(("", "{}", "[]", "{'descr'}", "{" * 999, "'" * 3, "\\", "\x00", "é" * 99, "{1:", '"""')))
    elif choice == 4:
        cut = int(rng.integers(len(text)))
        text = (
            text[:cut]
            + str(rng.choice(("", "(", "'", "L", "\n", "0x", "1_0", "#", "\\N{", "\ud800".encode("utf-8", "replace").decode())))
            + text[cut + 1 :]
        )
    elif choice == 5:
        text += " " * int(rng.choice((9_990, 20_000, 60_000)))
    else:
        text = text.replace("}", f"'more': {'9' * int(rng.choice((5, 5000)))}, }}")
    encoded = text.encode("latin1", "replace")
    wrong = int(rng.choice((0, 0, 0, 0, 1, -1, 1000)))
    stated = max(0, min(65535, len(encoded) + wrong))
    members[place] = name, array[:8] + struct.pack("<H", stated) + encoded + array[10 + length :]
    return _zipped(members)


def _version(content: bytes, rng: Any) -> bytes:
    """Another format version, and a length of up to 4 GiB where it is of four bytes."""
    members, place = _picked(content, rng)
    name, array = members[place]
    version = (int(rng.choice((0, 1, 2, 3, 4, 255))), int(rng.choice((0, 1, 255))))
    length = struct.unpack_from("<H", array, 8)[0]
    stated = int(rng.choice((length, 0, 2**31, 2**32 - 1)))
    members[place] = name, array[:6] + bytes(version) + struct.pack("<I", stated) + array[10:]
    return _zipped(members)


def _names(content: bytes, rng: Any) -> bytes:
    """Other names of members, some twice."""
    members = _unzipped(content)
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(members)))
        name = NAMES[int(rng.integers(len(NAMES)))] + str(rng.choice((".npy", ".npy", "", ".NPY")))
        members[place] = name, members[place][1]
    if rng.integers(2):
        members.append(members[int(rng.integers(len(members)))])
    return _zipped(members)


def _arrays(content: bytes, rng: Any) -> bytes:
    """Another array: of other type, shape or values."""
    members, place = _picked(content, rng)
    name, array = members[place]
    found: np.ndarray = np.load(io.BytesIO(array))
    choice = int(rng.integers(8))
    with np.errstate(all="ignore"):
        if choice == 0 and found.dtype.kind != "U":
            dtype = str(rng.choice(("i1", ">i2", "f2", "f8", "?", "c16", "u8", "S3", "U2", "M8[s]", "f4")))
            found = found.astype(np.int64).astype(dtype)
        elif choice == 1:
            found = found.reshape(tuple(int(each) for each in rng.permutation(found.shape)))
        elif choice == 2:
            found = found[: int(rng.choice((0, 1, 2, 39)))]
        elif choice == 3 and found.dtype.kind in "fiu":
            found = found.astype(np.float64)
            found.flat[int(rng.integers(found.size))] = float(rng.choice((np.nan, np.inf, -np.inf, 1e308, -1.0, 0.5)))
        elif choice == 4 and found.dtype.kind in "fiu":
            found = found.astype(np.int64)
            found.flat[int(rng.integers(found.size))] = int(rng.choice((-1, 255, 4097, 2**31, 2**62, -(2**63))))
        elif choice == 5:
            found = np.array([str(rng.choice(("\x1b[2J", "a\nb", "", "\x00", "é", "x" * 999))) for _ in range(len(found))])
        elif choice == 6:
            found = np.zeros((40, int(rng.choice((1, 8, 512))), int(rng.choice((1, 8, 4096)))), np.uint8)
        else:
            found = found.ravel()[: int(rng.integers(3))].reshape(-1)
    members[place] = name, _npy(found)
    return _zipped(members, zipfile.ZIP_DEFLATED)


def _directory(content: bytes, rng: Any) -> bytes:
    """Another number in the zip's directory, its end, or a local header."""
    changed = bytearray(content)
    mark = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04")[int(rng.integers(3))]
    places = [place for place in range(len(changed) - 4) if changed[place : place + 4] == mark]
    place = places[int(rng.integers(len(places)))] + 4 + 2 * int(rng.integers({1: 21, 5: 9, 3: 13}[mark[2]]))
    size = int(rng.choice((2, 4)))
    value = int(rng.choice((0, 1, 8, 9, 12, 14, 93, 99, 255, 65535, 2**31, 2**32 - 1))) & ((1 << 8 * size) - 1)
    changed[place : place + size] = value.to_bytes(size, "little")
    return bytes(changed)


def _bomb(content: bytes, rng: Any) -> bytes:
    """Zeros that unpack to 200 MB, under a name that is read or one that is left aside; or thousands of members."""
    members = _unzipped(content)
    if rng.integers(4) == 0:
        return _zipped([*members, *((f"{number}.npy", b"") for number in range(3000))])
    return _zeros() if rng.integers(2) else _zipped([*members, ("more.npy", b"")])


@functools.cache
def _zeros() -> bytes:
    labels = np.zeros(200 << 10, np.uint8)
    return _saved(packed=True, x_train=np.zeros((200 << 10, 32, 32), np.uint8), y_train=labels)


CHANGES = {
    "header": _header,
    "header text": _header,
    "version": _version,
    "names": _names,
    "arrays": _arrays,
    "zip": _directory,
    "bomb": _bomb,
}
