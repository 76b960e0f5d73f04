"""What a runtime refuses counts against a file; what a tool or the disk refuses does not."""

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from glyphlite.errors import ArtifactError, GlyphliteError, OutputError, ToolError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.verification import same_answers as module

INPUTS = InputSet((np.zeros((2, 3), np.int8),), "two inputs")
BEFORE, AFTER = Path("before"), Path("after")


class Fake:
    """A runtime that answers with what it was given, or fails on one of the files."""

    def __init__(self, failing: Path | None, error: GlyphliteError) -> None:
        self._failing, self._error = failing, error

    @contextmanager
    def load(self, path: Path):
        if path == self._failing:
            raise self._error
        yield self

    def run(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        return tuple(arrays)


def use(monkeypatch: pytest.MonkeyPatch, failing: Path | None, error: GlyphliteError) -> None:
    monkeypatch.setattr(module, "COMPARED", ("tflm", "generated_c"))
    monkeypatch.setattr(module, "get_runtime", lambda name: Fake(failing if name == "generated_c" else None, error))


def test_a_file_that_a_runtime_refuses_alone_is_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, AFTER, ArtifactError("not taken"))
    assert module.same_answers(BEFORE, AFTER, INPUTS) == (("tflm",), ("generated_c",))
    use(monkeypatch, BEFORE, ArtifactError("not taken"))
    assert module.same_answers(BEFORE, AFTER, INPUTS) == (("tflm",), ())


@pytest.mark.parametrize("error", [ToolError("gcc: No space left on device"), OutputError("the disk is full")])
def test_a_tool_that_fails_says_nothing_of_the_file(monkeypatch: pytest.MonkeyPatch, error: GlyphliteError) -> None:
    use(monkeypatch, AFTER, error)
    with pytest.raises(type(error), match=str(error)):
        module.same_answers(BEFORE, AFTER, INPUTS)
