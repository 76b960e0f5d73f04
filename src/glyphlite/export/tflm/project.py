"""A .tflite file as a complete TFLite Micro project: model, ops, arena, a program with a test input, and how to build it.

A classifier of pictures gets a program that names the class of a test image; any other model one that compares its outputs.

Composes the checks (the file, its ops, its arena) and the templates; builds nothing and needs no TFLite Micro checkout.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.codegen.c_text import c_float
from glyphlite.errors import ArtifactError, DataError
from glyphlite.export.c_array import Language, model_data_sources
from glyphlite.export.c_names import check_identifier
from glyphlite.export.model_name import model_and_file
from glyphlite.export.templating import render
from glyphlite.export.tflm.op_resolver import ResolverEntry, resolver_entries
from glyphlite.export.tflm.values import C_TYPES, value_ports
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.models.interface.input_convention import CHANNELS_FIRST, InputConvention
from glyphlite.models.interface.outputs import class_count, outputs_of
from glyphlite.models.interface.purpose import check_one_in_and_out, is_channels_first
from glyphlite.models.interface.stated_convention import convention_of_graph
from glyphlite.runtimes.tflm_arena import ArenaMeasurement, measure_arena
from glyphlite.tflite.graph import Graph, Tensor
from glyphlite.tflite.reader import parse_graph, read_artifact

CLASSIFIER_TYPES = ("float32", "int8", "uint8", "int16")
"""Element types that enter and leave an image classifier."""

SHARED = ("op_resolver.h", "tensor_arena.h", "Makefile", "CMakeLists.txt")
OF_CLASSIFIERS = ("test_image.h", "model_inference.h", "model_inference.cc", "README.md")
OF_VALUES = tuple(f"values/{name}" for name in ("test_inputs.h", "model_inference.h", "model_inference.cc", "README.md"))
"""Templates of every project, of classifiers of pictures, and of all others."""


@dataclass(frozen=True)
class ExportReport:
    """The record of an export.

    Attributes:
        folder: the project.
        files: every file in it.
        name: the model's symbols are ``<name>_data`` and ``<name>_data_length``.
        builtin_codes: of every op in the order of execution.
        resolver: the ops that are linked, each once.
        model_bytes: size of the .tflite file.
        sha256: of the .tflite file.
        arena: measured on this host.
        expected_class: of the embedded image.
    """

    folder: Path
    files: tuple[Path, ...]
    name: str
    builtin_codes: tuple[int, ...]
    resolver: tuple[ResolverEntry, ...]
    model_bytes: int
    sha256: str
    arena: ArenaMeasurement
    expected_class: int | None


def export_tflm(
    artifact: Path,
    folder: Path,
    *,
    image: np.ndarray | None = None,
    label: int | None = None,
    labels: Sequence[str] = (),
    image_source: str = "a test image",
    samples: Sequence[np.ndarray] | None = None,
    name: str = "model",
    language: Language = "cc",
    convention: InputConvention | None = None,
    arena: ArenaMeasurement | None = None,
    overwrite: bool = False,
) -> ExportReport:
    """Writes the project; the folder appears whole or not at all.

    Args:
        artifact: a .tflite file that TFLite Micro accepts, batch 1.
        folder: created, or replaced where it holds an earlier export and nothing else.
        image: the test image of a classifier to embed, uint8 ``(height, width, channels)``.
        label: its class; None where it is not known, as of a blank image.
        labels: the classes' names, as many as the model has scores.
        image_source: where image or samples come from, such as "image 0 of the test split of mnist".
        samples: in the place of an image for any other model: for every input what its tensor holds, stored, ``(n, ...)``; the
            first is embedded, with the outputs that TFLite Micro gives for it here.
        name: a C identifier; the symbols become ``<name>_data`` and ``<name>_data_length``.
        language: of the model's array, ``cc`` or ``c``.
        convention: how the model takes a pixel; by default what the file says, else pixel / 255.
        arena: measured before; measured here when None.
        overwrite: also replace files of an earlier export that were changed, and keep the user's own.

    Raises:
        ArtifactError: the file is malformed, not a classifier of such images, or refused by TFLite Micro (why, what to use).
        DataError: the label is not one of the classes.
        OutputError: the name is no C identifier, or the folder holds other files or cannot be written.
        ToolError: TFLite Micro's Python wheel is not installed.
    """
    artifact, folder = Path(artifact), Path(folder)
    check_identifier(name)
    require_own(folder, overwrite=overwrite)
    content = read_artifact(artifact)
    graph = parse_graph(content, artifact.name)
    entries = resolver_entries(graph, artifact.name)
    if image is not None:
        own, templates = _classifier_values(graph, artifact.name, image, label, labels, image_source, convention), OF_CLASSIFIERS
    else:
        own, templates = _value_values(artifact, graph, samples or (), image_source), OF_VALUES
    arena = arena or measure_arena(artifact)
    values = {
        **own,
        "source": model_and_file(artifact, content),
        "version": __version__,
        "name": name,
        "language": language,
        "entries": entries,
        "operators": [entry.name for entry in entries],
        "arena": arena,
        "variables": len(graph.variables),
        "reference_kernels_only": _needs_reference_kernels(graph),
        "model_bytes": len(content),
        "sha256": sha256(content).hexdigest(),
    }
    sources = model_data_sources(content, model_and_file(artifact, content), name=name, language=language)
    for template in (*SHARED, *templates):
        sources[Path(template).name] = render(
            f"tflm/{template}", {**values, "guard": f"GLYPHLITE_{name.upper()}_{Path(template).stem.upper()}_H_"}
        )
    with owned_folder(folder, overwrite=overwrite) as temporary:
        for filename, text in sources.items():
            (temporary / filename).write_text(text, encoding="utf-8")
    return ExportReport(
        folder=folder,
        files=tuple(folder / filename for filename in sources),
        name=name,
        builtin_codes=tuple(operator.builtin_code for operator in graph.operators),
        resolver=entries,
        model_bytes=len(content),
        sha256=values["sha256"],
        arena=arena,
        expected_class=label,
    )


def _classifier_values(
    graph: Graph,
    name: str,
    image: np.ndarray,
    label: int | None,
    labels: Sequence[str],
    source: str,
    convention: InputConvention | None,
) -> dict[str, Any]:
    """Returns what the templates of a classifier of pictures say.

    Raises:
        ArtifactError: it is none, or one of other pictures.
        DataError: the label is not one of the classes.
    """
    kind = outputs_of(graph, name)
    _check_ports(graph, image.shape, len(labels), name)
    if label is not None and not 0 <= label < len(labels):
        raise DataError(f"the test image's class {label} is not one of the {len(labels)} classes")
    convention = convention or convention_of_graph(graph)
    if is_channels_first(graph):
        convention = replace(convention, layout=CHANNELS_FIRST)
    return {
        "image": _image_values(convention.laid_out(image[np.newaxis])[0], label, labels, source),
        "axes": "channels, height, width" if convention.layout == CHANNELS_FIRST else "height, width, channels",
        "labels": list(labels),
        "classes": len(labels),
        "outputs": "1" if kind.is_single else "kClasses",
        "threshold": kind.threshold if kind.is_single else None,
        "input": _port_values(graph.input),
        "pixel": _pixel_values(convention, graph.input.elements),
        "output": _port_values(graph.output),
    }


def _value_values(artifact: Path, graph: Graph, samples: Sequence[np.ndarray], source: str) -> dict[str, Any]:
    """Returns what the templates of any other model say. Errors as those of :func:`value_ports`."""
    inputs, outputs = value_ports(artifact, graph, samples)
    keeps_state = bool(graph.variables) or any(tensor.is_variable for tensor in graph.tensors)
    return {"inputs": inputs, "outputs": outputs, "sample": source, "keeps_state": keeps_state}


def _check_ports(graph: Graph, image: Sequence[int], classes: int, name: str) -> None:
    """Refuses a model that is not a classifier of images of this shape, one at a time.

    Raises:
        ArtifactError: what does not fit.
    """
    check_one_in_and_out(graph, name)
    for kind, tensor in (("input", graph.input), ("output", graph.output)):
        if tensor.dtype.name not in CLASSIFIER_TYPES:
            raise ArtifactError(f"{name}: its {kind} holds {tensor.dtype}, expected one of {', '.join(CLASSIFIER_TYPES)}")
        if tensor.shape and abs(tensor.shape[0]) != 1:
            raise ArtifactError(
                f"{name}: its batch is fixed to {tensor.shape[0]}, expected 1 on TFLite Micro; convert it with --batch 1"
            )
    if graph.input.elements != int(np.prod(image)):
        raise ArtifactError(
            f"{name} takes images of {_extents(graph.input.shape[1:])}, the test image has {_extents(image)}; "
            "name the dataset it was trained on with --dataset"
        )
    if class_count(graph) != classes:
        raise ArtifactError(
            f"{name} knows {class_count(graph)} classes, the dataset has {classes}; "
            "name the dataset it was trained on with --dataset"
        )


def _needs_reference_kernels(graph: Graph) -> bool:
    """Returns whether CMSIS-NN's kernels refuse what the reference kernels take: int16 activations with per-channel dense
    weights.

    Source: ``tensorflow/lite/micro/kernels/cmsis_nn/fully_connected.cc``, ``Prepare``.
    """
    for operator in graph.operators:
        if operator.name == "FULLY_CONNECTED":
            activation, weights = (graph.tensors[index] for index in operator.inputs[:2])
            if activation.dtype == np.int16 and weights.quantization is not None and len(weights.quantization.scales) > 1:
                return True
    return False


def _port_values(tensor: Tensor) -> dict[str, Any]:
    quantization = tensor.quantization if tensor.dtype.kind != "f" else None
    return {
        "type": tensor.dtype.name,
        "c_type": C_TYPES[tensor.dtype.name],
        "scale": f"{quantization.scale:.9g}" if quantization else None,
        "zero_point": quantization.zero_point if quantization else None,
    }


def _pixel_values(convention: InputConvention, values: int) -> dict[str, Any]:
    """Returns the template's values for converting a pixel: the formula in C++ and in words, the means and deviations."""
    expression = "static_cast<float>(pixel)"
    if any(convention.mean):
        expression = f"({expression} - {'kMean[channel]' if convention.per_channel else _literal(convention.mean[0])})"
    if any(each != 1 for each in convention.std):
        expression += f" / {'kStd[channel]' if convention.per_channel else _literal(convention.std[0])}"
    every = range(convention.channels)
    return {
        "expression": expression,
        "formula": convention.formula,
        "channels": convention.channels,
        "channel": f"i / {values // convention.channels}"
        if convention.layout == CHANNELS_FIRST
        else f"i % {convention.channels}",
        "mean": ", ".join(_literal(convention.mean[each % len(convention.mean)]) for each in every),
        "std": ", ".join(_literal(convention.std[each % len(convention.std)]) for each in every),
    }


def _literal(value: float) -> str:
    return f"{c_float(value)}f"


def _image_values(image: np.ndarray, label: int | None, labels: Sequence[str], source: str) -> dict[str, Any]:
    return {
        "source": source,
        "class_index": -1 if label is None else label,
        "label": "not known" if label is None else labels[label],
        "shape": list(image.shape),
        "bytes": image.size,
        "rows": image.reshape(image.shape[0], -1).tolist(),
    }


def _extents(shape: Sequence[int]) -> str:
    return "x".join(str(extent) for extent in shape)
