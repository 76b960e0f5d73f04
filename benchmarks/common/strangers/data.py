"""Section 3, data as people keep it: folder layouts, pixel ranges, EMNIST, MedMNIST's keys, CSV, and classes without images.

Most rows ask ``glyphlite.load_dataset``, the function that every command loads its data with: counts and pixels are seen at once.
"""

import contextlib
import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .harness import Desk, Measured, NotMeasuredError, all_right, row
from .inputs import shared_strokes
from .strokes import Strokes, strokes

SECTION = "data"


def load(path: Path, **settings: Any) -> tuple[Any, str]:
    """The dataset as every command gets it, and what was said meanwhile on both streams.

    Raises:
        NotMeasuredError: it is refused; the text is the error's.
    """
    from glyphlite.datasets.registry import load_dataset
    from glyphlite.errors import GlyphliteError

    words = io.StringIO()
    try:
        with contextlib.redirect_stderr(words), contextlib.redirect_stdout(words):
            return load_dataset(str(path), **settings), " ".join(words.getvalue().split())
    except GlyphliteError as error:
        raise NotMeasuredError(f"refused: {error}") from None


def sizes(dataset: Any) -> tuple[int, int, int]:
    """Images for training, validation and test."""
    return len(dataset.train), len(dataset.validation), len(dataset.test)


def put(root: Path, data: Strokes, first: int, count: int, *, suffix: str = "png", below: str = "") -> None:
    """Write pictures into class folders c0 to c3, ``below`` being further folders in each."""
    from PIL import Image

    for index in range(first, first + count):
        folder = root / f"c{data.labels[index]}" / below
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.images[index]).save(folder / f"{index}.{suffix}")


# --- layouts -----------------------------------------------------------------------------------------------------------------

_LAYOUTS: dict[str, tuple[dict[str, int], tuple[int | None, int | None, int], bool]] = {
    "training-testing": ({"training": 96, "testing": 40}, (88, 8, 40), True),
    "Train-Test": ({"Train": 96, "Test": 40}, (88, 8, 40), False),
    "TRAIN-TEST": ({"TRAIN": 96, "TEST": 40}, (88, 8, 40), False),
    "Training-Testing": ({"Training": 96, "Testing": 40}, (88, 8, 40), False),
    "train-valid": ({"train": 112, "valid": 24}, (96, 24, 16), True),
    "train-val": ({"train": 112, "val": 24}, (96, 24, 16), False),
    "train-validation": ({"train": 112, "validation": 24}, (96, 24, 16), False),
    "train-valid-test": ({"train": 96, "valid": 24, "test": 40}, (96, 24, 40), True),
    "Train-Val-Test": ({"Train": 96, "Val": 24, "Test": 40}, (96, 24, 40), False),
}


def _enter_layout(kind: str, parts: dict[str, int], wanted: tuple[int | None, int | None, int], small: bool) -> None:
    held = ", ".join(f"{name}/ {count}" for name, count in parts.items())
    expected = f"four classes; {wanted[0]} + {wanted[1]} + {wanted[2]} images for training, validation, test"

    @row(SECTION, f"layout-{kind}", f"pictures in {held}", expected, small=small)
    def measure(desk: Desk) -> Measured:
        data, first = shared_strokes(desk), 0
        for name, count in parts.items():
            put(desk.folder / "d" / name, data, first, count)
            first += count
        dataset, _ = load(desk.folder / "d")
        return Measured(f"{len(dataset.labels)} classes; {sizes(dataset)}", sizes(dataset) == wanted and len(dataset.labels) == 4)


for _kind, (_parts, _wanted, _small) in _LAYOUTS.items():
    _enter_layout(_kind, _parts, _wanted, _small)


def _enter_depth(kind: str, example: str, make: Callable[[Path, Strokes], None], root: str, classes: tuple[str, ...]) -> None:
    @row(SECTION, f"deep-{kind}", example, f"80 images of the classes {', '.join(classes)}", small=kind == "nist")
    def measure(desk: Desk) -> Measured:
        make(desk.folder / "d", shared_strokes(desk))
        dataset, _ = load(desk.folder / "d" / root)
        found = sum(sizes(dataset))
        return Measured(f"{found} images of {', '.join(dataset.labels)}", found == 80 and tuple(dataset.labels) == classes)


def _nist(root: Path, data: Strokes) -> None:
    from PIL import Image

    for index in range(80):
        folder = root / "by_class" / ("30", "31", "41", "61")[data.labels[index]] / f"hsf_{index % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - data.images[index]).save(folder / f"hsf_{index:05}.png")


_enter_depth("one", "class/scan/x.png", lambda root, data: put(root, data, 0, 80, below="scan"), "", ("c0", "c1", "c2", "c3"))
_enter_depth(
    "three",
    "class/2024/may/ink/x.png",
    lambda root, data: put(root, data, 0, 80, below="2024/may/ink"),
    "",
    ("c0", "c1", "c2", "c3"),
)
_enter_depth(
    "mixed",
    "half of the pictures in class/, half in class/more/",
    lambda root, data: (put(root, data, 0, 40), put(root, data, 40, 40, below="more"))[0],
    "",
    ("c0", "c1", "c2", "c3"),
)
_enter_depth("nist", "NIST's by_class/30/hsf_0/x.png", _nist, "by_class", ("30", "31", "41", "61"))


@row(
    SECTION,
    "hidden-files",
    "._x.png, .DS_Store, Thumbs.db, desktop.ini and a .git folder among the pictures",
    "80 images of four classes; nothing said about them",
    small=True,
)
def hidden_files(desk: Desk) -> Measured:
    root = desk.folder / "d"
    put(root, shared_strokes(desk), 0, 80)
    for folder in (root, *root.iterdir()):
        (folder / "._1.png").write_bytes(b"\0\5\x16\7" + bytes(60))
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (root / ".git").mkdir()
    (root / ".git" / "x.png").write_bytes(b"no")
    dataset, _ = load(root)
    return Measured(
        f"{sum(sizes(dataset))} images of {len(dataset.labels)}", sum(sizes(dataset)) == 80 and len(dataset.labels) == 4
    )


@row(
    SECTION,
    "unread-suffixes",
    "five .svg and three .pdf among 80 pictures",
    "80 images; 8 files and their suffixes said",
    small=True,
)
def unread_suffixes(desk: Desk) -> Measured:
    root = desk.folder / "d"
    put(root, shared_strokes(desk), 0, 80)
    for index in range(8):
        (root / f"c{index % 4}" / f"sketch{index}.{'svg' if index < 5 else 'pdf'}").write_text("<svg/>")
    dataset, words = load(root)
    said = "svg" in words and "pdf" in words and ("8" in words or ("5" in words and "3" in words))
    return Measured(f"{sum(sizes(dataset))} images; {words or 'silent'}", sum(sizes(dataset)) == 80 and said)


def _enter_suffix(suffix: str, small: bool) -> None:
    @row(SECTION, f"suffix-{suffix}", f"half of the pictures as .{suffix}", "80 images", small=small)
    def measure(desk: Desk) -> Measured:
        put(desk.folder / "d", shared_strokes(desk), 0, 40)
        put(desk.folder / "d", shared_strokes(desk), 40, 40, suffix=suffix)
        dataset, _ = load(desk.folder / "d")
        return Measured(f"{sum(sizes(dataset))} images", sum(sizes(dataset)) == 80)


for _suffix in ("tif", "tiff", "pgm", "bmp", "jpg", "PNG", "webp", "gif"):
    _enter_suffix(_suffix, _suffix in ("tif", "pgm"))


@row(
    SECTION,
    "class-names",
    "classes called 2, ², ½, ٣ (Arabic three), ① and 10",
    "six classes, in an order, no crash",
    small=True,
)
def class_names(desk: Desk) -> Measured:
    from PIL import Image

    names, data = ("2", "²", "½", "٣", "①", "10"), shared_strokes(desk)
    for index in range(120):
        folder = desk.folder / "d" / names[index % 6]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.images[index]).save(folder / f"{index}.png")
    dataset, _ = load(desk.folder / "d")
    return Measured(" ".join(dataset.labels), set(dataset.labels) == set(names))


@row(SECTION, "class-name-trains", "`train mlp` on classes called 1, 2 and ²", "exit code 0")
def class_name_trains(desk: Desk) -> Measured:
    from PIL import Image

    data = shared_strokes(desk)
    for index in range(60):
        folder = desk.folder / "d" / ("1", "2", "²")[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.images[index]).save(folder / f"{index}.png")
    done = desk.glyphlite("train", "mlp", "--dataset", "d", "--epochs", 1, "--out", "o", "--json")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 0)


# --- ranges ------------------------------------------------------------------------------------------------------------------


def _masks(images: np.ndarray) -> np.ndarray:
    return images > 90


_RANGES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], bool]] = {
    "bool": ("an .npz of bool", _masks, True),
    "uint8-0-1": ("an .npz of uint8 0 and 1", lambda images: _masks(images).astype(np.uint8), True),
    "int64-0-1": ("an .npz of int64 0 and 1", lambda images: _masks(images).astype(np.int64), False),
    "float-0-1": ("an .npz of floats 0.0 and 1.0", lambda images: _masks(images).astype(np.float64), False),
    "float-divided": ("an .npz of pixel / 255", lambda images: images / 255.0, False),
    "float-divided-twice": ("an .npz of pixel / 255 / 255", lambda images: images / 255.0 / 255.0, True),
    "float-0-255": ("an .npz of float32 0..255", lambda images: images.astype(np.float32), False),
    "float-signed": ("an .npz of pixel / 127.5 - 1", lambda images: images / 127.5 - 1, False),
    "int32": ("an .npz of int32 0..255", lambda images: images.astype(np.int32), False),
    "uint16": ("an .npz of uint16 0..65535", lambda images: images.astype(np.uint16) * 257, False),
    "0-15": ("an .npz of uint8 0..15 (scikit-learn's range is 0..16)", lambda images: images // 16, False),
    "all-zero": ("an .npz of nothing but zeros", np.zeros_like, True),
}


def _enter_range(kind: str, example: str, form: Callable[[np.ndarray], np.ndarray], small: bool) -> None:
    @row(SECTION, f"range-{kind}", example, "black is 0 and white at least 200 of 255, or one clear line", small=small)
    def measure(desk: Desk) -> Measured:
        return _pixels(shared_strokes(desk).save_npz(desk.folder / "d.npz", form))


def _pixels(path: Path) -> Measured:
    try:
        dataset, _ = load(path)
    except NotMeasuredError as refusal:
        return Measured(str(refusal), "Error" not in str(refusal) and len(str(refusal)) > 30)
    low, high = int(dataset.train.images.min()), int(dataset.train.images.max())
    return Measured(f"pixels of {low} to {high}", low == 0 and high >= 200)


for _kind, (_example, _form, _small) in _RANGES.items():
    _enter_range(_kind, _example, _form, _small)


_PICTURES: dict[str, tuple[str, Callable[[np.ndarray], Any], bool]] = {
    "mask-0-1": ("8-bit masks of 0 and 1", lambda image: _picture((image > 90).astype(np.uint8)), True),
    "mask-1-bit": ("pictures of 1 bit", lambda image: _picture(image).convert("1"), False),
    "16-bit-small": ("16-bit pictures holding 0..255", lambda image: _picture(image.astype(np.uint16)), True),
    "16-bit": ("16-bit pictures of 0..65535", lambda image: _picture(image.astype(np.uint16) * 257), False),
    "palette": ("palette pictures", lambda image: _picture(image).convert("P"), False),
    "transparent": ("black strokes on transparent ground", lambda image: _transparent(image), False),
}


def _picture(pixels: np.ndarray) -> Any:
    from PIL import Image

    return Image.fromarray(pixels)


def _transparent(image: np.ndarray) -> Any:
    return _picture(np.dstack([np.zeros((*image.shape, 3), np.uint8), image]))


def _enter_picture(kind: str, example: str, form: Callable[[np.ndarray], Any], small: bool) -> None:
    @row(
        SECTION,
        f"pictures-{kind}",
        f"class folders of PNG: {example}",
        "black is 0, white at least 200, or one clear line",
        small=small,
    )
    def measure(desk: Desk) -> Measured:
        data = shared_strokes(desk)
        for index in range(80):
            folder = desk.folder / "d" / f"c{data.labels[index]}"
            folder.mkdir(parents=True, exist_ok=True)
            form(data.images[index]).save(folder / f"{index}.png")
        return _pixels(desk.folder / "d")


for _kind, (_example, _form, _small) in _PICTURES.items():
    _enter_picture(_kind, _example, _form, _small)


# --- EMNIST, MedMNIST, CSV ---------------------------------------------------------------------------------------------------


def _idx(path: Path, array: np.ndarray) -> None:
    content = (
        bytes([0, 0, 8, array.ndim])
        + b"".join(struct.pack(">I", size) for size in array.shape)
        + array.astype(np.uint8).tobytes()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def _emnist(folder: Path, data: Strokes, split: str, first: int, *, suffix: str = "") -> None:
    """Files as NIST hands them out: every image transposed, labels from ``first``."""
    for part, images, labels in (("train", data.images, data.labels), ("test", data.test_images, data.test_labels)):
        _idx(folder / f"emnist-{split}-{part}-images-idx3-ubyte{suffix}", images.transpose(0, 2, 1))
        _idx(folder / f"emnist-{split}-{part}-labels-idx1-ubyte{suffix}", labels + first)


def _lopsided(desk: Desk) -> Strokes:
    """Strokes whose transpose is another image: the upper right corner is cut off."""
    data = shared_strokes(desk)
    images, tests = data.images.copy(), data.test_images.copy()
    images[:, :14, 14:] = tests[:, :14, 14:] = 0
    return Strokes(images, data.labels, tests, data.test_labels)


def _upright(dataset: Any, data: Strokes, words: str, names: tuple[str, ...], *, turned: bool = True) -> Measured:
    pixels = dataset.test.images[..., 0]
    state = "upright" if np.array_equal(pixels, data.test_images) else "transposed"
    said = any(word in words.lower() for word in ("transpose", "upright", "emnist"))
    first = int(dataset.test.labels.min())
    found = f"{state}, {'said' if said else 'silent'}; classes {' '.join(dataset.labels)}; labels from {first}"
    right = state == "upright" and (said or not turned) and tuple(dataset.labels) == names and first == 0
    return Measured(found, right)


@row(
    SECTION,
    "emnist-letters",
    "EMNIST letters as handed out: .gz, transposed, labels from 1, mapping '1 65 97'",
    "upright and said; the classes A to D from 0",
    small=True,
)
def emnist_letters(desk: Desk) -> Measured:
    folder, data = desk.folder / "emnist", _lopsided(desk)
    _emnist(folder, data, "letters", 1, suffix=".gz")
    (folder / "emnist-letters-mapping.txt").write_text("".join(f"{k + 1} {65 + k} {97 + k}\n" for k in range(4)))
    dataset, words = load(folder)
    names = tuple(label.upper()[0] for label in dataset.labels)
    measured = _upright(dataset, data, words, tuple(dataset.labels))
    return Measured(measured.words, measured.right and names == tuple("ABCD"))


@row(
    SECTION,
    "emnist-balanced",
    "EMNIST balanced: labels from 0, mapping '0 48'",
    "upright and said; the classes 0 to 3",
)
def emnist_balanced(desk: Desk) -> Measured:
    folder, data = desk.folder / "emnist", _lopsided(desk)
    _emnist(folder, data, "balanced", 0)
    (folder / "emnist-balanced-mapping.txt").write_text("".join(f"{k} {48 + k}\n" for k in range(4)))
    dataset, words = load(folder)
    return _upright(dataset, data, words, tuple("0123"))


@row(
    SECTION,
    "labels-txt-from-1",
    "IDX files (not EMNIST's) with labels 1 to 4 and a labels.txt of four names",
    "as they are; the four names from 0",
    small=True,
)
def labels_from_one(desk: Desk) -> Measured:
    folder, data = desk.folder / "idx", _lopsided(desk)
    for part, images, labels in (("train", data.images, data.labels), ("t10k", data.test_images, data.test_labels)):
        _idx(folder / f"{part}-images-idx3-ubyte", images)
        _idx(folder / f"{part}-labels-idx1-ubyte", labels + 1)
    (folder / "labels.txt").write_text("north\neast\nsouth\nwest\n")
    dataset, words = load(folder)
    return _upright(dataset, data, words, ("north", "east", "south", "west"), turned=False)


@row(
    SECTION,
    "medmnist-keys",
    "an .npz with train_images, train_labels (n, 1), val_images, test_images",
    "400 + 40 + 100 images",
    small=True,
)
def medmnist(desk: Desk) -> Measured:
    data = shared_strokes(desk)
    np.savez(
        desk.folder / "med.npz",
        train_images=data.images,
        train_labels=data.labels[:, None],
        val_images=data.images[:40],
        val_labels=data.labels[:40, None],
        test_images=data.test_images,
        test_labels=data.test_labels[:, None],
    )
    dataset, _ = load(desk.folder / "med.npz")
    return Measured(f"{sizes(dataset)}", sizes(dataset) == (400, 40, 100))


@row(SECTION, "medmnist-no-validation", "an .npz with train_images, train_labels, test_images, test_labels", "400 and 100 images")
def medmnist_two(desk: Desk) -> Measured:
    data = shared_strokes(desk)
    np.savez(
        desk.folder / "med.npz",
        train_images=data.images,
        train_labels=data.labels,
        test_images=data.test_images,
        test_labels=data.test_labels,
    )
    dataset, _ = load(desk.folder / "med.npz")
    found = sizes(dataset)
    return Measured(f"{found}", found[0] + found[1] == 400 and found[2] == 100)


@row(SECTION, "npz-other-keys", "an .npz with the keys a and b", "one line that names the keys found and expected", small=True)
def other_keys(desk: Desk) -> Measured:
    np.savez(desk.folder / "d.npz", a=np.zeros((4, 28, 28)), b=np.zeros(4))
    done = desk.glyphlite("train", "mlp", "--dataset", "d.npz", "--epochs", 1, "--out", "o")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2 and done.says("x_train"))


def _csv(path: Path, images: np.ndarray, labels: np.ndarray | None, *, header: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = images.reshape(len(images), -1)
    names = [f"pixel{k}" for k in range(table.shape[1])]
    if labels is not None:
        table, names = np.column_stack([labels, table]), ["label", *names]
    lines = [",".join(names)] if header else []
    path.write_text("\n".join(lines + [",".join(map(str, line)) for line in table.tolist()]) + "\n")


@row(
    SECTION,
    "csv-kaggle",
    "Kaggle's train.csv: a header, label first, 784 columns",
    "400 images, pixels up to 255, four classes",
    small=True,
)
def csv_kaggle(desk: Desk) -> Measured:
    data = shared_strokes(desk)
    _csv(desk.folder / "train.csv", data.images, data.labels, header=True)
    dataset, _ = load(desk.folder / "train.csv")
    return _csv_measured(dataset, 400, data)


@row(
    SECTION, "csv-no-header", "mnist_train.csv and mnist_test.csv without headers, in a folder", "400 and 100 images", small=True
)
def csv_folder(desk: Desk) -> Measured:
    data = shared_strokes(desk)
    _csv(desk.folder / "d/mnist_train.csv", data.images, data.labels, header=False)
    _csv(desk.folder / "d/mnist_test.csv", data.test_images, data.test_labels, header=False)
    dataset, _ = load(desk.folder / "d")
    measured = _csv_measured(dataset, 500, data)
    return Measured(f"{measured.words}, {len(dataset.test)} to test", measured.right and len(dataset.test) == 100)


@row(SECTION, "csv-one-file", "one file without a header", "400 images")
def csv_one_file(desk: Desk) -> Measured:
    data = shared_strokes(desk)
    _csv(desk.folder / "strokes.csv", data.images, data.labels, header=False)
    dataset, _ = load(desk.folder / "strokes.csv")
    return _csv_measured(dataset, 400, data)


@row(
    SECTION, "csv-kaggle-folder", "Kaggle's folder: train.csv, and test.csv without labels", "400 images; test.csv left out, said"
)
def csv_kaggle_folder(desk: Desk) -> Measured:
    data = shared_strokes(desk)
    _csv(desk.folder / "d/train.csv", data.images, data.labels, header=True)
    _csv(desk.folder / "d/test.csv", data.test_images, None, header=True)
    dataset, words = load(desk.folder / "d")
    measured = _csv_measured(dataset, 400, data)
    return Measured(f"{measured.words}; {words}", measured.right and "test.csv" in words)


@row(SECTION, "csv-of-something-else", "a table of five columns of text", "one line, exit code 2")
def csv_other(desk: Desk) -> Measured:
    (desk.folder / "d.csv").write_text("name,city,a,b,c\nAda,London,1,2,3\n")
    done = desk.glyphlite("train", "mlp", "--dataset", "d.csv", "--epochs", 1, "--out", "o")
    return Measured(f"exit code {done.code}: {done.last_line}", done.refused)


def _csv_measured(dataset: Any, images: int, data: Strokes) -> Measured:
    found, brightest = sum(sizes(dataset)), int(dataset.train.images.max())
    right = found == images and brightest == int(data.images.max()) and len(dataset.labels) == 4
    shape = dataset.train.images.shape[1:]
    return Measured(
        f"{found} images of {shape}, up to {brightest}, {len(dataset.labels)} classes", right and shape == (28, 28, 1)
    )


# --- classes without images --------------------------------------------------------------------------------------------------


def _lacking(desk: Desk) -> Path:
    """Class c3 has no test image."""
    data = shared_strokes(desk)
    put(desk.folder / "d/train", data, 0, 96)
    kept = data.labels != 3
    put(desk.folder / "d/test", Strokes(data.images[kept], data.labels[kept], data.test_images, data.test_labels), 100, 30)
    return desk.folder / "d"


@row(SECTION, "class-without-test-image", "four classes to train, test/ lacks c3", "c3 is named before training", small=True)
def class_without_test(desk: Desk) -> Measured:
    dataset, words = load(_lacking(desk))
    said = "c3" in words and "test" in words
    return Measured(f"{len(dataset.labels)} classes; {words or 'silent'}", len(dataset.labels) == 4 and said)


@row(
    SECTION,
    "class-not-measured",
    "`run` on that data, one epoch",
    "report.html says that c3 is not measured; results.json gives it no 0",
)
def class_not_measured(desk: Desk) -> Measured:
    _lacking(desk)
    done = desk.glyphlite(
        "run", "--model", "mlp", "--dataset", "d", "--epochs", 1, "--verify-images", 10, "--out", "run", "--json", process=True
    )
    per_class = done.json()["keras"]["per_class"]
    page = (desk.folder / "run/report.html").read_text()
    value = per_class[3] if len(per_class) > 3 else None
    return all_right(
        [
            ("'not measured' on the page", "not measured" in page),
            ("c3 named before training", done.says("c3")),
            (f"no 0 of c3: {value}", value is None or value.get("n") == 0),
        ]
    )


@row(SECTION, "class-of-one-image", "a class of a single picture", "said before training, or one line", small=True)
def class_of_one(desk: Desk) -> Measured:
    from PIL import Image

    put(desk.folder / "d", shared_strokes(desk), 0, 80)
    (desk.folder / "d/rare").mkdir()
    Image.fromarray(strokes(4, 4, 4).images[0]).save(desk.folder / "d/rare/1.png")
    try:
        _, words = load(desk.folder / "d")
    except NotMeasuredError as refusal:
        words = str(refusal)
    return Measured(words or "silent", "rare" in words)


@row(SECTION, "broken-picture", "one damaged PNG among 80", "one line that names it, or 79 images and its name", small=True)
def broken_picture(desk: Desk) -> Measured:
    put(desk.folder / "d", shared_strokes(desk), 0, 80)
    (desk.folder / "d/c0/0.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    try:
        dataset, words = load(desk.folder / "d")
        words = f"{sum(sizes(dataset))} images; {words}"
    except NotMeasuredError as refusal:
        words = str(refusal)
    return Measured(words, "0.png" in words)
