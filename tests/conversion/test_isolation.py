"""The converter in a process of its own: a crash there costs one variant, and the next conversion finds it alive."""

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glyphlite.conversion import isolation
from glyphlite.conversion.converter import convert, convert_exported, exported
from glyphlite.conversion.folder import convert_to_folder
from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.errors import ConversionError
from glyphlite.models.interface.input_convention import OURS
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime


def recurrent(layer: str, steps: int, **options: Any) -> Any:
    """A classifier of images cut into so many steps."""
    import keras

    layers = keras.layers
    inner = getattr(layers, layer)(3, name="memory", **options)
    return keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Reshape((steps, 784 // steps)), inner, layers.Dense(10, activation="softmax")]
    )


@pytest.mark.slow
def test_a_crash_costs_one_variant_and_one_line(mnist: Dataset, tmp_path: Path) -> None:
    model, failed = recurrent("GRU", 392), {}  # too many steps to be written out: a loop, which crashes the quantizer
    artifacts = convert_to_folder(model, tmp_path, ("int8", "float32"), dataset=mnist, samples=2, failed=failed)
    assert [artifact.path.name for artifact in artifacts] == ["model_float32.tflite"]
    assert [path.name for path in tmp_path.glob("*.tflite")] == ["model_float32.tflite"]
    assert list(failed) == ["int8"]
    assert "crashes on it (segmentation fault), which quantizes no loops as in its recurrent layers 'memory'" in str(
        failed["int8"]
    )
    assert "convert to float32, float16 or dynamic" in str(failed["int8"])
    with pytest.raises(ConversionError, match="crashes on it"):
        convert_to_folder(model, tmp_path, ("int8",), dataset=mnist, samples=2, failed={})


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_layers_are_quantized_step_by_step(layer: str, mnist: Dataset, tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    model = recurrent(layer, 7)
    pixels = mnist.test.images[:40]
    with exported(model) as saved:
        conversion = convert_exported(saved, "int8", representative=pixels)
    assert conversion.notes[-1].startswith("its recurrent layers (memory) are written out step by step")
    path = tmp_path / "model.tflite"
    path.write_bytes(conversion.content)
    with get_runtime("litert_builtin").load(path) as loaded:
        found = predict_probabilities(loaded, pixels, OURS)
    np.testing.assert_allclose(found, np.asarray(model(as_float(pixels))), atol=0.06)
    assert not model.layers[1].unroll


@pytest.mark.slow
def test_the_server_begins_again_after_it_was_killed(samples: Path) -> None:
    """First it is a fork of this process, then a Python of its own: both write the same bytes."""
    from glyphlite.models.loading import load_keras_model

    model = load_keras_model(samples / "model.keras")
    first = convert(model, "float32").content
    server = isolation._converter()._server
    assert server is not None
    os.killpg(server._process, signal.SIGKILL)
    with pytest.raises(ConversionError, match="crashes the process"):
        convert(model, "float32")
    assert convert(model, "float32").content == first


def test_a_server_that_has_not_run_yet_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_yet(*_: object) -> None:
        time.sleep(600)

    monkeypatch.setattr(isolation, "_become_server", not_yet)  # it leads no process group
    server = isolation._forked()
    with ThreadPoolExecutor(1) as apart:
        ended = apart.submit(server.close)
        try:
            ended.result(timeout=20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server._process, signal.SIGKILL)
