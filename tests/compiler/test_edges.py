from pathlib import Path

import numpy as np
import pytest
from random_models import model_of

from glyphlite.runtimes.registry import get_runtime


@pytest.mark.parametrize(("seed", "kind"), [(13, "float32"), (57, "float32"), (80, "uint8")])
def test_float_and_uint8_edges_equal_tflite_micro(seed: int, kind: str, tmp_path: Path):
    path = tmp_path / "edges.tflite"
    path.write_bytes(model_of(seed)[1])
    rng = np.random.default_rng(seed)
    with get_runtime("tflm", isolated=False).load(path) as model:
        assert model.input.dtype == kind
        shape = (50, *model.input.shape)
        images = rng.normal(0, 3, shape).astype(np.float32) if kind == "float32" else rng.integers(0, 256, shape).astype(np.uint8)
        expected = model.predict(images)
    with get_runtime("generated_c").load(path) as model:
        assert np.array_equal(model.predict(images), expected)
