"""Names for the tensors of a converted file: the Keras layers' own, in place of the converter's name scopes.

``net_1/conv_1/Relu;net_1/conv_1/BiasAdd;net_1/conv_1/convolution1`` becomes ``conv``, its weights ``conv/kernel`` and
``conv/bias``: what inspect, verify and the generated C show, and some hundred bytes less of flash. For files of our own making.
"""

import re
from collections.abc import Sequence
from typing import Any

from glyphlite.tflite.ops import name_of
from glyphlite.tflite.writer import pack_model, text_of, unpack_model

ROLES = {
    "CONV_2D": {1: "kernel", 2: "bias"},
    "DEPTHWISE_CONV_2D": {1: "kernel", 2: "bias"},
    "FULLY_CONNECTED": {1: "kernel", 2: "bias"},
    "TRANSPOSE_CONV": {0: "shape", 1: "kernel", 3: "bias"},
    "RESHAPE": {1: "shape"},
    "PAD": {1: "paddings"},
    "MEAN": {1: "axes"},
}
"""What the operands of an op are, by their place; the rest are called constants."""

_WEIGHTED = re.compile(r"/(convolution|depthwise|MatMul|conv2d_transpose)\w*$")


def with_readable_names(content: bytes, layers: Sequence[str]) -> bytes:
    """Names every tensor after the Keras layer that it came from, the input ``image``, the output ``probability`` or ``score``.

    Args:
        content: a .tflite file, just converted.
        layers: names of the Keras model's layers, nested ones included.
    """
    model = unpack_model(content)
    graph = model.subgraphs[0]
    naming = _Naming(model, layers)
    output = int(graph.outputs[0])
    last = naming.kind_of(graph.operators[-1])
    naming.name(int(graph.inputs[0]), "image")
    naming.name(output, "probability" if last in ("SOFTMAX", "LOGISTIC") else "score")
    for operator in graph.operators:
        naming.name_operator(operator)
    for signature in model.signatureDefs or []:
        for port in signature.outputs:
            port.name = graph.tensors[output].name
    return pack_model(model)


class _Naming:
    """Gives each tensor of one model a name that no other has."""

    def __init__(self, model: Any, layers: Sequence[str]) -> None:
        self._codes, self._buffers, self._graph = model.operatorCodes, model.buffers, model.subgraphs[0]
        self._layers, self._named, self._taken = layers, set(), set()
        self._written_by = {int(index): operator for operator in self._graph.operators for index in operator.outputs}

    def name_operator(self, operator: Any) -> None:
        """Names what an op writes after its layer, and the constants that it reads after that."""
        kind = self.kind_of(operator)
        outputs = [int(index) for index in operator.outputs]
        if not outputs or (kind == "DEQUANTIZE" and self._is_constant(int(operator.inputs[0]))):
            return
        original = self._graph.tensors[outputs[0]].name
        base = layer_of_tensor(text_of(original), self._layers) or kind.lower()
        for output in outputs:
            self.name(output, base)
        for place, operand in enumerate(int(index) for index in operator.inputs):
            if operand < 0:
                continue
            role = f"{base}/{ROLES.get(kind, {}).get(place, 'constant')}"
            widened = self._written_by.get(operand)
            if self._is_constant(operand):
                self.name(operand, role)
            elif widened is not None and self.kind_of(widened) == "DEQUANTIZE" and self._is_constant(int(widened.inputs[0])):
                self.name(operand, role)
                self.name(int(widened.inputs[0]), f"{role}/float16")

    def name(self, index: int, wanted: str) -> None:
        """Names a tensor that has no name of ours yet; a number follows where the name is taken."""
        if index in self._named:
            return
        name, count = wanted, 2
        while name in self._taken:
            name, count = f"{wanted}_{count}", count + 1
        self._named.add(index)
        self._taken.add(name)
        self._graph.tensors[index].name = name

    def kind_of(self, operator: Any) -> str:
        """Returns the op's name in the schema."""
        code = self._codes[operator.opcodeIndex]
        return name_of(max(code.builtinCode, code.deprecatedBuiltinCode)) or "OP"

    def _is_constant(self, index: int) -> bool:
        data = self._buffers[self._graph.tensors[index].buffer].data
        return data is not None and len(data) > 0


def layer_of_tensor(name: str, layers: Sequence[str]) -> str | None:
    """Returns the layer that a fused tensor name tells of: the one with the weights where there is one, else the first."""
    paths = name.split(";")
    weighted = [path for path in paths if _WEIGHTED.search(path)]
    return next((layer for path in (*weighted, *paths) if (layer := layer_of_path(path, layers))), None)


def layer_of_path(path: str, layers: Sequence[str]) -> str | None:
    """Returns the innermost layer on a path of name scopes; Keras numbers scopes that it opens again (``conv_1``)."""
    for scope in reversed(path.split("/")):
        for name in (scope, re.sub(r"_\d+$", "", scope)):
            if name in layers:
                return name
    return None
