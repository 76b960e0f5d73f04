"""Models as Keras saves them: their JSON, archive and HDF5 parts changed, with right checksums."""

import copy
import functools
import io
import json
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from support.forked import fork, wait_for

SHAPE, CLASSES = (8, 8, 1), 3
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
SCALARS: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    -1,
    2,
    0.5,
    1e308,
    10**9,
    2**63,
    10**400,
    "",
    "relu",
    "no_such",
    "float16",
    "float64",
    "int8",
    "string",
    "channels_first",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "a\nb",
    "[bold]",
    "\u202e",
    "../../etc/passwd",
    "__lambda__",
    [],
    {},
    [0],
    [-1, -1],
    [3],
    [10**6, 10**6],
    [1, 2, 3, 4, 5],
    [None, None],
)
CLASS_NAMES = (
    "Dense",
    "Conv2D",
    "Lambda",
    "Flatten",
    "Sequential",
    "Functional",
    "Model",
    "InputLayer",
    "Dropout",
    "LSTM",
    "Embedding",
    "UpSampling2D",
    "ZeroPadding2D",
    "RepeatVector",
    "StringLookup",
    "TextVectorization",
    "TFSMLayer",
    "TorchModuleWrapper",
    "Bidirectional",
    "Adam",
    "Own",
    "\x1b[31mOwn",
    "",
    "function",
    "__tensor__",
    "__numpy__",
    "__bytes__",
    "__class__",
    "slice",
)
MODULES = (
    "keras",
    "keras.layers",
    "keras.src.ops",
    "builtins",
    "os",
    "subprocess",
    "keras.utils",
    "glyphlite",
    "numpy",
    "",
    None,
)


@functools.cache
def sources() -> dict[str, bytes]:
    """Returns small classifiers: sequential and functional .keras files, one with normalizations, and an .h5 file.

    Made in a child process: whoever forks after TensorFlow has computed something may find it locked in the child.
    """
    import keras  # noqa: F401 - once, for every child

    with tempfile.TemporaryDirectory() as folder:
        child = fork(lambda: _save_models(Path(folder)))
        assert wait_for(child) == 0, "the sound models could not be made"
        return {path.name: _plain(path.read_bytes()) for path in sorted(Path(folder).iterdir())}


def _save_models(folder: Path) -> None:
    import keras

    image = keras.Input(SHAPE)
    inner = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    inner = keras.layers.Add()([inner, keras.layers.DepthwiseConv2D(3, padding="same")(inner)])
    inner = keras.layers.Concatenate()([keras.layers.MaxPooling2D()(inner), keras.layers.AveragePooling2D(2)(inner)])
    branches = keras.Model(image, keras.layers.Dense(CLASSES, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inner)))
    small = [keras.layers.Conv2D(2, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(CLASSES)]
    rows = [keras.layers.Rescaling(1 / 255), keras.layers.BatchNormalization(), keras.layers.Dropout(0.2)]
    models = {
        "branches.keras": branches,
        "small.keras": keras.Sequential([keras.Input(SHAPE), *small, keras.layers.Softmax()]),
        "rows.keras": keras.Sequential(
            [keras.Input(SHAPE), *rows, keras.layers.Flatten(), keras.layers.Dense(CLASSES, "softmax")]
        ),
        "small.h5": keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(CLASSES, "softmax")]),
    }
    for number, (name, model) in enumerate(models.items()):
        rng = np.random.default_rng(number)  # the same bytes in every process: a file is known by its seed and number
        model.set_weights([rng.uniform(0, 0.3, weights.shape).astype(np.float32) for weights in model.get_weights()])
        model.save(folder / name)


def _plain(content: bytes) -> bytes:
    """Returns a .keras file without the time that it was saved at."""
    from glyphlite.models.saving import without_circumstances

    return without_circumstances(content) if content[:2] == b"PK" else content


@functools.cache
def _answers() -> dict[str, Any]:
    """Returns the outputs of the sound models by name, as far as they were asked for."""
    return {}


def take(path: Path) -> list[str]:
    """Loads the model as a classifier; one whose architecture and weights are the sound ones must answer as that."""
    from glyphlite.models.loading import load_keras_model
    from glyphlite.models.user import classifier

    model = classifier(load_keras_model(path), SHAPE, CLASSES, str(path))
    images = np.random.default_rng(0).random((2, *SHAPE)).astype(np.float32)
    found = np.asarray(model(images, training=False))
    if found.shape != (2, CLASSES) or not np.isfinite(found).all():
        return ["a classifier was accepted that gives no finite scores"]
    source = sources().get(path.name)
    if source is None or path.suffix != ".keras" or _parts(path.read_bytes()) != _parts(source):
        return []
    if path.name not in _answers():
        sound = path.with_name(f"sound-{path.name}")
        sound.write_bytes(source)
        _answers()[path.name] = np.asarray(classifier(load_keras_model(sound), SHAPE, CLASSES, "sound")(images, training=False))
        sound.unlink()
    same = np.array_equal(found, _answers()[path.name])
    return [] if same else ["a model was accepted that answers otherwise than its parts say"]


def _parts(content: bytes) -> tuple[bytes, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(_CONFIG), archive.read(_WEIGHTS)


def _unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content)
    return stream.getvalue()


def _architecture(content: bytes) -> str:
    if content[:2] == b"PK":
        return _unzipped(content)[_CONFIG].decode()
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        return str(file.attrs["model_config"])


def _with_architecture(content: bytes, text: str) -> bytes:
    if content[:2] == b"PK":
        return _zipped({**_unzipped(content), _CONFIG: text.encode("utf-8", "surrogatepass")})
    return _in_hdf5(content, lambda file: file.attrs.__setitem__("model_config", text))


def _in_hdf5(content: bytes, change: Any) -> bytes:
    """Returns a model with its HDF5 part changed."""
    import h5py

    members = _unzipped(content) if content[:2] == b"PK" else {_WEIGHTS: content}
    stream = io.BytesIO(members[_WEIGHTS])
    with h5py.File(stream, "r+") as file:
        change(file)
    members[_WEIGHTS] = stream.getvalue()
    return _zipped(members) if content[:2] == b"PK" else members[_WEIGHTS]


def _nodes(document: Any) -> list[tuple[Any, Any]]:
    """Returns every place of a document: its container and the key or position in it."""
    found = []
    for key in list(document) if isinstance(document, dict) else range(len(document)):
        found.append((document, key))
        if isinstance(document[key], dict | list):
            found += _nodes(document[key])
    return found


def _edited(content: bytes, rng: Any, edit: Any) -> bytes:
    document = json.loads(_architecture(content))
    for _ in range(int(rng.choice((1, 1, 1, 2, 5)))):
        places = _nodes(document)
        if places:
            edit(places, rng)
    return _with_architecture(content, json.dumps(document))


def _scalars(content: bytes, rng: Any) -> bytes:
    """Other values somewhere in the architecture."""

    def edit(places: Any, rng: Any) -> None:
        leaves = [(holder, key) for holder, key in places if not isinstance(holder[key], dict)]
        holder, key = leaves[int(rng.integers(len(leaves)))]
        holder[key] = copy.deepcopy(SCALARS[int(rng.integers(len(SCALARS)))])

    return _edited(content, rng, edit)


def _subtrees(content: bytes, rng: Any) -> bytes:
    """Parts of the architecture removed, repeated, or put in the place of others."""

    def edit(places: Any, rng: Any) -> None:
        holder, key = places[int(rng.integers(len(places)))]
        other, place = places[int(rng.integers(len(places)))]
        choice = int(rng.integers(3))
        if choice == 0:
            del holder[key]
        elif choice == 1:
            holder[key] = copy.deepcopy(other[place])
        elif isinstance(holder, list):
            holder.insert(key, copy.deepcopy(other[place]))
        else:
            holder["more"] = copy.deepcopy(other[place])

    return _edited(content, rng, edit)


def _classes(content: bytes, rng: Any) -> bytes:
    """Other classes and modules."""

    def edit(places: Any, rng: Any) -> None:
        named = [(holder, key) for holder, key in places if key in ("class_name", "module", "registered_name")]
        holder, key = named[int(rng.integers(len(named)))]
        choices = CLASS_NAMES if key != "module" else MODULES
        holder[key] = choices[int(rng.integers(len(choices)))]

    return _edited(content, rng, edit)


def _sizes(content: bytes, rng: Any) -> bytes:
    """Other numbers of units, filters and windows, and other input shapes: up to what no memory holds."""
    keys = ("units", "filters", "kernel_size", "pool_size", "strides", "rate", "batch_shape", "shape", "axis", "dilation_rate")
    values = (0, 1, 2, 3, 7, 64, 4096, 10**5, 10**7, 10**9, -1)

    def edit(places: Any, rng: Any) -> None:
        sized = [(holder, key) for holder, key in places if key in keys and holder[key] is not None]
        holder, key = sized[int(rng.integers(len(sized)))]
        if isinstance(holder[key], list) and holder[key]:
            holder[key][int(rng.integers(len(holder[key])))] = int(rng.choice(values))
        else:
            holder[key] = int(rng.choice(values))

    return _edited(content, rng, edit)


def _text(content: bytes, rng: Any) -> bytes:
    """Another text in place of the architecture, or some characters of it."""
    text = _architecture(content)
    choice = int(rng.integers(6))
    if choice == 0:
        text = str(rng.choice(("", "null", "[]", "{}", "0", '"x"', "{", "\x00", '{"a":', "NaN", "[" * 20_000, '{"a":' * 20_000)))
    elif choice == 1:
        deep = int(rng.choice((50, 400, 5000)))
        text = text.replace('"config": {', '"config": {"deep": ' + "[" * deep + "]" * deep + ", ", 1)
    elif choice == 2:
        text += str(rng.choice((" ", "}", "x", "\ud800", "//")))
    elif choice == 3 and content[:2] == b"PK":  # an attribute of HDF5 holds no more than 64 KiB
        text = text.replace(
            '"layers": [', '"layers": [' + '{"class_name": "Flatten", "config": {}}, ' * int(rng.choice((100, 6000))), 1
        )
    else:
        for _ in range(int(rng.integers(1, 6))):
            place = int(rng.integers(len(text)))
            text = text[:place] + str(rng.choice(tuple('{}[]",:0-eE\\ntf \x1b'))) + text[place + 1 :]
    return _with_architecture(content, text if content[:2] == b"PK" else text[:60_000].replace("\ud800", "?"))


def _members(content: bytes, rng: Any) -> bytes:
    """Other parts in the archive: missing, renamed, more of them, empty, unpacking to 200 MB."""
    if content[:2] != b"PK":
        return _hdf5(content, rng)
    members = _unzipped(content)
    name = list(members)[int(rng.integers(len(members)))]
    choice = int(rng.integers(7))
    if choice == 0:
        del members[name]
    elif choice == 1:
        members[str(rng.choice(("config.jso", "../config.json", "assets/x", "\x1b[31m.json", "model.weights.npz")))] = (
            members.pop(name)
        )
    elif choice == 2:
        members[name] = bytes(int(rng.choice((0, 10, 3000))))
    elif choice == 3:
        return _blank(name)
    elif choice == 4:
        members |= {f"assets/{number}": b"" for number in range(int(rng.choice((5, 2000))))}
    elif choice == 5:
        members[_METADATA] = str(rng.choice(("", "[]", "{", "null", '{"keras_version": 4}', '{"keras_version": "9"}'))).encode()
    else:
        members["assets/../../../escaped.txt"] = b"x"
    return _zipped(members, zipfile.ZIP_DEFLATED if rng.integers(2) else zipfile.ZIP_STORED)


@functools.cache
def _blank(name: str) -> bytes:
    text = b'{"class_name": "Sequential", "config": {"layers": [' + b" " * (200 << 20) + b"]}}"
    members = _unzipped(sources()["small.keras"]) | {name: text if name.endswith("json") else bytes(200 << 20)}
    return _zipped(members, zipfile.ZIP_DEFLATED)


def _weight_bytes(content: bytes, rng: Any) -> bytes:
    """Bytes of the HDF5 part changed, the archive's checksum right."""
    from support.input_files.damage import BYTES

    change = list(BYTES.values())[int(rng.integers(len(BYTES)))]
    if content[:2] != b"PK":
        return change(bytearray(content), rng)
    members = _unzipped(content)
    return _zipped({**members, _WEIGHTS: change(bytearray(members[_WEIGHTS]), rng)})


def _hdf5(content: bytes, rng: Any) -> bytes:
    """Other arrays, groups and links in the HDF5 part: of other shapes, of terabytes that are never stored, in other files."""
    import h5py

    def change(file: Any) -> None:
        names: list[str] = []
        file.visititems(lambda name, found: names.append(name) if isinstance(found, h5py.Dataset) else None)
        name = names[int(rng.integers(len(names)))]
        choice, values = int(rng.integers(8)), file[name][()]
        del file[name]
        if choice == 0:
            file[name] = values.astype(str(rng.choice(("f2", "f8", "i1", "S4", "?")))) if values.ndim else b"x"
        elif choice == 1:
            file[name] = np.zeros((*values.shape, 2), np.float32)
        elif choice == 2:
            file[name] = np.full(values.shape, float(rng.choice((np.nan, np.inf, 1e38))), np.float32)
        elif choice == 3:
            extents = [int(each) for each in rng.choice((1, 10**4, 10**6), 2)]
            file.create_dataset(name, extents, "f4", chunks=(1, 1), compression="gzip", fillvalue=1.0)
        elif choice == 4:
            file[name] = h5py.ExternalLink(str(rng.choice(("/dev/zero", "/etc/passwd", "x.h5"))), "/x")
        elif choice == 5:
            file[name] = h5py.SoftLink("/")
        elif choice == 6:
            file.create_dataset(name, values.shape or (1,), "f4", external=[("/etc/passwd", 0, 4 * max(1, values.size))])
        elif rng.integers(2):
            file.create_group(name)

    return _in_hdf5(content, change)


CHANGES = {
    "values": _scalars,
    "parts": _subtrees,
    "classes": _classes,
    "sizes": _sizes,
    "text": _text,
    "members": _members,
    "weight bytes": _weight_bytes,
    "weights": _hdf5,
}
