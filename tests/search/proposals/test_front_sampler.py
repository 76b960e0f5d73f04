"""The default sampler: neighbours are near and new, estimates choose among them, and a search by it finds more than by chance."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import optuna
import pytest

from glyphlite.search.budget import Budget, Cost
from glyphlite.search.proposals.acquisition import expected_losses
from glyphlite.search.proposals.front_sampler import FEWEST, FrontSampler
from glyphlite.search.proposals.surrogate import features_of
from glyphlite.search.proposals.varied import Varied
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate, choices_of, suggest
from glyphlite.search.study import quiet_optuna
from glyphlite.search.trials import TRAINED, TrialRecord, front_of, hypervolume, records_of

SETTINGS = SearchSettings("mnist", (28, 28, 1), 10, Budget("cortex-m0", 16_384, 4096))
NETWORK = Candidate(28, "c5s3x8 c3x12 p2 h48 b4", 0.02)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with quiet_optuna():
        yield


def cost_of(candidate: Candidate) -> Cost:
    """Returns a cost that follows from weights and maps, as true ones do."""
    weights, macs, memory = (round(2**each) for each in features_of(candidate, 1, 10)[:3])
    return Cost("cortex-m0", "speed", 2500 + weights, 500 + memory, 3 * macs, None, macs, weights, weights)


def error_of(candidate: Candidate) -> float:
    """Returns how often a network errs: less the more work and weights it has, and least at one learning rate."""
    weights, macs = features_of(candidate, 1, 10)[:2]
    return 0.004 + 0.6 * 2 ** (-0.25 * (weights + macs - 10)) + 0.004 * abs(math.log(candidate.rate / 0.02))


def tried(trial: optuna.Trial) -> tuple[float, float]:
    """Stands in for a trial."""
    candidate = suggest(trial, SETTINGS.sides)
    cost = cost_of(candidate)
    trial.set_user_attr("candidate", asdict(candidate))
    trial.set_user_attr("cost", cost.document())
    for limit, excess in cost.excesses(SETTINGS.budget).items():
        trial.set_constraint(limit, excess)
    if not cost.fits(SETTINGS.budget):
        raise optuna.TrialPruned
    trial.set_user_attr("accuracy", 1 - error_of(candidate))
    trial.set_user_attr("epochs", 12)
    return 1 - error_of(candidate), float(cost.flash_bytes)


def studied(sampler: optuna.samplers.BaseSampler, trials: int) -> optuna.Study:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    study.optimize(tried, n_trials=trials)
    return study


def chance(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.RandomSampler(seed=seed)


def test_a_neighbour_differs_from_its_parent_in_some_choices() -> None:
    parent = choices_of(NETWORK)
    assert parent is not None
    changed = []
    for seed in range(200):
        varied = Varied(parent, np.random.default_rng(seed), 2.5 / len(parent))
        suggest(varied)
        changed.append(sum(varied.choices.get(name) != value for name, value in parent.items()))
    assert 1 < np.mean(changed) < 4
    assert {0, 1, 2, 3} <= set(changed)


def test_what_a_parent_cannot_have_is_drawn_anew() -> None:
    varied = Varied({"side": 99, "depth": -3, "rate": 7.0}, np.random.default_rng(0), 0.0)
    assert suggest(varied).side in (28, 20, 16)
    assert varied.choices["depth"] in range(5)
    assert 0.005 <= varied.choices["rate"] <= 0.05


def test_given_points_and_turns_of_the_other_sampler_stay_theirs() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=FrontSampler(chance(0), SETTINGS, 0))
    given = choices_of(NETWORK)
    study.enqueue_trial(given or {})
    study.optimize(tried, n_trials=1)
    assert study.trials[0].params == given


def test_neighbours_come_when_some_networks_were_trained() -> None:
    study = studied(FrontSampler(chance(1), SETTINGS, 1), 40)
    records = records_of(study.trials)
    trained = [each.number for each in records if each.outcome == TRAINED]
    after = [each for each in study.trials if each.number > trained[FEWEST] and each.number % 3]
    fits = [records[each.number].outcome == TRAINED for each in after]
    assert sum(fits) > 0.7 * len(fits)  # of points by chance, a third fits
    assert len({each.candidate for each in records}) == len(records)


def test_it_finds_more_than_chance() -> None:
    def share(sampler: optuna.samplers.BaseSampler) -> float:
        records = records_of(studied(sampler, 70).trials)
        points = [each.objectives(SETTINGS.objectives) for each in front_of(records, SETTINGS.objectives)]
        return hypervolume(points, (0.05, 16_384.0))

    found = [share(FrontSampler(chance(seed), SETTINGS, seed)) for seed in range(2)]
    by_chance = [share(chance(seed)) for seed in range(2)]
    assert sum(found) > 1.1 * sum(by_chance)


@pytest.mark.parametrize("objectives", [("accuracy",), ("accuracy", "flash", "ram", "instructions")])
def test_any_objectives_will_do(objectives: tuple[str, ...]) -> None:
    records = records_of(studied(chance(2), 30).trials)
    settings = replace(SETTINGS, objectives=objectives, budget=Budget("cortex-m0"))
    pool = [NETWORK, replace(NETWORK, rate=0.05)]
    scores = expected_losses(records, front_of(records, objectives), pool, settings, np.random.default_rng(0))
    assert np.isfinite(scores).all()
    assert scores.shape == (2,)


def test_what_is_expected_over_the_budget_comes_last() -> None:
    records = records_of(studied(chance(3), 60).trials)
    large = Candidate(28, "c3s1x24 c3x48 c3x48 h64", 0.02)
    for seed in range(5):
        scores: Any = expected_losses(
            records,
            front_of(records, SETTINGS.objectives),
            [large, NETWORK],
            SETTINGS,
            np.random.default_rng(seed),
        )
        assert scores[0] > scores[1] + 1


def test_networks_without_an_error_do_no_harm() -> None:
    records = [replace(each, accuracy=1.0) for each in records_of(studied(chance(4), 20).trials) if each.outcome == TRAINED]
    records = [
        TrialRecord(number, **{k: v for k, v in vars(each).items() if k != "number"}) for number, each in enumerate(records)
    ]
    scores = expected_losses(records, front_of(records, SETTINGS.objectives), [NETWORK], SETTINGS, np.random.default_rng(0))
    assert np.isfinite(scores).all()
