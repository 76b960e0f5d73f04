"""Models of MLPerf Tiny's shapes: TFLite Micro's bytes on emulated cores with and without the DSP extension, and what they do."""

from pathlib import Path

import numpy as np
import pytest
from support.tiny_shapes import SHAPES

from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.cost import total_macs
from glyphlite.tflite.reader import read_graph

MACS = {"kws": 2_656_768, "ic": 12_501_632, "vww": 7_489_664, "ad": 264_192, "sww": 826_368}
"""Of the benchmark's own files."""

INPUTS = 3

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_those_of_the_benchmark(tiny_shapes: dict[str, Path], name: str) -> None:
    assert total_macs(read_graph(tiny_shapes[name])) == MACS[name]


@pytest.mark.parametrize("core", ["cortex_m0", "cortex_m4"])
@pytest.mark.parametrize("name", SHAPES)
def test_bytes_are_tflite_micros(tiny_shapes: dict[str, Path], name: str, core: str) -> None:
    path = tiny_shapes[name]
    inputs = random_set(inputs_of(read_graph(path)), INPUTS, seed=24)
    answers = {}
    for runtime in ("tflm", core):
        with get_runtime(runtime).load(path) as model:
            (answers[runtime],) = model.run(inputs.arrays)
    assert len(np.unique(answers["tflm"])) > 2
    np.testing.assert_array_equal(answers[core], answers["tflm"])
