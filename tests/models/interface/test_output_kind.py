"""The meaning of a classifier's outputs: classes and probabilities of each kind."""

import numpy as np
import pytest

from glyphlite.models.interface.output_kind import OutputKind, output_kind

ONE = np.array([[0.2], [0.5], [0.7]], np.float32)


@pytest.mark.parametrize(
    ("activation", "values", "kind"),
    [
        ("softmax", 10, OutputKind.SOFTMAX),
        ("sigmoid", 10, OutputKind.SIGMOIDS),
        ("linear", 10, OutputKind.LOGITS),
        (None, 10, OutputKind.LOGITS),
        ("tanh", 10, OutputKind.LOGITS),
        ("log_softmax", 10, OutputKind.LOGITS),
        ("sigmoid", 1, OutputKind.SIGMOID),
        ("linear", 1, OutputKind.LOGIT),
        ("tanh", 1, None),
        ("softmax", 1, None),
        ("relu", 1, None),
    ],
)
def test_the_last_activation_says_what_outputs_mean(activation: str | None, values: int, kind: OutputKind | None) -> None:
    assert output_kind(activation, values) is kind


def test_one_sigmoid_is_two_classes_at_a_half() -> None:
    kind = OutputKind.SIGMOID
    assert kind.classes(1) == 2
    np.testing.assert_allclose(kind.probabilities(ONE), [[0.8, 0.2], [0.5, 0.5], [0.3, 0.7]], atol=1e-6)
    assert kind.chosen(ONE).tolist() == kind.probabilities(ONE).argmax(axis=1).tolist() == [0, 0, 1]


def test_one_logit_is_two_classes_at_zero() -> None:
    kind, values = OutputKind.LOGIT, np.array([[-2.0], [0.0], [800.0], [-800.0]])
    np.testing.assert_allclose(kind.probabilities(values)[:, 1], [0.1192, 0.5, 1, 0], atol=1e-4)
    assert kind.chosen(values).tolist() == [0, 0, 1, 0]


def test_sigmoids_stay_as_they_are() -> None:
    values = np.array([[0.9, 0.8, 0.1], [0.2, 0.1, 0.3]])
    np.testing.assert_array_equal(OutputKind.SIGMOIDS.probabilities(values), values)
    assert OutputKind.SIGMOIDS.chosen(values).tolist() == [0, 2]


def test_logits_become_their_softmax() -> None:
    found = OutputKind.LOGITS.probabilities(np.array([[0.0, np.log(3), -50]]))
    np.testing.assert_allclose(found, [[0.25, 0.75, 0]], atol=1e-12)


def test_values_show_what_a_graph_does_not() -> None:
    generator = np.random.default_rng(0)
    independent = generator.random((30, 4))
    assert OutputKind.LOGITS.seen(independent / independent.sum(axis=1, keepdims=True)) is OutputKind.SOFTMAX
    assert OutputKind.LOGITS.seen(independent) is OutputKind.SIGMOIDS
    assert OutputKind.LOGITS.seen(independent[:2]) is OutputKind.LOGITS  # too few to tell
    assert OutputKind.LOGITS.seen(generator.normal(size=(30, 4))) is OutputKind.LOGITS
    assert OutputKind.LOGIT.seen(independent[:, :1]) is OutputKind.SIGMOID
    assert OutputKind.SOFTMAX.seen(independent) is OutputKind.SOFTMAX


def test_outputs_of_one_kind_are_compared_with_another() -> None:
    logits = np.array([[1.0, -2.0, 0.5]])
    probabilities = OutputKind.LOGITS.stored(logits, OutputKind.SOFTMAX)
    np.testing.assert_allclose(probabilities.sum(), 1)
    back = OutputKind.SOFTMAX.stored(probabilities, OutputKind.LOGITS)
    np.testing.assert_allclose(back - back[0, 0], logits - logits[0, 0])
    one = OutputKind.LOGIT.stored(np.array([[0.3]]), OutputKind.SIGMOID)
    np.testing.assert_allclose(OutputKind.SIGMOID.stored(one, OutputKind.LOGIT), [[0.3]])
    assert one.shape == (1, 1)
