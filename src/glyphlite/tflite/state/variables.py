"""The variables of a model: which ops read and assign each, and what it holds before the first call.

One level of initializers: the model's CALL_ONCE ops run subgraphs that assign constants, and nothing else. Source: TFLite Micro's
``micro_resource_variable.cc``, ``var_handle.cc``, ``assign_variable.cc``, ``call_once.cc``, which trust the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from glyphlite.errors import ArtifactError
from glyphlite.escaping import printable
from glyphlite.tflite.graph import RESOURCE, Operator, Tensor, Variable

_TAKES_HANDLES = ("READ_VARIABLE", "ASSIGN_VARIABLE")
_INITIALIZES = ("VAR_HANDLE", "ASSIGN_VARIABLE")


@dataclass(frozen=True)
class Subgraph:
    """A subgraph whose indices are in range; ``name`` is what messages call it."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]

    def refuse(self, operator: Operator, detail: str) -> NoReturn:
        """Refuses the file, naming the op."""
        raise ArtifactError(f"{self.name}: op {operator.index} ({operator.name}) {detail}; convert the model again")


def read_variables(subgraphs: Sequence[Subgraph]) -> tuple[Variable, ...]:
    """Returns the variables of a file, in the order in which their handles are made.

    Args:
        subgraphs: the model, then its initializers.

    Raises:
        ArtifactError: an op does not fit its variable, a subgraph is no initializer, or what a variable holds at first is
            undefined.
    """
    handles = [_handles(subgraph) for subgraph in subgraphs]
    called = list(_called(subgraphs))
    for index, subgraph in enumerate(subgraphs[1:], 1):
        if index not in called:
            raise ArtifactError(f"{subgraph.name} is run by no CALL_ONCE; glyphlite reads further subgraphs as initializers only")
        _check_initializer(subgraph)
    assigned: dict[str, Tensor] = {}
    for subgraph, names in zip(subgraphs, handles, strict=True):
        _collect(subgraph, names, assigned)
    for subgraph, names in zip(subgraphs, handles, strict=True):
        _check_reads(subgraph, names, assigned)
    initial = {name: _default(tensor) for name, tensor in assigned.items()}
    behind: dict[str, bool] = {}
    for index in called:
        for operator in _assignments(subgraphs[index]):
            constant, name = subgraphs[index].tensors[operator.inputs[1]], handles[index][operator.inputs[0]]
            assert constant.data is not None
            initial[name], behind[name] = constant.data, constant.is_behind
    names = handles[0]
    return tuple(
        Variable(
            name=name,
            handles=tuple(tensor for tensor, of in names.items() if of == name),
            shape=assigned[name].shape,
            dtype=assigned[name].dtype,
            quantization=assigned[name].quantization,
            initial=np.ascontiguousarray(initial[name]).reshape(assigned[name].shape),
            is_behind=behind.get(name, False),
        )
        for name in dict.fromkeys(names.values())
        if name in assigned
    )


def _handles(subgraph: Subgraph) -> dict[int, str]:
    """Returns the name of the variable behind each resource tensor, all names of one container."""
    found: dict[int, str] = {}
    for operator in subgraph.operators:
        if operator.name == "VAR_HANDLE":
            if operator.inputs or len(operator.outputs) != 1 or subgraph.tensors[operator.outputs[0]].dtype != RESOURCE:
                subgraph.refuse(operator, "must take nothing and give one resource")
            found[operator.outputs[0]] = _name(subgraph, operator)
        for place, tensor in enumerate(operator.inputs):
            if tensor != -1 and subgraph.tensors[tensor].dtype == RESOURCE and (place or operator.name not in _TAKES_HANDLES):
                subgraph.refuse(operator, f"reads the resource tensor {tensor}, which only reading and assigning may")
        if operator.name in _TAKES_HANDLES and (not operator.inputs or operator.inputs[0] not in found):
            subgraph.refuse(operator, "takes no handle of a variable")
        for tensor in operator.outputs:
            if subgraph.tensors[tensor].dtype == RESOURCE and operator.name != "VAR_HANDLE":
                subgraph.refuse(operator, f"writes the resource tensor {tensor}, which only VAR_HANDLE may")
    return found


def _name(subgraph: Subgraph, operator: Operator) -> str:
    """Returns the name of a variable. A container, which nobody sets, would make two variables of one name."""
    name, container = operator.options["name"], operator.options["container"]
    if not name:
        subgraph.refuse(operator, "does not name its variable")
    if container:
        subgraph.refuse(
            operator, f"keeps its variable in the container '{printable(container)}', which glyphlite does not follow"
        )
    if "\0" in name or "\ufffd" in name:
        subgraph.refuse(operator, f"has a name that is no text: '{printable(name)}'")
    return name


def _called(subgraphs: Sequence[Subgraph]) -> Iterator[int]:
    """Yields the subgraphs that the model runs once, in order, before it looks at any variable."""
    touched = False
    for operator in subgraphs[0].operators:
        touched |= operator.name in _TAKES_HANDLES
        if operator.name != "CALL_ONCE":
            continue
        if operator.inputs or operator.outputs:
            subgraphs[0].refuse(operator, "must take and give nothing")
        if not 0 < operator.options["subgraph"] < len(subgraphs):
            subgraphs[0].refuse(operator, f"runs subgraph {operator.options['subgraph']} of {len(subgraphs)}")
        if touched:
            subgraphs[0].refuse(
                operator, "initializes variables after some were read or assigned, which glyphlite does not follow"
            )
        yield operator.options["subgraph"]


def _check_initializer(subgraph: Subgraph) -> None:
    for operator in subgraph.operators:
        if operator.name not in _INITIALIZES:
            subgraph.refuse(operator, "is no part of an initializer, which may only assign constants to variables")
    for operator in _assignments(subgraph):
        if operator.inputs[1:2] != () and not subgraph.tensors[operator.inputs[1]].is_constant:
            subgraph.refuse(operator, "assigns what is no constant")


def _assignments(subgraph: Subgraph) -> list[Operator]:
    return [operator for operator in subgraph.operators if operator.name == "ASSIGN_VARIABLE"]


def _collect(subgraph: Subgraph, names: dict[int, str], assigned: dict[str, Tensor]) -> None:
    """Notes the tensor that each variable is assigned first, and checks that the others are of its size and type."""
    for operator in _assignments(subgraph):
        if len(operator.inputs) != 2 or operator.outputs or -1 in operator.inputs:
            subgraph.refuse(operator, f"has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs instead of 2 and 0")
        tensor = subgraph.tensors[operator.inputs[1]]
        _check_fits(subgraph, operator, tensor, assigned.setdefault(names[operator.inputs[0]], tensor))


def _check_reads(subgraph: Subgraph, names: dict[int, str], assigned: dict[str, Tensor]) -> None:
    for operator in subgraph.operators:
        if operator.name != "READ_VARIABLE":
            continue
        if len(operator.inputs) != 1 or len(operator.outputs) != 1:
            subgraph.refuse(operator, f"has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs instead of 1 and 1")
        name = names[operator.inputs[0]]
        if name not in assigned:
            subgraph.refuse(operator, f"reads the variable '{printable(name)}', which nothing assigns")
        _check_fits(subgraph, operator, subgraph.tensors[operator.outputs[0]], assigned[name])


def _check_fits(subgraph: Subgraph, operator: Operator, tensor: Tensor, first: Tensor) -> None:
    """Refuses a tensor of another size or type than its variable: TFLite Micro copies bytes, past the end too."""
    if tensor.stored_type != first.stored_type or tensor.elements != first.elements or -1 in tensor.shape:
        subgraph.refuse(
            operator,
            f"copies {tensor.stored_type} of shape {list(tensor.shape)}, "
            f"but its variable is {first.stored_type} of shape {list(first.shape)}",
        )


def _default(tensor: Tensor) -> np.ndarray:
    """Returns what a variable holds that no initializer assigns: the low byte of the zero point in every byte.

    Source: ``MicroResourceVariables::Allocate``, micro_resource_variable.cc.
    """
    zero_point = tensor.quantization.zero_points[0] if tensor.quantization else 0
    filled = np.full(tensor.elements * tensor.dtype.itemsize, zero_point & 0xFF, np.uint8)
    return filled.view(tensor.dtype).reshape(tensor.shape)
