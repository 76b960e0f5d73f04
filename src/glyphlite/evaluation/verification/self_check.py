"""Generated C against TFLite Micro on inputs that nobody chose, before a user gets it. Needs no data.

Composes the two runtimes; what is compared are stored values, so nothing is assumed of what the model is for.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite.errors import ArtifactError, DisagreementError, ToolError
from glyphlite.runtimes.base import Port
from glyphlite.runtimes.generated_c import GeneratedC
from glyphlite.runtimes.registry import get_runtime

INPUTS = 32
FLAGS = ("-O1",)
"""For the host's compiler: the C is built once and run on a few inputs."""


@dataclass(frozen=True)
class SelfCheck:
    """Holds a self-check's result: on how many inputs the outputs were TFLite Micro's byte for byte, or why it was not tried."""

    inputs: int
    reason: str | None = None

    @property
    def words(self) -> str:
        """Returns the same in a line."""
        if self.reason is not None:
            return f"not compared with TFLite Micro here: {self.reason}"
        return f"outputs are TFLite Micro's, bit by bit, on {self.inputs} random and extreme inputs"


def check_generated(artifact: Path, *, optimize: str = "speed", inputs: int = INPUTS, seed: int = 0) -> SelfCheck:
    """Compares generated C with TFLite Micro on random inputs over the whole range of the stored type.

    Args:
        artifact: an int8 .tflite file that the compiler takes.
        optimize: what the C is optimized for.
        inputs: how many; among them constants at both ends of the range.
        seed: draws them.

    Raises:
        DisagreementError: a byte differs, which is a fault of glyphlite.
    """
    try:
        with get_runtime("tflm").load(artifact) as reference:
            stored = random_inputs(reference.input, inputs, seed)
            expected = reference.predict(stored)
        with GeneratedC(flags=FLAGS, optimize=optimize).load(artifact) as generated:
            found = generated.predict(stored)
    except (ArtifactError, ToolError) as error:
        return SelfCheck(0, str(error))
    if different := int((found != expected).reshape(len(found), -1).any(axis=1).sum()):
        raise DisagreementError(
            f"generated C differs from TFLite Micro on {different} of {inputs} random inputs: this is a fault of glyphlite, so "
            f"nothing was written. Please report it with {artifact}; --no-check writes the C all the same"
        )
    return SelfCheck(inputs)


def random_inputs(port: Port, count: int, seed: int) -> np.ndarray:
    """Returns stored inputs ``(count, *port.shape)`` of the port's type: both ends of its range, then random ones.

    Integers cover the whole range of the type; floats, which the model quantizes itself, reach beyond what it can hold.
    """
    rng = np.random.default_rng(seed)
    shape = (count, *port.shape)
    if port.dtype.kind == "f":
        values = rng.normal(0, 2, shape).astype(port.dtype)
        ends = (-1e3, 1e3)
    else:
        limits = np.iinfo(port.dtype)
        values = rng.integers(limits.min, limits.max, shape, dtype=port.dtype, endpoint=True)
        ends = (limits.min, limits.max)
    for index, end in enumerate(ends[: count - 1]):
        values[index] = end
    return values
