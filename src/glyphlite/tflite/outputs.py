"""The last activation of a .tflite file, read from its last op that computes. Knows nothing of classes."""

from glyphlite.tflite.graph import Graph

_PASSING = ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "CAST", "EXPAND_DIMS")
"""Ops that only pass their first input on."""

_ACTIVATIONS = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid", "TANH": "tanh"}


def last_activation(graph: Graph) -> str | None:
    """Returns "softmax", "sigmoid" or "tanh" where the output is one, the name of a fused activation, else None."""
    producers = {output: operator for operator in graph.operators for output in operator.outputs}
    index = graph.outputs[0]
    for _ in graph.operators:
        operator = producers.get(index)
        if operator is None:
            return None
        if operator.name not in _PASSING:
            fused = str(operator.options.get("activation", "none")).lower()
            return _ACTIVATIONS.get(operator.name) or (fused if fused != "none" else None)
        index = operator.inputs[0]
    return None
