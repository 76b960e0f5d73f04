"""One word a channel in place of multiplier, shift and bias: TFLite Micro's byte for every sum, or no word at all."""

import numpy as np
import pytest

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.short_scaling import FORMS, ShortForm, short_scaling
from glyphlite.compiler.values import Requantization

CHANNELS = 6


def drawn(rng: np.random.Generator, most_bits: int) -> tuple[Requantization, np.ndarray, np.ndarray]:
    """A layer's scaling and the bounds of its sums; zero points at the ends and between, clamps of ReLU and of none."""
    ratios = 2.0 ** -rng.uniform(-1, 14, CHANNELS)
    if rng.random() < 0.3:
        ratios[:3] = 2.0 ** -rng.integers(1, 8, 3)  # ties in plenty
    multipliers, shifts = zip(*(arithmetic.quantize_multiplier(float(ratio)) for ratio in ratios), strict=True)
    offset = int(rng.choice([0, 255, int(rng.integers(256))]))
    low, high = ((offset, 255) if rng.random() < 0.4 else (0, int(rng.choice([255, 255, 200])))) if offset < 200 else (0, 255)
    bounds = np.sort(rng.integers(-(2**most_bits) + 1, 2**most_bits, (CHANNELS, 2)), axis=1)
    return Requantization(multipliers, shifts, offset, low, high), bounds[:, 0], bounds[:, 1]


def bytes_of(form: ShortForm, words: np.ndarray, sums: np.ndarray, wanted: Requantization) -> np.ndarray:
    """What generated C makes of sums, in its own operations, from the pieces of the multiplier as Cortex-M0 takes them."""
    shift = (words & ((1 << form.shift_bits) - 1)).astype(np.int64)[:, None]
    multiplier = (words >> form.shift_bits).astype(np.int64)[:, None]
    value = np.zeros_like(sums)
    for _ in range(form.pieces - 1):
        product = sums * (multiplier & ((1 << form.bits) - 1)) + value
        assert np.abs(product).max() < 2**31
        value, multiplier = product >> form.bits, multiplier >> form.bits
    product = sums * multiplier + value
    assert np.abs(product).max() < 2**31
    value = (product >> (form.bits - form.headroom - 1)) + 1
    value = (value >> 1) + (value >> 63)
    value = (value + ((1 << shift) >> 1)) >> shift
    return np.clip(value + wanted.output_offset, wanted.activation_min, wanted.activation_max)


def reference(sums: np.ndarray, wanted: Requantization) -> np.ndarray:
    scalings = zip(sums, wanted.output_multipliers, wanted.output_shifts, strict=True)
    scaled = np.stack([arithmetic.multiply_by_quantized_multiplier(row, *each) for row, *each in scalings])
    return np.clip(scaled + wanted.output_offset, wanted.activation_min, wanted.activation_max)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_sum_gives_the_byte_of_tflite_micro(form: ShortForm):
    rng = np.random.default_rng(24)
    found = 0
    for _ in range(40):
        wanted, low, high = drawn(rng, 14)
        scaling = short_scaling(form, wanted, low, high)
        if scaling is None:
            continue
        found += 1
        sums = np.stack([np.linspace(*ends, 2**15).astype(np.int64) for ends in zip(low, high, strict=True)])
        got = bytes_of(form, scaling.words(form), sums, wanted)
        assert np.array_equal(got, reference(sums, wanted))
    assert found >= 10


def test_a_multiplier_of_too_few_bits_is_refused_or_exact():
    rng = np.random.default_rng(25)
    form, refused = ShortForm(2, 6), 0
    for _ in range(40):
        wanted, low, high = drawn(rng, 14)
        scaling = short_scaling(form, wanted, low, high)
        if scaling is None:
            refused += 1
            continue
        sums = np.stack([np.linspace(*ends, 2**15).astype(np.int64) for ends in zip(low, high, strict=True)])
        assert np.array_equal(bytes_of(form, scaling.words(form), sums, wanted), reference(sums, wanted))
    assert refused >= 20


def test_sums_beyond_the_pieces_are_refused():
    wanted = Requantization((2**30,), (-4,), 0, 0, 255)
    limit = FORMS[0].sum_limit
    assert short_scaling(FORMS[0], wanted, np.array([-limit + 1]), np.array([limit - 1])) is not None
    assert short_scaling(FORMS[0], wanted, np.array([-limit]), np.array([0])) is None
