"""A search in this process, true from the cost to the training, on few images: what trials leave, and what stops them."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from glyphlite.search.budget import Budget
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate, choices_of, suggest
from glyphlite.search.study import begin_study, quiet_optuna, storage_of
from glyphlite.search.trials import FAILED, OVER, PRUNED, TRAINED, WAITING, counts_of, front_of, records_of
from glyphlite.search.work import Workplace, run_trial, work

pytestmark = pytest.mark.slow

BUDGET = Budget("cortex-m0", flash_bytes=12_000, ram_bytes=2_600)
SETTINGS = SearchSettings("mnist", (28, 28, 1), 10, BUDGET, epochs=2, images=1000)


@pytest.fixture(scope="module")
def workplace() -> Workplace:
    return Workplace(SETTINGS)


@pytest.fixture(scope="module")
def searched(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> optuna.Study:
    with quiet_optuna():
        large = Candidate(28, "c3s1x24 c3x48", 0.02)
        study = begin_study(storage_of(tmp_path_factory.mktemp("search")), "tiny", SETTINGS, priors=False, start=large)
        for hidden in (48, 40, 56):
            study.enqueue_trial(choices_of(Candidate(28, f"c5s3x8 c3x12 p2 h{hidden} b4", 0.02)) or {})
        work(study, workplace, trials=3)
    return study


def test_a_search_ends_with_as_many_trials_as_were_wanted(searched: optuna.Study) -> None:
    counts = counts_of(records_of(searched.trials))
    assert counts.done == 3
    assert counts.trained >= 1
    assert counts.failed == 0


def test_what_is_over_the_budget_is_not_trained(searched: optuna.Study) -> None:
    over = [record for record in records_of(searched.trials) if record.outcome == OVER]
    assert over
    for record in over:
        assert record.cost is not None
        assert not record.cost.fits(BUDGET)
        assert (record.epochs, record.accuracy) == (0, None)


def test_what_was_trained_fits_and_has_learned(searched: optuna.Study) -> None:
    for record in records_of(searched.trials):
        if record.outcome == TRAINED:
            assert record.cost is not None
            assert record.cost.fits(BUDGET)
            assert record.epochs == 2
            assert record.accuracy is not None
            assert record.accuracy > 0.3
            assert dict(record.rungs).keys() == {1}
    assert front_of(records_of(searched.trials), SETTINGS.objectives)


def test_the_database_has_the_objectives_for_other_tools(searched: optuna.Study) -> None:
    assert searched.metric_names == ["accuracy", "flash"]
    best = max(searched.best_trials, key=lambda trial: trial.values[0])
    assert best.values == [best.user_attrs["accuracy"], float(best.user_attrs["cost"]["flash_bytes"])]


class StopNow(BaseException):
    pass


def test_a_trial_that_is_stopped_is_queued_again(searched: optuna.Study, tmp_path: Path, workplace: Workplace) -> None:
    def stop() -> None:
        raise StopNow

    with quiet_optuna():
        study = begin_study(storage_of(tmp_path), "stopped", SETTINGS, priors=False)
        study.enqueue_trial(searched.best_trials[0].params)
        with pytest.raises(StopNow):
            run_trial(study, Workplace(SETTINGS, beat=stop, _loaded=workplace._loaded))
        assert [record.outcome for record in records_of(study.trials)] == [FAILED, WAITING]
        run_trial(study, workplace)
    found = records_of(study.trials)
    assert [record.outcome for record in found] == [FAILED, TRAINED]
    assert found[1].candidate == next(
        each.candidate for each in records_of(searched.trials) if each.number == searched.best_trials[0].number
    )


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_network_outside_of_the_space_is_a_trial_and_proposals_go_on(
    sampler: str, tmp_path: Path, workplace: Workplace
) -> None:
    start = Candidate(16, "c7s4x6 h20", 0.02, "none")
    with quiet_optuna():
        study = begin_study(storage_of(tmp_path), "fixed", replace(SETTINGS, sampler=sampler), priors=False, start=start)
        run_trial(study, workplace)
        following = suggest(study.ask(), SETTINGS.sides)
    first = records_of(study.trials)[0]
    assert (first.outcome, first.candidate) == (TRAINED, start)
    assert following.words != start.words


def test_pruned_trials_say_how_far_they_came(searched: optuna.Study) -> None:
    for record in records_of(searched.trials):
        if record.outcome == PRUNED:
            assert record.epochs == 1
            assert record.accuracy == dict(record.rungs)[1]


def test_a_process_leaves_the_rest_to_another(searched: optuna.Study, workplace: Workplace) -> None:
    assert work(searched, workplace, trials=3, at_most=0)
    assert not work(searched, workplace, trials=4, at_most=0)
    assert counts_of(records_of(searched.trials)).done == 3
