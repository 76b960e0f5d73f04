"""ADD and MUL of two maps, or of one and a constant; a table where one byte decides."""

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Binary, Requantization, Table
from glyphlite.tflite.graph import Operator, Tensor


def lower_binary(context: Context, operator: Operator) -> None:
    """ADD and MUL. Source: ``kernels/{add,mul}_common.cc``."""
    tensors = [context.tensor(index) for index in operator.inputs[:2]]
    for tensor in tensors:
        if tensor.index not in context.values:
            if tensor.data is None:
                raise context.refuse(operator, f"tensor {tensor.name} is not available")
            context.activation(tensor, operator)  # its type and scale
    values = [context.values.get(tensor.index) or context.activation(tensor, operator) for tensor in tensors]
    output = context.new_value(operator)
    kind = operator.name.lower()
    low, high = context.clamp(operator, output)
    if kind == "add":
        twice_max = 2.0 * max(values[0].scale, values[1].scale)
        pairs = (
            arithmetic.quantize_multiplier(values[0].scale / twice_max),
            arithmetic.quantize_multiplier(values[1].scale / twice_max),
        )
        real = twice_max / (2.0**20 * output.scale)
        if real >= 1.0:
            raise context.refuse(operator, "the output's scale is too small for the inputs'")
    else:
        pairs = ((0, 0), (0, 0))
        real = values[0].scale * values[1].scale / output.scale
    context.check_ratio(operator, real)
    multiplier, shift = arithmetic.quantize_multiplier(real)
    node = Binary(
        **context.facts(operator),
        inputs=tuple(context.values[tensor.index] for tensor in tensors if tensor.index in context.values),
        output=output,
        kind=kind,
        constant=next((_stored(context, tensor, operator) for tensor in tensors if tensor.index not in context.values), None),
        constant_first=tensors[0].index not in context.values,
        shapes=(context.extents(tensors[0], operator), context.extents(tensors[1], operator)),
        zero_points=(values[0].zero_point, values[1].zero_point),
        input_multipliers=pairs,
        requantization=Requantization((multiplier,), (shift,), output.zero_point, low + 128, high + 128),
    )
    context.nodes.append(_as_table(node) or node)


def _stored(context: Context, tensor: Tensor, operator: Operator) -> np.ndarray:
    assert tensor.data is not None
    return (tensor.data.astype(np.int16) + 128).astype(np.uint8).reshape(context.extents(tensor, operator))


def binary_result(node: Binary, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """ADD or MUL of stored bytes, as the generated C computes it.

    Source: ``AddFunc`` and ``MulElementwise``, kernels/internal/reference/integer_ops/{add,mul}.h.
    """
    requantization = node.requantization
    operands = [np.asarray(first, np.int64) - node.zero_points[0], np.asarray(second, np.int64) - node.zero_points[1]]
    if node.kind == "add":
        scaled = [
            arithmetic.multiply_by_quantized_multiplier(operand << 20, *pair)
            for operand, pair in zip(operands, node.input_multipliers, strict=True)
        ]
        total = scaled[0] + scaled[1]
    else:
        total = operands[0] * operands[1]
    output = arithmetic.multiply_by_quantized_multiplier(total, requantization.multipliers[0], requantization.shifts[0])
    return np.clip(output + requantization.offset, requantization.low, requantization.high).astype(np.uint8)


def _as_table(node: Binary) -> Table | None:
    """One stored byte decides the result when the other operand is one constant, or the same tensor again."""
    every = np.arange(256)
    if node.constant is not None and node.constant.size == 1:
        scalar = node.constant.reshape(-1)
        table = binary_result(node, scalar, every) if node.constant_first else binary_result(node, every, scalar)
    elif len(node.inputs) == 2 and node.inputs[0].index == node.inputs[1].index and node.shapes[0] == node.shapes[1]:
        table = binary_result(node, every, every)
    else:
        return None
    return Table(
        name=node.name, op=node.op, inputs=node.inputs[:1], output=node.output, sources=node.sources, macs=node.macs, table=table
    )
