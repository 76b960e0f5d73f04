"""Numbers as people read them."""

import pytest

from glyphlite.report import words


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.percent(0.98437), "98.44 %"),
        (words.percent(1.0), "100.00 %"),
        (words.percent(0.0), "0.00 %"),
        (words.percent(59_999 / 60_000), "> 99.99 %"),
        (words.percent(1 / 60_000), "< 0.01 %"),
        (words.percent(0.9996, 0), "> 99 %"),
        (words.percent(0.99994), "99.99 %"),
        (words.confidence(1.0), "> 99.9 %"),
        (words.confidence(1.0, 0), "> 99 %"),
        (words.confidence(255 / 256), "99.6 %"),
        (words.confidence(255 / 256, 0), "> 99 %"),
        (words.confidence(0.9994), "99.9 %"),
        (words.confidence(0.0), "< 0.1 %"),
        (words.confidence(0.02), "2.0 %"),
        (words.percent(0.5, 0), "50 %"),
        (words.points(-0.00123), "0.12 points"),
        (words.count(21898), "21,898"),
        (words.things(1, "image"), "1 image"),
        (words.things(10_000, "image"), "10,000 images"),
        (words.things(2, "class", "classes"), "2 classes"),
        (words.kilobytes(300), "300 bytes"),
        (words.kilobytes(25_856), "25.2 KB"),
        (words.kilobytes(2_726_298), "2.6 MB"),
        (words.times(3.489), "3.5"),
        (words.times(9.99), "10"),
        (words.times(24.2), "24"),
        (words.microseconds(6.732), "6.73 µs"),
        (words.microseconds(62.86), "62.9 µs"),
        (words.microseconds(999.7), "1.00 ms"),
        (words.microseconds(1981.3), "1.98 ms"),
        (words.microseconds(99.96), "100 µs"),
        (words.duration(0.42), "0.4 s"),
        (words.duration(59.7), "1 min 00 s"),
        (words.duration(125), "2 min 05 s"),
        (words.p_value(0.5571), "p = 0.56"),
        (words.p_value(0.0449), "p = 0.0449"),
        (words.p_value(1e-9), "p < 0.001"),
        (words.difference(1.0), "1 step"),
        (words.difference(8.0), "8 steps"),
        (words.difference(0.00312, "probability"), "0.0031"),
        (words.listing([]), ""),
        (words.listing(["a"]), "a"),
        (words.listing(["a", "b", "c"]), "a, b and c"),
        (words.runtime_words("litert_builtin"), "LiteRT with built-in kernels"),
        (words.runtime_title("their_own"), "their_own"),
        (words.cpu_title("cortex-m4"), "Cortex-M4"),
        (words.cpu_title("avr"), "avr"),
    ],
)
def test_numbers_read_as_expected(written: str, expected: str):
    assert written == expected


def test_a_p_just_above_the_threshold_is_not_rounded_onto_it():
    assert words.p_value(0.0496) == "p = 0.0496"
    assert words.p_value(0.0504) == "p = 0.0504"


def test_numbers_stay_with_their_units():
    space = "\N{NO-BREAK SPACE}"
    assert words.tied("right 95.44 % of the time (p = 0.56)") == f"right 95.44{space}% of the time (p{space}={space}0.56)"
    joiner = "\N{WORD JOINER}"
    assert words.tied("convert with --to int8 -- now") == f"convert with --{joiner}to int8 -- now"
    assert words.tied("8 steps in 25.2 KB") == f"8{space}steps in 25.2{space}KB"
