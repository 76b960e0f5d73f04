"""Parameters of which ``make test-fast`` takes the first ones and ``make test`` all."""

from collections.abc import Iterable
from typing import Any

import pytest


def rest_slow(values: Iterable[Any], *, fast: int = 1) -> list[Any]:
    """Returns the values as parameters, marked slow but for the first ones."""
    return [value if place < fast else pytest.param(value, marks=pytest.mark.slow) for place, value in enumerate(values)]
