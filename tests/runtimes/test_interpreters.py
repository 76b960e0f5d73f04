"""LiteRT's three sets of kernels and TFLite Micro, in this process and in the child, on real artifacts and real images."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.errors import ArtifactError
from glyphlite.models.interface.input_convention import OURS
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import INTERPRETERS, get_runtime
from glyphlite.tflite.quantization import quantize
from glyphlite.tflite.writer import pack_model, unpack_model


@pytest.mark.parametrize("runtime", INTERPRETERS)
@pytest.mark.parametrize("variant", ["float32", "int8", "int16x8"])
def test_artifacts_classify_real_digits(runtime: str, variant: str, samples: Path, mnist: Dataset) -> None:
    images = mnist.test.images[:500]
    with get_runtime(runtime, isolated=False).load(samples / f"model_{variant}.tflite") as model:
        predicted = predict_probabilities(model, images, OURS).argmax(axis=1)
    assert (predicted == mnist.test.labels[:500]).mean() > 0.9


@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_the_child_gives_the_bytes_that_this_process_gives(runtime: str, samples: Path, mnist: Dataset) -> None:
    artifact, done = samples / "model_int8.tflite", []
    with get_runtime(runtime).load(artifact) as isolated, get_runtime(runtime, isolated=False).load(artifact) as direct:
        stored = quantize(as_float(mnist.test.images[:700]), direct.input.quantization, direct.input.dtype)
        assert isolated.input == direct.input
        assert isolated.output == direct.output
        np.testing.assert_array_equal(isolated.predict(stored, done.append), direct.predict(stored))
    assert sum(done) == 700


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_tensors_end_in_what_predict_gives(runtime: str, isolated: bool, samples: Path, mnist: Dataset) -> None:
    with get_runtime(runtime, isolated=isolated).load(samples / "model_int8.tflite") as model:
        stored = quantize(as_float(mnist.test.images[:40]), model.input.quantization, model.input.dtype)
        tensors = model.tensors((stored,))
        shapes = [values.shape for values in tensors.values()]
        assert shapes == [(40, 28, 28, 1), (40, 26, 26, 8), (40, 13, 13, 8), (40, 1352), (40, 16), (40, 10), (40, 10)]
        np.testing.assert_array_equal(list(tensors.values())[-1], model.predict(stored))


def test_tflite_micro_is_within_a_step_of_every_other_in_every_tensor_before_the_softmax(samples: Path, mnist: Dataset) -> None:
    """Not equal: LiteRT's fully connected kernel rounds some values near a half the other way on processors with AVX-512."""
    shown = {}
    for runtime in INTERPRETERS:
        with get_runtime(runtime).load(samples / "model_int8.tflite") as model:
            stored = quantize(as_float(mnist.test.images[:100]), model.input.quantization, model.input.dtype)
            shown[runtime] = model.tensors((stored,))
    for runtime in ("litert", "litert_builtin", "litert_reference"):
        assert shown["tflm"].keys() == shown[runtime].keys()
        *inner, output = shown["tflm"]
        for index in inner:
            difference = shown["tflm"][index].astype(int) - shown[runtime][index]
            assert np.abs(difference).max() <= 1
        np.testing.assert_array_equal(shown["tflm"][output].argmax(axis=1), shown[runtime][output].argmax(axis=1))


@pytest.mark.parametrize("runtime", ["litert", "tflm"])
def test_inferences_are_timed_where_they_run(runtime: str, samples: Path) -> None:
    with get_runtime(runtime).load(samples / "model_int8.tflite") as model:
        seconds = model.time_inferences(np.zeros(model.input.shape, model.input.dtype), 20)
    assert seconds.shape == (20,)
    assert (seconds > 0).all()


@pytest.fixture(scope="module")
def with_logits(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with its logits as a second output."""
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    graph = model.subgraphs[0]
    graph.outputs = [*graph.outputs, graph.operators[-1].inputs[0]]
    path = tmp_path_factory.mktemp("two") / "two_outputs.tflite"
    path.write_bytes(pack_model(model))
    return path


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_every_output_comes_back(runtime: str, isolated: bool, with_logits: Path, samples: Path) -> None:
    images = np.random.default_rng(0).integers(-128, 128, (30, 28, 28, 1)).astype(np.int8)
    with get_runtime(runtime, isolated=isolated).load(samples / "model_int8.tflite") as model:
        probabilities = model.predict(images)
    with get_runtime(runtime, isolated=isolated).load(with_logits) as model:
        assert [port.shape for port in model.outputs] == [(10,), (10,)]
        found = model.run((images,))
        with pytest.raises(ArtifactError, match=r"two_outputs.tflite: it has 2 outputs, expected exactly one"):
            model.predict(images)
        shown = model.tensors((images,))
    np.testing.assert_array_equal(found[0], probabilities)
    np.testing.assert_array_equal(found[1], list(shown.values())[-2])
