"""Random inputs reach all that may enter a model, whatever its inputs are, and are the same for the same seed."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.errors import DataError
from glyphlite.evaluation.input_sets.coverage import coverage_of
from glyphlite.evaluation.input_sets.random_inputs import default_count, parse_random, random_set
from glyphlite.evaluation.input_sets.value_ranges import (
    ModelInput,
    ModelInputs,
    ValueRange,
    input_name,
    inputs_of,
    integer_range,
    quantized_range,
)
from glyphlite.runtimes.ports import Port
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.reader import read_graph

SCALED = Quantization((0.02,), (-17,))


def taking(*ports: Port, macs: int = 0) -> ModelInputs:
    """A model of integer inputs."""
    return ModelInputs(tuple(ModelInput(f"in{place}", port, integer_range(port)) for place, port in enumerate(ports)), macs)


def port(dtype: str, *shape: int, quantization: Quantization | None = SCALED) -> Port:
    return Port(shape, np.dtype(dtype), quantization, (1, *shape))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (5, 4, 3), (2, 3, 4, 5)])
def test_the_ends_and_the_zero_point_come_first(dtype: str, shape: tuple[int, ...]) -> None:
    quantization = Quantization((0.5,), (9,))
    found = random_set(taking(port(dtype, *shape, quantization=quantization)), 40, seed=3)
    [values], limits = found.arrays, np.iinfo(dtype)
    assert (values.shape, values.dtype, len(found)) == ((40, *shape), dtype, 40)
    for sample, constant in zip(values, (limits.min, limits.max, 9, 10, 8), strict=False):
        assert (sample == constant).all()
    assert found.source == f"40 random inputs (seed 3) over the whole range of {dtype}"
    again = random_set(taking(port(dtype, *shape, quantization=quantization)), 40, seed=3)
    assert np.array_equal(values, again.arrays[0])
    assert not np.array_equal(values, random_set(taking(port(dtype, *shape, quantization=quantization)), 40, seed=4).arrays[0])


@pytest.mark.parametrize("elements", [1, 2, 40])
def test_all_256_codes_of_a_small_input_enter(elements: int) -> None:
    model = taking(port("int8", elements))
    [coverage] = coverage_of(model, random_set(model, 1000))
    assert (coverage.codes, coverage.words) == (256, "The inputs used 256 of the 256 values that in0 can hold.")
    [coverage] = coverage_of(model, random_set(model, 1))
    assert coverage.codes == elements
    assert "little is proved of the others; more inputs use more." in coverage.words


def test_several_inputs_meet_at_their_ends_and_apart() -> None:
    found = random_set(taking(port("int8", 4), port("int8", 2, 2)), 100)
    pairs = {(int(a.min()), int(b.min())) for a, b in zip(*found.arrays, strict=True) if a.std() == b.std() == 0}
    assert {(-128, -128), (127, 127), (-17, -17), (-128, 127)} <= pairs


def test_a_float_input_covers_what_its_quantize_can_hold_and_no_more() -> None:
    model = ModelInputs((ModelInput("x", Port((30,), np.dtype("float32")), quantized_range(SCALED, np.dtype("int8"))),))
    found = random_set(model, 200)
    [values] = found.arrays
    assert values.dtype == np.float32
    assert (float(values.min()), float(values.max())) == pytest.approx((-2.22, 2.88))
    assert found.source.endswith("over -2.22 to 2.88, what its QUANTIZE can hold")
    assert coverage_of(model, found)[0].codes == 256


def test_a_uint8_input_of_a_file_and_what_it_is_called(samples: Path) -> None:
    model = inputs_of(read_graph(samples / "model_int8.tflite"))
    assert [(each.name, each.port.shape, each.range.zero) for each in model.each] == [(model.each[0].name, (28, 28, 1), -128)]
    assert model.macs > 10_000
    assert input_name("serving_default_input_1:0") == "input_1"
    floats = inputs_of(read_graph(samples / "model_float32.tflite"))
    found = random_set(floats, 4)
    assert found.notes == (
        "An input is float32 whose range the file does not say, -1 to 1 assumed; --inputs FILE brings real ones.",
    )
    assert coverage_of(floats, found) == ()


def _gathering(axis: int, dtype: str = "int32") -> Graph:
    table = Tensor(0, "table", (30, 7), np.dtype("int8"), SCALED, np.zeros((30, 7), np.int8))
    index = Tensor(1, "index", (1, 4), np.dtype(dtype), None)
    found = Tensor(2, "rows", (1, 4, 7), np.dtype("int8"), SCALED)
    gather = Operator(0, 36, "GATHER", (0, 1), (2,), {"axis": axis})
    return Graph((table, index, found), (gather,), (1,), (2,))


@pytest.mark.parametrize(("axis", "rows"), [(0, 30), (1, 7), (-1, 7), (-2, 30)])
def test_an_index_stays_in_its_table(axis: int, rows: int) -> None:
    found = random_set(inputs_of(_gathering(axis)), 300)
    [values] = found.arrays
    assert set(np.unique(values)) == set(range(rows))
    assert f"the {rows} rows of the table that it indexes" in found.source


def test_an_integer_without_a_scale_is_assumed_small_and_that_is_said() -> None:
    found = random_set(taking(port("int32", 5, quantization=None)), 50)
    assert (found.arrays[0].min(), found.arrays[0].max()) == (0, 127)
    assert "int32 whose range the file does not say, 0 to 127 assumed" in found.notes[0]
    boolean = ModelInputs((ModelInput("b", port("bool", 9, quantization=None), ValueRange(0, 1, 0, "false and true")),))
    assert set(np.unique(random_set(boolean, 20).arrays[0])) == {False, True}


@pytest.mark.parametrize(("macs", "count"), [(0, 1000), (10_000, 1000), (7_500_000, 266), (10**12, 64)])
def test_fewer_inputs_where_each_takes_long(macs: int, count: int) -> None:
    assert default_count(taking(port("int8", 3), macs=macs)) == count


def test_large_inputs_are_few_and_too_many_are_refused() -> None:
    model = replace(taking(port("int8", 1000, 1000)), bytes=1_000_010)
    assert default_count(model) == 268
    [values] = random_set(model, 2).arrays
    assert len(np.unique(values)) == 256
    with pytest.raises(DataError, match=r"^300 random inputs take 300,003,000 bytes .* at most 268 fit$"):
        random_set(model, 300)


def test_what_the_option_says() -> None:
    assert parse_random("random") == (None, None)
    assert parse_random("random:50") == (50, None)
    assert parse_random("random:50:7") == (50, 7)
    assert parse_random("inputs.npy") is None
    for text in (
        "random:",
        "random:x",
        "random:1:2:3",
        "random:-1",
        "random:0",
        "random:9999999",
        "random:1:99999999999999999999",
    ):
        with pytest.raises(DataError, match=r"^--inputs random"):
            parse_random(text)


def test_a_large_input_is_drawn_in_little_more_memory_than_it_takes() -> None:
    elements = 4_000_000
    tracemalloc.start()
    found = random_set(taking(port("int8", elements)), 8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.arrays[0].shape == (8, elements)
    assert peak < (8 + 16) * elements


def test_a_shape_that_comes_in_is_the_one_that_is_made() -> None:
    """LiteRT makes its output of it; TFLite Micro does not look."""
    shape = Tensor(0, "shape", (4,), np.dtype("int32"), None)
    weights = Tensor(1, "weights", (2, 3, 3, 1), np.dtype("int8"), SCALED, np.zeros((2, 3, 3, 1), np.int8))
    image, output = (
        Tensor(place, "map", size, np.dtype("int8"), SCALED) for place, size in ((2, (1, 4, 4, 1)), (3, (1, 8, 8, 2)))
    )
    spread = Operator(0, 67, "TRANSPOSE_CONV", (0, 1, 2), (3,), {"padding": "same", "strides": (2, 2)})
    model = inputs_of(Graph((shape, weights, image, output), (spread,), (0, 2), (3,)))
    found = random_set(model, 5)
    assert found.arrays[0].tolist() == [[1, 8, 8, 2]] * 5
    assert "1x8x8x2, the shape that a TRANSPOSE_CONV makes" in found.source
