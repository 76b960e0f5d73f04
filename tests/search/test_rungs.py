"""Pruning over fronts: who goes on behind a rung."""

import pytest

from glyphlite.search.rungs import front_numbers, goes_on
from glyphlite.search.settings import SearchSettings
from glyphlite.search.trials import hypervolume


def test_fronts_are_peeled_one_after_the_other() -> None:
    assert front_numbers([(1, 4), (2, 2), (4, 1), (3, 3), (5, 5)]) == [0, 0, 0, 1, 2]


def test_what_nobody_beats_goes_on_however_inaccurate_it_is() -> None:
    larger = [(0.01, 20_000.0 + number) for number in range(9)]
    assert goes_on((0.035, 2_000.0), larger)


def test_what_is_beaten_everywhere_ends_unless_it_is_in_the_best_third() -> None:
    better = [(0.01, 1_000.0), (0.02, 900.0), (0.03, 800.0)]
    assert not goes_on((0.05, 1_500.0), better)
    worse = [(0.2, 3_000.0 + number) for number in range(9)]
    assert goes_on((0.05, 1_500.0), [better[0], *worse])


def test_the_first_always_goes_on() -> None:
    assert goes_on((0.9, 10.0), [])


def test_with_one_objective_a_third_goes_on() -> None:
    losses = [0.1 + 0.001 * number for number in range(9)]
    on = [own for own in losses if goes_on((own,), [(other,) for other in losses if other != own])]
    assert on == losses[:3]


@pytest.mark.parametrize(("epochs", "rungs"), [(12, (1, 4)), (27, (3, 9)), (3, (1,)), (2, (1,))])
def test_rungs_are_a_third_apart(epochs: int, rungs: tuple[int, ...]) -> None:
    assert SearchSettings("mnist", (28, 28, 1), 10, epochs=epochs).rungs == rungs


def test_hypervolume_is_the_area_up_to_the_reference() -> None:
    assert hypervolume([(1, 2), (2, 1), (2, 2), (9, 0)], (3, 3)) == pytest.approx(3)
    assert hypervolume([], (3, 3)) == 0


def test_what_errs_many_times_as_often_as_the_best_ends_however_small_it_is() -> None:
    assert not goes_on((0.06, 10.0), [(0.01, 9_000.0), (0.03, 8_000.0)])
