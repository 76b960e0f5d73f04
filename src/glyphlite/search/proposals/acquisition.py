"""The acquisition function of a search: how promising networks are that nobody has tried, by what surrogates expect of them.

For each proposal the objectives are weighed anew, so that proposals spread over the front, as ParEGO does (J. Knowles, "ParEGO: a
hybrid algorithm with on-line landscape approximation for expensive multiobjective optimization problems", 2006). Costs are only
estimated here, to choose among many; the chosen one's is measured before it is trained.
"""

import math
from collections.abc import Sequence

import numpy as np

from glyphlite.search.proposals.surrogate import Surrogate, Vector, feature_rows
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate
from glyphlite.search.trials import PRUNED, TRAINED, TrialRecord, useful_error

_LEARNED = 400
"""Trials from which surrogates learn at most, the latest: their time grows with the cube."""

_OPTIMISM = 1.0
"""Standard deviations by which a network may err less than expected."""

_LEAST_ERROR = 5e-4
"""Differences below are noise."""

_REST = 0.05
"""Weight of the sum of the objectives beside the largest, as in ParEGO."""

_OVER = 10.0
"""Weight of a cost that is expected beyond the budget."""


def expected_losses(
    records: Sequence[TrialRecord],
    front: Sequence[TrialRecord],
    pool: Sequence[Candidate],
    settings: SearchSettings,
    draw: np.random.Generator,
) -> Vector:
    """Returns for each candidate how bad it will be at best, by weights of the objectives that are drawn; the lower the better.

    Each objective's logarithm lies between 0, the best on the front, and 1: as many errors as are of use, or the budget's limit.

    Args:
        records: all trials.
        front: those on the front.
        pool: candidates.
        settings: whose objectives and budget count.
        draw: of the weights.
    """
    space = (settings.channels, settings.classes)
    features = feature_rows(pool, *space)
    names = [name for name, limit in _limits(settings).items() if limit is not None or name in settings.objectives]
    measured = [each for each in records if each.cost is not None and not each.cost.is_bound and each.candidate is not None]
    measured = measured[-_LEARNED:]
    known = feature_rows([each.candidate for each in measured if each.candidate], *space)
    losses = [_error_parts(records, front, features, space)]
    excess = np.zeros(len(pool))
    for name in names:
        taken = np.array([math.log(_taken(each, name)) for each in measured])
        expected, _ = Surrogate(known, taken).expected(features)
        limit = _limits(settings)[name]
        if limit is not None:
            excess += np.maximum(0.0, expected - math.log(limit))
        if name in settings.objectives:
            best = min(math.log(_taken(each, name)) for each in front)
            worst = max(math.log(limit) if limit is not None else taken.max(), best + 0.1)
            losses.append((expected - best) / (worst - best))
    weights = draw.dirichlet(np.ones(len(losses)))
    weighted = np.array(losses) * weights[:, None]
    return weighted.max(axis=0) + _REST * weighted.sum(axis=0) + _OVER * excess


def _error_parts(
    records: Sequence[TrialRecord], front: Sequence[TrialRecord], features: Vector, space: tuple[int, int]
) -> Vector:
    """Returns each candidate's errors at best, between 0 for the best that is known and 1 for what is hardly of use."""
    seen = [each for each in records if each.outcome in (TRAINED, PRUNED) and each.accuracy is not None and each.candidate]
    later = _later_errors(seen)[-_LEARNED:]
    seen = seen[-_LEARNED:]
    expected, deviation = Surrogate(
        feature_rows([each.candidate for each in seen if each.candidate], *space), np.array(later)
    ).expected(features)
    best = min(_logarithm(1 - each.point[2]) for each in front)
    return (expected - _OPTIMISM * deviation - best) / (math.log(useful_error(math.exp(best))) - best)


def _later_errors(seen: Sequence[TrialRecord]) -> list[float]:
    """Returns the logarithm of each trial's errors at its end; a pruned one's as if errors fell as those of the others did."""
    falls: dict[int, list[float]] = {}
    for each in seen:
        if each.outcome == TRAINED:
            for epoch, accuracy in each.rungs:
                falls.setdefault(epoch, []).append(_logarithm(1 - accuracy) - _logarithm(1 - (each.accuracy or 0.0)))
    middle = {epoch: float(np.median(each)) for epoch, each in falls.items()}
    left = [middle.get(each.epochs, 0.0) if each.outcome == PRUNED else 0.0 for each in seen]
    return [_logarithm(1 - (each.accuracy or 0.0)) - fall for each, fall in zip(seen, left, strict=True)]


def _limits(settings: SearchSettings) -> dict[str, int | None]:
    budget = settings.budget
    return {"flash": budget.flash_bytes, "ram": budget.ram_bytes, "instructions": budget.instructions}


def _taken(record: TrialRecord, name: str) -> int:
    cost = record.cost
    assert cost is not None
    return max(1, {"flash": cost.flash_bytes, "ram": cost.ram_bytes, "instructions": cost.instructions}[name])


def _logarithm(error: float) -> float:
    return math.log(max(error, _LEAST_ERROR))
