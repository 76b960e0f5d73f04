"""Model files that ask for more than they hold: refused before Keras reads or builds anything, in a moment and little memory."""

import io
import json
import os
import resource
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import glyphlite.models.hdf5
from glyphlite.errors import ModelError
from glyphlite.models.loading import load_keras_model
from glyphlite.models.stored import LARGEST_CONFIG, MOST_LAYERS, look_into

SHAPE = (8, 8, 1)


@contextmanager
def cheaply() -> Iterator[None]:
    """Fails where a refusal takes more than two seconds of the processor, or 512 MiB."""
    began, before = _processor_seconds(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert _processor_seconds() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 << 10


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def weights(change: Any = None) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((64, 3), np.float32)
        if change:
            change(file)
    return stream.getvalue()


def keras_file(path: Path, method: int = zipfile.ZIP_DEFLATED, /, **members: bytes) -> Path:
    """Writes an archive; ``config`` and ``weights`` are its two parts, names of others as they are."""
    names = {"config": "config.json", "weights": "model.weights.h5", "metadata": "metadata.json"}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in {"config": b"{}", "metadata": b"{}", "weights": weights(), **members}.items():
            archive.writestr(names.get(name, name), content)
    return path


def sequential(*layers: dict[str, Any]) -> bytes:
    begin = {"class_name": "InputLayer", "module": "keras.layers", "config": {"batch_shape": [None, *SHAPE], "name": "in"}}
    config = {"name": "model", "layers": [begin, *layers]}
    return json.dumps({"class_name": "Sequential", "module": "keras", "config": config}).encode()


def layer(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "module": "keras.layers", "config": {"name": name.lower(), **config}}


@pytest.fixture(scope="module", autouse=True)
def started(samples: Path) -> None:
    """Starts TensorFlow, whose own start is not measured."""
    load_keras_model(samples / "model.keras")


@pytest.mark.parametrize("part", ["config", "metadata", "weights"])
def test_a_part_that_unpacks_to_200_megabytes_is_refused_unread(part: str, tmp_path: Path) -> None:
    path = keras_file(tmp_path / "model.keras", **{part: bytes(200 << 20)})
    assert path.stat().st_size < 300_000
    with cheaply(), pytest.raises(ModelError, match=r"model\.keras has .* bytes that unpack to"):
        load_keras_model(path)


def test_json_that_is_too_long_is_refused_though_the_file_is_large(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "model.keras", zipfile.ZIP_STORED, config=b" " * (LARGEST_CONFIG + 1))
    with cheaply(), pytest.raises(ModelError, match=r"has a config\.json of 8,388,609 bytes"):
        load_keras_model(path)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (sequential(*[layer("Flatten")] * MOST_LAYERS), "4,001 layers, more than the 4,000 allowed"),
        (b"\xff", "an architecture that cannot be read"),
    ],
)
def test_architectures_that_no_model_has_are_refused(config: bytes, words: str, tmp_path: Path) -> None:
    with cheaply(), pytest.raises(ModelError, match=words):
        load_keras_model(keras_file(tmp_path / "model.keras", config=config))


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.create_dataset("x", (10**6, 10**6), "f4", chunks=(1, 1), compression="gzip"),
        lambda file: file.create_dataset("x", (10**5, 10**5), "f4"),
    ],
)
def test_weights_of_terabytes_that_were_never_stored_are_refused(change: Any, tmp_path: Path) -> None:
    with cheaply(), pytest.raises(ModelError, match="that unpack to"):
        look_into(keras_file(tmp_path / "model.keras", weights=weights(change)))
    (tmp_path / "model.h5").write_bytes(weights(change))
    with cheaply(), pytest.raises(ModelError, match="that unpack to"):
        look_into(tmp_path / "model.h5")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file.__setitem__("x", h5py.ExternalLink("/dev/zero", "/x")), "has a link in place of x"),
        (lambda file: file.__setitem__("x", h5py.SoftLink("/layers")), "has a link in place of x"),
        (lambda file: file.create_dataset("x", (4,), "u1", external=[("/etc/passwd", 0, 4)]), "weights x from another file"),
    ],
)
def test_weights_in_other_files_are_refused(change: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        look_into(keras_file(tmp_path / "model.keras", weights=weights(change)))


def test_an_archive_inside_the_archive_and_files_by_the_thousand_are_refused(tmp_path: Path) -> None:
    more = {"model.weights.npz": b""}
    with pytest.raises(ModelError, match=r"is no \.keras file: expected config\.json and model\.weights\.h5"):
        look_into(keras_file(tmp_path / "model.keras", **more))
    with pytest.raises(ModelError, match="holds 1,103 files"):
        look_into(keras_file(tmp_path / "model.keras", **{f"assets/{number}": b"" for number in range(1100)}))


def test_layers_that_ask_for_more_weights_than_are_stored_are_refused_before_they_are_made(tmp_path: Path) -> None:
    config = sequential(layer("Flatten"), layer("Dense", units=10**9))
    with cheaply(), pytest.raises(ModelError, match=r"stores 768 bytes of weights, but its layers ask for 256,000,000,000 or"):
        load_keras_model(keras_file(tmp_path / "model.keras", config=config))


def test_activations_that_no_memory_holds_are_refused(tmp_path: Path) -> None:
    config = sequential(layer("UpSampling2D", size=[10**4, 10**4]))
    path = keras_file(tmp_path / "model.keras", config=config, weights=weights())
    with cheaply(), pytest.raises(ModelError, match=r"a layer 'upsampling2d' that gives 6,400,000,000 values per image"):
        load_keras_model(path)


def test_weights_stored_in_a_million_parts_are_refused(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        file.create_dataset("x", (1000, 1000), "f4", chunks=(1, 1), compression="gzip")

    with cheaply(), pytest.raises(ModelError, match=r"stores its weights x in 1,000,000 parts, more than the 100,000 allowed"):
        look_into(keras_file(tmp_path / "model.keras", weights=weights(change)))


def test_weights_that_are_named_over_and_over_are_refused(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        layer = file.create_group("model_weights/dense")
        file["model_weights"].attrs["layer_names"] = [b"dense"]
        layer["kernel"] = np.zeros((100, 100), np.float32)
        layer.attrs["weight_names"] = [b"kernel"] * 100

    (tmp_path / "model.h5").write_bytes(weights(change))
    with cheaply(), pytest.raises(ModelError, match="names the same weights several times"):
        look_into(tmp_path / "model.h5")


@pytest.mark.slow
def test_a_file_that_holds_the_hdf5_library_for_ever_is_refused_after_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loop(*_: Any) -> Iterator[Any]:
        while True:
            pass

    monkeypatch.setattr(glyphlite.models.hdf5, "_read_dataset", loop)
    with cheaply(), pytest.raises(ModelError, match="it keeps the processor busy for longer than a sound file of its size"):
        look_into(keras_file(tmp_path / "model.keras"))


def test_a_batch_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    begin = {"class_name": "InputLayer", "module": "keras.layers", "config": {"batch_shape": [10**9, *SHAPE], "name": "in"}}
    config = {"name": "model", "layers": [begin, layer("Flatten")]}
    text = json.dumps({"class_name": "Sequential", "module": "keras", "config": config}).encode()
    with cheaply(), pytest.raises(ModelError, match=r"takes 1,000,000,000 images at a time"):
        load_keras_model(keras_file(tmp_path / "model.keras", config=text))


def test_a_dilation_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "model.keras"
    convolution = keras.layers.Conv2D(1, 3, padding="same", dilation_rate=(10**7, 1), name="conv2d")
    keras.Sequential([keras.Input(SHAPE), convolution]).save(path)
    with cheaply(), pytest.raises(ModelError, match=r"a layer 'conv2d' whose dilation pads its input to 200,000,080 values"):
        load_keras_model(path)
