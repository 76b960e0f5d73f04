"""Layers in a table before and behind a RELU6 whose output has another zero point: TFLite Micro's bytes.

RELU6 only clamps; the layer before it still scales to its own output's zero point, the layer behind pads with the other one.
"""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema
from random_models.differential import compare

from glyphlite.tflite.writer import pack_model, unpack_model

ZERO_POINT = -100


def clamped_before_another_layer(model: Any) -> None:
    """Makes the LOGISTIC behind a convolution a RELU6, whose output has the zero point of a LOGISTIC."""
    codes = [code.builtinCode for code in model.operatorCodes]
    model.operatorCodes[codes.index(schema.BuiltinOperator.LOGISTIC)] = _relu6(model.operatorCodes[0])


def copied_before_a_padded_layer(model: Any) -> None:
    """Puts a RELU6 that clamps nothing between two layers of a chain, its output's zero point another one."""
    graph = model.subgraphs[0]
    first, second = graph.operators[:2]
    tensor = deepcopy(graph.tensors[first.outputs[0]])
    tensor.name, tensor.quantization.zeroPoint = b"copy", [ZERO_POINT]
    graph.tensors.append(tensor)
    model.operatorCodes.append(_relu6(model.operatorCodes[0]))
    copy = schema.OperatorT()
    copy.opcodeIndex, copy.inputs, copy.outputs = len(model.operatorCodes) - 1, [first.outputs[0]], [len(graph.tensors) - 1]
    second.inputs = [len(graph.tensors) - 1, *second.inputs[1:]]
    graph.operators.insert(1, copy)


@pytest.mark.parametrize("change", [clamped_before_another_layer, copied_before_a_padded_layer])
@pytest.mark.parametrize("path", ["plain", "dsp"])
def test_a_table_keeps_the_quantization_that_each_layer_was_given(
    samples: Path, change: Callable[[Any], None], path: str
) -> None:
    model = unpack_model((samples.parent / "branches" / "model_int8.tflite").read_bytes())
    change(model)
    assert compare(pack_model(model), optimize="size", path=path) == ("equal", "")


def _relu6(code: Any) -> Any:
    made = deepcopy(code)
    made.builtinCode = made.deprecatedBuiltinCode = schema.BuiltinOperator.RELU6
    made.version = 1
    return made
