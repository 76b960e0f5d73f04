"""State for a model that has none: variables that delay or add up tensors inside it, and an LSTM behind it.

Works on finished files, whatever wrote them. Variables are read before and behind their assignments, assigned early and late,
initialized or not.
"""

import copy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from support.assembled import Assembly, Part

from glyphlite.tflite.writer import pack_model, unpack_model
from random_models.recurrent import add_lstm, add_svdf

SHARE = 1 / 6
"""Part of the models that get state."""
LARGEST = 512
"""Elements of a tensor that is kept, or of a sequence."""


def vary_states(content: bytes, seed: int) -> bytes:
    """The file of a seed with the state that is drawn for it; most stay as they are."""
    rng = np.random.default_rng([seed, 4124])  # its own: the models of all other seeds stay what they were
    return with_states(content, rng) if rng.random() < SHARE else content


def with_states(content: bytes, rng: np.random.Generator) -> bytes:
    """The file with one to three variables, an LSTM, or both."""
    model = unpack_model(content)
    main = Part.of(Assembly.of(model), 0)
    kept: list[tuple[str, Any]] = []
    if rng.random() < 0.8:
        for number in range(int(rng.integers(1, 4))):
            _keep(main, rng, f"model/state_{number}", kept)
        if kept:
            _initialize(main, kept)
    if not kept or rng.random() < 0.3:
        _append_lstm(main, rng)
    if rng.random() < 0.4:
        _append_svdf(main, rng)
    return pack_model(model)


def _keep(main: Part, rng: np.random.Generator, name: str, kept: list[tuple[str, Any]]) -> None:
    """Puts a variable behind an op: its result is of the call before, or what a later op gave there, or a sum."""
    graph = main.graph
    found = [operator for operator in graph.operators if len(operator.outputs) == 1 and _fits(graph.tensors[operator.outputs[0]])]
    if not found:
        return
    operator = found[int(rng.integers(len(found)))]
    result = int(operator.outputs[0])
    like = graph.tensors[result]
    raw = _clone(graph, like)
    operator.outputs = np.array([raw], np.int32)
    handle = main.variable(name)
    graph.operators.insert(0, graph.operators.pop())
    before = _place(graph, operator)
    kind = rng.random()
    later = [int(each.outputs[0]) for each in graph.operators[before + 1 :] if _is_like(graph, each, like)]
    if kind < 0.4 and later:  # what comes of it goes round
        old, assigned = result, later[int(rng.integers(len(later)))]
    elif kind < 0.65:  # the value of the call before, in the place of this one's
        old, assigned = result, raw
    else:
        old = _clone(graph, like)
        main.op("ADD", [raw, old], [result], "AddOptions")
        graph.operators.insert(before + 1, graph.operators.pop())
        assigned = int(rng.choice([raw, result]))
    main.op("READ_VARIABLE", [handle], [old], "ReadVariableOptions")
    first, last = 1, before + 1
    graph.operators.insert(int(rng.integers(first, last + 1)), graph.operators.pop())
    writer = next(place for place, each in enumerate(graph.operators) if assigned in each.outputs)
    main.op("ASSIGN_VARIABLE", [handle, assigned], [], "AssignVariableOptions")
    early = rng.random() < 0.4
    graph.operators.insert(writer + 1 if early else int(rng.integers(writer + 1, len(graph.operators))), graph.operators.pop())
    initial = rng.integers(-128, 128, [int(each) for each in like.shape]).astype(np.int8) if rng.random() < 0.6 else None
    kept.append((name, (initial, like)))


def _initialize(main: Part, kept: list[tuple[str, Any]]) -> None:
    """Appends an initializer of the variables that have first values, and calls it."""
    initializer = main.assembly.subgraph()
    for name, (initial, like) in kept:
        if initial is not None:
            constant = initializer.constant(initial, [(float(like.quantization.scale[0]), int(like.quantization.zeroPoint[0]))])
            initializer.op("ASSIGN_VARIABLE", [initializer.variable(name), constant], [], "AssignVariableOptions")
    main.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=len(main.assembly.model.subgraphs) - 1)
    main.graph.operators.insert(0, main.graph.operators.pop())


def _append_lstm(main: Part, rng: np.random.Generator) -> None:
    """Lets an LSTM follow the first output, whose last axis is what it takes in a step."""
    graph = main.graph
    output = int(graph.outputs[0])
    tensor = graph.tensors[output]
    if not _fits(tensor) or output in list(graph.inputs):
        return
    features = int(tensor.shape[-1])
    parameters = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
    shape = (1, int(np.prod(tensor.shape)) // features, features)
    sequence = main.tensor(shape, parameters)
    main.op("RESHAPE", [output, main.constant(np.array(shape, np.int32))], [sequence], "ReshapeOptions", newShape=list(shape))
    answer, _, _ = add_lstm(main, rng, sequence, shape, parameters, time_major=False)
    graph.outputs = np.array([answer, *graph.outputs[1:]], np.int32)


def _append_svdf(main: Part, rng: np.random.Generator) -> None:
    """Lets an SVDF follow the last output, all of whose values it takes at once."""
    graph = main.graph
    output = int(graph.outputs[-1])
    tensor = graph.tensors[output]
    if not _fits(tensor) or output in list(graph.inputs):
        return
    width, parameters = int(np.prod(tensor.shape)), (float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0]))
    row = main.tensor((1, width), parameters)
    main.op("RESHAPE", [output, main.constant(np.array((1, width), np.int32))], [row], "ReshapeOptions", newShape=[1, width])
    answer, _, _ = add_svdf(main, rng, row, width, parameters)
    graph.outputs = np.array([*graph.outputs[:-1], answer], np.int32)


def _fits(tensor: Any) -> bool:
    """Whether it is a small int8 tensor of one scale."""
    scales = getattr(tensor.quantization, "scale", None)
    plain = tensor.type == schema.TensorType.INT8 and scales is not None and len(scales) == 1
    return plain and len(tensor.shape) > 0 and int(np.prod(tensor.shape)) <= LARGEST


def _is_like(graph: Any, operator: Any, tensor: Any) -> bool:
    """Whether an op gives as many int8 values as a tensor has."""
    if len(operator.outputs) != 1 or not _fits(graph.tensors[operator.outputs[0]]):
        return False
    return int(np.prod(graph.tensors[operator.outputs[0]].shape)) == int(np.prod(tensor.shape))


def _clone(graph: Any, tensor: Any) -> int:
    clone = copy.deepcopy(tensor)
    clone.name, clone.buffer = f"model/kept_{len(graph.tensors)}/value".encode(), 0
    graph.tensors.append(clone)
    return len(graph.tensors) - 1


def _place(graph: Any, operator: Any) -> int:
    return next(place for place, each in enumerate(graph.operators) if each is operator)
