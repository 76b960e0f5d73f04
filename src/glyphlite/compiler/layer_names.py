"""Names in generated C: what it calls a layer, so that nothing else there is called the same."""

import re

from glyphlite.tflite.graph import Graph, Operator

_SHARED = frozenset(
    {"arena_t", "best", "classify", "dot_2x2", "dot_4", "dot_4_bytes", "expand", "high_mul", "input", "invoke", "load4", "pixels"}
    | {"dot_2x2_nibbles", "dot_4_nibbles", "dot_4_bytes_nibbles", "dot_nibbles", "nibble", "nibble_lanes"}
    | {"column_lanes", "depthwise_nibbles"}
    | {"product", "ring_row", "round_shift", "rows", "run", "scale_wide", "to_int8"}
)
"""What generated C names beside its layers."""

_OF_A_LAYER = (
    *("add_row", "bias", "constant", "dot", "excess", "exp", "finish", "gather", "lane_weights", "lanes", "multiplier"),
    *("nibble_weights", "output", "pixel", "plain_dot", "reciprocal", "rounding", "row_weights", "scaling", "shift"),
    *("table", "tap_weights", "weights"),
)
"""What it names after a layer, each behind the layer's name."""


def is_taken(name: str, names: set[str]) -> bool:
    """Whether a layer called so would share a name with others, or with what generated C has beside them."""
    own = {f"{name}_{part}" for part in _OF_A_LAYER}
    return (
        name in _SHARED | names or any(f"{other}_{part}" == name for other in names for part in _OF_A_LAYER) or bool(own & names)
    )


def layer_name(graph: Graph, operator: Operator) -> str:
    """The Keras layer that an op came from, as its output tensor's name tells it, made a C identifier."""
    parts = graph.tensors[operator.outputs[0]].name.split(";")[0].split("/")
    layer = parts[-2] if len(parts) > 1 else parts[0]
    layer = re.sub(r"[^0-9a-zA-Z]+", "_", re.sub(r"_1$", "", layer)).strip("_").lower()
    if not layer or layer.startswith("statefulpartitionedcall") or layer[0].isdigit():
        layer = operator.name.lower()
    return layer


def describe(graph: Graph, operator: Operator) -> str:
    """One op of the file in words, for the comment above its function."""
    shapes = " and ".join(
        "x".join(str(abs(extent)) for extent in graph.tensors[index].shape)
        for index in operator.inputs[: 2 if operator.name in ("ADD", "MUL") else 1]
    )
    output = graph.tensors[operator.outputs[0]]
    words = f"op {operator.index}, {operator.name}: {shapes} -> {'x'.join(str(abs(extent)) for extent in output.shape)}"
    activation = operator.options.get("activation", "none")
    return words + (f", {activation}" if activation != "none" else "")
