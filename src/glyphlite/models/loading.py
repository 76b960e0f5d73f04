"""Keras models from files: .keras, .h5 of any Keras, SavedModel folders. A file is data; code in it is refused, and named.

What a file cannot hold (a layer's code, an architecture beside its weights) becomes one line with what to do. A model trained in
half precision comes out in float32. Knows nothing of datasets.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glyphlite.console import captured_noise, say
from glyphlite.errors import ModelError
from glyphlite.files.untrusted import parsing, read_input, reason_of
from glyphlite.formatting import in_and_out
from glyphlite.models.size_limits import bounded_weights, check_activations
from glyphlite.models.stored import EXPECTED, LARGEST_FILE, StoredModel, look_into

if TYPE_CHECKING:
    import keras

FUNCTION_WAY = "write a Python file with a function that returns the model, and name it as my_model.py:my_function"
"""Advice for a model that no file can hold."""

HALF = ("float16", "bfloat16")

_said: set[str] = set()


def is_saved_model(path: Path) -> bool:
    """Returns whether a path is the folder of a TensorFlow SavedModel."""
    return (path / "saved_model.pb").is_file()


def load_keras_model(path: Path) -> "keras.Model":
    """Loads a model from a .keras or .h5 file in safe mode, without its optimizer, or from a SavedModel folder; in float32.

    Raises:
        ModelError: it is missing, holds weights alone, or needs code that a file may not bring (Lambda layers, own classes).
    """
    path = Path(path)
    stored = None if is_saved_model(path) else _looked_into(path)
    import keras

    import glyphlite.models.qat.layers  # noqa: F401 - registers the layers that a .keras file may name

    with parsing(lambda error: _reason(path, stored, error), ModelError), captured_noise():
        if stored is None:
            model = _from_saved_model(path)
        else:
            with bounded_weights(stored.weight_bytes, path):
                model = keras.saving.load_model(path, compile=False, safe_mode=True)
    if not isinstance(model, keras.Model):
        raise ModelError(f"{path} holds a {type(model).__name__}, expected a Keras model")
    check_activations(model, path)
    return in_float32(model, str(path))


def missing_code(path: Path) -> str | None:
    """Returns why a .keras or .h5 file cannot be loaded for code of its own layers, None where it needs none.

    Raises:
        ModelError: it is damaged.
    """
    return _missing_code(path, look_into(path).config)


def _missing_code(path: Path, config: Any) -> str | None:
    own = next(_own_layers(config), None)
    if own is None:
        return None
    name, kind = own
    if kind == "Lambda":
        return f"{path} has a Lambda layer {name!r}, whose Python code is not loaded from a file"
    return f"{path} has a layer {name!r} of the class {kind}, whose code is not in the file"


def read_model(path: Path) -> bytes:
    """Returns a model file's bytes.

    Raises:
        ModelError: it cannot be read.
    """
    _refuse_folder(path)
    return read_input(path, "a Python file" if path.suffix == ".py" else EXPECTED, ModelError, LARGEST_FILE)


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise ModelError(f"{path} is a folder, and no SavedModel (it has no saved_model.pb); name a .keras file")


def _looked_into(path: Path) -> StoredModel:
    """Looks into a .keras or .h5 file.

    Raises:
        ModelError: as :func:`~glyphlite.models.stored.look_into`, or it holds weights alone.
    """
    _refuse_folder(path)
    stored = look_into(path)
    if stored.config is None:
        build = f"model.load_weights({path.name!r}); model.save('model.keras')"
        raise ModelError(
            f"{path} holds weights alone, without the model they belong to; run in its own code: {build}; or {FUNCTION_WAY}"
        )
    return stored


def in_float32(model: "keras.Model", origin: str) -> "keras.Model":
    """Returns a model that computes in float32 with the same weights: the model itself, unless a layer computes in less."""
    from keras import config

    policies = {layer.dtype_policy.name for layer in model._flatten_layers() if layer.compute_dtype in HALF}
    if not policies:
        return model
    if origin not in _said:
        _said.add(origin)
        say(f"{origin} was made under {', '.join(sorted(policies))}: it is taken in float32, with the same weights")
    before = config.dtype_policy()
    try:
        config.set_dtype_policy("float32")
        twin = type(model).from_config(_without_half(model.get_config()))
        twin.set_weights(model.get_weights())
    except Exception:  # a subclassed model, a Lambda: its layers are told one by one
        for layer in model._flatten_layers():
            layer.dtype_policy = "float32"
        return model
    finally:
        config.set_dtype_policy(before)
    return twin


def _without_half(config: Any) -> Any:
    """Returns a configuration with float32 in place of every half precision, at any depth."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy" and str(config["config"].get("name", "")).endswith(HALF):
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _without_half(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_without_half(value) for value in config)
    return "float32" if isinstance(config, str) and config in (*HALF, *(f"mixed_{half}" for half in HALF)) else config


def _from_saved_model(path: Path) -> "keras.Model":
    """Returns a SavedModel's serving signature as a Keras model of one layer.

    Raises:
        ModelError: it has no such signature, or one of several inputs or outputs.
    """
    import keras
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    if "serving_default" not in signatures:
        raise ModelError(f"{path} has no signature 'serving_default'; save it again with model.export({path.name!r})")
    signature: Any = signatures["serving_default"]
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{path} has {in_and_out(len(inputs), len(outputs))}; a classifier of images has one of each")
    (entry,), (name,) = inputs.values(), outputs
    if entry.shape.rank is None:
        raise ModelError(f"{path} does not say its input's shape; {FUNCTION_WAY}")
    image = keras.Input(batch_shape=tuple(entry.shape), dtype=entry.dtype.name)
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="serving_default")
    return keras.Model(image, layer(image)[name], name=re.sub(r"\W", "_", path.name) or "saved_model")


def _reason(path: Path, stored: StoredModel | None, failure: BaseException) -> str:
    """Describes in one line why a file cannot be loaded, and what to do."""
    if stored is not None and (reason := _missing_code(path, stored.config)):
        return f"{reason}; {FUNCTION_WAY}"
    words = reason_of(failure)
    if type(failure) not in (MemoryError, RecursionError):
        words = re.sub(r"[^.;]*(safe_mode|enable_unsafe_deserialization)[^.;]*[.;]?", "", in_one_line(failure)).strip()
    return f"cannot load {path} as a Keras model: {words or type(failure).__name__}"


def _own_layers(config: Any) -> Iterator[tuple[str, str]]:
    """Yields name and class of each layer whose code is not Keras's: Lambda layers, and classes of the user's own."""
    if isinstance(config, list):
        for each in config:
            yield from _own_layers(each)
    if not isinstance(config, dict):
        return
    kind, inner = config.get("class_name"), config.get("config")
    if isinstance(kind, str) and isinstance(inner, dict) and "name" in inner and ("module" in config or kind not in ("", None)):
        registered, module = config.get("registered_name"), config.get("module")
        is_ours = str(registered or "").startswith("glyphlite")
        if kind == "Lambda" or (not is_ours and not _is_keras(kind, module)):
            yield str(inner["name"]), kind if registered in (None, kind, "Lambda") else f"{kind} ({registered})"
    for value in config.values():
        yield from _own_layers(value)


def _is_keras(kind: str, module: Any) -> bool:
    """Returns whether a class is one of Keras's own; old files name no module."""
    import keras

    if isinstance(module, str):
        return module.split(".")[0] == "keras"
    return any(
        hasattr(part, kind)
        for part in (
            keras,
            keras.layers,
            keras.models,
            keras.initializers,
            keras.regularizers,
            keras.dtype_policies,
            keras.optimizers,
            keras.losses,
            keras.metrics,
        )
    )


def in_one_line(error: BaseException) -> str:
    """Returns an exception's message in one line, without the colours, code and arguments that Keras and TensorFlow add to it."""
    text = re.sub(r"\x1b\[\d*m", "", str(error)).partition("Arguments received by")[0]
    text = re.sub(r'^\s*File "[^\n]*\n[^\n]*$', "", text, flags=re.MULTILINE).replace("in user code:", "")
    return " ".join(text.split())[:300] or type(error).__name__
