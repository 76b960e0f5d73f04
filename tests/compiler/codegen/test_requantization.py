"""That random models reach every form of requantization: other tests prove that each is exact."""

from collections import Counter
from collections.abc import Iterator

import pytest
from random_models import model_of

from glyphlite.compiler.codegen import requantization
from glyphlite.compiler.codegen.requantization import HighMul, Requantizer, Wide
from glyphlite.compiler.compile import compile_graph
from glyphlite.tflite.reader import parse_graph


def made_by(monkeypatch: pytest.MonkeyPatch, seeds: list[int]) -> Iterator[Requantizer]:
    """Every requantizer of those models."""
    seen: list[Requantizer] = []
    monkeypatch.setattr(requantization, "Requantizer", lambda **fields: seen.append(made := Requantizer(**fields)) or made)
    for seed in seeds:
        compile_graph(parse_graph(model_of(seed)[1]), "net", optimize=("speed", "size")[seed // 2 % 2])
    yield from seen


@pytest.mark.slow
def test_random_models_reach_every_form(monkeypatch: pytest.MonkeyPatch):
    forms: Counter[str] = Counter()
    for made in made_by(monkeypatch, [*range(1, 161, 2), 189]):
        forms["scaled"] += made.scaled is not None
        forms["pieces"] += made.pieces is not None
        forms["pieces of sums within limits"] += made.pieces is not None and made.pieces.low is not None
        for form in (made.scaled, made.pieces):
            forms["one multiplier"] += form is not None and form.multiplier is not None
            forms["each channel's step"] += form is not None and form.step is None
        if made.form:
            forms[made.form.kind] += 1
    assert set(forms) == {
        "scaled",
        "pieces",
        "pieces of sums within limits",
        "one multiplier",
        "each channel's step",
        Wide.kind,
        HighMul.kind,
    }
    assert min(forms.values()) > 0, forms
