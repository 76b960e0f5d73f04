"""Pruning where there are several objectives, which Optuna's pruners do not know: asynchronous successive halving over fronts.

At each rung (an epoch) a trial is held against all that have come there: it goes on if no other beats it in every objective, or
if it is in the best third, front after front. A small network is thus not ended for being less accurate than a large
one, but for being of no use: a search that kept all of the front spent half its trials on networks of a few hundred weights.
Source: R. Schmucker et al., "Multi-objective Asynchronous Successive Halving", 2021; with one objective it is ASHA (L. Li et al.,
2018). Pure functions on numbers.
"""

import math
from collections.abc import Sequence

from glyphlite.search.trials import dominates, is_useless

REDUCTION = 3
"""One in so many goes on at least: Hyperband's eta."""


def goes_on(losses: Sequence[float], others: Sequence[Sequence[float]]) -> bool:
    """Returns whether a trial goes on behind a rung.

    Args:
        losses: its objectives there, each the lower the better; accuracy's first.
        others: those of every other trial that has come there.
    """
    if is_useless(losses[0], [each[0] for each in others]):
        return False
    everything = [tuple(losses), *(tuple(each) for each in others)]
    own = everything[0]
    fronts = front_numbers(everything)
    if fronts[0] == 0:
        return True
    better = sum(
        number < fronts[0] or (number == fronts[0] and other < own)
        for number, other in zip(fronts[1:], everything[1:], strict=True)
    )
    return better < math.ceil(len(everything) / REDUCTION)


def front_numbers(points: Sequence[Sequence[float]]) -> list[int]:
    """Returns for each point which front it is on: 0 where none dominates it, 1 where none but those of 0 does, and so on."""
    numbers: dict[int, int] = {}
    left = list(range(len(points)))
    front = 0
    while left:
        on = [each for each in left if not any(dominates(points[other], points[each]) for other in left)]
        numbers |= dict.fromkeys(on, front)
        left = [each for each in left if each not in numbers]
        front += 1
    return [numbers[each] for each in range(len(points))]
