"""Random inputs for any model: over all that may enter, its ends and other constants first. Reproducible by the seed."""

from collections.abc import Iterator

import numpy as np

from glyphlite.errors import DataError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.value_ranges import ModelInputs, ValueRange, constants
from glyphlite.formatting import things
from glyphlite.runtimes.ports import Port

FEWEST, MOST = 64, 1000
"""Inputs where nobody says how many."""

CALLS = 100
"""Inputs of a model that keeps state, one call after the other."""

MACS = 2_000_000_000
"""Multiply-accumulates that random inputs may take by default: TFLite Micro's own kernels take half a minute for them."""

PREFIX = "random"
LARGEST_COUNT = 1_000_000


def default_count(model: ModelInputs) -> int:
    """Returns how many random inputs a model is tried on: fewer where each takes long."""
    return CALLS if model.keeps_state else max(FEWEST, min(MOST, MACS // max(1, model.macs)))


def parse_random(text: str) -> tuple[int | None, int | None] | None:
    """Returns count and seed of ``random[:N[:SEED]]``, None for each that is not given; None where it is something else.

    Raises:
        DataError: it begins so and goes on otherwise.
    """
    word, *numbers = text.split(":")
    if word != PREFIX:
        return None
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise DataError(f"--inputs {text} is not understood; expected random, random:N or random:N:SEED, as in random:1000:7")
    count, seed = ([int(number) for number in numbers] + [None, None])[:2]
    if count is not None and not 1 <= count <= LARGEST_COUNT:
        raise DataError(f"--inputs {text} asks for {count:,} inputs; expected 1 to {LARGEST_COUNT:,}")
    if seed is not None and seed >= 2**63:
        raise DataError(f"--inputs {text}: the seed is too large; expected less than 2**63")
    return count, seed


def random_set(model: ModelInputs, count: int | None = None, seed: int = 0) -> InputSet:
    """Draws inputs for a model.

    The first hold one value each: the ends of the range, zero, a step beside it, quarters. Of the others half are uniform over
    the whole range; the rest are uniform around one level, or zero but for a few values at the ends, since sums over uniform
    values all come out alike.

    Args:
        model: what it takes.
        count: how many; by what one costs when None.
        seed: of the draw.
    """
    count = default_count(model) if count is None else count
    ranges = [each.range for each in model.each]
    rng = np.random.default_rng(seed)
    several = len(model.each) > 1
    arrays = tuple(_drawn(each.port, each.range, count, rng, place if several else None) for place, each in enumerate(model.each))
    assumed = [found.words for found in ranges if found.assumed]
    notes = tuple(f"An input is {words}; --inputs FILE brings real ones." for words in dict.fromkeys(assumed))
    over = ", ".join(dict.fromkeys(found.words for found in ranges if not found.assumed))
    words = f"{things(count, 'random input')} (seed {seed})" + (f" over {over}" if over else "")
    return InputSet(arrays, words, notes=notes, is_random=True)


def _drawn(port: Port, found: ValueRange, count: int, rng: np.random.Generator, place: int | None) -> np.ndarray:
    """Returns random values of one input, ``(count, *port.shape)`` of ``port.dtype``."""
    values = np.empty((count, port.elements), np.float64)
    ends = np.array([found.low, found.high])
    deck = _deck(port, found, rng)
    for sample in values:
        kind = rng.integers(4)
        if kind < 2:
            sample[:] = next(deck) if deck else _uniform(port, found.low, found.high, port.elements, rng)
        elif kind == 2:
            centre, width = rng.uniform(found.low, found.high), rng.uniform(0, found.high - found.low) / 2
            sample[:] = _uniform(port, max(found.low, centre - width), min(found.high, centre + width), port.elements, rng)
        else:
            sample[:] = np.where(rng.random(port.elements) < rng.random(), rng.choice(ends, port.elements), found.zero)
    fixed = constants(found, port.dtype)
    for sample, value in zip(values[: max(1, count // 2)], _turned(fixed, place), strict=False):
        sample[:] = value
    if port.dtype.kind in "iu":
        values = np.clip(np.floor(values), found.low, found.high)
    return values.reshape(count, *port.shape).astype(port.dtype)


def _turned(values: list[float], place: int | None) -> list[float]:
    """Returns the constants of one input; of several inputs all at the same one first, then each further input a place ahead."""
    if place is None:
        return values
    start = place % len(values)
    return [*values, *values[start:], *values[:start]]


def _deck(port: Port, found: ValueRange, rng: np.random.Generator) -> Iterator[np.ndarray] | None:
    """Yields samples of 8-bit integers dealt from a shuffled deck of all of them, so that none is left out; None for others."""
    if port.dtype.kind not in "iu" or port.dtype.itemsize > 1:
        return None

    def dealt() -> Iterator[np.ndarray]:
        left = np.empty(0)
        while True:
            while len(left) < port.elements:
                left = np.concatenate([left, rng.permutation(np.arange(found.low, found.high + 1))])
            yield left[: port.elements]
            left = left[port.elements :]

    return dealt()


def _uniform(port: Port, low: float, high: float, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(low, high, count) if port.dtype.kind == "f" else rng.uniform(low, high + 1, count)
