"""Pools, means, paddings, concatenations and other views: ops without weights that look at where values lie."""

from typing import Any

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Concatenation, Mean, Pad, Pool, Requantization, Value
from glyphlite.compiler.ops.window import window_of
from glyphlite.tflite.graph import Operator


def lower_pool(context: Context, operator: Operator) -> None:
    """MAX_POOL_2D and AVERAGE_POOL_2D; a mean where an average covers the whole map. Source: ``kernels/pooling_common.cc``."""
    source = context.value(operator)
    output = context.new_value(operator)
    if source.zero_point != output.zero_point or abs(source.scale - output.scale) > 1e-6:
        raise context.refuse(operator, "input and output differ in scale or zero point")
    low, high = context.clamp(operator, output)
    height, width = operator.options["window"]
    window = window_of(operator, source, output, height, width)
    average = operator.name == "AVERAGE_POOL_2D"
    common: dict[str, Any] = {
        **context.facts(operator),
        "inputs": (source,),
        "output": output,
        "macs": 0,
        "low": low + 128,
        "high": high + 128,
    }
    covers_all = window.pad_top == window.pad_left == 0 and (height, width) == (source.height, source.width)
    if average and covers_all and output.height == output.width == 1:
        context.nodes.append(Mean(requantization=None, **common))
    else:
        context.nodes.append(Pool(kind="average" if average else "max", pool_window=window, **common))


def lower_mean(context: Context, operator: Operator) -> None:
    """MEAN over height and width. Source: ``kernels/reduce_common.cc``."""
    source = context.value(operator)
    rank = len(context.tensor(operator.inputs[0]).shape)
    if "axes" not in operator.options:
        raise context.refuse(operator, "its axes are computed, not constant", "take the mean over height and width")
    axes = sorted(axis % rank for axis in operator.options["axes"])
    if rank != 4 or axes != [1, 2]:
        raise context.refuse(operator, f"mean over axes {axes} of {rank}", "take the mean over height and width")
    tensor = context.tensor(operator.outputs[0])
    written = context.new_value(operator)
    output = Value(tensor.index, tensor.name, 1, 1, source.channels, written.quantization)
    context.values[tensor.index] = written
    context.check_ratio(operator, source.scale / output.scale)
    multiplier, shift = arithmetic.mean_multiplier(source.scale, output.scale, source.height * source.width)
    context.nodes.append(
        Mean(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            requantization=Requantization((multiplier,), (shift,), output.zero_point, 0, 255),
            low=0,
            high=255,
        )
    )


def lower_concatenation(context: Context, operator: Operator) -> None:
    """CONCATENATION of maps of one scale."""
    values = tuple(context.value(operator, position) for position in range(len(operator.inputs)))
    output = context.new_value(operator)
    if context.fused_activation(operator) != "none" or any(value.quantization != output.quantization for value in values):
        raise context.refuse(operator, "its inputs differ in scale or zero point from its output", "as TFLite Micro does")
    rank = len(context.tensor(operator.outputs[0]).shape)
    axis = operator.options["axis"] % rank - (rank - 3)
    if axis < 0:
        raise context.refuse(operator, "it concatenates images of a batch", "convert with a batch of 1")
    context.nodes.append(
        Concatenation(
            **context.facts(operator),
            inputs=values,
            output=output,
            axis=axis,
        )
    )


def lower_pad(context: Context, operator: Operator) -> None:
    """PAD by zeros along height, width and channels."""
    source = context.value(operator)
    output = context.new_value(operator)
    if "paddings" not in operator.options:
        raise context.refuse(operator, "its paddings are computed, not constant", "convert with a fixed input shape")
    paddings: list[tuple[int, int]] = [(before, after) for before, after in operator.options["paddings"]]
    paddings = [(0, 0)] * (3 - len(paddings)) + paddings
    if any(pair != (0, 0) for pair in paddings[:-3]) or min(min(pair) for pair in paddings) < 0:
        raise context.refuse(operator, f"paddings {paddings}", "pad height, width or channels by zero or more")
    context.nodes.append(
        Pad(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            paddings=(paddings[-3], paddings[-2], paddings[-1]),
        )
    )


def lower_reshape(context: Context, operator: Operator) -> None:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes."""
    context.reshaped(operator, context.value(operator))
