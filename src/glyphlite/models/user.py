"""Models that a user brings: ``file.py:function`` that returns a Keras model, or a .keras file.

Whatever is wrong with one becomes a single ModelError that names the file and what was expected. A .keras file is data and is
loaded in Keras's safe mode; a Python file is the user's own program and is run.
"""

import hashlib
import inspect
import math
import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from glyphlite.errors import ModelError
from glyphlite.escaping import is_unicode, visible
from glyphlite.files.untrusted import parsing, reason_of
from glyphlite.formatting import in_and_out
from glyphlite.models.choice import ModelChoice
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.output_layer import outputs_of_model, with_probabilities
from glyphlite.models.loading import in_float32, in_one_line, is_saved_model, load_keras_model, read_model
from glyphlite.models.recipe import Recipe, Schedule

if TYPE_CHECKING:
    import keras

RECIPE = Recipe("user", 12, 128, Schedule("one_cycle", peak=0.002, warmup=0.2))
"""What a model that we know nothing of is trained by."""


def choose_user_model(text: str, input_shape: tuple[int, int, int], classes: int) -> ModelChoice:
    """Returns a user's model by ``path/to/file.py:function`` or a .keras or .h5 file; the file is read here, the model is
    built later.

    Raises:
        ModelError: the file is missing or unreadable, or no function is named.
    """
    path, function = require_source(text)
    content = read_model(path / "saved_model.pb" if is_saved_model(path) else path)

    def build() -> "keras.Model":
        if function is None:
            return classifier(load_keras_model(path), input_shape, classes, text)
        return classifier(in_float32(build_from_function(path, function, input_shape, classes), text), input_shape, classes, text)

    return ModelChoice(
        name=path.stem if function is None else f"{path.stem}-{function}",  # many a function is called build
        input_shape=input_shape,
        classes=classes,
        recipe=RECIPE,
        origin=f"the file {path}, going on from its weights" if function is None else f"{function} of {path}",
        fingerprint=hashlib.sha256(content + (function or "").encode()).hexdigest(),
        builder=build,
    )


def require_source(text: str) -> tuple[Path, str | None]:
    """Returns the file or SavedModel folder that a user's model comes from, and the function in it where it is a Python file.

    Raises:
        ModelError: it is missing or unreadable, or a Python file without the function's name.
    """
    if text.endswith(".toml"):
        raise ModelError(f"{text} defines a model without weights; train it first: glyphlite train {text}")
    name, separator, function = text.partition(".py:")
    if not separator and not text.endswith(".py"):
        path = Path(text)
        if not is_saved_model(path):
            read_model(path)
        return path, None
    path = Path(name if name.endswith(".py") else f"{name}.py")
    if not function:
        raise ModelError(f"which function of {path} returns the model? expected {path}:function")
    read_model(path)
    return path, function


def check_classifier(model: "keras.Model", input_shape: tuple[int, ...], classes: int, origin: str) -> OutputKind:
    """Refuses a model that is not a classifier of these images; returns what its outputs mean.

    Args:
        model: any built Keras model.
        input_shape: height, width, channels of the dataset's images.
        classes: number of the dataset's classes.
        origin: what the user calls the model, for the error.

    Raises:
        ModelError: several inputs or outputs, another shape than the dataset's (both are named), or an output that
            classes cannot be read from; or a name that Keras cannot write once it is trained.
    """
    if not model.built or not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ModelError(f"{origin} has no input shape; start it with keras.Input(shape={tuple(input_shape)})")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"{origin} has {in_and_out(len(model.inputs), len(model.outputs))}; a classifier of images has one of each"
        )
    names = (model.name, *(layer.name for layer in model.layers), *(weights.path for weights in model.weights))
    if any("\0" in name for name in names):
        raise ModelError(f"a layer of {origin} has a null byte in its name, which no file of weights can hold; rename the layer")
    if wrong := next((name for name in names if not is_unicode(name)), None):  # a lone surrogate, such as JSON can hold
        raise ModelError(
            f"{visible(wrong)}, a name in {origin}, is no Unicode text, which no file of weights can hold; rename it"
        )
    taken, given = tuple(model.inputs[0].shape[1:]), tuple(model.outputs[0].shape[1:])
    if not fits_images(taken, input_shape):
        raise ModelError(
            f"{origin} takes images of {_size(taken)}, the dataset's are {_size(input_shape)} (height x width x channels); "
            "name the data that it is for with --dataset"
        )
    if len(given) != 1 or given[0] is None:
        raise ModelError(f"{origin} gives {_size(given)} values per image, expected one per class; end it with Dense({classes})")
    kind = outputs_of_model(model, origin)
    if kind.classes(given[0]) != classes:
        found = "one output, which tells two classes apart" if kind.is_single else f"{given[0]} values per image"
        raise ModelError(f"{origin} gives {found}, the dataset has {classes} classes; end it with Dense({classes})")
    _check_runs(model, input_shape, origin)
    return kind


def fits_images(taken: tuple[int | None, ...], input_shape: tuple[int, ...]) -> bool:
    """Returns whether a model's input (without the batch) accepts images ``(height, width, channels)``, as they are or flattened.

    A single channel may be left out, channels may come first, and height and width may be free.
    """
    if len(taken) == len(input_shape) and all(mine in (None, theirs) for mine, theirs in zip(taken, input_shape, strict=True)):
        return True
    if None in taken:
        return False
    if taken == (*input_shape[2:], *input_shape[:2]):
        return True
    long = [extent for extent in taken if extent != 1]
    return long in ([extent for extent in input_shape if extent != 1], [math.prod(input_shape)])


def _check_runs(model: "keras.Model", input_shape: tuple[int, ...], origin: str) -> None:
    """Runs a few images of noise: a model can be built and yet fail, or give no numbers."""
    shape, size = model.inputs[0].shape, model.inputs[0].shape[0] or 4
    images = np.random.default_rng(0).random((size, *input_shape))
    taken = input_shape if None in shape[1:] else shape[1:]
    with _running(f"{origin} on an image of {_size(input_shape)}"):
        scores = np.asarray(model(images.reshape(size, *taken).astype(model.inputs[0].dtype), training=False), dtype=np.float64)
    if not np.isfinite(scores).all():
        raise ModelError(f"{origin} gives outputs that are not finite numbers; train it with a lower learning rate")


def classifier(model: "keras.Model", input_shape: tuple[int, ...], classes: int, origin: str) -> "keras.Model":
    """Returns a user's model as a classifier of these images that gives probabilities, and checks that it is one.

    Args:
        model: any Keras model.
        input_shape: height, width, channels of the dataset's images.
        classes: number of the dataset's classes.
        origin: what the user calls the model, for messages.

    Raises:
        ModelError: as :func:`check_classifier`.
    """
    if not getattr(model, "inputs", None):
        model = _with_input(model, input_shape, origin)
    check_classifier(model, input_shape, classes, origin)
    return with_fixed_size(with_probabilities(model, origin), input_shape)


def with_fixed_size(model: "keras.Model", input_shape: tuple[int, ...]) -> "keras.Model":
    """Returns a model of images of any size, or of a fixed batch, as one with the same layers that takes these, a free number."""
    import keras

    batch, *taken = model.inputs[0].shape
    if batch is None and None not in taken:
        return model
    image = keras.Input(input_shape if None in taken else taken, dtype=model.inputs[0].dtype)
    return keras.models.clone_model(model, input_tensors=image, clone_function=_itself)


def _itself(layer: Any) -> Any:
    return layer


def _with_input(model: "keras.Model", input_shape: tuple[int, ...], origin: str) -> "keras.Model":
    """Returns a model that does not say what it takes (subclassed, or without keras.Input), given the dataset's images.

    Raises:
        ModelError: it takes neither images nor their pixels in a row.
    """
    import keras

    reasons = []
    for shape in dict.fromkeys(
        (input_shape, input_shape[:2] if input_shape[2:] == (1,) else input_shape, (math.prod(input_shape),))
    ):
        image = keras.Input(shape)
        try:
            with _running("its call"):
                return keras.Model(image, model(image), name=model.name)
        except ModelError as error:
            reasons.append(str(error))
    raise ModelError(
        f"{origin} has no input shape and does not take {_size(input_shape)}; start it with keras.Input: {reasons[0]}"
    )


def build_from_function(path: Path, function: str, input_shape: tuple[int, int, int], classes: int) -> "keras.Model":
    """Runs the user's file and calls the function, with the image shape and the classes where it has parameters for them."""
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
    """Turns whatever the user's program raises inside the block into one line, an attempt to end the process, too.

    What it prints goes to standard error: standard output is for results.

    Raises:
        ModelError: the program failed.
    """
    process, true_exit = os.getpid(), os._exit

    def end(status: int) -> NoReturn:
        if os.getpid() != process:  # a child of the user's program
            true_exit(status)
        raise SystemExit(status)

    def describe(failure: BaseException) -> str:
        if isinstance(failure, SystemExit):
            return f"{what} failed: it ends the program by sys.exit({failure.code!r}); let it return a model"
        words = reason_of(failure) if isinstance(failure, MemoryError | RecursionError) else in_one_line(failure)
        return f"{what} failed: {words}"

    os._exit = end
    try:
        with parsing(describe, ModelError), redirect_stdout(sys.stderr):
            yield
    except BrokenPipeError as failure:  # of its own making: nothing of ours is written meanwhile
        raise ModelError(describe(failure)) from None
    finally:
        os._exit = true_exit


def _arguments(builder: Any, input_shape: tuple[int, int, int], classes: int) -> dict[str, Any]:
    offered = {"input_shape": input_shape, "classes": classes}
    try:
        parameters = inspect.signature(builder).parameters
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in offered.items() if name in parameters}


def _size(shape: tuple[Any, ...]) -> str:
    return "x".join("any" if length is None else str(length) for length in shape) or "single values"
