"""The share of a model's input codes that a set of inputs used: identical outputs prove little about codes that never entered."""

from dataclasses import dataclass

import numpy as np

from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.value_ranges import ModelInputs

CODES = 256
FEW = 64
"""Used codes below which a sentence warns."""


@dataclass(frozen=True)
class Coverage:
    """The number of codes of an 8-bit input, or of the integers that a float input becomes, that a set of inputs used."""

    input: str
    codes: int
    of: int = CODES
    advice: str = ""

    @property
    def words(self) -> str:
        """Returns the figure, and where it is small, what that means."""
        words = f"The inputs used {self.codes} of the {self.of} values that {self.input} can hold"
        return f"{words}: little is proved of the others; {self.advice}." if self.codes < FEW else f"{words}."

    def document(self) -> dict[str, str | int]:
        """Returns the plain JSON document."""
        return {"input": self.input, "codes": self.codes, "of": self.of}


def coverage_of(model: ModelInputs, inputs: InputSet) -> tuple[Coverage, ...]:
    """Returns the coverage of each input that holds 8-bit integers or is made into such; others have too many values."""
    advice = "--inputs random covers all"
    if inputs.unit == "image":
        advice = "--input-range says how a pixel enters, --inputs random covers all"
    elif inputs.is_random:
        advice = "more inputs use more"
    found = []
    for each, values in zip(model.each, inputs.arrays, strict=True):
        codes = each.range.codes_of(values)
        if codes is not None:
            found.append(Coverage(each.name, len(np.unique(codes)), advice=advice))
    return tuple(found)
