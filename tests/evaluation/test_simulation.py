import ctypes
import io
from pathlib import Path

import numpy as np
import pytest
from random_models.one_op import Activation, Constant, one_op
from rich.console import Console
from support.streaming import running_sum

from glyphlite.compiler import compile_artifact
from glyphlite.datasets.dataset import Dataset
from glyphlite.emulation.toolchain import compile_shared
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.simulation import simulate
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.report.terminal.command_output import firmware_view
from glyphlite.tflite.writer import pack_model, unpack_model


@pytest.mark.parametrize(("cpu", "most"), [("cortex-m4", 160_000), ("cortex-m0", 500_000)])
def test_micro_cnn_meets_its_targets(samples: Path, mnist: Dataset, cpu: str, most: int):
    images = mnist.test.images[:12]
    simulation = simulate(samples / "model_int8.tflite", cpu, (images.astype(np.int16) - 128).astype(np.int8), measured=3)
    report = simulation.report
    assert len(simulation.instructions) == 3
    assert report.instructions == simulation.instructions.max() <= most
    assert report.memory_bytes is not None
    assert simulation.ram_bytes == report.memory_bytes + report.stack_bytes < report.arena_bytes + 784 + 10 + report.stack_bytes
    assert simulation.ram_bytes <= 1_700
    assert report.code_bytes <= 3_000
    assert simulation.stack_bound_bytes is not None
    assert 0 < report.stack_bytes <= simulation.stack_bound_bytes < 400
    assert (simulation.classes == mnist.test.labels[:12]).mean() > 0.7
    assert np.allclose(simulation.real_scores.sum(axis=1), 1, atol=0.05)
    layers = {layer.name: layer.instructions for layer in report.layers}
    assert 0.95 * report.instructions < sum(layers.values()) <= report.instructions
    assert min(layers.values()) > 0
    assert report.instructions_per_mac == pytest.approx(report.instructions / 70_464)


@pytest.mark.parametrize("name", ["glyph-1k", "glyph-700"])
def test_the_smallest_models_take_3600_bytes_of_flash_on_the_smallest_core(name: str, mnist: Dataset):
    """Their layers run from a table; each is counted by its entry, and the stack has a bound: no call goes by a pointer."""
    simulation = simulate(pretrained_artifact(name), "cortex-m0", mnist.test.images[:2], optimize="size")
    report = simulation.report
    assert report.code_bytes + report.constant_bytes <= 3_600
    layers = {layer.name: layer.instructions for layer in report.layers}
    assert 0.95 * report.instructions < sum(layers.values()) <= report.instructions
    assert min(layers.values()) > 0
    assert simulation.stack_bound_bytes is not None
    assert 0 < report.stack_bytes <= simulation.stack_bound_bytes < 500


def test_a_compiled_folder_and_raw_pixels_say_the_same(samples: Path, mnist: Dataset, tmp_path: Path):
    images = mnist.test.images[:4]
    compile_artifact(samples / "model_int8.tflite", tmp_path / "c", name="digits", labels=[f"digit {i}" for i in range(10)])
    pixels = simulate(tmp_path / "c", "cortex-m4", images)
    quantized = simulate(samples / "model_int8.tflite", "cortex-m4", (images.astype(np.int16) - 128).astype(np.int8))
    assert np.array_equal(pixels.scores, quantized.scores)
    assert pixels.labels[3] == "digit 3"
    assert pixels.report.function == "digits_invoke"
    assert pixels.report.instructions == quantized.report.instructions, "the same function, whatever it was given"


def test_pixels_are_stored_as_the_c_stores_them(samples: Path, mnist: Dataset, tmp_path: Path):
    """An input of another scale than 1/255: what is measured gets the bytes that classify() makes on this host."""
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    quantization = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].quantization
    quantization.scale, quantization.zeroPoint = np.array([0.011], np.float32), np.array([-17], np.int64)
    (tmp_path / "odd.tflite").write_bytes(pack_model(model))
    report = compile_artifact(tmp_path / "odd.tflite", tmp_path / "c", convention=OURS)
    library = ctypes.CDLL(str(compile_shared([tmp_path / "c" / "odd.c"], tmp_path / "odd.so")))
    arena, scores = np.zeros(report.classify_arena_bytes, np.uint8), np.zeros((3, 10), np.int8)
    for image, result in zip(mnist.test.images, scores, strict=False):
        library.odd_classify(*(ctypes.c_void_p(each.ctypes.data) for each in (image, result, arena)))
    assert scores.any()
    assert np.array_equal(simulate(tmp_path / "c", "cortex-m0", mnist.test.images[:3], measured=3).scores, scores)


def test_without_a_bound_of_the_stack_every_measured_figure_stays(samples: Path, monkeypatch: pytest.MonkeyPatch):
    def unbounded(*_: object) -> int:
        raise ArtifactError("no bound of the stack: net_run calls itself")

    image = np.zeros((1, 784), np.int8)
    bounded = simulate(samples / "model_int8.tflite", "cortex-m0", image).report
    monkeypatch.setattr("glyphlite.evaluation.simulation.stack_bound", unbounded)
    report = simulate(samples / "model_int8.tflite", "cortex-m0", image).report
    assert (report.stack_bound_bytes, report.stack_bound_missing) == (None, "no bound of the stack: net_run calls itself")
    same = {"stack_bound_bytes": None, "stack_bound_missing": None}
    assert report.model_copy(update=same) == bounded.model_copy(update=same)
    stream = io.StringIO()
    Console(file=stream, width=200).print(firmware_view([report]))
    assert "Cortex-M0: no bound of the stack: net_run calls itself; the stack above was measured" in stream.getvalue()


@pytest.mark.parametrize("optimize", ["size", "ram"])
def test_every_optimization_gives_the_same_scores(samples: Path, mnist: Dataset, optimize: str):
    images = mnist.test.images[:3]
    base = simulate(samples / "model_int8.tflite", "cortex-m4", images)
    other = simulate(samples / "model_int8.tflite", "cortex-m4", images, optimize=optimize)
    assert np.array_equal(base.scores, other.scores)
    if optimize == "size":
        flash, more = (each.report.code_bytes + each.report.constant_bytes for each in (other, base))
        assert flash < more
    assert other.report.arena_bytes <= base.report.arena_bytes


def test_requests_that_cannot_be_met(samples: Path, mnist: Dataset, tmp_path: Path):
    images = mnist.test.images[:1]
    with pytest.raises(ArtifactError, match="cortex-m4"):
        simulate(samples / "model_int8.tflite", "cortex-m99", images)
    with pytest.raises(ArtifactError, match="at least one"):
        simulate(samples / "model_int8.tflite", "cortex-m4", images[:0])
    with pytest.raises(ArtifactError, match="784"):
        simulate(samples / "model_int8.tflite", "cortex-m4", images[:, :10])
    with pytest.raises(ArtifactError, match="glyphlite compile"):
        simulate(tmp_path, "cortex-m4", images)
    compile_artifact(samples / "model_int8.tflite", tmp_path / "c", scores="none")
    with pytest.raises(ArtifactError, match="scores none"):
        simulate(tmp_path / "c", "cortex-m4", images)


def test_a_layer_that_looks_its_results_up_is_counted(tmp_path: Path):
    """It has a table of its name, which its first argument does not point into."""
    source, output = Activation((1, 4, 4, 4), 0.1, 3), Activation((1, 8, 8, 2), 0.1, -5)
    weights = Constant(np.arange(-36, 36, dtype=np.int8).reshape(2, 3, 3, 4), [0.02])
    shape = Constant(np.array([1, 8, 8, 2], np.int32))
    behind = [("LOGISTIC", Activation((1, 8, 8, 2), 1 / 256, -128))]
    artifact = tmp_path / "upsampled.tflite"
    artifact.write_bytes(
        one_op(
            "TRANSPOSE_CONV",
            [shape, weights, source],
            output,
            "TransposeConvOptions",
            behind=behind,
            padding=0,
            strideH=2,
            strideW=2,
        )
    )
    [layer] = simulate(artifact, "cortex-m4", np.zeros((1, 4, 4, 4), np.int8)).report.layers
    assert layer.instructions is not None
    assert layer.instructions > 2 * 8 * 8


@pytest.mark.parametrize(("unrelated", "expected"), [(True, [4, 4, 4, 4]), (False, [4, 8, 12, 16])])
def test_unrelated_inputs_begin_from_nothing(tmp_path: Path, unrelated: bool, expected: list[int]):
    """As pictures do; measured ones and those that are only run."""
    (tmp_path / "sum.tflite").write_bytes(running_sum(None, zero_point=0))
    inputs = InputSet((np.full((4, 4), 4, np.int8),), "fours", unrelated=unrelated)
    assert simulate(tmp_path / "sum.tflite", "cortex-m4", inputs, measured=2).scores[:, 0].tolist() == expected
