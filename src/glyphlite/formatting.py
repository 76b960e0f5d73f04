"""Formatting of numbers and names everywhere a person reads them: percentages, sizes, p values, counts.

One KB is 1,024 bytes. Knows nothing of records.
"""

import re

_UNIT = re.compile(r"(?<=\d) (?=%|µs|ms|s\b|KB|MB|min\b|bytes|times\b|points|steps?\b|images?\b)")
_SIGN = re.compile(r" ([=<>]) ")

SECONDS_IN_A_MINUTE = 60


def percent(fraction: float, digits: int = 2) -> str:
    """Writes a share as a percentage: 0.9844 is ``98.44 %``.

    0 % and 100 % are kept for none and all: what only rounds to them is ``< 0.01 %`` or ``> 99.99 %``.
    """
    step = 10.0**-digits
    written = f"{fraction * 100:.{digits}f}"
    if 0 < fraction < 1 and float(written) == 0:
        return f"< {step:.{digits}f} %"
    if 0 < fraction < 1 and float(written) == 100:
        return f"> {100 - step:.{digits}f} %"
    return f"{written} %"


def confidence(probability: float, digits: int = 1) -> str:
    """Writes a model's probability or confidence as a percentage; never ``100 %``, of which no model can be sure.

    A stored probability of 1 (255/256 in an int8 file) is ``> 99.9 %``, and one of 0 is ``< 0.1 %``.
    """
    nothing = 1e-12
    return percent(min(max(probability, nothing), 1 - nothing), digits)


def points(difference: float) -> str:
    """Returns a difference of two fractions in percentage points, without its sign: 0.0012 is ``0.12 points``."""
    return f"{abs(difference) * 100:.2f} points"


def count(number: float) -> str:
    """Returns a whole number with thousands separated: 21898 is ``21,898``."""
    return f"{number:,.0f}"


def things(number: int, singular: str, plural: str | None = None) -> str:
    """Returns a number with its noun: ``1 image``, ``2 images``."""
    return f"{count(number)} {singular if number == 1 else plural or singular + 's'}"


def in_and_out(inputs: int, outputs: int) -> str:
    """Returns how many inputs and outputs a model has: ``2 inputs and 1 output``."""
    return f"{things(inputs, 'input')} and {things(outputs, 'output')}"


def channels_left_out(number: int) -> str:
    """Says how many channels generated C does without, as they change no answer."""
    verb, their = ("changes", "its") if number == 1 else ("change", "their")
    return f"{things(number, 'channel')} {verb} no answer: {their} weights were left out"


def kilobytes(number: int) -> str:
    """Formats bytes as a size to remember: 25856 is ``25.2 KB``; under 1,024 the bytes themselves, over 1,024 KB in MB."""
    if number < 1024:
        return f"{number} bytes"
    if number < 1024 * 1024:
        return f"{number / 1024:.1f} KB"
    return f"{number / 1024 / 1024:.1f} MB"


def times(ratio: float) -> str:
    """Returns a ratio: 3.489 is ``3.5``, 24.2 is ``24``."""
    return f"{ratio:.1f}" if ratio < 9.95 else count(ratio)


def microseconds(number: float) -> str:
    """Returns a duration to three figures in the unit that fits: ``6.73 µs``, ``162 µs``, ``1.98 ms``."""
    if number < 999.5:
        return f"{_three_figures(number)} µs"
    return f"{_three_figures(number / 1000)} ms"


def duration(seconds: float) -> str:
    """Returns a stretch of time: ``0.4 s``, ``31 s``, ``2 min 05 s``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if round(seconds) < SECONDS_IN_A_MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), SECONDS_IN_A_MINUTE)
    return f"{minutes} min {rest:02d} s"


def p_value(p: float) -> str:
    """Returns a p value: ``p = 0.56``, ``p = 0.0496`` where it matters on which side of 0.05 it lies, ``p < 0.001``."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3g}" if p < 0.1 else f"p = {p:.2f}"


def difference(number: float, unit: str = "steps") -> str:
    """Returns how far outputs are apart: ``1 step``, ``8 steps``; a probability, where outputs are not quantized, as
    ``0.0031``.
    """
    if unit != "steps":
        return "0" if number == 0 else f"{number:.2g}"
    return things(round(number), "step") if number == round(number) else f"{number:.3g} steps"


def listing(parts: list[str]) -> str:
    """Returns words as a person lists them: ``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def _three_figures(number: float) -> str:
    if number >= 99.95:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def tensor_words(name: str) -> str:
    """Returns a tensor's name in a sentence: of the several that the converter joins with semicolons, the first."""
    return name.split(";", 1)[0]


def tied(sentence: str) -> str:
    """Returns a sentence in which numbers do not part from their units at the end of a line."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", _SIGN.sub("\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", sentence))
