"""Shapes that a model computes from the extents of its activations: computed ahead, the bytes stay TFLite Micro's."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from random_models import model_of
from random_models.differential import examine
from support.assembled import TYPES, Assembly, Part

from glyphlite.tflite.ops import name_of
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.writer import pack_model, unpack_model


def with_shape_chain(content: bytes) -> bytes:
    """Computes the shape of each RESHAPE by SHAPE, STRIDED_SLICE and PACK, as converters write it where the batch is free."""
    model = unpack_model(content)
    graph, assembly = model.subgraphs[0], Assembly()
    assembly.model, assembly.names = model, [""] * len(model.operatorCodes)
    part = Part(assembly)
    model.subgraphs.pop()
    part.graph = graph
    operators, graph.operators = graph.operators, []
    for operator in operators:
        if name_of(model.operatorCodes[operator.opcodeIndex].builtinCode) == "RESHAPE":
            source, shape = int(operator.inputs[0]), graph.tensors[int(operator.outputs[0])].shape
            extents = part.tensor((len(graph.tensors[source].shape),), None, "int32")
            batch, packed = part.tensor((), None, "int32"), part.tensor((len(shape),), None, "int32")
            zero, one = (part.constant(np.array([number], np.int32)) for number in (0, 1))
            part.op("SHAPE", [source], [extents], "ShapeOptions", outType=TYPES["int32"])
            part.op("STRIDED_SLICE", [extents, zero, one, one], [batch], "StridedSliceOptions", shrinkAxisMask=1)
            rest = [part.constant(np.array(extent, np.int32)) for extent in shape[1:]]
            part.op("PACK", [batch, *rest], [packed], "PackOptions", valuesCount=len(shape))
            operator.inputs = np.array([source, packed], np.int32)
        graph.operators.append(operator)
    return pack_model(model)


def reshaping_models(count: int) -> Iterator[bytes]:
    """Random models written by hand that reshape something with a batch of 1."""
    for seed in range(1, 4000, 2):
        content = model_of(seed)[1]
        graph = parse_graph(content)
        reshapes = [operator for operator in graph.operators if operator.name == "RESHAPE"]
        shapes = [graph.tensors[index].shape for each in reshapes for index in (each.inputs[0], each.outputs[0])]
        if shapes and all(shape[:1] == (1,) for shape in shapes):
            yield with_shape_chain(content)
            count -= 1
            if not count:
                return


@pytest.mark.slow
def test_shape_chains_in_random_models_give_the_bytes_of_tflite_micro() -> None:
    models = list(reshaping_models(24))
    assert all("PACK" in {operator.name for operator in parse_graph(content).operators} for content in models)
    verdicts = Counter(verdict.outcome for verdict in examine(models, inputs=8))
    assert verdicts["equal"] == len(models) == 24, verdicts
