from pathlib import Path

import numpy as np
import pytest
from support.avr import require_avr

from glyphlite.cores import CORES
from glyphlite.datasets.dataset import Dataset
from glyphlite.runtimes.registry import accepts, get_runtime


def stored(mnist: Dataset, count: int) -> np.ndarray:
    return (mnist.test.images[:count].astype(np.int16) - 128).astype(np.int8)


@pytest.mark.slow
@pytest.mark.parametrize("core", [core.runtime for core in CORES])
def test_every_core_gives_tflite_micros_bytes(samples: Path, mnist: Dataset, core: str):
    if core == "avr":
        require_avr()
    images = stored(mnist, {"cortex_m4": 1000, "cortex_m0": 1000, "avr": 10}.get(core, 100))
    with get_runtime("tflm", isolated=False).load(samples / "model_int8.tflite") as model:
        expected = model.predict(images)
    with get_runtime(core).load(samples / "model_int8.tflite") as model:
        assert np.array_equal(model.predict(images), expected)


@pytest.mark.parametrize("core", [core.runtime for core in CORES] + ["generated_c"])
def test_int16_gives_tflite_micros_bytes(samples: Path, core: str):
    if core == "avr":
        require_avr()
    images = np.random.default_rng(0).integers(-32768, 32768, (8, 28, 28, 1)).astype(np.int16)
    with get_runtime("tflm", isolated=False).load(samples / "model_int16x8.tflite") as model:
        expected = model.predict(images)
    with get_runtime(core).load(samples / "model_int16x8.tflite") as model:
        assert np.array_equal(model.predict(images), expected)


def test_other_variants_are_refused(samples: Path):
    acceptance = accepts("cortex_m4", samples / "model_dynamic.tflite")
    assert not acceptance.accepts
    assert acceptance.reason
