"""Variables: what they hold before the first call, as TFLite Micro has it, and each lie about them named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.mutants import make_mutant
from support.streaming import running_sum

from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph


def answers(model: bytes, calls: int = 3) -> list[list[int]]:
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 16)
    given = []
    for _ in range(calls):
        interpreter.set_input(np.full((1, 4), 7, np.int8), 0)
        interpreter.invoke()
        given.append(interpreter.get_output(0).reshape(-1).tolist())
    return given


@pytest.mark.parametrize("zero_point", [-128, 0, 5])
def test_the_first_values_are_those_that_tflite_micro_starts_from(zero_point: int) -> None:
    for initial in ([1, -2, 3, 4], None):
        model = running_sum(initial, zero_point=zero_point)
        graph = parse_graph(model)
        (variable,) = graph.variables
        assert (variable.name, variable.shape, variable.bytes) == ("sum", (1, 4), 4)
        assert graph.is_stateful
        sums = variable.initial.astype(int).reshape(-1)
        for given in answers(model):
            sums = np.clip(sums + 7 - zero_point, -128, 127)
            assert given == sums.tolist()


def operators(model: Any, subgraph: int = 0) -> list[Any]:
    return model.subgraphs[subgraph].operators


def assigns_another_shape(model: Any) -> None:
    model.subgraphs[1].tensors[0].shape = np.array([1, 2], np.int32)
    model.buffers[1].data = model.buffers[1].data[:2]


def assigns_nothing(model: Any) -> None:
    operators(model).pop(4)
    operators(model, 1).pop(1)


def reads_before(model: Any) -> None:
    operators(model).insert(3, operators(model).pop(0))


def computes_in_the_initializer(model: Any) -> None:
    graph = model.subgraphs[1]
    graph.tensors.append(model.subgraphs[0].tensors[1])
    operator: Any = schema.OperatorT()
    operator.opcodeIndex = operators(model)[3].opcodeIndex
    operator.builtinOptionsType, operator.builtinOptions = (
        operators(model)[3].builtinOptionsType,
        operators(model)[3].builtinOptions,
    )
    operator.inputs, operator.outputs = np.array([0, 0], np.int32), np.array([2], np.int32)
    graph.operators.append(operator)


def calls_from_the_initializer(model: Any) -> None:
    operators(model, 1).append(operators(model)[0])


def set_on(place: int, subgraph: int = 0, **fields: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for name, value in fields.items():
            setattr(operators(model, subgraph)[place], name, np.array(value, np.int32))

    return change


def option(place: int, **fields: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for name, value in fields.items():
            setattr(operators(model)[place].builtinOptions, name, value)

    return change


def type_of(tensor: int, kind: int) -> Callable[[Any], None]:
    return lambda model: setattr(model.subgraphs[0].tensors[tensor], "type", kind)


def edge(name: str, subgraph: int, value: list[int]) -> Callable[[Any], None]:
    return lambda model: setattr(model.subgraphs[subgraph], name, np.array(value, np.int32))


LIES: dict[str, Callable[[Any], None]] = {
    r"runs subgraph 0 of 2": option(0, initSubgraphIndex=0),
    r"runs subgraph 2 of 2": option(0, initSubgraphIndex=2),
    r"runs subgraph -1 of 2": option(0, initSubgraphIndex=-1),
    r"initializes variables after some were read": reads_before,
    r"subgraph 1 is run by no CALL_ONCE": lambda model: operators(model).pop(0),
    r"number 1 takes or gives tensors": edge("outputs", 1, [0]),
    r"op 0 \(CALL_ONCE\) must take and give nothing": set_on(0, inputs=[0]),
    r"reads the variable 'sum', which nothing assigns": assigns_nothing,
    r"does not name its variable": option(1, sharedName=b""),
    r"keeps its variable in the container 'box'": option(1, container=b"box"),
    r"has a name that is no text": option(1, sharedName=b"a\0b"),
    r"has a name that is no text: '\S+'": option(1, sharedName=b"\xff"),
    r"must take nothing and give one resource": set_on(1, inputs=[0]),
    r"VAR_HANDLE\) must take nothing": type_of(3, schema.TensorType.INT32),
    r"READ_VARIABLE\) takes no handle": set_on(2, inputs=[0]),
    r"READ_VARIABLE\) takes no handle of": set_on(2, inputs=[]),
    r"READ_VARIABLE\) has no outputs": set_on(2, outputs=[]),
    r"READ_VARIABLE\) has 2 inputs": set_on(2, inputs=[3, 0]),
    r"ASSIGN_VARIABLE\) has 1 inputs": set_on(4, inputs=[3]),
    r"ASSIGN_VARIABLE\) has 2 inputs and 0 outputs instead|lacks": set_on(4, inputs=[3, -1]),
    r"ADD\) mixes the types int8, resource": set_on(3, inputs=[0, 3]),
    r"ASSIGN_VARIABLE\) reads the resource tensor 3": set_on(4, inputs=[3, 3]),
    r"has the resource tensor 3 among its outputs": edge("outputs", 0, [3]),
    r"copies int8 of shape \[1, 2\], but its variable is int8 of shape \[1, 4\]": assigns_another_shape,
    r"is no part of an initializer": computes_in_the_initializer,
    r"subgraph 1: op 2 \(CALL_ONCE\) is no part": calls_from_the_initializer,
    r"is a resource of the shape \[2\]": lambda model: setattr(model.subgraphs[0].tensors[3], "shape", np.array([2], np.int32)),
    r"is a resource of the shape": lambda model: setattr(model.subgraphs[0].tensors[3], "buffer", 1),
    r"subgraph 1: op 1 \(ASSIGN_VARIABLE\) reads: tensor 99 does not exist": set_on(1, 1, inputs=[1, 99]),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_named(lie: str) -> None:
    with pytest.raises(ArtifactError, match=lie) as caught:
        parse_graph(running_sum(change=LIES[lie]), "lying")
    assert "\n" not in str(caught.value)


def test_many_subgraphs_cost_no_more_than_their_tables() -> None:
    def doubled(model: Any) -> None:
        model.subgraphs += [model.subgraphs[1]] * 2000

    with pytest.raises(ArtifactError, match="is run by no CALL_ONCE"):
        parse_graph(running_sum(change=doubled), "large")


@pytest.mark.slow
def test_damaged_variables_are_refused_or_sound() -> None:
    """A thousand damaged files: a line, or variables whose values have the size that every op expects."""
    source, refused = {"sum": running_sum()}, 0
    for index in range(1000):
        try:
            graph = parse_graph(make_mutant(source, 23, index).content, "mutant")
        except ArtifactError:
            refused += 1
            continue
        by_handle = {handle: variable for variable in graph.variables for handle in variable.handles}
        for operator in graph.operators:
            if operator.name in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
                tensor = graph.tensors[operator.outputs[0] if operator.outputs else operator.inputs[1]]
                assert by_handle[operator.inputs[0]].initial.nbytes == tensor.bytes
    assert 300 < refused < 1000
