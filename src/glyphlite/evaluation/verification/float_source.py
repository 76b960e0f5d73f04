"""The float model that an artifact was converted from, on the same inputs: a .keras file, or a float .tflite file.

Its real outputs are held against the artifact's, and stored as the artifact stores its own.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.value_ranges import input_name
from glyphlite.evaluation.verification.tensor_comparison import differences
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.runtimes.base import LoadedModel
from glyphlite.runtimes.ports import Port, of_graph
from glyphlite.runtimes.registry import FLOAT_TFLITE, get_runtime
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import dequantize, quantize
from glyphlite.tflite.reader import read_graph


@dataclass(frozen=True)
class FloatOutputs:
    """The outputs of a float source for the inputs.

    Attributes:
        runtime: what a record calls it.
        real: for every output of the artifact the source's real numbers, in the artifact's order.
        stored: the same as the artifact would store them.
    """

    runtime: str
    real: tuple[np.ndarray, ...]
    stored: tuple[np.ndarray, ...]

    def mean_absolute_error(self, name: str, outputs: tuple[np.ndarray, ...], graph: Graph) -> float:
        """Returns how far a runtime's real outputs are from the source's on average, over all outputs and inputs.

        ``outputs`` may hold more samples before those that the source was given.
        """
        if name == self.runtime:
            return 0.0
        apart = [
            differences(dequantize(stored[-len(real) :], graph.tensors[index].quantization).reshape(real.shape), real)
            for stored, real, index in zip(outputs, self.real, graph.outputs, strict=True)
        ]
        return float(sum(each.sum() for each in apart) / sum(each.size for each in apart))


def float_outputs(source: Path | Any, inputs: InputSet, graph: Graph, advance: Callable[[int], None]) -> FloatOutputs:
    """Runs the float source on the inputs.

    Args:
        source: a .keras or a float .tflite file, or a loaded Keras model.
        inputs: as the artifact stores them, and as real numbers.
        graph: the artifact.
        advance: called with the number of inputs just done.

    Raises:
        ArtifactError: the source takes or gives something else than the artifact.
    """
    ports = of_graph(graph)
    reals = inputs.reals or tuple(
        dequantize(values, port.quantization) for values, port in zip(inputs.arrays, ports.inputs, strict=True)
    )
    name, model, keys = _loaded(source)
    own = _keys_of(graph)
    with model:
        order = _order("inputs", model.inputs, ports.inputs, keys.inputs, own.inputs)
        given = [np.empty(0)] * len(reals)
        for place, at in enumerate(order):
            port = model.inputs[at]
            given[at] = quantize(reals[place].reshape(len(inputs), *port.shape), port.quantization, port.dtype)
        found = model.run(given, advance)
        order = _order("outputs", model.outputs, ports.outputs, keys.outputs, own.outputs)
        real = tuple(
            dequantize(found[at], model.outputs[at].quantization).reshape(len(inputs), *port.shape)
            for at, port in zip(order, ports.outputs, strict=True)
        )
        if inputs.labels is not None:
            kind = getattr(model, "output_kind", None) or outputs_of(read_graph(Path(source)), str(source))
            rows = kind.stored(real[0].reshape(len(inputs), -1), outputs_of(graph, "the artifact"))
            real = (rows.reshape(real[0].shape),)
    stored = tuple(quantize(values, port.quantization, port.dtype) for values, port in zip(real, ports.outputs, strict=True))
    return FloatOutputs(name, real, stored)


@dataclass(frozen=True)
class _Keys:
    """The names by which a source's inputs and outputs are told apart, which the converter brings into an order of its own.

    An output's is its place in the Keras model, which the converter puts behind its name: ``StatefulPartitionedCall:1``.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def _keys_of(graph: Graph) -> _Keys:
    """Returns the keys of a .tflite file."""
    names = [graph.tensors[index].name for index in graph.outputs]
    numbers = (re.search(r":(\d+)$", name) for name in names)
    return _Keys(
        tuple(input_name(graph.tensors[index].name) for index in graph.inputs),
        tuple(match.group(1) if match else name for match, name in zip(numbers, names, strict=True)),
    )


def _order(
    kind: str, own: Sequence[Port], wanted: Sequence[Port], own_keys: Sequence[str], wanted_keys: Sequence[str]
) -> list[int]:
    """Returns which of the source's inputs or outputs is each of the artifact's: as names say, else by shape and in order.

    Raises:
        ArtifactError: they are not of the same shapes.
    """
    shapes, others = ([_bare(port) for port in ports] for ports in (own, wanted))
    if sorted(shapes) != sorted(others):
        found, expected = ("; ".join(str(list(shape)) for shape in each) for each in (shapes, others))
        raise ArtifactError(f"the float source has {kind} of shape {found}, the artifact of {expected}; name its own source")
    if sorted(own_keys) == sorted(wanted_keys) and len(set(own_keys)) == len(own_keys):
        order = [own_keys.index(key) for key in wanted_keys]
        if [shapes[at] for at in order] == others:
            return order
    left, order = list(enumerate(shapes)), list[int]()
    for shape in others:
        place = next(each for each in left if each[1] == shape)
        left.remove(place)
        order.append(place[0])
    return order


def _bare(port: Port) -> tuple[int, ...]:
    """Returns a port's shape without axes of extent 1."""
    return tuple(extent for extent in port.shape if extent != 1)


def _loaded(source: Path | Any) -> tuple[str, LoadedModel, _Keys]:
    """Returns what a record calls the source, the source as a loaded model, and its keys."""
    if isinstance(source, str | Path):
        if Path(source).suffix == ".tflite":
            return FLOAT_TFLITE, get_runtime("litert_builtin").load(Path(source)), _keys_of(read_graph(Path(source)))
        model = get_runtime("keras").load(Path(source))
    else:
        from glyphlite.runtimes.keras import KerasModel

        model = KerasModel(source)
    names: tuple[str, ...] = getattr(model, "input_names", ())
    return "keras", model, _Keys(names, tuple(str(place) for place in range(len(model.outputs))))
