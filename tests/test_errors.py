"""Names that were perhaps meant."""

import pytest

from glyphlite.errors import LONGEST_LINE, DataError, did_you_mean

KNOWN = ("micro-cnn", "edge-cnn", "glyph-4k", "mlp", "litert_builtin", "cortex-m33")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("microcnn", "micro-cnn"),
        ("EDGE_CNN", "edge-cnn"),
        ("glyph4k", "glyph-4k"),
        ("litert-builtin", "litert_builtin"),
        ("cortexm33", "cortex-m33"),
        ("mpl", "mlp"),
    ],
)
def test_a_name_that_is_near(name: str, meant: str) -> None:
    assert did_you_mean(name, KNOWN) == f" (did you mean {meant}?)"


@pytest.mark.parametrize("name", ["resnet50", "", "!!", "model.keras"])
def test_a_name_that_is_far_from_all(name: str) -> None:
    assert did_you_mean(name, KNOWN) == ""


def test_a_line_without_end_loses_its_middle() -> None:
    line = str(DataError(f"x.npz holds {'x' * 5000}; keep one"))
    assert len(line) <= LONGEST_LINE
    assert line.startswith("x.npz holds xxx")
    assert " [...] " in line
    assert line.endswith("xxx; keep one")
