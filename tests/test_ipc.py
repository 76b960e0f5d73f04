"""Messages between two processes: whole or refused, whatever comes through the pipe."""

import json
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.ipc import BrokenChannelError, Message, SilentChannelError, receive, send


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_arrays_arrive_as_they_were(pipe: tuple[int, int]) -> None:
    arrays = (np.arange(300_000, dtype=np.int16).reshape(3, -1), np.empty((0, 28, 28, 1), np.float32), np.array([1.5]))
    sender = threading.Thread(target=send, args=(pipe[1], Message({"op": "ä"}, arrays)))
    sender.start()
    message = receive(pipe[0], timeout_s=10)
    sender.join()
    assert message.header == {"op": "ä"}
    for found, expected in zip(message.arrays, arrays, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_silence_is_noticed(pipe: tuple[int, int]) -> None:
    with pytest.raises(SilentChannelError):
        receive(pipe[0], timeout_s=0.05)
    os.write(pipe[1], b"\x10")
    with pytest.raises(SilentChannelError):
        receive(pipe[0], timeout_s=0.05)


def test_an_end_is_noticed(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"\x10\0\0\0half")
    os.close(pipe[1])
    with pytest.raises(BrokenChannelError):
        receive(pipe[0], timeout_s=1)


@pytest.mark.parametrize(
    "outer",
    [
        [],
        {},
        {"header": 1, "arrays": []},
        {"header": {}, "arrays": [{"dtype": "O", "shape": [1]}]},
        {"header": {}, "arrays": [{"dtype": "f4", "shape": [-1]}]},
        {"header": {}, "arrays": [{"dtype": "f4", "shape": [1 << 40]}]},
        {
            "header": {},
            "arrays": [{"dtype": "f4", "shape": [1 << 40, 0, 1 << 40], "more": 1}, {"dtype": "f8", "shape": [1 << 30]}],
        },
        {"header": {}, "arrays": [{"dtype": "nonsense", "shape": []}]},
        {"header": {}, "arrays": [{"shape": []}]},
    ],
)
def test_nonsense_is_refused(outer: object, pipe: tuple[int, int]) -> None:
    header = json.dumps(outer).encode()
    os.write(pipe[1], len(header).to_bytes(4, "little") + header)
    with pytest.raises(BrokenChannelError):
        receive(pipe[0], timeout_s=1)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(content: bytes) -> None:
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    try:
        with pytest.raises(BrokenChannelError):
            receive(reader, timeout_s=1)
    finally:
        os.close(reader)
