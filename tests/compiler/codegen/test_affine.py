"""One multiplication for the reference's two roundings: exact for every sum that a channel can have."""

import numpy as np
import pytest

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen import affine
from glyphlite.compiler.codegen.affine import Affine, Sums
from glyphlite.compiler.values import Requantization


def scaled(fitted: Affine, channel: int, products: np.ndarray) -> np.ndarray:
    """What the generated C computes before its clamp, from sums without the bias."""
    t = products * 2**fitted.fraction + fitted.starts[channel]
    assert np.abs(t).max() < 2**31
    value = (t * fitted.multipliers[channel] >> 32) + fitted.addend
    return (value - (np.where(t < 0, fitted.steps[channel], 0) if fitted.steps is not None else 0)) >> fitted.shift


def proves(requantization: Requantization, sums: Sums, fitted: Affine) -> bool:
    """Whether no sum of up to 2^17 in a row, the ends and those about zero among them, gives another byte."""
    for channel, (low, high) in enumerate(zip(sums.low, sums.high, strict=True)):
        steps = max(1, (high - low) >> 13)
        totals = np.concatenate([np.arange(low, high + 1, steps), [high], np.clip(np.arange(-4000, 4000), low, high)])
        multiplier, shift = requantization.output_multipliers[channel], requantization.output_shifts[channel]
        wanted = arithmetic.multiply_by_quantized_multiplier(totals, multiplier, shift) + requantization.output_offset
        got = scaled(fitted, channel, totals - sums.bias[channel])
        limits = requantization.activation_min, requantization.activation_max
        if (np.clip(wanted, *limits) != np.clip(got, *limits)).any():
            return False
    return True


def drawn(rng: np.random.Generator) -> tuple[Requantization, Sums]:
    """A layer's scaling and sums: channels near to one another in scale or not, some that hardly move."""
    channels = int(rng.integers(1, 12))
    base = rng.uniform(-12, 2)
    real = 2.0 ** (base + rng.uniform(-1.5, 1.5, channels)) if rng.random() < 0.7 else np.full(channels, 2.0**base)
    reach = int(2 ** rng.uniform(4, 20))
    bias = rng.integers(-reach, reach + 1, channels)
    low, high = bias - rng.integers(0, reach, channels), bias + rng.integers(0, reach, channels)
    if rng.random() < 0.4:
        still = int(rng.integers(0, channels))
        real[still] = 2.0 ** -rng.integers(20, 33)
        bias[still] = rng.integers(-(2**30), 2**30)
        low[still], high[still] = bias[still] - rng.integers(0, 1000), bias[still] + rng.integers(0, 1000)
    multipliers, shifts = zip(*(arithmetic.quantize_multiplier(each) for each in real), strict=True)
    offset = int(rng.choice([0, 128, rng.integers(0, 256)]))
    least = offset if rng.random() < 0.5 else 0
    most = 255 if rng.random() < 0.7 else int(rng.integers(least, 256))
    return Requantization(multipliers, shifts, offset, least, most), Sums(bias, low, high)


def test_every_form_that_is_found_is_exact_and_most_are_found():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(120):
        requantization, sums = drawn(rng)
        if fitted := affine.fit(requantization, sums):
            found += 1
            assert proves(requantization, sums, fitted), (requantization, sums, fitted)
    assert found > 100


def layer(real: list[float], *, offset: int = 0, low: int = 0, reach: int = 50_000) -> tuple[Requantization, Sums]:
    """A layer of those scales without a bias."""
    multipliers, shifts = zip(*(arithmetic.quantize_multiplier(each) for each in real), strict=True)
    bias = np.zeros(len(real), np.int64)
    return Requantization(multipliers, shifts, offset, low, 255), Sums(bias, bias - reach, bias + reach)


def test_channels_of_one_scale_share_a_multiplier():
    fitted = affine.fit(*layer([0.003] * 20))
    assert fitted
    assert len(set(fitted.multipliers)) == 1


def test_a_clamp_at_the_zero_point_leaves_one_side_alone():
    one, two = affine.fit(*layer([0.003, 0.004], offset=10, low=10)), affine.fit(*layer([0.003, 0.004], offset=10))
    assert one
    assert one.steps is None
    assert two
    assert two.steps is not None


def test_the_preferred_fraction_is_taken_where_it_does():
    for fraction in (8, 9, 10):
        fitted = affine.fit(*layer([0.003, 0.004]), (fraction,))
        assert fitted
        assert fitted.fraction == fraction


@pytest.mark.parametrize("reach", [2**23, 2**29])
def test_sums_that_leave_no_room_for_a_fraction_get_fewer_bits_or_none(reach: int):
    requantization, sums = layer([1e-6], reach=reach)
    fitted = affine.fit(requantization, sums)
    assert affine.fit(requantization, sums, (8,)) is None
    assert fitted is None or proves(requantization, sums, fitted)


def test_a_left_shift_that_could_wrap_is_refused():
    assert affine.fit(*layer([5.0], reach=2**29)) is None
