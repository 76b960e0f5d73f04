"""What is no classifier of one picture is refused by what it is, not by the shape of its first input."""

import numpy as np
import pytest

from glyphlite.errors import ArtifactError
from glyphlite.export.picture_record import picture_shape
from glyphlite.tflite.graph import Graph, Tensor
from glyphlite.tflite.quantization import Quantization

PICTURE, SCORES = (1, 28, 28, 1), (1, 10)


def graph(taken: list[tuple[int, ...]], given: list[tuple[int, ...]]) -> Graph:
    eight = Quantization((1 / 255,), (-128,))
    tensors = tuple(Tensor(at, f"t{at}", shape, np.dtype(np.int8), eight) for at, shape in enumerate([*taken, *given]))
    return Graph(tensors, (), tuple(range(len(taken))), tuple(range(len(taken), len(tensors))))


@pytest.mark.parametrize(
    ("taken", "given", "words"),
    [
        ([PICTURE, PICTURE], [SCORES], "m.tflite has 2 inputs and 1 output; expected one picture in"),
        ([PICTURE], [SCORES, (1, 1)], "m.tflite has 1 input and 2 outputs; expected one picture in"),
        ([PICTURE], [(1, 16, 16, 4)], "m.tflite gives a map of 1x16x16x4; expected the scores"),
        ([(1, 3, 40)], [SCORES], "takes inputs of shape 1x3x40, not one picture; expected height x width x 1 or 3, 8 rows"),
        ([(-1, 640)], [SCORES], r"takes inputs of shape \?x640, not one picture"),
    ],
)
def test_no_classifier_of_one_picture(taken: list[tuple[int, ...]], given: list[tuple[int, ...]], words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        picture_shape(graph(taken, given), "m.tflite")


@pytest.mark.parametrize(("shape", "picture"), [(PICTURE, (28, 28, 1)), ((1, 20, 32, 3), (20, 32, 3)), ((1, 784), (28, 28, 1))])
def test_a_picture(shape: tuple[int, ...], picture: tuple[int, int, int]) -> None:
    assert picture_shape(graph([shape], [SCORES]), "m.tflite") == picture
