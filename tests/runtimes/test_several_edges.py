"""Models of several inputs and outputs, or of one that is no picture, in every runtime of generated C: TFLite Micro's values."""

from pathlib import Path

import numpy as np
import pytest
from random_models import draw
from random_models.by_hand import write
from random_models.edges import with_edges

from glyphlite.compiler.report import EdgePlan
from glyphlite.evaluation.input_sets.compiled_inputs import port_of
from glyphlite.runtimes.compiled import as_given, as_taken, offsets, room_of
from glyphlite.runtimes.registry import get_runtime


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return rng.normal(0, 3, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


def test_inputs_and_outputs_begin_at_words():
    """A core without unaligned loads reads an int16 input behind an int8 one of odd size."""
    assert offsets([3, 2, 8, 1]) == [0, 4, 8, 16]
    assert room_of([3, 2, 8, 1]) == 20
    edges = [EdgePlan("a", "a", (3,), "int8", 0.5, 0, 3), EdgePlan("b", "b", (2,), "int16", 0.5, 0, 4, "int16")]
    samples = np.array([[1, -2, 3], [4, 5, -6]], np.int8), np.array([[300, -301], [7, 8]], np.int16)
    taken = as_taken(samples, edges)
    assert taken.shape == (2, 8)
    given = as_given(taken, [port_of(edge) for edge in edges], edges)
    assert all(np.array_equal(one, other.reshape(one.shape)) for one, other in zip(samples, given, strict=True))


@pytest.mark.parametrize("runtime", ["generated_c", "cortex_m4", "cortex_m0"])
@pytest.mark.parametrize("seed", [2, 19, 29, 35, 57])
def test_generated_c_runs_them(runtime: str, seed: int, tmp_path: Path):
    path = tmp_path / "several.tflite"
    path.write_bytes(with_edges(write(draw(seed, for_keras=False)), np.random.default_rng([seed, 1])))
    rng = np.random.default_rng(seed)
    with get_runtime("tflm", isolated=False).load(path) as model:
        samples = [values(rng, (9, *port.shape), port.dtype) for port in model.inputs]
        expected = model.run(samples)
    with get_runtime(runtime).load(path) as model:
        found = model.run(samples)
    assert len(samples) + len(expected) > 2
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
