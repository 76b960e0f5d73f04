"""The sampler that a search has by default: neighbours of the networks on the front, and in each third turn what Optuna's TPE
proposes.

TPE learns of each choice how often it was good. What a network costs and reaches comes from all of its choices together: that is
what surrogates look at, which choose among many neighbours (`glyphlite.search.proposals.acquisition`).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from glyphlite.search.proposals.acquisition import expected_losses
from glyphlite.search.proposals.varied import Varied
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate, suggest
from glyphlite.search.trials import TRAINED, front_of, records_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

TURNS = 3
"""One proposal in so many is TPE's."""

FEWEST = 4
"""Trained networks before there are neighbours to propose."""

_NEIGHBOURS, _STRANGERS = 160, 40
"""Among which a proposal is chosen: of networks on the front, and points from anywhere."""

_CHANGES = 2.5
"""Choices in which a neighbour differs, on average."""


class FrontSampler(BaseSampler):
    """Proposes a neighbour of the front's networks, and in each third turn what another sampler proposes."""

    def __init__(self, other: BaseSampler, settings: SearchSettings, seed: int) -> None:
        """Takes the other sampler, and the settings of the search."""
        self._other, self._settings, self._draw = other, settings, np.random.default_rng(seed)
        self._proposed: dict[int, dict[str, Any]] = {}

    def reseed_rng(self) -> None:
        """Draws anew, in a process that was forked."""
        self._other.reseed_rng()
        self._draw = np.random.default_rng()

    def infer_relative_search_space(self, study: "Study", trial: "FrozenTrial") -> "dict[str, BaseDistribution]":
        """Returns the other sampler's space in its turn; a neighbour is proposed choice by choice."""
        is_given = "fixed_params" in trial.system_attrs
        proposed = None if is_given or trial.number % TURNS == 0 else self._neighbour(study)
        if proposed is None:
            return self._other.infer_relative_search_space(study, trial)
        self._proposed = {trial.number: proposed}
        return {}

    def sample_relative(
        self, study: "Study", trial: "FrozenTrial", search_space: "dict[str, BaseDistribution]"
    ) -> dict[str, Any]:
        """Returns what the other sampler proposes together, in its turn."""
        return {} if trial.number in self._proposed else self._other.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: "Study", trial: "FrozenTrial", param_name: str, param_distribution: "BaseDistribution"
    ) -> Any:
        """Returns the neighbour's choice of that name."""
        proposed = self._proposed.get(trial.number, {})
        if param_name in proposed:
            return proposed[param_name]
        return self._other.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: "Study", trial: "FrozenTrial") -> None:
        """Tells the other sampler."""
        self._other.before_trial(study, trial)

    def after_trial(self, study: "Study", trial: "FrozenTrial", state: TrialState, values: Sequence[float] | None) -> None:
        """Tells the other sampler."""
        self._other.after_trial(study, trial, state, values)

    def _neighbour(self, study: "Study") -> dict[str, Any] | None:
        """Returns the choices of the most promising neighbour; None as long as too little is known."""
        trials = study.get_trials(deepcopy=False)
        records = records_of(trials)
        if sum(each.outcome == TRAINED for each in records) < FEWEST:
            return None
        front = front_of(records, self._settings.objectives)
        parents = [trials[each.number].params for each in front if trials[each.number].params]
        tried = {each.candidate for each in records if each.candidate is not None}
        made = [self._made(parents) for _ in range(_NEIGHBOURS + _STRANGERS if parents else 0)]
        pool = {candidate: choices for candidate, choices in made if candidate not in tried}
        if not pool:
            return None
        scores = expected_losses(records, front, list(pool), self._settings, self._draw)
        return list(pool.values())[int(np.argmin(scores))]

    def _made(self, parents: Sequence[Mapping[str, Any]]) -> tuple[Candidate, dict[str, Any]]:
        """Returns a neighbour of one of the parents, or a point from anywhere, and its choices."""
        is_stranger = self._draw.random() < _STRANGERS / (_NEIGHBOURS + _STRANGERS)
        parent: Mapping[str, Any] = {} if is_stranger else parents[int(self._draw.integers(len(parents)))]
        varied = Varied(parent, self._draw, _CHANGES / max(1, len(parent)))
        return suggest(varied, self._settings.sides), varied.choices
