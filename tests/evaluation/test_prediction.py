"""Sharing a test split among processors changes nothing but the time."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.prediction import predict_split
from glyphlite.models.interface.input_convention import OURS
from glyphlite.runtimes.base import LoadedModel, predict_probabilities
from glyphlite.runtimes.registry import get_runtime


@pytest.mark.parametrize(("images", "processors"), [(0, 2), (1, 2), (8, 2), (9, 3), (203, 3)])
def test_shared_work_gives_the_same_in_the_same_order(samples: Path, mnist: Dataset, images: int, processors: int):
    path, inputs = samples / "model_int16x8.tflite", mnist.test.images[:images]
    done: list[int] = []
    with get_runtime("litert").load(path) as model:
        shared = predict_split(model, path, inputs, OURS, progress=done.append, long_seconds=-1.0, processors=processors)
        alone = predict_probabilities(model, inputs, OURS)
    assert np.array_equal(shared, alone)
    assert sum(done) == images


def test_what_fails_on_one_processor_fails_as_a_whole(samples: Path, mnist: Dataset):
    class Failing(LoadedModel):
        def __init__(self, model: LoadedModel) -> None:
            self.ports, self.calls, self.model = model.ports, 0, model

        def run(self, samples, progress=None, *, resume=False):
            self.calls += 1
            if self.calls > 1:
                raise ArtifactError("it does not survive this")
            return self.model.run(samples, progress, resume=resume)

    path = samples / "model_int8.tflite"
    with get_runtime("litert").load(path) as model, pytest.raises(ArtifactError, match="does not survive"):
        predict_split(Failing(model), path, mnist.test.images[:100], OURS, long_seconds=-1.0, processors=2)
