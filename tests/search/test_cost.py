"""The cost of a network before training: its file costs what the trained one's does, in every part that depends on weights."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from glyphlite.evaluation.simulation import simulate
from glyphlite.models.architecture import Architecture, BatchNorm, Conv, Dense, Flatten, Pool, Relu
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.models.zoo.glyph_family import FRONTIER, RETIRED
from glyphlite.search.cost import untrained_file
from glyphlite.search.words import parse_words
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph

SHAPE = (28, 28, 1)
TRAINED_SCALES = (0.20, 0.41)
"""Range that holds the scales of the scores of all seeds of all released members."""

PLAIN = Architecture(
    "plain", (Conv("conv", 4, 5, 3), BatchNorm("norm"), Relu("relu"), Pool("pool"), Flatten(), Dense("hidden", 12, "relu"))
)


def biases(graph: Graph) -> list[np.ndarray]:
    """Returns the biases of the convolutions and fully connected layers that have any but zeros."""
    tensors = [
        graph.tensors[operator.inputs[2]]
        for operator in graph.operators
        if operator.name in ("CONV_2D", "FULLY_CONNECTED") and len(operator.inputs) > 2
    ]
    found = [np.asarray(tensor.data) for tensor in tensors if tensor.data is not None]
    return [each for each in found if each.any()]


@cache
def untrained_member(name: str) -> bytes:
    """Returns what the file of a member of the family is before training; built once for all cores."""
    [known] = [each for each in (*FRONTIER, *RETIRED) if each.architecture.name == name]
    return untrained_file(known.architecture, SHAPE, 10, known.recipe.narrowed)


@pytest.mark.parametrize(
    ("architecture", "biased"), [(parse_words("c5s3x8 c3x12 h16", SHAPE), 4), (PLAIN, 3)], ids=["for int8", "calibrated"]
)
def test_scores_are_as_far_apart_and_biases_as_varied_as_in_a_trained_file(architecture: Architecture, biased: int) -> None:
    graph = parse_graph(untrained_file(architecture, SHAPE, 10), "net")
    softmax = graph.operators[-1]
    assert softmax.name == "SOFTMAX"
    quantization = graph.tensors[softmax.inputs[0]].quantization
    assert quantization is not None
    assert TRAINED_SCALES[0] < quantization.scales[0] < TRAINED_SCALES[1]
    found = biases(graph)
    assert len(found) == biased
    assert all(len(np.unique(each)) > each.size // 2 for each in found)


def test_a_network_without_biases_has_none() -> None:
    assert not biases(parse_graph(untrained_file(parse_words("c5s3x8 h16 z", SHAPE), SHAPE, 10), "net"))


@pytest.mark.slow
@pytest.mark.no_cover  # what it runs is traced above and in the compiler's own tests
@pytest.mark.parametrize("name", ["glyph-1k", "glyph-2kram", "glyph-110kmac"])
@pytest.mark.parametrize(("core", "goal"), [("cortex-m0", "size"), ("cortex-m4", "speed")])
def test_the_untrained_file_takes_what_the_released_one_does(tmp_path: Path, name: str, core: str, goal: str) -> None:
    """glyph-1k lost a channel in training, which no cost can foresee: its RAM and instructions are not compared."""
    untrained = tmp_path / "net.tflite"
    untrained.write_bytes(untrained_member(name))
    image = np.random.default_rng(1).integers(0, 256, (1, *SHAPE)).astype(np.uint8)
    before, after = (simulate(path, core, image, optimize=goal).report for path in (untrained, pretrained_artifact(name)))
    assert before.code_bytes + before.constant_bytes == pytest.approx(after.code_bytes + after.constant_bytes, rel=0.02)
    if name != "glyph-1k":
        assert before.ram_bytes == pytest.approx(after.ram_bytes, abs=16)
        assert before.instructions == pytest.approx(after.instructions, rel=0.01)
