"""A Keras model to the bytes of one .tflite variant, through TensorFlow's converter, whose noise and tracebacks stay here.

The model is saved once with the batch size that the artifact shall have, and each variant is converted from that: with the
batch fixed, shapes are constants and only the layers' own ops remain; batch normalization folds into the layer before it and
dropout vanishes. Knows nothing of datasets, folders or runtimes.
"""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.console import captured_noise
from glyphlite.conversion.diagnostics import layer_and_op, layer_by_prefix, layer_names
from glyphlite.conversion.float_input import with_float_input
from glyphlite.conversion.isolation import ConverterCrashError, ConverterFailedError, convert_apart, prepare
from glyphlite.conversion.operators import float_operators, select_operators
from glyphlite.conversion.variants import RULED_OUT_BY_SELECT_OPS, Variant, get_variant
from glyphlite.errors import ConversionError
from glyphlite.files.scratch import temporary_folder
from glyphlite.formatting import in_and_out
from glyphlite.models.inference_form import can_unroll, recurrent_layers, unrolled, without_augmentation
from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.models.qat.state import has_narrow_weights, in_float, is_quantized
from glyphlite.tflite.metadata import ModelMetadata, add_metadata
from glyphlite.tflite.rewrite.declarations import with_true_declarations
from glyphlite.tflite.rewrite.int4_weights import with_narrow_weights
from glyphlite.tflite.rewrite.names import with_readable_names
from glyphlite.tflite.rewrite.shared_buffers import with_shared_constants

if TYPE_CHECKING:
    import keras

INPUT_NAME = "image"
"""Name of the input in the signature."""

SIGNATURE = "serving_default"
"""Name of the signature, as Keras and TensorFlow call the one that is meant when none is named."""


@dataclass(frozen=True)
class Conversion:
    """One converted model.

    Attributes:
        content: the .tflite file.
        variant: its name.
        select_tf_ops: TensorFlow's own ops in it, which LiteRT has no kernels for; empty for almost every model.
        ruled_out: names of the runtimes that can therefore not execute it.
        notes: what a user should know of it, one sentence each.
    """

    content: bytes
    variant: str
    select_tf_ops: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verifiable(self) -> bool:
        """Returns whether any runtime here executes it."""
        return not self.select_tf_ops


@dataclass(frozen=True)
class ExportedModel:
    """A Keras model saved with the batch size of its artifacts.

    Attributes:
        model: the Keras model.
        folder: TensorFlow's SavedModel, in float32.
        shape: of the input, the batch first; None where it is free.
        simulated: the SavedModel with int8 simulated, of a model that was trained so: its ranges are in the graph.
        unrolled: the SavedModel with its recurrent layers as so many steps, of a model that has any: the converter crashes where
            it shall quantize a loop (tensorflow/tensorflow#41305), and a loop is a graph of its own, which few tools read.
    """

    model: "keras.Model"
    folder: Path
    shape: tuple[int | None, ...] = field(default=())
    simulated: Path | None = None
    unrolled: Path | None = None

    def folder_for(self, variant: Variant) -> Path:
        """Returns the SavedModel that a variant is made from."""
        if self.simulated and variant.name == "int8":
            return self.simulated
        return self.unrolled or self.folder

    def needs_calibration(self, variant: Variant) -> bool:
        """Returns whether ranges of activations have to be measured for a variant."""
        return variant.needs_calibration and self.folder_for(variant) != self.simulated


def convert(
    model: "keras.Model",
    variant: str,
    *,
    convention: InputConvention = OURS,
    representative: np.ndarray | None = None,
    batch: int | None = 1,
    labels: Sequence[str] = (),
    description: str = "",
) -> Conversion:
    """Converts a Keras image classifier to one variant.

    Args:
        model: with one image input and one output of a number per class.
        variant: one of ``VARIANT_NAMES``.
        convention: how the model takes a pixel: calibration feeds it so, and the file's metadata say it.
        representative: uint8 images ``(n, height, width, channels)`` for calibration, int8 and int16x8 only; int8 needs none
            of a model that was trained with int8 simulated.
        batch: images per inference; None leaves it free.
        labels: the classes in order, stored as metadata.
        description: one sentence, stored in the file.

    Returns:
        The file's bytes and what should be known of it. The same model, images and arguments give the same bytes.

    Raises:
        ConversionError: an unknown variant, no calibration images, or a model that cannot be expressed; names the layer.
    """
    with exported(model, batch=batch) as saved:
        return convert_exported(
            saved, variant, convention=convention, representative=representative, labels=labels, description=description
        )


@contextmanager
def exported(model: "keras.Model", *, batch: int | None = 1) -> Iterator[ExportedModel]:
    """Saves a model for conversion, in a temporary folder.

    Raises:
        ConversionError: the model's input is not one image of a fixed size, or TensorFlow cannot trace the model.
    """
    shape = (batch, *_image_shape(model))
    prepare()
    model = with_float_input(model)
    with temporary_folder() as folder:
        simulated = folder / "simulated" if is_quantized(model) else None
        saved = ExportedModel(model, folder / "saved", shape, simulated)
        with captured_noise():
            try:
                if simulated:
                    _save(model, simulated, shape)
                with in_float(model):
                    _save(model, saved.folder, shape)
            except Exception as error:  # Keras and TensorFlow raise whatever a layer's code does
                message = str(error) or type(error).__name__
                raise _failure(model, shape, "the model cannot be saved for conversion", message) from None
            saved = replace(saved, unrolled=_save_unrolled(model, folder / "unrolled", shape))
        yield saved


def _save_unrolled(model: "keras.Model", folder: Path, shape: tuple[int | None, ...]) -> Path | None:
    """Saves a model with its recurrent layers step by step; None where it has none, or they cannot be."""
    if not can_unroll(model):
        return None
    try:
        with in_float(model), unrolled(model):
            _save(model, folder, shape)
    except Exception:  # the loop is tried instead, and its error told
        return None
    return folder


def convert_exported(
    saved: ExportedModel,
    variant: str,
    *,
    convention: InputConvention = OURS,
    representative: np.ndarray | None = None,
    labels: Sequence[str] = (),
    description: str = "",
) -> Conversion:
    """Converts a saved model to one variant; as :func:`convert`, for several variants of one model."""
    kind = get_variant(variant)
    images = _calibration_images(kind, representative, convention, saved.shape) if saved.needs_calibration(kind) else None
    content = _converted(saved, kind, images)
    if saved.folder_for(kind) == saved.simulated and has_narrow_weights(saved.model):
        content = with_narrow_weights(content)
    content = add_metadata(
        with_readable_names(with_true_declarations(with_shared_constants(content)), layer_names(saved.model)),
        ModelMetadata(
            name=str(saved.model.name),
            description=description,
            labels=tuple(labels),
            mean=convention.mean,
            std=convention.std,
        ),
    )
    select = select_operators(content)
    notes = _notes(kind, content, select)
    if saved.folder_for(kind) == saved.unrolled:
        layers = ", ".join(layer.name for layer in recurrent_layers(saved.model))
        notes = (*notes, f"its recurrent layers ({layers}) are written out step by step: a loop cannot be quantized")
    return Conversion(content, variant, select, RULED_OUT_BY_SELECT_OPS if select else (), notes)


def _save(model: "keras.Model", folder: Path, shape: tuple[int | None, ...]) -> None:
    import keras

    specification = keras.InputSpec(dtype="float32", shape=shape, name=INPUT_NAME)
    archive: Any = keras.export.ExportArchive()
    archive.track(model)
    with without_augmentation(model):
        # model.export() leaves `training` to each layer, and some take it for True (RandomRotation).
        archive.add_endpoint(SIGNATURE, lambda image: model(image, training=False), input_signature=[specification])
        archive.write_out(str(folder), verbose=False)


def _converted(saved: ExportedModel, variant: Variant, images: np.ndarray | None) -> bytes:
    """Returns the file, with TensorFlow's own ops in it only where nothing else does.

    Raises:
        ConversionError: the converter refuses the model, or crashes on it.
    """
    what, folder = f"the model cannot be converted to {variant.name}", saved.folder_for(variant)
    message = ""
    for select in (False, True):
        try:
            return convert_apart(folder, variant.name, images, select=select)
        except ConverterFailedError as error:
            message = str(error)
        except ConverterCrashError as error:
            raise ConversionError(f"{what}: {error}{_crash_advice(saved.model, variant)}") from None
    raise _failure(saved.model, saved.shape, what, message)


def _crash_advice(model: "keras.Model", variant: Variant) -> str:
    """Returns the advice for a user after the converter has crashed."""
    advice = "; convert to float32, float16 or dynamic" if variant.needs_calibration else ""
    if variant.needs_calibration and (layers := recurrent_layers(model)):
        names = ", ".join(f"{layer.name!r}" for layer in layers)
        return f", which quantizes no loops as in its recurrent layers {names}{advice}"
    return advice or "; replace the layer that it has no other way for"


def _image_shape(model: "keras.Model") -> tuple[int, ...]:
    """Returns the shape of the model's one input without the batch."""
    try:
        inputs, outputs = list(model.inputs), list(model.outputs)
    except (AttributeError, TypeError, ValueError):
        raise ConversionError("the model has not been built, so its input's shape is unknown; call it once on an image") from None
    if len(inputs) != 1 or len(outputs) != 1:
        raise ConversionError(f"the model has {in_and_out(len(inputs), len(outputs))}, expected one of each")
    shape = tuple(inputs[0].shape[1:])
    if not shape or None in shape:
        raise ConversionError(f"the model's input has shape {list(inputs[0].shape)}; all but the batch must be fixed numbers")
    return tuple(int(extent) for extent in shape)


def _calibration_images(
    variant: Variant, representative: np.ndarray | None, convention: InputConvention, shape: tuple[int | None, ...]
) -> np.ndarray:
    """Returns images as the model takes them, one batch each: float32 ``(n, batch, ...)``."""
    if representative is None or not len(representative):
        raise ConversionError(
            f"{variant.name} needs representative images to calibrate with; give --calibration-samples 1 or more"
        )
    if representative[0].size != math.prod(extent or 0 for extent in shape[1:]):
        raise ConversionError(
            f"the model takes images of shape {list(shape[1:])}, the calibration images have {list(representative.shape[1:])}"
        )
    size = shape[0] or 1
    frames = np.ascontiguousarray(convention.real(representative)).reshape(-1, *(extent or 0 for extent in shape[1:]))
    frames = np.resize(frames, (-(-len(frames) // size) * size, *frames.shape[1:]))
    return frames.reshape(-1, size, *frames.shape[1:])


def _notes(variant: Variant, content: bytes, select: tuple[str, ...]) -> tuple[str, ...]:
    notes = []
    if select:
        notes.append(
            f"converted but not verified: it needs TensorFlow's own ops ({', '.join(select)}), "
            f"which rules out {', '.join(RULED_OUT_BY_SELECT_OPS)}"
        )
    if variant.needs_calibration and (inside := float_operators(content)):
        notes.append(f"not integer only: {', '.join(inside)} runs in float32, for want of an integer kernel")
    return tuple(notes)


def _failure(model: "keras.Model", shape: tuple[int | None, ...], what: str, message: str) -> ConversionError:
    """Returns an error in one line: the layer, the op, and what can be done."""
    layer, operator = layer_and_op(model, message)
    if layer is None:
        layer = layer_by_prefix(model, lambda prefix: _converts(prefix, shape))
    where = f"layer {layer!r}" if layer else "a layer that the converter does not name"
    if "Select TensorFlow op" in message:
        missing = f" {operator}" if operator else ""
        reason = (
            f"calibration would have to execute{missing}, TensorFlow's own op, which LiteRT cannot; "
            "convert to float32, float16 or dynamic, or replace the layer"
        )
    elif operator:
        reason = f"its op {operator} exists neither in LiteRT nor among the ops it takes over from TensorFlow; replace the layer"
    else:
        reason = " ".join(_first_line(message).split())[:300]
    return ConversionError(f"{what}: {where}: {reason}")


def _converts(model: "keras.Model", shape: tuple[int | None, ...]) -> bool:
    """Returns whether a model, or the first part of one, converts to float32."""
    with temporary_folder() as folder, captured_noise():
        try:
            _save(model, folder / "saved", shape)
            convert_apart(folder / "saved", "float32", None, select=True)
        except Exception:  # the layer is found, whatever it raised
            return False
    return True


def _first_line(message: str) -> str:
    lines = [re.sub(r"^.*?error: ", "", line).strip() for line in message.splitlines()]
    return next((line for line in lines if line), "no reason given")
