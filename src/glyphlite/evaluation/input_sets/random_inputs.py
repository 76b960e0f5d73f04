"""Random inputs for any model: over all that may enter, its ends and other constants first. Reproducible by the seed."""

from collections.abc import Iterator

import numpy as np

from glyphlite.errors import DataError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.value_ranges import ModelInput, ModelInputs, ValueRange, constants
from glyphlite.formatting import things
from glyphlite.runtimes.ports import Port

FEWEST, MOST = 64, 1000
"""Inputs where nobody says how many."""

CALLS = 100
"""Inputs of a model that keeps state, one call after the other."""

MACS = 2_000_000_000
"""Multiply-accumulates that random inputs may take by default: TFLite Micro's own kernels take half a minute for them."""

LARGEST_BYTES = 1 << 28
"""Bytes of inputs and outputs that random inputs may take together."""

PREFIX = "random"
LARGEST_COUNT = 1_000_000


def most_inputs(model: ModelInputs) -> int:
    """Returns how many random inputs fit the memory that they may take."""
    return max(1, LARGEST_BYTES // max(1, model.bytes))


def default_count(model: ModelInputs) -> int:
    """Returns how many random inputs a model is tried on: fewer where each takes long, or much memory."""
    wanted = CALLS if model.keeps_state else max(FEWEST, min(MOST, MACS // max(1, model.macs)))
    return min(wanted, most_inputs(model))


def last_random(model: ModelInputs, count: int) -> InputSet:
    """Returns the last of so many random inputs, or of as many as fit the memory: the first hold one value each."""
    return random_set(model, min(count, most_inputs(model))).chosen(slice(-1, None))


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

    Raises:
        DataError: so many take more memory than they may.
    """
    count = default_count(model) if count is None else count
    if count > (most := most_inputs(model)):
        raise DataError(
            f"{count:,} random inputs take {count * model.bytes:,} bytes with what comes out, more than the {LARGEST_BYTES:,} "
            f"that are allowed; at most {most:,} fit"
        )
    ranges = [each.range for each in model.each]
    rng = np.random.default_rng(seed)
    several = len(model.each) > 1
    arrays = tuple(
        _drawn(each.port, each.range, count, rng, place if several else None) if each.fixed is None else _repeated(each, count)
        for place, each in enumerate(model.each)
    )
    assumed = [found.words for found in ranges if found.assumed]
    notes = tuple(f"An input is {words}; --inputs FILE brings real ones." for words in dict.fromkeys(assumed))
    over = ", ".join(dict.fromkeys(found.words for found in ranges if not found.assumed))
    words = f"{things(count, 'random input')} (seed {seed})" + (f" over {over}" if over else "")
    return InputSet(arrays, words, notes=notes, is_random=True)


def _repeated(given: ModelInput, count: int) -> np.ndarray:
    """Returns an input that always holds the same."""
    return np.tile(np.array(given.fixed, given.port.dtype), (count, 1)).reshape(count, *given.port.shape)


def _drawn(port: Port, found: ValueRange, count: int, rng: np.random.Generator, place: int | None) -> np.ndarray:
    """Returns random values of one input, ``(count, *port.shape)`` of ``port.dtype``."""
    values = np.empty((count, port.elements), port.dtype)
    deck = _deck(port, found, rng)
    for index, sample in enumerate(values):
        kind = int(rng.integers(4)) if index < count - 1 else 0  # a single input is uniform
        drawn = _sample(kind, port, found, rng, deck)
        if port.dtype.kind in "iu":  # in place: some inputs are of a hundred million values
            drawn = drawn if drawn.dtype.kind in "iu" else np.floor(drawn, out=drawn)
            drawn = np.clip(drawn, found.low, found.high, out=drawn)
        sample[:] = drawn
    fixed = constants(found, port.dtype)
    for sample, value in zip(values[: count // 2], _turned(fixed, place), strict=False):
        sample[:] = value
    return values.reshape(count, *port.shape)


def _sample(kind: int, port: Port, found: ValueRange, rng: np.random.Generator, deck: Iterator[np.ndarray] | None) -> np.ndarray:
    """Returns the real values of one sample, of one of the kinds that :func:`random_set` names: 0 and 1 are uniform."""
    low, high, elements = found.low, found.high, port.elements
    if kind < 2:
        return next(deck) if deck else _uniform(port, low, high, elements, rng)
    if kind == 2:
        centre, width = rng.uniform(low, high), rng.uniform(0, high - low) / 2
        return _uniform(port, max(low, centre - width), min(high, centre + width), elements, rng)
    narrow = port.dtype.kind in "iu" and port.dtype.itemsize <= 2
    values = rng.choice(np.array([low, high], np.int32 if narrow else np.float64), elements)
    values[rng.random(elements) >= rng.random()] = np.floor(found.zero) if narrow else found.zero
    return values


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

    codes = np.arange(found.low, found.high + 1, dtype=np.int16)

    def dealt() -> Iterator[np.ndarray]:
        left = np.empty(0, np.int16)
        while True:
            decks = -(-max(0, port.elements - len(left)) // len(codes))
            left = np.concatenate([left, rng.permuted(np.tile(codes, (decks, 1)), axis=1).ravel()])
            yield left[: port.elements]
            left = left[port.elements :]

    return dealt()


def _uniform(port: Port, low: float, high: float, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(low, high, count) if port.dtype.kind == "f" else rng.uniform(low, high + 1, count)
