"""int16x8 files: generated C gives TensorFlow Lite Micro's bytes, and what neither computes is refused by name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_models import Oracle, draw
from random_models.by_hand_int16 import Int16Writer, write
from random_models.differential import examine
from random_models.drafts import Draft, Step
from random_models.harness import OPTIMIZE, PATHS, run_generated
from random_models.inputs import draw_inputs, from_model, held_types, stored_inputs, to_model
from random_models.one_change import changes
from random_models.with_keras import convert

from glyphlite.compiler import arithmetic_int16, compile_graph
from glyphlite.compiler.ops.int16.table import INT16_OPS
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph, read_graph

EVERY = np.arange(-32768, 32768).astype(np.int16)


def check(model: bytes, inputs: np.ndarray, folder: Path, *, optimize: str = "speed", path: str = "plain") -> np.ndarray:
    """TFLite Micro's answers, which generated C must give."""
    folder.mkdir(exist_ok=True)
    graph = parse_graph(model)
    stored = np.ascontiguousarray(inputs).view(np.int8)
    expected = from_model(graph, Oracle(model).run_all(to_model(graph, stored)))
    assert np.array_equal(run_generated(graph, stored, folder, optimize=optimize, path=path), expected)
    return expected.view(held_types(graph)[1][0])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 41, 4))
def test_random_models_agree(seed: int, tmp_path: Path):
    model = write(draw(seed, for_keras=False))
    graph = parse_graph(model)
    check(model, stored_inputs(seed, 100, graph), tmp_path, optimize=OPTIMIZE[seed % 3], path=list(PATHS)[seed // 4 % len(PATHS)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1000, 1022])
def test_models_converted_from_keras_agree(seed: int, tmp_path: Path):
    model = convert(draw(seed, for_keras=True), wide=True)
    for path in ("plain", "dsp"):
        check(model, stored_inputs(seed, 50, parse_graph(model)), tmp_path / path, optimize=OPTIMIZE[seed % 3], path=path)


@pytest.mark.parametrize("path", PATHS)
def test_a_converted_file_agrees(path: str, samples: Path, tmp_path: Path):
    file = samples / "model_int16x8.tflite"
    inputs = draw_inputs(0, 40, (784,), 0, np.int16)
    assert len(np.unique(check(file.read_bytes(), inputs, tmp_path, path=path))) > 50


class OneOp(Int16Writer):
    """An op on int16 between given scales."""

    def __init__(self, draft: Draft, scales: list[float]) -> None:
        super().__init__(draft)
        self.scales = list(scales)

    def prepare(self, step: Step) -> None:
        """Leaves the scales as they are given."""

    def any_parameters(self, scale: float) -> tuple[float, int]:
        return float(np.float32(self.scales.pop(0) if self.scales else scale)), 0


def one_op(kind: str, elements: int, scales: list[float], **settings: object) -> bytes:
    """A file of one op on a vector."""
    return OneOp(Draft(1, (elements,), (Step(kind, (0,), (elements,), dict(settings)),), "int8"), scales).finish()


@pytest.mark.parametrize("kind", ["logistic", "tanh"])
@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 2.0**-12 * 1.0005, 2.0**-12 * 1.0008, 1e-6, 7e-4, 2.6])
def test_sigmoids_of_every_value(kind: str, scale: float, tmp_path: Path):
    """Powers of two, and what the reference takes for one (CheckedLog2), need no rounding; the table's end saturates."""
    check(one_op(kind, 65536, [scale]), EVERY[None], tmp_path)


@pytest.mark.parametrize(
    ("source", "out", "alpha"), [(1e-4, 1e-4, 0.1), (3e-4, 1e-4, 0.0), (1e-4, 3.3e-4, 1.5), (0.5, 1e-3, 0.3)]
)
def test_leaky_relu_of_every_value(source: float, out: float, alpha: float, tmp_path: Path):
    check(one_op("leaky_relu", 65536, [source, out], alpha=alpha), EVERY[None], tmp_path)


@pytest.mark.parametrize(("source", "out"), [(1e-4, 1e-4), (3e-4, 1e-4), (1e-4, 3.3e-4), (0.5, 1e-3)])
@pytest.mark.parametrize("kind", ["relu", "abs", "quantize"])
def test_rescaling_of_every_value(kind: str, source: float, out: float, tmp_path: Path):
    check(one_op(kind, 65536, [source, out]), EVERY[None], tmp_path)


@pytest.mark.parametrize("scale", [3e-5, 6 / 32767, 6 / 32766, 1e-3])
def test_relu6_of_every_value(scale: float, tmp_path: Path):
    """A six beyond int16 is its largest value: nothing is cut off."""
    check(one_op("relu6", 65536, [scale]), EVERY[None], tmp_path)


def test_softmax_reads_every_entry_of_its_tables(tmp_path: Path):
    """Two values give every difference, more of them every sum: the tables are the reference's, entry by entry."""
    scale = 10 / 65535
    pairs = np.stack([np.full(65536, 32767, np.int16), EVERY], axis=1)
    check(one_op("softmax", 2, [scale]), pairs, tmp_path)
    rng = np.random.default_rng(0)
    many = rng.integers(-32768, 32768, (20_000, 7)).astype(np.int16)
    check(one_op("softmax", 7, [scale]), many, tmp_path / "many")
    tables = arithmetic_int16.exponential_lut(), arithmetic_int16.reciprocal_lut()
    assert [(len(table), table[0], table[-1]) for table in tables] == [(513, 2, 32767), (513, 32767, 16384)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1003, 1017])
def test_one_thing_changed_is_equal_or_refused(seed: int):
    """A scale, a zero point, an extent, an option or an input that is another."""
    every = list(changes(write(draw(seed, for_keras=False))))
    chosen = [every[index] for index in np.random.default_rng(seed).choice(len(every), 40, replace=False)]
    verdicts = examine([content for _, content in chosen], inputs=12, seed=seed)
    assert [(words, verdict) for (words, _), verdict in zip(chosen, verdicts, strict=True) if verdict.is_fault] == []
    assert {"equal", "not read", "not compiled"} <= {verdict.outcome for verdict in verdicts}


def refusal(model: bytes) -> str:
    """The words of the compiler on a model that it cannot express."""
    with pytest.raises(ArtifactError) as caught:
        compile_graph(parse_graph(model), "net")
    return str(caught.value)


def test_what_tflite_micro_leaves_undefined_is_refused(tmp_path: Path):
    assert "an input scale of 3" in refusal(one_op("tanh", 4, [3.0]))
    assert "6 in a scale of 2e-09 does not fit 32 bits" in refusal(one_op("relu6", 4, [2e-9]))
    assert "an input scale of 1e+03" in refusal(one_op("softmax", 4, [1000.0]))


def test_int16_with_a_zero_point_is_refused(samples: Path):
    graph = read_graph(samples / "model_int16x8.tflite")
    assert graph.input.quantization is not None
    shifted = replace(graph.input, quantization=replace(graph.input.quantization, zero_points=(3,)))
    tensors = tuple(shifted if tensor.index == shifted.index else tensor for tensor in graph.tensors)
    with pytest.raises(ArtifactError, match="int16 with the zero point 3; quantize int16 symmetrically"):
        compile_graph(replace(graph, tensors=tensors), "net")


def test_rows_and_maxima_are_taken_as_they_come(samples: Path):
    """No map exists whole: neither before the pool nor before the dense layer."""
    report = compile_graph(read_graph(samples / "model_int16x8.tflite"), "net").report
    assert [layer.op for layer in report.layers] == ["CONV_2D", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]
    assert report.arena_bytes < 500


def test_the_interface_takes_int16(samples: Path):
    files = compile_graph(read_graph(samples / "model_int16x8.tflite"), "net").files
    assert "const int16_t input[NET_INPUT_SIZE]" in files["net.h"]
    assert "net_quantize_input(float real)" in files["net.h"]
    assert "net_classify" not in files["net.h"]


def test_the_random_models_draw_every_op():
    """Each op that the table has, over the seeds of a campaign."""
    drawn: set[str] = set()
    for seed in (*range(1, 300, 2), *range(1001, 1201, 2)):
        drawn |= {operator.name for operator in parse_graph(write(draw(seed, for_keras=False))).operators}
    assert set(INT16_OPS) - drawn == {"EXPAND_DIMS", "ASSIGN_VARIABLE", "SELECT_V2"}  # the last one: findings.py


def test_moves_of_int16(tmp_path: Path):
    """Every other element, larger maps, another order: two bytes go together, and parts begin where they lie."""
    settings = {"size": (5, 8), "align": False, "half": True}
    steps = (
        Step("resize_nearest_neighbor", (0,), (5, 8, 3), settings),
        Step("strided_slice", (1,), (5, 4, 3), {"begin": [0, 1, 0], "end": [5, 8, 3], "strides": [1, 2, 1]}),
        Step("transpose", (2,), (3, 5, 4), {"axes": [2, 0, 1]}),
        Step("slice", (3,), (2, 5, 4), {"begin": [1, 0, 0], "size": [2, 5, 4]}),
    )
    check(write(Draft(3, (2, 4, 3), steps, "int8")), draw_inputs(3, 20, (24,), 0, np.int16), tmp_path)


@pytest.mark.parametrize("bias", [-(2**63), 2**47])
def test_a_bias_beyond_47_bits_is_refused(bias: int, samples: Path):
    """What multiplies it leaves 64 bits in TFLite Micro; the least of all int64 has no positive counterpart."""
    graph = read_graph(samples / "model_int16x8.tflite")
    tensor = graph.tensors[graph.operators[0].inputs[2]]
    altered = replace(tensor, data=np.full(tensor.shape, bias, np.int64))
    tensors = tuple(altered if each is tensor else each for each in graph.tensors)
    with pytest.raises(ArtifactError, match="does not fit its bias's type"):
        compile_graph(replace(graph, tensors=tensors), "net")
