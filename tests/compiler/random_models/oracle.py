"""What TFLite Micro answers: the reference that generated C must equal in every byte."""

import numpy as np

from glyphlite.tflite.graph import Graph


def undefined(graph: Graph) -> str | None:
    """What TFLite Micro takes but leaves to chance, so that there is no answer to compare with; None where all is defined.

    ``CalculateInputRadius`` (kernels/internal/quantization_util.cc) shifts a 64-bit one to the left by the exponent of the
    input's scale times 2**27, which may be any number.
    """
    for operator in graph.operators:
        quantization = graph.tensors[operator.inputs[0]].quantization
        if operator.name in ("LOGISTIC", "TANH") and quantization and quantization.scale >= 2.0**35:
            return f"undefined in TFLite Micro: {operator.name} of a scale of {quantization.scale:.1e}"
    return None


class RefusedError(Exception):
    """TFLite Micro does not take the model: there is nothing to compare with."""


class Oracle:
    """A model in TFLite Micro's interpreter (the ``tflite-micro`` wheel: portable reference kernels)."""

    def __init__(self, model: bytes) -> None:
        from tflite_micro import runtime

        try:
            self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=4 << 20)
            self.input = self._interpreter.get_input_details(0)
            self.output = self._interpreter.get_output_details(0)
            self._interpreter.set_input(np.zeros(self.input["shape"], self.input["dtype"]), 0)
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise RefusedError(str(error)) from None

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Answers ``(n, ...)`` to inputs ``(n, ...)``, both as the model stores them."""
        shape = tuple(self.input["shape"])
        answers = []
        for values in inputs:
            self._interpreter.set_input(values.reshape(shape), 0)
            self._interpreter.invoke()
            answers.append(self._interpreter.get_output(0).copy())
        return np.concatenate(answers).reshape(len(inputs), -1)
