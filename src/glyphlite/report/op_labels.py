"""Ops and tensors in a few words, the same in the terminal and in the picture of the graph."""

from glyphlite.escaping import printable
from glyphlite.tflite.description import OperatorInfo, TensorInfo

_ACTIVATIONS = {"relu": "ReLU", "relu6": "ReLU6", "relu_n1_to_1": "ReLU -1 to 1", "tanh": "tanh", "sign_bit": "sign bit"}


def title_of(operator: OperatorInfo) -> str:
    """Returns the op's name; a custom op by its own."""
    return printable(operator.custom_code) if operator.custom_code else operator.name


def describe_shape(tensor: TensorInfo, times: str = "x") -> str:
    """Returns shape and type: ``1x26x26x8 int8``; a free extent is ``?``."""
    extents = times.join("?" if extent == -1 else str(extent) for extent in tensor.shape) or "scalar"
    return f"{extents} {tensor.dtype}"


def describe_quantization(tensor: TensorInfo) -> str:
    """Returns ``scale 0.00392, zero point -128``; per channel how many scales, and their range; nothing for a float tensor."""
    if not tensor.scales:
        return ""
    if len(tensor.scales) == 1:
        return f"scale {tensor.scales[0]:.6g}, zero point {tensor.zero_points[0]}"
    low, high = min(tensor.zero_points), max(tensor.zero_points)
    zero = str(low) if low == high else f"{low} to {high}"
    return f"{len(tensor.scales)} scales {min(tensor.scales):.3g} to {max(tensor.scales):.3g}, zero point {zero}"


def describe_options(operator: OperatorInfo) -> str:
    """Returns what matters of an op's options: window, stride, padding, activation, axis."""
    options = operator.options
    words = []
    window = options.get("window") or _filter(operator)
    if window:
        words.append(f"{window[0]}x{window[1]}")
    if any(step != 1 for step in options.get("strides", ())):
        words.append(f"stride {_pair(options['strides'])}")
    if any(step != 1 for step in options.get("dilations", ())):
        words.append(f"dilation {_pair(options['dilations'])}")
    if "padding" in options:
        words.append(options["padding"])
    if "paddings" in options:
        padded = [(axis, pair) for axis, pair in enumerate(options["paddings"]) if any(pair)]
        words += [f"axis {axis} by {before}+{after}" for axis, (before, after) in padded]
    if options.get("axes"):
        words.append(f"axes {', '.join(map(str, options['axes']))}")
    if "axis" in options:
        words.append(f"axis {options['axis']}")
    if operator.name == "VAR_HANDLE":
        words.append(printable(options["name"]))
    if operator.name == "CALL_ONCE":
        words.append(f"subgraph {options['subgraph']}")
    if "alpha" in options:
        words.append(f"alpha {options['alpha']:.4g}")
    activation = _ACTIVATIONS.get(options.get("activation", "none"))
    return ", ".join([*words, activation] if activation else words)


def _filter(operator: OperatorInfo) -> list[int] | None:
    """Returns height and width of a convolution's filter."""
    if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"):
        return None
    filters = [tensor for tensor in operator.constants if len(tensor.shape) == 4] or [
        tensor for tensor in operator.inputs[1:] if len(tensor.shape) == 4
    ]
    return filters[0].shape[1:3] if filters else None


def _pair(steps: tuple[int, int]) -> str:
    return str(steps[0]) if steps[0] == steps[1] else f"{steps[0]}x{steps[1]}"
