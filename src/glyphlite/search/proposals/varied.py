"""Points of the space near another one: what a parent had, but for some choices."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


class Varied:
    """A trial that suggests what a parent had, but for some choices; keeps what it suggested."""

    def __init__(self, parent: Mapping[str, Any], draw: np.random.Generator, share: float) -> None:
        """Takes the parent's choices, empty for a point from anywhere, and the share of them that is changed."""
        self.choices: dict[str, Any] = {}
        self._parent, self._draw, self._share = parent, draw, share

    def suggest_categorical(self, name: str, choices: Sequence[Any], /) -> Any:
        """Returns the parent's choice or another."""
        return self._kept(name, lambda before: before in choices, lambda _: choices[int(self._draw.integers(len(choices)))])

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """Returns the parent's number, or one within two steps of it."""

        def changed(before: int | None) -> int:
            if before is None:
                return low + step * int(self._draw.integers((high - low) // step + 1))
            return min(high, max(low, before + step * int(self._draw.choice([-2, -1, 1, 2]))))

        return self._kept(name, lambda before: before in range(low, high + 1, step), changed)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Returns the parent's number, or one about a fifth of the range from it."""
        first, last = (math.log(low), math.log(high)) if log else (low, high)

        def changed(before: float | None) -> float:
            if before is None:
                place = self._draw.uniform(first, last)
            else:
                place = (math.log(before) if log else before) + self._draw.normal(0, (last - first) / 5)
            return min(high, max(low, math.exp(place) if log else place))

        return self._kept(name, lambda before: low <= before <= high, changed)

    def _kept(self, name: str, is_choice: Callable[[Any], bool], changed: Callable[[Any], Any]) -> Any:
        """Returns the parent's choice where it is one and stays, else what ``changed`` makes of it, or of None."""
        before = self._parent.get(name)
        before = before if before is not None and is_choice(before) else None
        chosen = before if before is not None and self._draw.random() >= self._share else changed(before)
        self.choices[name] = chosen
        return chosen
