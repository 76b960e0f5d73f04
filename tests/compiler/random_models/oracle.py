"""What TFLite Micro answers: the reference that generated C must equal in every byte."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from glyphlite.tflite.graph import Graph, Operator


def undefined(graph: Graph) -> str | None:
    """What TFLite Micro takes but leaves to chance, so that there is no answer to compare with; None where all is defined.

    ``CalculateInputRadius`` (kernels/internal/quantization_util.cc) shifts a 64-bit one to the left by the exponent of the
    input's scale times 2**27, which may be any number. A sum of 64 bits, as layers on int16 have it, is scaled by at most 2**7
    (``MultiplyByQuantizedMultiplier``, kernels/internal/common.cc).
    """
    for operator in graph.operators:
        quantization = graph.tensors[operator.inputs[0]].quantization if operator.inputs else None
        if operator.name in ("LOGISTIC", "TANH") and quantization and quantization.scale >= 2.0**35:
            return f"undefined in TFLite Micro: {operator.name} of a scale of {quantization.scale:.1e}"
        if _scaled_too_far(graph, operator):
            return f"undefined in TFLite Micro: {operator.name} on int16 whose output's scale is too fine"
    return None


def _scaled_too_far(graph: Graph, operator: Operator) -> bool:
    """Whether sums on int16 are scaled by 2**7 or more."""
    if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        return False
    source, weights, output = (
        graph.tensors[index]
        for index in (operator.inputs[2 if operator.name == "TRANSPOSE_CONV" else 0], operator.inputs[1], operator.outputs[0])
    )
    if source.dtype != np.int16 or not (source.quantization and weights.quantization and output.quantization):
        return False
    return source.quantization.scale * max(weights.quantization.scales) / output.quantization.scale >= 2.0**7


class RefusedError(Exception):
    """TFLite Micro does not take the model: there is nothing to compare with."""


class Oracle:
    """A model in TFLite Micro's interpreter (the ``tflite-micro`` wheel: portable reference kernels).

    Args:
        model: a .tflite file.
        tried: run it once on zeros, so that a model that cannot be run is refused here and not by the first call.

    Raises:
        RefusedError: TFLite Micro does not take it.
    """

    def __init__(self, model: bytes, *, tried: bool = True) -> None:
        self._model = model
        try:
            self._begin()
            self.inputs = _all(self._interpreter.get_input_details)
            self.outputs = _all(self._interpreter.get_output_details)
        except (RuntimeError, ValueError) as error:
            raise RefusedError(str(error)) from None
        if tried:
            self.run_all([np.zeros((1, *details["shape"]), details["dtype"]) for details in self.inputs])

    def _begin(self) -> None:
        """Starts anew, with nothing left of earlier calls."""
        from tflite_micro import runtime

        self._interpreter = runtime.Interpreter.from_bytes(self._model, arena_size=4 << 20)
        self._is_fresh = True

    @property
    def input(self) -> dict[str, Any]:
        """TFLite Micro's details of the first input."""
        return self.inputs[0]

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Answers ``(n, elements)`` of the one output to the one input ``(n, ...)``, both as the model stores them."""
        [answers] = self.run_all((inputs,))
        return answers

    def run_all(self, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Answers of every output, each ``(n, elements)``, to every input ``(n, ...)``, from the first call on.

        Raises:
            RefusedError: TFLite Micro does not run it.
        """
        if not self._is_fresh:
            self._begin()
        self._is_fresh = False
        answers: list[list[np.ndarray]] = [[] for _ in self.outputs]
        try:
            for values in zip(*inputs, strict=True):
                for place, (value, details) in enumerate(zip(values, self.inputs, strict=True)):
                    self._interpreter.set_input(value.reshape(details["shape"]), place)
                self._interpreter.invoke()
                for place, given in enumerate(answers):
                    given.append(np.array(self._interpreter.get_output(place)).reshape(-1))
        except (RuntimeError, ValueError) as error:
            raise RefusedError(str(error)) from None
        return tuple(np.stack(given) for given in answers)


def _all(details: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Every input's or output's details; asking for a missing one raises, which ends the list."""
    found: list[dict[str, Any]] = []
    with suppress(ValueError, IndexError, RuntimeError):
        while True:
            found.append(details(len(found)))
    return found
