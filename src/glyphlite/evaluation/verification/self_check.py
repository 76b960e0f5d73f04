"""Generated C against TFLite Micro on inputs that nobody chose, before a user gets it. Needs no data.

Composes the two runtimes; what is compared are stored values, so nothing is assumed of what the model is for.
"""

from dataclasses import dataclass
from pathlib import Path

from glyphlite.errors import ArtifactError, DisagreementError, ToolError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.random_inputs import most_inputs, random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.verification.output_comparison import rows_differ
from glyphlite.runtimes.registry import RUNTIMES, get_runtime
from glyphlite.tflite.reader import read_graph

INPUTS = 32
FLAGS = ("-O1",)
"""For the host's compiler: the C is built once and run on a few inputs."""


@dataclass(frozen=True)
class SelfCheck:
    """Holds a self-check's result: on how many inputs the outputs were TFLite Micro's byte for byte, or why it was not tried."""

    inputs: int
    reason: str | None = None
    source: str = ""

    @property
    def words(self) -> str:
        """Returns the same in a line."""
        if self.reason is not None:
            return f"not compared with TFLite Micro here: {self.reason}"
        return f"outputs are TFLite Micro's, bit by bit, on {self.source}"


def check_generated(artifact: Path, *, optimize: str = "speed", inputs: InputSet | None = None) -> SelfCheck:
    """Compares generated C with TFLite Micro.

    Args:
        artifact: a .tflite file that the compiler takes.
        optimize: what the C is optimized for.
        inputs: what both are run on; by default random inputs over all that may enter.

    Raises:
        DisagreementError: a byte differs, which is a fault of glyphlite.
    """
    try:
        if inputs is None:
            model = inputs_of(read_graph(artifact))
            inputs = random_set(model, min(INPUTS, most_inputs(model)))
        with get_runtime("tflm").load(artifact) as reference:
            expected = reference.run(inputs.arrays)
        with RUNTIMES["generated_c"].create(flags=FLAGS, optimize=optimize).load(artifact) as generated:
            found = generated.run(inputs.arrays)
    except (ArtifactError, ToolError) as error:
        return SelfCheck(0, str(error))
    if different := int(rows_differ(found, expected).sum()):
        raise DisagreementError(
            f"generated C differs from TFLite Micro on {different} of {inputs.source}: this is a fault of glyphlite, so "
            f"nothing was written. Please report it with {artifact}; --no-check writes the C all the same"
        )
    return SelfCheck(len(inputs), source=f"{len(inputs)} random and extreme inputs" if inputs.is_random else inputs.source)
