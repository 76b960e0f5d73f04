"""Frames: what is encoded comes back, whatever the bytes; what is damaged does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.runtimes.device.frames import END, ESC, LARGEST, Frame, FrameReader, decoded, encoded


@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(1, 40))
def test_every_frame_comes_back_however_it_is_cut(contents: list[bytes], piece: int) -> None:
    frames = [Frame("I", content) for content in contents]
    line = b"".join(map(encoded, frames))
    reader = FrameReader()
    found = [frame for start in range(0, len(line), piece) for frame in reader.take(line[start : start + piece])]
    assert found == frames
    assert reader.seen == b""


def test_the_bytes_of_the_protocol() -> None:
    assert encoded(Frame("1", b"23456789")) == b"\xc0123456789\x29\xb1\xc0"  # the check value of CRC-16/CCITT-FALSE's catalogue
    assert encoded(Frame("I", bytes([END, ESC])))[2:6] == bytes([0xDB, 0xDC, 0xDB, 0xDD])
    assert decoded(b"123456789\x29\xb1") == Frame("1", b"23456789")


def test_one_wrong_bit_is_seen() -> None:
    content = encoded(Frame("o", bytes(range(100))))[1:-1]
    for bit in range(8 * len(content)):
        wrong = bytearray(content)
        wrong[bit // 8] ^= 1 << (bit % 8)
        if END not in wrong:
            assert decoded(bytes(wrong)) is None


@pytest.mark.parametrize("rubbish", [b"hello, world\r\n", bytes(1000), bytes([ESC] * 9)])
def test_rubbish_is_kept_for_the_message_and_no_frame(rubbish: bytes) -> None:
    reader = FrameReader()
    assert reader.take(rubbish) == []
    assert reader.seen == rubbish[-60:]
    assert reader.take(bytes([END])) == []
    assert reader.take(encoded(Frame("r"))) == [Frame("r")]
    assert reader.seen == rubbish[-60:]


def test_an_endless_frame_does_not_fill_the_memory() -> None:
    reader = FrameReader()
    for _ in range(5):
        reader.take(np.zeros(LARGEST // 2, np.uint8).tobytes())
    assert len(reader.seen) == 60
