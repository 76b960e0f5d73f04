"""Four-bit integers: LiteRT's own layout, and nothing lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.tflite.int4 import pack_int4, unpack_int4


def test_the_first_element_is_in_the_low_half():
    np.testing.assert_array_equal(pack_int4(np.array([1, -2, 7])), [0xE1, 0x07])


@given(st.lists(st.integers(-8, 7), max_size=40))
def test_what_was_packed_comes_out(values: list[int]):
    packed = pack_int4(np.array(values, np.int64))
    assert len(packed) == (len(values) + 1) // 2
    unpacked = unpack_int4(packed, len(values))
    assert unpacked.dtype == np.int8
    np.testing.assert_array_equal(unpacked, values)


@pytest.mark.parametrize("value", [8, -9])
def test_a_value_of_five_bits_is_refused(value):
    with pytest.raises(ValueError, match="do not fit 4 bits"):
        pack_int4(np.array([0, value]))
