"""A layer as a filter: what convolutions, depthwise ones and fully connected layers have in common. Knows no op, no place."""

from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.values import Requantization, Window


@dataclass(frozen=True)
class Filter:
    """A filter over a map's windows: each output is a sum of products with the bytes of a window, scaled.

    Attributes:
        rows: its weights, int8 ``(outputs, products)``, in the order of the window's bytes.
        step: bytes of the window from one product's to the next: 1, or all channels where each output reads its own channel.
        bias: int64 ``(outputs,)``, the input's zero point not yet folded in.
        int4: whether the file stores the weights, -8 to 7, two in a byte.
    """

    rows: np.ndarray
    step: int
    bias: np.ndarray
    requantization: Requantization
    window: Window
    int4: bool

    @property
    def products(self) -> int:
        """Returns the products of one sum."""
        return self.rows.shape[1]

    @property
    def bytes(self) -> int:
        """Returns the bytes of its weights."""
        return self.rows.size // (2 if self.int4 else 1)

    def window_bytes(self, channels: int) -> int:
        """Returns the bytes of a window over a map of so many channels."""
        return self.window.height * self.window.width * channels
