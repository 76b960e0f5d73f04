"""Messages between a process and its child over two pipes: a JSON object and raw arrays.

Not pickle: the child runs what nobody vouches for. Also what the signal that ended a child means. Knows nothing of what the
messages mean.
"""

import json
import math
import os
import select
import signal
import time
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

LARGEST_HEADER = 1 << 24
LARGEST_ARRAYS = 1 << 31
"""Bytes; past these a message is damage, not data."""

CRASHES: dict[int, str] = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "division by zero",
    signal.SIGILL: "illegal instruction",
}
"""Signals by which native code ends its own process, in words."""


class BrokenChannelError(Exception):
    """The other side is gone or sends nonsense."""


class SilentChannelError(Exception):
    """The other side has not answered in time."""


@dataclass(frozen=True)
class Message:
    """A JSON object and the arrays that go with it."""

    header: dict[str, Any]
    arrays: tuple[np.ndarray, ...] = ()


def start_failure(failure: BrokenChannelError | SilentChannelError, noise: IO[bytes], seconds: float) -> str:
    """Returns why a child process did not say that it is ready, in words.

    Args:
        failure: what waiting for it ended in.
        noise: the file that its standard error went into.
        seconds: that were waited at most.
    """
    if isinstance(failure, SilentChannelError):
        return f"it was not ready after {seconds:g} s; is the machine busy with something else?"
    noise.seek(0)
    return noise.read().decode(errors="replace").strip().rpartition("\n")[2] or "it says nothing"


def send(descriptor: int, message: Message) -> None:
    """Writes a message, whole.

    Raises:
        BrokenChannelError: the other side is gone.
    """
    arrays = [np.ascontiguousarray(array) for array in message.arrays]
    described = [{"dtype": array.dtype.str, "shape": array.shape} for array in arrays]
    header = json.dumps({"header": message.header, "arrays": described}).encode()
    try:
        _write(descriptor, len(header).to_bytes(4, "little") + header)
        for array in arrays:
            if array.size:
                _write(descriptor, array.reshape(-1).view(np.uint8).data)
    except OSError:
        raise BrokenChannelError from None


def receive(descriptor: int, timeout_s: float | None = None) -> Message:
    """Reads a message, whole.

    Args:
        descriptor: the pipe's reading end.
        timeout_s: seconds for the whole message; None waits for ever.

    Raises:
        BrokenChannelError: the other side is gone, or what it sent is no message.
        SilentChannelError: no whole message came in time.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    length = int.from_bytes(_read(descriptor, 4, deadline), "little")
    if length > LARGEST_HEADER:
        raise BrokenChannelError
    try:
        outer = json.loads(_read(descriptor, length, deadline))
        kinds = [(np.dtype(kind["dtype"]), tuple(int(extent) for extent in kind["shape"])) for kind in outer["arrays"]]
        header = dict(outer["header"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BrokenChannelError from None
    sizes = [math.prod(shape) * dtype.itemsize for dtype, shape in kinds]
    if (
        any(extent < 0 for _, shape in kinds for extent in shape)
        or sum(sizes) > LARGEST_ARRAYS
        or any(dtype.hasobject for dtype, _ in kinds)
    ):
        raise BrokenChannelError
    arrays = [
        np.frombuffer(_read(descriptor, size, deadline), dtype).reshape(shape) if size else np.empty(shape, dtype)
        for size, (dtype, shape) in zip(sizes, kinds, strict=True)
    ]
    return Message(header, tuple(arrays))


def _write(descriptor: int, content: bytes | memoryview) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int, size: int, deadline: float | None) -> bytearray:
    content = bytearray(size)
    view, poll = memoryview(content), select.poll()
    while view:
        if deadline is not None:
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise SilentChannelError
        try:
            count = os.readv(descriptor, [view])
        except OSError:
            raise BrokenChannelError from None
        if not count:
            raise BrokenChannelError
        view = view[count:]
    return content
