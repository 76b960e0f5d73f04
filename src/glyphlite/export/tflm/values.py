"""A project's inputs and outputs where the model is no classifier of pictures: parameters, a test input, and what is expected.

What is expected is what TFLite Micro's reference kernels give for the test input on this host.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite.compiler.codegen.c_names import parameter_names
from glyphlite.compiler.codegen.c_text import c_float
from glyphlite.errors import ArtifactError, DataError
from glyphlite.escaping import printable
from glyphlite.runtimes import ports
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.graph import Graph, Tensor

C_TYPES = {
    "float32": "float",
    "int8": "std::int8_t",
    "uint8": "std::uint8_t",
    "int16": "std::int16_t",
    "int32": "std::int32_t",
    "int64": "std::int64_t",
    "bool": "bool",
}
"""Element types that enter and leave a model, as C++ calls them."""

COLUMNS = 100
MOST_VALUES = 1 << 20
"""Values of a test input, or expected of an output, that a header may hold."""


@dataclass(frozen=True)
class PortText:
    """An input or output as the templates write it.

    Attributes:
        name: of the parameter: ``input``, ``output_box``.
        constant: what its constants begin with: ``kOutputBox``.
        c_type: of an element.
        elements: how many there are.
        scale: as a literal; None where the file has no single one.
        zero_point: beside it.
        words: tensor, shape and type.
        values: of the test input, or expected, as lines of literals.
        largest: magnitude among them, as a literal.
        is_integer: whether elements are counted in steps.
    """

    name: str
    constant: str
    c_type: str
    elements: int
    scale: str | None
    zero_point: int
    words: str
    values: str
    largest: str
    is_integer: bool

    @property
    def size(self) -> str:
        """Returns the name of the constant that says how many elements there are."""
        return f"{self.constant}Size"


def value_ports(artifact: Path, graph: Graph, samples: Sequence[np.ndarray]) -> tuple[tuple[PortText, ...], tuple[PortText, ...]]:
    """Returns every input with a test input, and every output with what TFLite Micro gives for it.

    Args:
        artifact: the file.
        graph: of it.
        samples: one array a model input, stored, ``(n, *shape of a sample)``; the first of them are taken, again from the
            start where a file of a fixed batch takes more.

    Raises:
        ArtifactError: TFLite Micro refuses the file, or an element type is none that a program can hold.
        DataError: the samples are not of the model, or it is too large for a header.
    """
    named = {"input": graph.inputs, "output": graph.outputs}
    for kind, indices in named.items():
        for index in indices:
            tensor = graph.tensors[index]
            if tensor.dtype.name not in C_TYPES:
                raise ArtifactError(f"{artifact.name}: its {kind} holds {tensor.dtype}, expected one of {', '.join(C_TYPES)}")
            if tensor.elements > MOST_VALUES:
                raise DataError(
                    f"{artifact.name}: its {kind} {printable(tensor.name)} has {tensor.elements:,} values, too many for a header "
                    f"(at most {MOST_VALUES:,}); export it with --for c-array"
                )
    with get_runtime("tflm").load(artifact) as model:
        places = np.arange(model.ports.batch)
        taken = ports.check_batches([values[places % len(values)] for values in samples], model.inputs)
        given = [ports.frames(taken, model.ports), model.run(taken)]
    found: list[tuple[PortText, ...]] = []
    for (kind, indices), arrays in zip(named.items(), given, strict=True):
        tensors = [graph.tensors[index] for index in indices]
        names = parameter_names(kind, [tensor.name for tensor in tensors])
        constants = _constants(names)
        found.append(tuple(map(_port_text, tensors, names, constants, arrays)))
    return found[0], found[1]


def _constants(names: Sequence[str]) -> list[str]:
    """Returns a stem of constants' names for each parameter, all different: ``input_a`` becomes ``kInputA``."""
    stems = ["k" + "".join(part.capitalize() for part in name.split("_")) for name in names]
    return [stem if stems.count(stem) == 1 else f"{stem}{place}" for place, stem in enumerate(stems)]


def _port_text(tensor: Tensor, name: str, constant: str, values: np.ndarray) -> PortText:
    quantization = tensor.quantization if tensor.dtype.kind in "iu" else None
    single = quantization if quantization and len(quantization.scales) == 1 else None
    shape = " x ".join(str(abs(extent)) for extent in tensor.shape) or "one value"
    quantized = f", scale {single.scale:.9g}, zero point {single.zero_point}" if single else ""
    flat = np.zeros(tensor.elements, tensor.dtype)
    flat[:] = np.asarray(values).reshape(-1)[: tensor.elements]
    return PortText(
        name=name,
        constant=constant,
        c_type=C_TYPES[tensor.dtype.name],
        elements=tensor.elements,
        scale=f"{c_float(single.scale)}f" if single else None,
        zero_point=single.zero_point if single else 0,
        words=f"{printable(tensor.name)}: {tensor.dtype.name}, {shape}{quantized}",
        values=_lines(flat),
        largest=c_float(float(np.abs(flat.astype(np.float64)).max(initial=1.0))),
        is_integer=tensor.dtype.kind in "iub",
    )


def _lines(values: np.ndarray) -> str:
    """Returns the elements as lines of literals."""
    texts = [_literal(value) for value in values.tolist()]
    widest = max(map(len, texts))
    step = max(1, min(24, (COLUMNS - 4) // (widest + 2)))
    return "\n".join("    " + ", ".join(texts[at : at + step]) + "," for at in range(0, len(texts), step))


def _literal(value: float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{c_float(value)}f" if np.isfinite(value) else "0.0f"
    return str(value) if -(2**31) < value < 2**31 else f"{value}LL"
