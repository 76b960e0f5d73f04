"""Verify on real images: what agrees, what differs and where, and what it says when something is broken."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.verification import agreement
from glyphlite.evaluation.verification.agreement import Verification, verify, work_units
from glyphlite.models.interface.input_convention import parse_input_range
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples
from glyphlite.runtimes.ports import Port, Ports
from glyphlite.runtimes.registry import INTERPRETERS, get_runtime
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.reader import read_graph
from glyphlite.tflite.writer import pack_model, unpack_model

N = 300


@pytest.fixture(scope="module")
def verification(samples: Path, mnist: Dataset) -> Verification:
    return verify(samples / "model_int8.tflite", mnist, images=N, runtimes=INTERPRETERS)


def test_every_interpreter_is_held_against_tflite_micro(verification: Verification) -> None:
    assert [record.runtime for record in verification.records] == list(INTERPRETERS)
    assert verification.reference == "tflm"
    assert verification.agrees
    for record in verification.records:
        assert record.images == N
        assert record.same_class == 1
        assert record.accuracy is not None
        assert record.accuracy.n == N
        assert record.accuracy.low < record.accuracy.value < record.accuracy.high
    reference = verification.records[-1]
    assert (reference.identical, reference.largest_difference, reference.differing_tensors) == (1, 0, [])


def test_built_in_kernels_differ_from_tflite_micro_by_no_more_than_the_rounding_of_a_tie(verification: Verification) -> None:
    builtin = next(record for record in verification.records if record.runtime == "litert_builtin")
    assert builtin.identical >= 0.99
    assert builtin.largest_difference <= 1
    assert all(found.op_index >= 4 and found.largest_difference == 1 for found in builtin.differing_tensors)


def test_xnnpack_differs_by_a_step_before_the_softmax(verification: Verification) -> None:
    xnnpack = next(record for record in verification.records if record.runtime == "litert")
    assert xnnpack.tensor_images == N
    assert xnnpack.tensors_compared == 7
    assert xnnpack.first_difference is not None
    assert (xnnpack.first_difference.op_index, xnnpack.first_difference.op) == (0, "CONV_2D")
    assert {found.largest_difference for found in xnnpack.differing_tensors if found.op != "SOFTMAX"} == {1.0}


def test_the_document_is_the_records(verification: Verification) -> None:
    document = verification.document()
    assert document["agrees"] is True
    assert [record["runtime"] for record in document["verify"]] == list(INTERPRETERS)
    assert document["verdict"] == verification.verdict


class _Altered(Runtime):
    """A runtime with a fault: it runs another file than it was given."""

    def __init__(self, real: Runtime, alter: Callable[[bytes], bytes], folder: Path) -> None:
        self.name, self._real, self._alter, self._folder = real.name, real, alter, folder

    def load(self, artifact: Path) -> LoadedModel:
        changed = self._folder / "altered.tflite"
        changed.write_bytes(self._alter(artifact.read_bytes()))
        return self._real.load(changed)


def _replace_runtime(monkeypatch: pytest.MonkeyPatch, name: str, replacement: Runtime) -> None:
    monkeypatch.setattr(agreement, "get_runtime", lambda asked: replacement if asked == name else get_runtime(asked))


def test_a_fault_is_traced_to_the_op_that_has_it(
    samples: Path, mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = samples / "model_int8.tflite"
    graph = read_graph(artifact)
    bias = graph.tensors[graph.operators[3].inputs[2]].data
    assert bias is not None

    def with_larger_biases(content: bytes) -> bytes:
        assert content.count(bias.tobytes()) == 1
        return content.replace(bias.tobytes(), (bias + 40_000).astype(bias.dtype).tobytes())

    _replace_runtime(monkeypatch, "litert_builtin", _Altered(get_runtime("litert_builtin"), with_larger_biases, tmp_path))
    found = verify(artifact, mnist, images=100, runtimes=["litert_builtin", "tflm"])
    broken = found.records[0]
    assert not found.agrees
    assert broken.same_class is not None
    assert broken.same_class < 1
    assert broken.first_difference is not None
    assert (broken.first_difference.op, broken.first_difference.op_index) == ("FULLY_CONNECTED", 3)
    assert broken.first_difference.largest_difference > 1
    assert [difference.op_index for difference in broken.differing_tensors] == [3, 4, 5]
    assert "disagree" in found.verdict
    assert "op 3, FULLY_CONNECTED" in found.verdict
    assert verify(artifact, mnist, images=100, runtimes=["litert_builtin", "tflm"], tolerance=1.0).agrees


INT8, UNIT = np.dtype(np.int8), Quantization((1.0,), (0,))


class _Dying(Runtime):
    """A runtime that takes a file and then does not survive it."""

    name = "litert"

    def load(self, artifact: Path) -> LoadedModel:
        return _DyingModel()


class _DyingModel(LoadedModel):
    ports = Ports((Port((28, 28, 1), INT8, UNIT),), (Port((10,), INT8, UNIT),))

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        raise ArtifactError("it crashes the runtime (segmentation fault)")


def test_a_runtime_that_dies_on_the_way_is_refused_not_fatal(
    samples: Path, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    _replace_runtime(monkeypatch, "litert", _Dying())
    found = verify(samples / "model_int8.tflite", mnist, images=20, runtimes=INTERPRETERS)
    assert "segmentation fault" in found.refused["litert"]
    assert [record.runtime for record in found.records] == ["litert_builtin", "litert_reference", "tflm"]


@pytest.mark.slow
def test_the_float_source_is_compared_in_the_artifacts_steps(samples: Path, mnist: Dataset) -> None:
    found = verify(samples / "model_int8.tflite", mnist, images=1000, runtimes=["tflm"], keras=samples / "model.keras")
    keras = found.records[0]
    assert keras.runtime == "keras"
    assert keras.difference_unit == "steps"
    assert keras.same_class is not None
    assert keras.same_class > 0.98
    assert 1 <= keras.largest_difference < 128
    assert 0.2 < keras.identical < 1
    assert found.agrees


def test_a_float_artifact_is_compared_in_probability(samples: Path, mnist: Dataset) -> None:
    found = verify(samples / "model_float32.tflite", mnist, images=50, runtimes=INTERPRETERS)
    assert found.agrees
    assert all(record.difference_unit == "probability" and record.largest_difference < 1e-4 for record in found.records)


def test_where_tflite_micro_refuses_the_reference_is_litert_built_in(samples: Path, mnist: Dataset) -> None:
    found = verify(samples / "model_float16.tflite", mnist, images=20, runtimes=INTERPRETERS)
    assert found.reference == "litert_builtin"
    assert "float16" in found.refused["tflm"]
    assert "float16" in found.verdict
    with pytest.raises(ArtifactError, match="the reference tflm"):
        verify(samples / "model_float16.tflite", mnist, images=20, runtimes=INTERPRETERS, reference="tflm")


def test_images_are_drawn_with_the_seed(samples: Path, mnist: Dataset) -> None:
    def accuracy(seed: int) -> float:
        found = verify(samples / "model_int8.tflite", mnist, images=200, seed=seed, runtimes=["litert"], tensor_images=0)
        accuracy = found.records[0].accuracy
        assert accuracy is not None
        return accuracy.value

    assert accuracy(1) == accuracy(1)
    assert len({accuracy(seed) for seed in range(4)}) > 1


def test_progress_reaches_its_total(samples: Path, mnist: Dataset) -> None:
    done: list[int] = []
    artifact = samples / "model_float16.tflite"
    verify(artifact, mnist, images=120, runtimes=INTERPRETERS, progress=done.append)  # TFLite Micro refuses this one
    assert sum(done) == work_units(artifact, 120, INTERPRETERS, keras=False)


def test_a_model_of_other_images_is_refused_before_any_runtime_sees_it(samples: Path, mnist: Dataset) -> None:
    small = Split(mnist.test.images[:5, :14, :14], mnist.test.labels[:5])
    with pytest.raises(ArtifactError, match="--dataset"):
        verify(samples / "model_int8.tflite", Dataset("small", mnist.labels, small, small, small, "test"))
    letters = Dataset("letters", tuple(chr(65 + index) for index in range(26)), mnist.test, mnist.test, mnist.test, "test")
    with pytest.raises(ArtifactError, match="26"):
        verify(samples / "model_int8.tflite", letters)


def test_damaged_files_and_unknown_runtimes_are_one_clear_line(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    damaged = tmp_path / "model.tflite"
    damaged.write_bytes((samples / "model_int8.tflite").read_bytes()[:20_000])
    with pytest.raises(ArtifactError):
        verify(damaged, mnist, images=5)
    with pytest.raises(ToolError, match="abacus"):
        verify(samples / "model_int8.tflite", mnist, images=5, runtimes=["tflm", "abacus"])


@pytest.fixture(scope="module")
def encoder(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample cut after its pooling, its convolution a second output: maps, no classes."""
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    graph = model.subgraphs[0]
    graph.operators = graph.operators[:2]
    graph.outputs = [graph.operators[1].outputs[0], graph.operators[0].outputs[0]]
    model.signatureDefs = []
    path = tmp_path_factory.mktemp("maps") / "encoder.tflite"
    path.write_bytes(pack_model(model))
    return path


def test_a_model_that_classifies_nothing_is_verified_on_random_inputs(encoder: Path) -> None:
    done: list[int] = []
    found = verify(encoder, images=60, tensor_images=10, progress=done.append)
    assert sum(done) == work_units(encoder, 60, keras=False, tensor_images=10)
    assert found.agrees
    records = {record.runtime: record for record in found.records}
    assert records["generated_c"].identical == 1
    assert {(record.images, record.unit, record.values, record.differing_bytes > 0) for record in found.records[3:]} == {
        (60, "input", 60 * (26 * 26 * 8 + 13 * 13 * 8), False)
    }
    assert [output.values for output in records["tflm"].outputs] == [60 * 13 * 13 * 8, 60 * 26 * 26 * 8]
    assert all(record.same_class is None and record.accuracy is None for record in found.records)
    assert found.inputs == "60 random inputs (seed 0) over the whole range of int8"
    assert found.document()["inputs"]["coverage"][0]["codes"] == 256
    words = found.verdict
    assert "generated C and TFLite Micro agree on every byte of encoder.tflite over 60 inputs" in words
    assert not [word for word in ("class", "image", "digit", "probab", "accuracy") if word in words]


def test_labels_of_a_file_bring_classes(samples: Path, mnist: Dataset) -> None:
    stored = (mnist.test.images[:80].astype(np.int16) - 128).astype(np.int8)
    inputs = InputSet((stored,), "80 inputs of digits.npz", labels=mnist.test.labels[:80])
    found = verify(samples / "model_int8.tflite", inputs, runtimes=["tflm", "generated_c"], tensor_images=0)
    for record in found.records:
        assert record.accuracy is not None
        assert record.accuracy.value > 0.9
        assert record.same_class == 1


def test_a_float_file_is_the_source_of_an_artifact(samples: Path) -> None:
    found = verify(samples / "model_int8.tflite", images=40, runtimes=["tflm"], keras=samples / "model_float32.tflite")
    source, tflm = found.records
    assert source.runtime == "float_tflite"
    assert source.mean_absolute_error == 0
    assert tflm.mean_absolute_error is not None
    assert 0 < tflm.mean_absolute_error < 0.1
    assert "Mean absolute error of TFLite Micro against the float source: 0.0" in found.verdict


def test_a_source_of_other_outputs_is_refused(samples: Path, encoder: Path) -> None:
    with pytest.raises(ArtifactError, match=r"the float source has outputs of shape \[10\], the artifact of"):
        verify(encoder, images=4, runtimes=["tflm"], keras=samples / "model_float32.tflite")


def test_a_model_that_keeps_state_is_called_in_order_and_again_after_a_reset(tmp_path: Path) -> None:
    from support.streaming import running_sum

    path = tmp_path / "streaming.tflite"
    path.write_bytes(running_sum())
    found = verify(path, images=12, runtimes=["tflm", "generated_c"])
    assert found.agrees
    assert [(record.images, record.unit) for record in found.records] == [(24, "call")] * 2
    assert "agree on every byte of streaming.tflite over 24 calls" in found.verdict
    assert found.inputs.endswith("as consecutive calls, and again after a reset")


def test_a_picture_is_a_sequence_of_its_own_whatever_the_model_keeps(tmp_path: Path) -> None:
    """Its class is that after a reset, and counts once; the float source, which keeps nothing, is held against the same.

    Both give scores, not probabilities.
    """
    from support.assembled import Assembly
    from support.streaming import running_sum

    path, source = tmp_path / "sum.tflite", tmp_path / "float.tflite"
    path.write_bytes(running_sum(None, zero_point=-128))
    assembly = Assembly()
    main = assembly.subgraph()
    given, same = (main.tensor((1, 4), dtype="float32") for _ in range(2))
    main.op("ADD", [given, main.constant(np.zeros((1, 4), np.float32))], [same], "AddOptions")
    main.edges([given], [same])
    source.write_bytes(assembly.pack())
    labels = np.repeat(np.arange(4), 3)
    pictures = (85 + 170 * np.eye(4, dtype=np.uint8)[labels]).reshape(-1, 2, 2, 1)
    split = Split(pictures, labels)
    data = Dataset("dots", ("a", "b", "c", "d"), split, split, split, "here")
    found = verify(path, data, convention=parse_input_range("0,85"), runtimes=["tflm"], keras=source)
    float_source, tflm = found.records
    assert (tflm.images, tflm.unit) == (24, "call")
    assert (float_source.images, float_source.identical) == (12, 1)
    for record in (tflm, float_source):
        assert record.accuracy is not None
        assert (record.accuracy.value, record.accuracy.n, record.mean_absolute_error) == (1, 12, 0)
    assert found.inputs == "12 test images of dots, as consecutive calls, and again each after a reset"
