"""Model files that would run code, or read other files, when they are loaded: each is refused in one line, and nothing happens.

Each way was a fault of Keras once, or is what someone tries first. The canary is a file that the code would create.
"""

import json
import marshal
import shutil
import sys
import tempfile
import zipfile
from base64 import encodebytes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.loading import load_keras_model

pytestmark = pytest.mark.slow

Change = Callable[[dict[str, Any], Path], dict[str, Any] | None]
CANARY = "GLYPHLITE_TEST_CANARY"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model as .keras and .h5."""
    import keras

    folder = tmp_path_factory.mktemp("models")
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3, name="dense")]
    model = keras.Sequential(layers)
    model.save(folder / "base.keras")
    model.save(folder / "base.h5")
    return folder


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that must not appear, also in the environment; a module ``evil`` that creates it when it is imported."""
    path = tmp_path / "canary"
    monkeypatch.setenv(CANARY, str(path))
    (tmp_path / "evil.py").write_text(f"import os, pathlib\npathlib.Path(os.environ[{CANARY!r}]).touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    return path


def _code() -> str:
    """Python code that creates the canary, as a Lambda layer stores it."""
    function = lambda images: __import__("pathlib").Path(__import__("os").environ["GLYPHLITE_TEST_CANARY"]).touch() or images  # noqa: E731
    return encodebytes(marshal.dumps(function.__code__)).decode()


def _layer(config: dict[str, Any], layer: dict[str, Any]) -> None:
    config["config"]["layers"].insert(1, layer)


def _lambda(config: dict[str, Any], canary: Path) -> None:
    function = {"class_name": "__lambda__", "config": {"code": _code(), "defaults": None, "closure": None}}
    inner = {"name": "l", "trainable": True, "dtype": "float32", "function": function, "arguments": {}}
    _layer(config, {"module": "keras.layers", "class_name": "Lambda", "config": inner, "registered_name": None})


def _old_lambda(config: dict[str, Any], canary: Path) -> None:
    inner = {"name": "l", "function": [_code(), None, None], "function_type": "lambda", "module": "__main__", "arguments": {}}
    _layer(config, {"class_name": "Lambda", "config": inner})


def _unlocked_lambda(config: dict[str, Any], canary: Path) -> None:
    _lambda(config, canary)
    unlock = {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"}
    _layer(config, {**unlock, "registered_name": "enable_unsafe_deserialization"})


def _class(config: dict[str, Any], canary: Path) -> None:
    config["config"]["layers"][2] = {
        "module": "subprocess",
        "class_name": "Popen",
        "config": {"args": ["touch", str(canary)]},
        "registered_name": None,
    }


def _model_class(config: dict[str, Any], canary: Path) -> dict[str, Any]:
    return {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", str(canary)]}, "registered_name": None}


def _function(module: str, name: str) -> Change:
    def change(config: dict[str, Any], canary: Path) -> None:
        function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        config["config"]["layers"][2]["config"]["activation"] = function

    return change


def _imported_layer(config: dict[str, Any], canary: Path) -> None:
    config["config"]["layers"][2]["module"] = "evil"


def _saved_model(config: dict[str, Any], canary: Path) -> None:
    inner = {"filepath": str(canary.parent), "call_endpoint": "serving_default", "name": "t"}
    _layer(config, {"module": "keras.layers", "class_name": "TFSMLayer", "config": inner, "registered_name": None})


def _other_file(config: dict[str, Any], canary: Path) -> None:
    inner = {"vocabulary": str(canary.with_name("evil.py")), "name": "s"}
    _layer(config, {"module": "keras.layers", "class_name": "StringLookup", "config": inner, "registered_name": None})


def _download(config: dict[str, Any], canary: Path) -> None:
    inner = {"fname": "x", "origin": canary.as_uri(), "cache_dir": str(canary.parent)}
    fetch = {"module": "keras.utils", "class_name": "get_file", "config": inner, "registered_name": None}
    config["config"]["layers"][2]["config"]["kernel_initializer"] = fetch


CHANGES: dict[str, Change] = {
    "lambda": _lambda,
    "lambda of an old Keras": _old_lambda,
    "lambda behind a call that allows it": _unlocked_lambda,
    "class of another package": _class,
    "model of another package": _model_class,
    "function of the system": _function("os", "system"),
    "function of a module that is imported for it": _function("evil", "touch"),
    "layer of a module that is imported for it": _imported_layer,
    "graph of TensorFlow's": _saved_model,
    "words of another file": _other_file,
    "file of the network": _download,
}


def _changed_keras(base: Path, path: Path, change: Change, canary: Path) -> None:
    with zipfile.ZipFile(base / "base.keras") as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "config.json":
                config = json.loads(content)
                content = json.dumps(change(config, canary) or config).encode()
            after.writestr(name, content)


def _changed_h5(base: Path, path: Path, change: Change, canary: Path) -> None:
    shutil.copy(base / "base.h5", path)
    with h5py.File(path, "r+") as file:
        config = json.loads(str(file.attrs["model_config"]))
        file.attrs["model_config"] = json.dumps(change(config, canary) or config)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("way", CHANGES)
def test_a_model_file_runs_nothing(way: str, suffix: str, base: Path, canary: Path, tmp_path: Path) -> None:
    path = tmp_path / f"model.{suffix}"
    (_changed_keras if suffix == "keras" else _changed_h5)(base, path, CHANGES[way], canary)
    sys.modules.pop("evil", None)
    with pytest.raises(ModelError) as caught:
        load_keras_model(path)
    assert not canary.exists()
    assert "evil" not in sys.modules
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_code_would_create_the_canary(canary: Path) -> None:
    from base64 import decodebytes
    from types import FunctionType

    FunctionType(marshal.loads(decodebytes(_code().encode())), {"__builtins__": __builtins__})(1)
    assert canary.exists()


def _stored_elsewhere(file: h5py.Group, name: str, folder: Path) -> None:
    (folder / "secret").write_bytes(np.full(3, 42, np.float32).tobytes())
    file.create_dataset(name, (3,), "f4", external=[(str(folder / "secret"), 0, 12)])


def _linked(file: h5py.Group, name: str, folder: Path) -> None:
    with h5py.File(folder / "secret", "w") as other:
        other["x"] = np.full(3, 42, np.float32)
    file[name] = h5py.ExternalLink(str(folder / "secret"), "x")


def _unfolding(file: h5py.Group, name: str, folder: Path) -> None:
    file.create_dataset(name, (1 << 31,), "f4", chunks=(1 << 20,), compression="gzip", fillvalue=1.0)


def _datasets(file: h5py.Group) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and item.shape == (3,) else None)
    return names


@pytest.mark.parametrize("replace", [_stored_elsewhere, _linked, _unfolding])
def test_weights_of_another_file_are_not_read(replace: Callable[..., None], base: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(base / "base.keras") as before, zipfile.ZipFile(tmp_path / "model.keras", "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith(".h5"):
                (tmp_path / "weights.h5").write_bytes(content)
                with h5py.File(tmp_path / "weights.h5", "r+") as file:
                    (bias,) = _datasets(file)
                    del file[bias]
                    replace(file, bias, tmp_path)
                content = (tmp_path / "weights.h5").read_bytes()
            after.writestr(name, content)
    with pytest.raises(ModelError, match=r"model\.keras .*(another file|link|unpack|not a readable)"):
        load_keras_model(tmp_path / "model.keras")


@pytest.mark.filterwarnings("ignore:Skipping invalid path")
def test_names_that_lead_out_of_the_archive_write_nothing_there(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "deep" / "er"
    place.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    shutil.copy(base / "base.keras", place / "model.keras")
    with zipfile.ZipFile(place / "model.keras", "a") as archive:
        for name in ("../slip", "assets/../../../slip", f"{tmp_path}/slip"):
            archive.writestr(name, "x")
    load_keras_model(place / "model.keras")
    assert not list(tmp_path.rglob("slip"))
