"""The inputs and outputs of a folder of generated C, by the memory map in it, where its .tflite file is not at hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.report import EdgePlan, memory_maps
from glyphlite.errors import ArtifactError
from glyphlite.escaping import printable, shell_word
from glyphlite.evaluation.input_sets.value_ranges import (
    ModelInput,
    ModelInputs,
    input_name,
    integer_range,
    quantized_range,
)
from glyphlite.files.untrusted import parsing
from glyphlite.runtimes.ports import Port
from glyphlite.tflite.quantization import Quantization

_NUMBERS: dict[str, type | tuple[type, ...]] = {"_bytes": int, "_zero_point": int, "macs": int, "_scale": (int, float)}
"""Types of what a memory map says, by how its keys end."""


def memory_map_in(generated: Path) -> dict[str, Any]:
    """Returns the memory map that lies beside generated C.

    Raises:
        ArtifactError: the folder holds none, or numbers in it are none.
    """
    for path, document in memory_maps(generated):
        for key, value in document.items():
            expected = next((kind for ends, kind in _NUMBERS.items() if key.endswith(ends)), None)
            if expected and (isinstance(value, bool) or not isinstance(value, expected)):
                found = printable(repr(value))
                raise ArtifactError(f"{path} is damaged: its {printable(key)} is {found}; {_again(generated)}")
        return document
    raise ArtifactError(f"{generated} holds no generated C; {_again(generated)}")


def _again(generated: Path) -> str:
    return f"make it with glyphlite compile MODEL.tflite --out {shell_word(generated)}"


def edges_of(document: Mapping[str, Any], kind: str) -> tuple[EdgePlan, ...]:
    """Returns the inputs or outputs of a memory map; ``kind`` is "input" or "output".

    Raises:
        ArtifactError: the list is damaged.
    """
    listed = document.get(f"{kind}_tensors")
    if listed:
        with parsing(f"the {kind}s listed beside the C are damaged", ArtifactError, "compile the model again"):
            return tuple(
                EdgePlan(**{**each, "shape": tuple(map(int, each["shape"])), "scale": float(each["scale"])}) for each in listed
            )
    size, scale, zero_point = (document[f"{kind}_{key}"] for key in ("bytes", "scale", "zero_point"))
    return (EdgePlan(kind, kind, (1, size), "int8", scale, zero_point, size),)  # compiled by a former version


def port_of(edge: EdgePlan) -> Port:
    """Returns an input or output as the runtimes see that of its file."""
    shape = tuple(abs(extent) for extent in edge.shape)
    dtype = np.dtype(edge.kind)
    quantization = None if dtype.kind == "f" else Quantization((edge.scale,), (edge.zero_point,))
    return Port(shape[1:] if shape and shape[0] == 1 else shape, dtype, quantization, shape)


def inputs_of_map(document: Mapping[str, Any]) -> ModelInputs:
    """Returns what a compiled model takes."""
    found = tuple(_input(edge) for edge in edges_of(document, "input"))
    size = int(document["input_bytes"]) + int(document["output_bytes"])
    return ModelInputs(found, int(document.get("macs", 0)), bool(document.get("state_bytes", 0)), size)


def _input(edge: EdgePlan) -> ModelInput:
    port = port_of(edge)
    if port.dtype.kind != "f":
        return ModelInput(input_name(edge.tensor), port, integer_range(port))
    found = quantized_range(Quantization((edge.scale,), (edge.zero_point,)), np.dtype(edge.element_type))
    return ModelInput(input_name(edge.tensor), port, found)
