"""Which form a layer's requantization takes, and that random models reach every one: the others prove that each is exact."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from random_models import model_of

from glyphlite.compiler.codegen import requantization
from glyphlite.compiler.codegen.requantization import HighMul, Requantizer, Rounding, Wide
from glyphlite.compiler.compile import compile_graph
from glyphlite.compiler.values import Requantization
from glyphlite.tflite.reader import parse_graph


def choose(shifts: list[int], *, bound: int = 1000, offset: int = 0, low: int = 0) -> Rounding | None:
    """The rounding of a layer whose sums stay within a bound."""
    given = Requantization((2**30,) * len(shifts), tuple(shifts), offset, low, 255)
    return requantization._choose(np.array(shifts), bound, given)


def test_a_clamp_at_the_zero_point_lets_halves_go_up():
    assert choose([-3, 0]) is Rounding.UP
    assert choose([-3, 0], offset=10, low=10) is Rounding.UP
    assert choose([-3, 0], offset=10) is Rounding.AWAY
    assert choose([-3, -1], offset=10) is Rounding.AWAY_ALWAYS


def test_no_shift_needs_no_rounding():
    assert choose([0, 0]) is Rounding.NONE
    assert choose([2, 2]) is Rounding.NONE, "a common left shift becomes a factor"


@pytest.mark.parametrize(("shifts", "bound"), [([2, 1], 1000), ([2, 2], 2**28), ([-1, -1], 2**30)])
def test_what_a_high_multiplication_cannot_do_is_wide(shifts: list[int], bound: int):
    assert choose(shifts, bound=bound) is None


def made_by(monkeypatch: pytest.MonkeyPatch, seeds: list[int]) -> Iterator[Requantizer]:
    """Every requantizer of those models."""
    seen: list[Requantizer] = []
    monkeypatch.setattr(requantization, "Requantizer", lambda **fields: seen.append(made := Requantizer(**fields)) or made)
    for seed in seeds:
        compile_graph(parse_graph(model_of(seed)[1]), "net", optimize=("speed", "size")[seed // 2 % 2])
    yield from seen


def test_random_models_reach_every_form(monkeypatch: pytest.MonkeyPatch):
    forms: Counter[str] = Counter()
    for made in made_by(monkeypatch, [*range(1, 161, 2), 189]):
        forms[made.form.rounding if isinstance(made.form, HighMul) else made.form.kind] += 1
        forms["scaled"] += made.scaled is not None
        forms["pieces"] += made.pieces is not None
        forms["left shift as a factor"] += isinstance(made.form, HighMul) and made.form.sum_factor > 2
    assert set(forms) == {*Rounding, Wide.kind, "scaled", "pieces", "left shift as a factor"}
    assert min(forms.values()) > 0, forms
