"""The skeleton that a new op is copied from: it compiles, runs and fuses as it stands."""

from pathlib import Path

import numpy as np
import pytest
from random_models.harness import PATHS, run_generated

from glyphlite.compiler.ops import OPS
from glyphlite.compiler.ops.TEMPLATE import lower_template
from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization


def graph_of(*names: str, output: Quantization | None = None) -> Graph:
    """A model of ops one after the other on one map."""
    quantization = Quantization((0.5,), (3,))
    tensors = [
        Tensor(index, f"layer_{index}/x", (1, 3, 4, 5), np.dtype(np.int8), quantization) for index in range(len(names) + 1)
    ]
    if output:
        tensors[-1] = Tensor(len(names), "last/x", (1, 3, 4, 5), np.dtype(np.int8), output)
    operators = tuple(Operator(index, 0, name, (index,), (index + 1,)) for index, name in enumerate(names))
    return Graph(tuple(tensors), operators, (0,), (len(names),))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPS, "ABS", lower_template)


@pytest.mark.parametrize("path", PATHS)
def test_it_compiles_and_runs(path: str, tmp_path: Path):
    stored = np.random.default_rng(0).integers(-128, 128, (9, 3, 4, 5)).astype(np.int8)
    assert np.array_equal(run_generated(graph_of("ABS", "ABS"), stored, tmp_path, path=path), stored.reshape(9, -1))


def test_a_following_activation_is_fused_into_it(tmp_path: Path):
    stored = np.random.default_rng(1).integers(-128, 128, (9, 3, 4, 5)).astype(np.int8)
    expected = np.maximum(stored, 3).reshape(9, -1)
    assert np.array_equal(run_generated(graph_of("ABS", "RELU"), stored, tmp_path), expected)
    assert "net_last" not in (tmp_path / "net.c").read_text()


def test_what_it_cannot_express_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"ABS .*differ in scale; quantize the model again"):
        run_generated(graph_of("ABS", output=Quantization((0.25,), (3,))), np.zeros((1, 3, 4, 5), np.int8), tmp_path)
