"""Calls of a core that takes them one at a time: what simavr's and QEMU's have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np


class OneByOne(ABC):
    """A core that is written to, called and read from for each input of a batch."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Releases the core; it is not used after it."""

    @abstractmethod
    def write(self, address: int, content: bytes | np.ndarray) -> None:
        """Puts bytes (or an array's bytes) into memory."""

    @abstractmethod
    def read(self, address: int, size: int) -> bytes:
        """Returns bytes of memory."""

    @abstractmethod
    def call(self, function: str, *arguments: int, timeout_s: float = 60) -> int:
        """Calls a function at full speed and returns what it returned."""

    def call_batch(
        self,
        function: str,
        arguments: Sequence[int],
        inputs: np.ndarray,
        input_address: int,
        output_address: int,
        output_bytes: int,
        progress: Callable[[int], None] | None = None,
        timeout_s: float = 60,
    ) -> np.ndarray:
        """Calls a function once for each input, as :meth:`glyphlite.emulation.emulator.Emulator.call_batch` does."""
        outputs = np.empty((len(inputs), output_bytes), np.uint8)
        for index, values in enumerate(inputs):
            self.write(input_address, values)
            self.call(function, *arguments, timeout_s=timeout_s)
            outputs[index] = np.frombuffer(self.read(output_address, output_bytes), np.uint8)
            if progress:
                progress(1)
        return outputs
