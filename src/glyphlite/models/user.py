"""Models that a user brings: ``file.py:function`` that returns a Keras model, or a .keras file.

Whatever is wrong with one becomes a single ModelError that names the file and what was expected. A .keras file is data and is
loaded in Keras's safe mode; a Python file is the user's own program and is run.
"""

import hashlib
import inspect
import re
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.errors import ModelError
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.models.registry import ModelChoice

if TYPE_CHECKING:
    import keras

RECIPE = Recipe("user", 12, 128, Schedule("one_cycle", peak=0.002, warmup=0.2))
"""What a model that we know nothing of is trained by."""


def choose_user_model(text: str, input_shape: tuple[int, int, int], classes: int) -> ModelChoice:
    """A user's model by ``path/to/file.py:function`` or ``path/to/model.keras``; the file is read here, the model is built later.

    Raises:
        ModelError: the file is missing or unreadable, or no function is named.
    """
    if text.endswith(".keras"):
        path, function = Path(text), None
    else:
        name, _, function = text.partition(".py:")
        path = Path(name if name.endswith(".py") else f"{name}.py")
        if not function:
            raise ModelError(f"which function of {path} returns the model? expected {path}:function")
    content = _read(path)

    def build() -> "keras.Model":
        model = load_keras_model(path) if function is None else _call(path, function, input_shape, classes)
        check_classifier(model, input_shape, classes, text)
        return model

    return ModelChoice(
        name=path.stem if function is None else function,
        input_shape=input_shape,
        classes=classes,
        recipe=RECIPE,
        origin=f"the file {path}, going on from its weights" if function is None else f"{function} of {path}",
        fingerprint=hashlib.sha256(content + (function or "").encode()).hexdigest(),
        builder=build,
    )


def load_keras_model(path: Path) -> "keras.Model":
    """Load a .keras file in safe mode, without its optimizer.

    Raises:
        ModelError: it is missing, not a .keras file, or needs code that a file may not bring (Lambda layers, custom classes).
    """
    _read(path)
    import keras

    import glyphlite.models.quantized  # noqa: F401 - registers the layers that a .keras file may name

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ModelError(f"cannot load {path} as a Keras model: {in_one_line(error)}") from None
    if not isinstance(model, keras.Model):
        raise ModelError(f"{path} holds a {type(model).__name__}, expected a Keras model")
    return model


def check_classifier(model: "keras.Model", input_shape: tuple[int, ...], classes: int, origin: str) -> None:
    """Refuse a model that is not a classifier of these images.

    Args:
        model: any built Keras model.
        input_shape: height, width, channels of the dataset's images.
        classes: number of the dataset's classes.
        origin: what the user calls the model, for the error.

    Raises:
        ModelError: several inputs or outputs, another shape than the dataset's (both are named), or scores that are no
            probabilities.
    """
    if not model.built or not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ModelError(f"{origin} has no input shape; start it with keras.Input(shape={tuple(input_shape)})")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"{origin} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; a classifier of images has one of each"
        )
    taken, given = tuple(model.inputs[0].shape[1:]), tuple(model.outputs[0].shape[1:])
    if len(taken) != len(input_shape) or any(mine not in (None, theirs) for mine, theirs in zip(taken, input_shape, strict=True)):
        raise ModelError(
            f"{origin} takes images of {_size(taken)}, the dataset's are {_size(input_shape)} (height x width x channels)"
        )
    if given != (classes,):
        raise ModelError(
            f"{origin} gives {_size(given)} values per image, the dataset has {classes} classes; end it with Dense({classes})"
        )
    _check_probabilities(model, input_shape, origin)


def _check_probabilities(model: "keras.Model", input_shape: tuple[int, ...], origin: str) -> None:
    """Everything after training reads the outputs as probabilities, so they have to be some, on any image."""
    images = np.random.default_rng(0).random((4, *input_shape), dtype=np.float32)
    try:
        scores = np.asarray(model(images, training=False), dtype=np.float64)
    except Exception as error:
        raise ModelError(f"{origin} fails on an image of {_size(input_shape)}: {in_one_line(error)}") from None
    if not np.isfinite(scores).all() or (scores < 0).any() or not np.allclose(scores.sum(axis=1), 1, atol=1e-2):
        raise ModelError(
            f"{origin} does not give probabilities (each image's scores must add up to 1); end it with activation='softmax'"
        )


def _call(path: Path, function: str, input_shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Run the user's file and call the function, with the image shape and the classes where it has parameters for them."""
    import keras

    policy = keras.config.dtype_policy()
    try:
        with _running(f"running {path}"):
            builder = runpy.run_path(str(path), run_name=path.stem).get(function)
        if not callable(builder):
            raise ModelError(f"{path} has no function {function}")
        with _running(f"{function} of {path}"):
            model: Any = builder(**_arguments(builder, input_shape, classes))
    finally:
        keras.config.set_dtype_policy(policy)  # a program that trains in float16 sets it for the whole process
    if not isinstance(model, keras.Model):
        raise ModelError(f"{function} of {path} returned {type(model).__name__}, expected a Keras model")
    return model


@contextmanager
def _running(what: str) -> Iterator[None]:
    """Within it the user's program runs: whatever it raises becomes one line, an attempt to end the process, too.

    Raises:
        ModelError: the program failed.
    """
    try:
        yield
    except SystemExit as error:
        raise ModelError(f"{what} failed: it ends the program by sys.exit({error.code!r}); let it return a model") from None
    except Exception as error:
        raise ModelError(f"{what} failed: {in_one_line(error)}") from None


def _arguments(builder: Any, input_shape: tuple[int, int, int], classes: int) -> dict[str, Any]:
    offered = {"input_shape": input_shape, "classes": classes}
    try:
        parameters = inspect.signature(builder).parameters
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in offered.items() if name in parameters}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}") from None


def _size(shape: tuple[Any, ...]) -> str:
    return "x".join("any" if length is None else str(length) for length in shape) or "single values"


def in_one_line(error: BaseException) -> str:
    """What an exception says, without the colours, code and arguments that Keras and TensorFlow wrap around it."""
    text = re.sub(r"\x1b\[\d*m", "", str(error)).partition("Arguments received by")[0]
    text = re.sub(r'^\s*File "[^\n]*\n[^\n]*$', "", text, flags=re.MULTILINE).replace("in user code:", "")
    return " ".join(text.split())[:300] or type(error).__name__
