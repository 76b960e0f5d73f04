"""Generated C is held to TFLite Micro's bytes before anybody gets it, with no data at hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from glyphlite.compiler import arithmetic
from glyphlite.errors import DisagreementError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.verification.self_check import check_generated
from glyphlite.tflite.reader import read_graph


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
    with pytest.raises(
        DisagreementError,
        match=r"on \d+ of 32 random inputs .seed 0. over the whole range of int8: this is a fault of glyphlite, so nothing",
    ):
        check_generated(samples / "model_int8.tflite")


def test_without_a_c_compiler_it_says_so(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("glyphlite.host_compiler.zig", lambda: None)
    checked = check_generated(samples / "model_int8.tflite")
    assert checked.inputs == 0
    assert "not compared with TFLite Micro here" in checked.words


def test_given_inputs_are_what_is_compared(samples: Path) -> None:
    inputs = random_set(inputs_of(read_graph(samples / "model_int8.tflite")), 5)
    checked = check_generated(samples / "model_int8.tflite", inputs=replace(inputs, is_random=False, source="5 inputs of x.npy"))
    assert checked.words == "outputs are TFLite Micro's, bit by bit, on 5 inputs of x.npy"
