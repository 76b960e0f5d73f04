"""Generated C is held to TFLite Micro's bytes before anybody gets it, with no data at hand."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.compiler import arithmetic
from glyphlite.errors import DisagreementError
from glyphlite.evaluation.verification.self_check import check_generated, random_inputs
from glyphlite.runtimes.base import Port


@pytest.mark.parametrize("optimize", ["speed", "size"])
def test_what_the_compiler_writes_is_equal(samples: Path, optimize: str) -> None:
    checked = check_generated(samples / "model_int8.tflite", optimize=optimize)
    assert (checked.inputs, checked.reason) == (32, None)
    assert "bit by bit, on 32" in checked.words


def test_a_wrong_multiplier_is_a_fault_of_ours(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = arithmetic.quantize_multiplier

    def wrong(real: float) -> tuple[int, int]:
        multiplier, shift = right(real)
        return multiplier - multiplier // 64, shift

    monkeypatch.setattr(arithmetic, "quantize_multiplier", wrong)
    with pytest.raises(DisagreementError, match=r"on \d+ of 32 random inputs: this is a fault of glyphlite, so nothing"):
        check_generated(samples / "model_int8.tflite")


def test_without_a_c_compiler_it_says_so(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("glyphlite.emulation.toolchain.zig", lambda: None)
    checked = check_generated(samples / "model_int8.tflite")
    assert checked.inputs == 0
    assert "not compared with TFLite Micro here" in checked.words


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "float32"])
def test_random_inputs_reach_both_ends(dtype: str) -> None:
    inputs = random_inputs(Port((4, 5), np.dtype(dtype)), 9, seed=1)
    assert (inputs.shape, inputs.dtype) == ((9, 4, 5), dtype)
    assert np.array_equal(inputs, random_inputs(Port((4, 5), np.dtype(dtype)), 9, seed=1))
    assert (inputs[0] == inputs.min()).all()
    assert (inputs[1] == inputs.max()).all()
