import numpy as np
import pytest

from glyphlite.compiler.codegen import packing


def halves(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = words.view(np.uint32)
    return (values & 0xFFFF).astype(np.uint16).view(np.int16), (values >> 16).astype(np.uint16).view(np.int16)


def even_of(half: np.ndarray) -> np.ndarray:
    return (half & 0xFF).astype(np.uint8).view(np.int8)


def dot(words: np.ndarray, lanes: list[tuple[int, int]]) -> tuple[int, int]:
    """What SMLAD and SXTB16 make of one pair's words: the sums of the even and of the odd output, 32 bits wrapping."""
    low, high = halves(words)
    both = sum(int(a) * x + int(b) * y for a, b, (x, y) in zip(low, high, lanes, strict=True))
    even = sum(int(a) * x + int(b) * y for a, b, (x, y) in zip(even_of(low), even_of(high), lanes, strict=True))
    odd = ((both - even + 2**31) % 2**32 - 2**31) >> 8
    return even, odd


def lanes_of(values: np.ndarray) -> list[tuple[int, int]]:
    groups = np.pad(values, (0, -len(values) % 4)).reshape(-1, 4)
    return [pair for a, b, c, d in groups.tolist() for pair in ((a, c), (b, d))]


@pytest.mark.parametrize("depth", [1, 3, 4, 9, 72, 259])
@pytest.mark.parametrize("extreme", [False, True])
def test_pairs_hold_two_outputs_in_every_lane(depth: int, extreme: bool):
    rng = np.random.default_rng(depth)
    rows = rng.integers(-127, 128, (5, depth)).astype(np.int8)
    values = rng.integers(0, 256, depth)
    if extreme:
        rows = np.where(rng.random((5, depth)) < 0.5, -127, 127).astype(np.int8)
        values = np.full(depth, 255)
    words = packing.pack_pairs(rows).reshape(3, -1)
    expected = [*(rows.astype(int) @ values).tolist(), 0]
    for pair in range(3):
        assert dot(words[pair], lanes_of(values)) == (expected[2 * pair], expected[2 * pair + 1])


def test_quads_hold_the_same_words_as_pairs():
    rows = np.random.default_rng(1).integers(-127, 128, (8, 20)).astype(np.int8)
    pairs = packing.pack_pairs(rows).reshape(2, 2, 5, 2)
    assert np.array_equal(packing.pack_quads(rows).reshape(2, 5, 2, 2), pairs.transpose(0, 2, 3, 1))


def test_rows_that_could_leave_24_bits_are_added_up_in_blocks():
    assert packing.blocks_of(np.full((2, 256), 127, np.int8)) == 64
    assert packing.blocks_of(np.full((2, 260), 127, np.int8)) == 64
    assert packing.blocks_of(np.full((2, 4000), 8, np.int8)) == 1000
    mixed = np.tile(np.array([127, -127], np.int8), 256)[None]
    assert packing.blocks_of(mixed) == 128  # each sign alone fits


def test_a_weight_of_minus_128_is_left_to_the_plain_kernels():
    assert packing.is_packable(np.array([-127, 127], np.int8))
    assert not packing.is_packable(np.array([-128, 1], np.int8))


def test_plain_quads_are_biased_and_padded():
    rows = np.array([[-127, 5], [127, -1], [0, 0]], np.int8)
    assert packing.interleave_quads(rows).reshape(2, 4).tolist() == [[1, 255, 128, 128], [133, 127, 128, 128]]


def test_columns_of_a_filter():
    weights = np.arange(9).reshape(1, 3, 3)
    low, high = halves(packing.pack_columns_3x3(weights, np.array([2])))
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == [(0, 6), (6, 12), (2, 8), (8, 14), (4, 10), (10, 16)]


def int4_lanes(word: int, shift: int) -> tuple[int, int]:
    """What a shift and an AND with 0xF000F000 leave: two 16-bit lanes."""
    low, high = halves(np.array([(word << shift) & 0xF000F000], np.uint32))
    return int(low[0]), int(high[0])


def narrow_rows(outputs: int, depth: int) -> np.ndarray:
    return np.random.default_rng(depth).integers(-8, 8, (outputs, depth)).astype(np.int8)


@pytest.mark.parametrize("depth", [1, 3, 4, 9, 72])
def test_pairs_and_quads_of_narrow_weights_are_lanes_after_a_shift(depth: int):
    rows = narrow_rows(5, depth)
    values = np.random.default_rng(1).integers(0, 256, depth)
    lanes = lanes_of(values)
    expected = np.pad(rows.astype(int) @ values, (0, 3))

    def products(word: int, shift: int, lane: tuple[int, int]) -> int:
        low, high = int4_lanes(word, shift)
        return low * lane[0] + high * lane[1]

    pairs = packing.pack_int4_pairs(rows).reshape(3, -1).tolist()
    for pair, words in enumerate(pairs):
        for odd in range(2):
            total = sum(
                products(word, 8 * second + 4 * odd, lanes[2 * group + second])
                for group, word in enumerate(words)
                for second in range(2)
            )
            assert total >> 12 == expected[2 * pair + odd]
    quads = packing.pack_int4_quads(rows).reshape(2, -1).tolist()
    for quad, words in enumerate(quads):
        for output in range(4):
            total = sum(products(word, 4 * output, lane) for word, lane in zip(words, lanes, strict=True))
            assert total >> 12 == expected[4 * quad + output]


def int4_of(words: np.ndarray) -> np.ndarray:
    """The four weights of each 16-bit word, the highest one first."""
    found = np.stack([words >> shift & 0xF for shift in (12, 8, 4, 0)], axis=-1).astype(np.int8)
    return (found ^ 8) - 8


def test_narrow_weights_of_plain_c_stand_highest_first():
    rows = narrow_rows(5, 7)
    padded = np.pad(rows, ((0, 3), (0, 1)))
    assert np.array_equal(int4_of(packing.pack_int4_rows(rows)).reshape(5, 8), padded[:5])
    assert np.array_equal(
        int4_of(packing.interleave_int4_quads(rows)).reshape(2, 7, 4), padded[:, :7].reshape(2, 4, 7).transpose(0, 2, 1)
    )


def test_narrow_weights_of_a_depthwise_layer():
    taps = narrow_rows(6, 8).reshape(2, 3, 8)
    quads = int4_of(packing.pack_int4_depthwise(taps)).reshape(2, 6, 4)
    assert np.array_equal(quads.transpose(1, 0, 2).reshape(2, 3, 8), taps)
    odd = taps[:, :, :5]
    pairs = packing.pack_int4_channel_pairs(odd).reshape(6, 3)
    both = np.stack([pairs >> 4, pairs & 0xF], axis=-1).reshape(6, 6).astype(np.int8)
    assert np.array_equal(((both ^ 8) - 8).reshape(2, 3, 6), np.pad(odd, ((0, 0), (0, 0), (0, 1))))


def test_narrow_rows_that_could_leave_20_bits_are_added_up_in_blocks():
    assert packing.blocks_of(np.full((2, 256), -8, np.int8), int4=True) == 64
    assert packing.blocks_of(np.full((2, 260), -8, np.int8), int4=True) == 64
    assert packing.blocks_of(np.full((2, 400), 5, np.int8), int4=True) == 100
    assert 256 * 255 * 8 < 2**19


def test_columns_of_a_narrow_filter_carry_the_exponent_of_their_scale():
    weights = narrow_rows(4, 9).reshape(4, 3, 3)
    columns = int4_of(packing.pack_int4_columns_3x3(weights, np.array([0, 1, 7, 3]))).reshape(4, 3, 4)
    assert np.array_equal(columns[..., :3].transpose(0, 2, 1), weights)
    assert columns[:, :, 3].tolist() == [[0] * 3, [1] * 3, [7] * 3, [3] * 3]


@pytest.mark.parametrize("taps", [1, 3, 4, 9, 10])
def test_two_bytes_of_int4_taps_hold_four_in_a_row(taps: int):
    rows = np.random.default_rng(taps).integers(-8, 8, (3, taps)).astype(np.int8)
    packed = packing.pack_int4_taps(rows).view(np.uint8).astype(int)
    assert packed.shape == (3, max(-(-taps // 2), 2))
    for byte in range(packed.shape[1] - 1):
        word = packed[:, byte] | packed[:, byte + 1] << 8
        for place in range(4):
            tap = 2 * (packed.shape[1] - 2 - byte) + place
            expected = rows[:, tap] & 0xF if tap < taps else np.zeros(3, int)
            assert np.array_equal(word >> (12 - 4 * place) & 0xF, expected)
