"""Surrogates: they learn what depends on a network, say what they do not know, and see a network as it is."""

import numpy as np
import pytest

from glyphlite.search.proposals.surrogate import Surrogate, feature_rows
from glyphlite.search.space import Candidate


def test_a_surrogate_learns_a_smooth_function_and_knows_where_it_has_seen_nothing() -> None:
    draw = np.random.default_rng(0)
    points = draw.uniform(-1, 1, (60, 3))
    values = np.sin(2 * points[:, 0]) + points[:, 1]
    surrogate = Surrogate(points[:50], values[:50])
    expected, deviation = surrogate.expected(points[50:])
    assert np.abs(expected - values[50:]).mean() < 0.2 * values.std()
    _, far = surrogate.expected(np.full((1, 3), 6.0))
    assert far[0] > 3 * deviation.max()


def test_values_that_are_all_the_same_are_expected_again() -> None:
    expected, deviation = Surrogate(np.ones((5, 2)), np.full(5, 3.0)).expected(np.zeros((2, 2)))
    assert expected == pytest.approx([3.0, 3.0])
    assert np.isfinite(deviation).all()


def test_features_tell_networks_and_trainings_apart() -> None:
    network = Candidate(28, "c5s3x8 c3x12 h16 b4", 0.02)
    others = [
        Candidate(20, network.words, 0.02),
        Candidate(28, network.words.removesuffix(" b4"), 0.02),
        Candidate(28, network.words, 0.03),
        Candidate(28, network.words, 0.02, "none"),
        Candidate(28, network.words, 0.02, light="faded_noisy_gentle"),
    ]
    rows = feature_rows([network, *others], 1, 10)
    assert np.isfinite(rows).all()
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)
    bytes_of = 2 ** rows[:, 0]
    assert bytes_of[2] == pytest.approx(2 * bytes_of[0])
