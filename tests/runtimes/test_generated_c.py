import ctypes
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.runtimes.generated_c import GeneratedC
from glyphlite.runtimes.registry import accepts, get_runtime


def stored(mnist: Dataset, count: int) -> np.ndarray:
    return (mnist.test.images[:count].astype(np.int16) - 128).astype(np.int8)


@pytest.mark.slow
def test_all_test_images_equal_tflite_micro(samples: Path, mnist: Dataset):
    images = stored(mnist, len(mnist.test))
    steps: list[int] = []
    with get_runtime("generated_c").load(samples / "model_int8.tflite") as model:
        got = model.predict(images, steps.append)
    with get_runtime("tflm", isolated=False).load(samples / "model_int8.tflite") as model:
        expected = model.predict(images)
    assert sum(steps) == 10_000
    assert np.array_equal(got, expected)
    assert (got.argmax(axis=1) == mnist.test.labels).mean() > 0.9


@pytest.mark.parametrize("compiler", ["gcc", "zig"])
def test_every_compiler_gives_the_same_bytes(samples: Path, mnist: Dataset, compiler: str):
    images = stored(mnist, 100)
    with GeneratedC().load(samples / "model_int8.tflite") as model:
        expected = model.predict(images)
    with GeneratedC(compiler, ("-O1",)).load(samples / "model_int8.tflite") as model:
        assert np.array_equal(model.predict(images), expected)


def test_the_arena_may_hold_anything_and_is_not_kept(samples: Path, mnist: Dataset):
    images = stored(mnist, 20)
    with GeneratedC().load(samples / "model_int8.tflite") as model:
        expected = model.predict(images)
        for rubbish in (0, 0x5A, 0xFF):
            ctypes.memset(model._arena.ctypes.data, rubbish, model._arena.nbytes)
            assert np.array_equal(model.predict(images[::-1])[::-1], expected)
        assert model.arena_bytes < 1000


def test_other_variants_are_refused(samples: Path):
    acceptance = accepts("generated_c", samples / "model_float32.tflite")
    assert not acceptance.accepts
    assert "int8" in (acceptance.reason or "")
    assert accepts("generated_c", samples / "model_int8.tflite").accepts


def test_other_images_are_refused(samples: Path):
    with GeneratedC().load(samples / "model_int8.tflite") as model, pytest.raises(ArtifactError, match="28"):
        model.predict(np.zeros((1, 8, 8, 1), np.int8))


def test_an_unknown_compiler_is_named(samples: Path):
    with pytest.raises(ToolError, match="tcc"):
        GeneratedC("tcc").load(samples / "model_int8.tflite")


def test_closing_twice_is_harmless_and_removes_the_folder(samples: Path):
    model = GeneratedC().load(samples / "model_int8.tflite")
    folder = Path(model._compiled.folder)
    assert folder.exists()
    model.close()
    model.close()
    assert not folder.exists()
