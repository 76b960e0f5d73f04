"""One multiplication, long or in two pieces, for the reference's two roundings: exact for every sum that a channel can have."""

import numpy as np
import pytest

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen import affine, pieces
from glyphlite.compiler.codegen.affine import Affine, Sums
from glyphlite.compiler.codegen.pieces import Pieces
from glyphlite.compiler.values import Requantization


def scaled(form: Affine, channel: int, products: np.ndarray) -> np.ndarray:
    """What the generated C computes before its clamp, from sums without the bias."""
    t = products * 2**form.fraction + form.starts[channel]
    assert np.abs(t).max() < 2**31
    value = (t * form.multipliers[channel] >> 32) + form.addend
    return (value - (np.where(t < 0, form.steps[channel], 0) if form.steps is not None else 0)) >> form.shift


def in_pieces(form: Pieces, channel: int, products: np.ndarray) -> np.ndarray:
    """The same where products are of 32 bits."""
    products = np.clip(products, *form.limits) if form.limits else products
    low = (products >> form.coarse) * form.lows[channel]
    assert np.abs(low).max() < 2**31
    assert form.lows[channel] < 2**16 > form.highs[channel]
    value = products * form.highs[channel] + (low >> form.right) + form.starts[channel]
    assert np.abs(value).max() + form.addend < 2**31
    return (value - (np.where(value < 0, form.steps[channel], 0) if form.steps is not None else 0) + form.addend) >> form.shift


def proves(requantization: Requantization, sums: Sums, form: Affine | Pieces) -> bool:
    """Whether none of some thousand sums, the ends and those about zero among them, gives another byte."""
    for channel, (low, high) in enumerate(zip(sums.low, sums.high, strict=True)):
        distance = max(1, (high - low) >> 13)
        totals = np.concatenate([np.arange(low, high + 1, distance), [high], np.clip(np.arange(-4000, 4000), low, high)])
        multiplier, shift = requantization.output_multipliers[channel], requantization.output_shifts[channel]
        wanted = arithmetic.multiply_by_quantized_multiplier(totals, multiplier, shift) + requantization.output_offset
        products = totals - sums.bias[channel]
        got = scaled(form, channel, products) if isinstance(form, Affine) else in_pieces(form, channel, products)
        limits = requantization.activation_min, requantization.activation_max
        if (np.clip(wanted, *limits) != np.clip(got, *limits)).any():
            return False
    return True


def forms(requantization: Requantization, sums: Sums) -> tuple[Affine | None, Pieces | None]:
    """Both forms of a layer."""
    steps = affine.steps_of(requantization, sums)
    return (affine.fit(steps, sums), pieces.fit(steps, sums)) if steps else (None, None)


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
    offset = int(rng.choice([0, 128, int(rng.integers(0, 256))]))
    least = offset if rng.random() < 0.5 else 0
    most = 255 if rng.random() < 0.7 else int(rng.integers(least, 256))
    return Requantization(multipliers, shifts, offset, least, most), Sums(bias, low, high)


@pytest.mark.slow
def test_every_form_that_is_found_is_exact_and_most_are_found():
    rng = np.random.default_rng(0)
    found = [0, 0]
    for _ in range(100):
        requantization, sums = drawn(rng)
        for kind, form in enumerate(forms(requantization, sums)):
            if form:
                found[kind] += 1
                assert proves(requantization, sums, form), (requantization, sums, form)
    assert min(found) > 80, found


def test_sums_are_held_within_limits_where_they_are_too_wide_for_pieces():
    requantization, sums = layer([0.003, 0.0041], reach=4_000_000)
    _, form = forms(requantization, sums)
    assert form
    assert form.limits
    assert proves(requantization, sums, form)


def layer(real: list[float], *, offset: int = 0, low: int = 0, reach: int = 50_000) -> tuple[Requantization, Sums]:
    """A layer of those scales without a bias."""
    multipliers, shifts = zip(*(arithmetic.quantize_multiplier(each) for each in real), strict=True)
    bias = np.zeros(len(real), np.int64)
    return Requantization(multipliers, shifts, offset, low, 255), Sums(bias, bias - reach, bias + reach)


def fitted(requantization: Requantization, sums: Sums, fractions: tuple[int, ...] = affine.FRACTIONS) -> Affine | None:
    """The long form of a layer."""
    steps = affine.steps_of(requantization, sums)
    return affine.fit(steps, sums, fractions) if steps else None


def test_channels_of_one_scale_share_a_multiplier():
    form = fitted(*layer([0.003] * 20))
    assert form
    assert len(set(form.multipliers)) == 1


def test_a_clamp_at_the_zero_point_leaves_one_side_alone():
    one, two = fitted(*layer([0.003, 0.004], offset=10, low=10)), fitted(*layer([0.003, 0.004], offset=10))
    assert one
    assert one.steps is None
    assert two
    assert two.steps is not None


def test_the_preferred_fraction_is_taken_where_it_does():
    for fraction in (8, 9, 10):
        form = fitted(*layer([0.003, 0.004]), (fraction,))
        assert form
        assert form.fraction == fraction


@pytest.mark.parametrize("reach", [2**23, 2**29])
def test_sums_that_leave_no_room_for_a_fraction_get_fewer_bits_or_none(reach: int):
    requantization, sums = layer([1e-6], reach=reach)
    form = fitted(requantization, sums)
    assert fitted(requantization, sums, (8,)) is None
    assert form is None or proves(requantization, sums, form)


def test_a_left_shift_that_could_wrap_is_refused():
    assert fitted(*layer([5.0], reach=2**29)) is None
