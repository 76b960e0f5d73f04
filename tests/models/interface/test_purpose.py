"""A classifier is a model whose source says so; a picture is an input of a picture's shape whose pixels it knows how to take."""

import numpy as np
import pytest

from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.purpose import is_picture, purpose_of
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization

EIGHT = Quantization((1 / 255,), (-128,))


def model(
    output: tuple[int, ...] = (1, 4),
    last: str = "SOFTMAX",
    *,
    taken: tuple[int, ...] = (1, 28, 28, 1),
    outputs: int = 1,
    labels: tuple[str, ...] = (),
) -> Graph:
    tensors = [Tensor(0, "in", taken, np.dtype(np.int8), EIGHT)]
    tensors += [Tensor(place, f"out{place}", output, np.dtype(np.int8), EIGHT) for place in range(1, outputs + 1)]
    operators = tuple(Operator(place, 0, last, (0,), (place + 1,)) for place in range(outputs))
    return Graph(tuple(tensors), operators, (0,), tuple(range(1, outputs + 1)), labels=labels)


@pytest.mark.parametrize(
    ("graph", "kind"),
    [
        (model(), OutputKind.SOFTMAX),
        (model(last="LOG_SOFTMAX"), OutputKind.LOGITS),
        (model(last="LOGISTIC"), OutputKind.SIGMOIDS),
        (model((1, 1), "LOGISTIC"), OutputKind.SIGMOID),
        (model((1, 1, 1, 4)), OutputKind.SOFTMAX),
        (model(last="FULLY_CONNECTED", labels=("a", "b", "c", "d")), OutputKind.LOGITS),
        (model((1, 1), "FULLY_CONNECTED", labels=("no", "yes")), OutputKind.LOGIT),
        (model((1, 1), "LOGISTIC", taken=(1, 40)), None),
        (model(last="FULLY_CONNECTED"), None),
        (model(last="FULLY_CONNECTED", labels=("a", "b")), None),
        (model((1, 1), "SOFTMAX"), None),
        (model((1, 1), "FULLY_CONNECTED"), None),
        (model((1, 784), "LOGISTIC", taken=(1, 784)), None),
        (model((1, 6, 6, 4)), None),
        (model(outputs=2), None),
        (model((1, 20_000)), None),
    ],
)
def test_classes_are_what_the_source_says_to_be_classes(graph: Graph, kind: OutputKind | None):
    purpose = purpose_of(graph, pixels_known=True)
    assert purpose.outputs is kind
    assert len(purpose.labels) == (kind.classes(graph.output.elements) if kind else 0)
    assert purpose.words


def test_one_sigmoid_that_is_not_taken_for_classes_is_named():
    """Of a model of two pictures, say, or of one whose pixel range is not known."""
    words = purpose_of(model((1, 1), "LOGISTIC"), pixels_known=False).words
    assert words == "its one output ends in a sigmoid, which may be a share as well as one of two classes"
    assert "neither labels nor" in purpose_of(model((1, 1), "FULLY_CONNECTED"), pixels_known=False).words


def test_labels_that_the_user_gives_make_a_classifier():
    assert purpose_of(model(last="FULLY_CONNECTED"), ("a", "b", "c", "d"), pixels_known=True).names_classes
    assert purpose_of(model(), pixels_known=True).labels == ("0", "1", "2", "3")
    assert not purpose_of(model(), pixels_known=True).names_classes


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 28, 28, 1), True),
        ((-1, 96, 96, 3), True),
        ((1, 3, 32, 32), True),
        ((1, 28, 28), True),
        ((1, 784), True),
        ((1, 1960), False),
        ((1, 640), False),
        ((1, 64, 3), False),
        ((1, 24, 3, 1), False),
        ((1, 30, 1, 40), False),
        ((1, 16, 16, 8), False),
        ((7,), False),
    ],
)
def test_a_picture_has_the_shape_of_one(shape: tuple[int, ...], expected: bool):
    graph = model(taken=shape)
    assert is_picture(graph) is expected
    assert purpose_of(graph, pixels_known=True).classifies_pictures is expected
    assert not purpose_of(graph, pixels_known=False).classifies_pictures
