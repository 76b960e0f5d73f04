"""The statistics against published values, brute force and what must hold for any input."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.evaluation.accuracy import (
    accuracy_of,
    agreement_of,
    confusion_matrix,
    macro_of,
    mcnemar_p,
    per_class_accuracy,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score without continuity correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_equals_newcombes_table(correct: int, n: int, low: float, high: float):
    interval = wilson_interval(correct, n)
    assert interval.value == correct / n
    assert round(interval.low, 4) == low
    assert round(interval.high, 4) == high


@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_solves_its_equation_and_mirrors(case: tuple[int, int]):
    correct, n = case
    interval = wilson_interval(correct, n)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    mirrored = wilson_interval(n - correct, n)
    assert math.isclose(mirrored.low, 1 - interval.high, abs_tol=1e-12)
    # Each end is a true share at which the observation lies exactly 1.96 standard errors away.
    for end in (interval.low, interval.high):
        distance = abs(interval.value - end)
        assert math.isclose(distance, 1.959963984540054 * math.sqrt(end * (1 - end) / n), rel_tol=1e-6, abs_tol=1e-9)


def test_wilson_interval_of_nothing_says_nothing():
    nothing = wilson_interval(0, 0)
    assert (nothing.low, nothing.high, nothing.n) == (0.0, 1.0, 0)
    assert (wilson_interval(0, 7).low, wilson_interval(7, 7).high) == (0.0, 1.0)


@pytest.mark.parametrize(("correct", "n"), [(-1, 3), (4, 3)])
def test_wilson_interval_refuses_impossible_counts(correct: int, n: int):
    with pytest.raises(ValueError, match="within 0 and n"):
        wilson_interval(correct, n)


def predictions_with(
    first_only: int, second_only: int, both: int = 3, neither: int = 2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels = np.zeros(first_only + second_only + both + neither, np.int64)
    first = np.concatenate([np.zeros(first_only), np.ones(second_only), np.zeros(both), np.ones(neither)]).astype(np.int64)
    second = np.concatenate([np.ones(first_only), np.zeros(second_only), np.zeros(both), np.full(neither, 2)]).astype(np.int64)
    return first, second, labels


@pytest.mark.parametrize(("first_only", "second_only"), [(0, 0), (1, 0), (0, 6), (3, 9), (7, 7), (5, 11)])
def test_mcnemar_equals_every_coin_toss_enumerated(first_only: int, second_only: int):
    tosses = first_only + second_only
    observed = abs(first_only - second_only)
    as_uneven = sum(abs(tosses - 2 * sum(coins)) >= observed for coins in itertools.product((0, 1), repeat=tosses))
    assert mcnemar_p(*predictions_with(first_only, second_only)) == as_uneven / 2**tosses


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_is_exact_symmetric_and_a_probability(first_only: int, second_only: int):
    p = mcnemar_p(*predictions_with(first_only, second_only))
    assert p == mcnemar_p(*predictions_with(second_only, first_only))
    assert 0 <= p <= 1
    tosses = first_only + second_only
    if tosses <= 200:
        tail = sum(Fraction(math.comb(tosses, k), 2**tosses) for k in range(min(first_only, second_only) + 1))
        assert math.isclose(p, min(1, 2 * tail), rel_tol=1e-12)


def test_mcnemar_survives_counts_whose_tail_underflows():
    assert 0 <= mcnemar_p(*predictions_with(0, 10_000)) < 1e-300
    assert mcnemar_p(*predictions_with(5_000, 5_000)) == 1.0


classes_and_pairs = st.integers(1, 6).flatmap(
    lambda classes: st.tuples(
        st.just(classes), st.lists(st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)), max_size=60)
    )
)


@given(classes_and_pairs)
def test_confusion_per_class_and_accuracy_tell_the_same_story(case: tuple[int, list[tuple[int, int]]]):
    classes, pairs = case
    labels = np.array([pair[0] for pair in pairs], np.int64)
    predictions = np.array([pair[1] for pair in pairs], np.int64)
    confusion = confusion_matrix(predictions, labels, classes)
    assert all(confusion[true][guess] == pairs.count((true, guess)) for true in range(classes) for guess in range(classes))
    per_class = per_class_accuracy(predictions, labels, classes)
    assert [each.n for each in per_class] == [sum(row) for row in confusion]
    assert sum(round(each.value * each.n) for each in per_class) == round(accuracy_of(predictions, labels).value * len(labels))
    macro = macro_of(confusion)
    for each in range(classes):
        right = pairs.count((each, each))
        predicted = sum(guess == each for _, guess in pairs)
        assert macro.classes[each].precision == (right / predicted if predicted else 0.0)
        assert math.isclose(macro.classes[each].recall, per_class[each].value)
        assert macro.classes[each].support == per_class[each].n


def test_macro_figures_of_a_worked_example():
    macro = macro_of([[8, 2], [1, 9]])
    assert macro.recall == pytest.approx((0.8 + 0.9) / 2)
    assert macro.precision == pytest.approx((8 / 9 + 9 / 11) / 2)
    assert macro.f1 == pytest.approx((16 / 19 + 18 / 21) / 2)


def test_agreement_counts_equal_classes():
    assert agreement_of(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 4])) == 0.75
    assert agreement_of(np.array([], int), np.array([], int)) == 1.0
