"""Numbers as people read them."""

import pytest

from glyphlite import formatting
from glyphlite.cores import core_title
from glyphlite.runtimes import registry


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formatting.percent(0.98437), "98.44 %"),
        (formatting.percent(1.0), "100.00 %"),
        (formatting.percent(0.0), "0.00 %"),
        (formatting.percent(59_999 / 60_000), "> 99.99 %"),
        (formatting.percent(1 / 60_000), "< 0.01 %"),
        (formatting.percent(0.9996, 0), "> 99 %"),
        (formatting.percent(0.99994), "99.99 %"),
        (formatting.confidence(1.0), "> 99.9 %"),
        (formatting.confidence(1.0, 0), "> 99 %"),
        (formatting.confidence(255 / 256), "99.6 %"),
        (formatting.confidence(255 / 256, 0), "> 99 %"),
        (formatting.confidence(0.9994), "99.9 %"),
        (formatting.confidence(0.0), "< 0.1 %"),
        (formatting.confidence(0.02), "2.0 %"),
        (formatting.percent(0.5, 0), "50 %"),
        (formatting.points(-0.00123), "0.12 points"),
        (formatting.count(21898), "21,898"),
        (formatting.things(1, "image"), "1 image"),
        (formatting.things(10_000, "image"), "10,000 images"),
        (formatting.things(2, "class", "classes"), "2 classes"),
        (formatting.kilobytes(300), "300 bytes"),
        (formatting.kilobytes(25_856), "25.2 KB"),
        (formatting.kilobytes(2_726_298), "2.6 MB"),
        (formatting.times(3.489), "3.5"),
        (formatting.times(9.99), "10"),
        (formatting.times(24.2), "24"),
        (formatting.microseconds(6.732), "6.73 µs"),
        (formatting.microseconds(62.86), "62.9 µs"),
        (formatting.microseconds(999.7), "1.00 ms"),
        (formatting.microseconds(1981.3), "1.98 ms"),
        (formatting.microseconds(99.96), "100 µs"),
        (formatting.duration(0.42), "0.4 s"),
        (formatting.duration(59.7), "1 min 00 s"),
        (formatting.duration(125), "2 min 05 s"),
        (formatting.p_value(0.5571), "p = 0.56"),
        (formatting.p_value(0.0449), "p = 0.0449"),
        (formatting.p_value(1e-9), "p < 0.001"),
        (formatting.difference(1.0), "1 step"),
        (formatting.difference(8.0), "8 steps"),
        (formatting.difference(0.00312, "probability"), "0.0031"),
        (formatting.listing([]), ""),
        (formatting.listing(["a"]), "a"),
        (formatting.listing(["a", "b", "c"]), "a, b and c"),
        (registry.runtime_words("litert_builtin"), "LiteRT with built-in kernels"),
        (registry.runtime_title("their_own"), "their_own"),
        (core_title("cortex-m4"), "Cortex-M4"),
        (core_title("avr"), "AVR (ATmega)"),
        (core_title("z80"), "z80"),
    ],
)
def test_numbers_read_as_expected(written: str, expected: str):
    assert written == expected


def test_a_p_just_above_the_threshold_is_not_rounded_onto_it():
    assert formatting.p_value(0.0496) == "p = 0.0496"
    assert formatting.p_value(0.0504) == "p = 0.0504"


def test_numbers_stay_with_their_units():
    space = "\N{NO-BREAK SPACE}"
    assert formatting.tied("right 95.44 % of the time (p = 0.56)") == f"right 95.44{space}% of the time (p{space}={space}0.56)"
    assert formatting.tied("8 steps in 25.2 KB") == f"8{space}steps in 25.2{space}KB"


def test_one_input_is_no_inputs():
    assert formatting.in_and_out(2, 1) == "2 inputs and 1 output"
    assert formatting.in_and_out(1, 3) == "1 input and 3 outputs"
