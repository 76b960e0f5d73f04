"""A file whose batch is fixed takes several samples a call: generated C gives TFLite Micro's bytes for any number of them."""

from pathlib import Path

import numpy as np
import pytest
from random_models.one_op import Activation, Constant, one_op

from glyphlite.runtimes.registry import get_runtime


def of_three(name: str) -> bytes:
    image = Activation((3, 2, 5, 4), 0.1, 3)
    if name == "ADD":
        return one_op(name, [image, Constant(np.arange(4, dtype=np.int8).reshape(1, 1, 1, 4), [0.1])], image, "AddOptions")
    return one_op(name, [image], Activation((3, 2, 5, 4), 0.11, -7))


@pytest.mark.parametrize("name", ["ADD", "ABS", "RELU"])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_any_number_of_samples(name: str, count: int, tmp_path: Path) -> None:
    artifact = tmp_path / "three.tflite"
    artifact.write_bytes(of_three(name))
    samples = (np.random.default_rng(count).integers(-128, 128, (count, 2, 5, 4)).astype(np.int8),)
    answers = []
    for runtime in ("tflm", "generated_c"):
        with get_runtime(runtime).load(artifact) as model:
            answers.append(model.run(samples)[0])
    assert answers[0].shape == (count, 2, 5, 4)
    assert np.array_equal(*answers)
