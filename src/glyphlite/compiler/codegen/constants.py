"""The constant arrays of generated C, by the layer that reads them; equal ones are stored once."""

from dataclasses import dataclass, replace

import numpy as np

_SIZES = {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4, "int64_t": 8}

PATHS = {
    "dsp": {"both", "dsp", "dsp, no mve", "not wide", "long"},
    "plain": {"both", "plain", "narrow", "not wide", "short"},
    "wide": {"both", "plain", "wide", "long"},
}
"""The arrays that end up in the flash of a core with the DSP extension, of one without, and in a host's program.

Of cores without, those that multiply 32 bits by 32 to 32 have ``short`` ones, the others ``long`` ones of the same size. Of those
with wide vectors, the ones that multiply int8 by int8 alone have ``signed`` ones besides. A
core with Helium has the DSP extension, too: it reads ``mve`` arrays in the place of ``dsp, no mve`` ones."""


_NEAR_FLASH_BYTES = 60_000
"""Constants that avr-gcc's pointers of 16 bits reach: 64 KB less what else stands at the beginning of flash."""


@dataclass(frozen=True)
class Array:
    """A constant of generated C.

    Attributes:
        path: which kernels read it; see ``PATHS``.
        same_as: the name of an earlier array of the same numbers and path, which stands for this one.
    """

    name: str
    c_type: str
    values: np.ndarray
    path: str = "both"
    same_as: str | None = None

    @property
    def bytes(self) -> int:
        """Returns its bytes in flash."""
        return 0 if self.same_as else self.values.size * _SIZES[self.c_type]


class Constants:
    """Collects arrays while kernels are made.

    Attributes:
        by_layer: the arrays of each layer, by its name, in the order they came.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, bytes], Array] = {}
        self.by_layer: dict[str, list[Array]] = {}

    def add(self, layer: str, name: str, c_type: str, values: np.ndarray, path: str = "both") -> Array:
        """Lays down an array that a layer's kernels of a path read."""
        array = Array(name, c_type, np.ascontiguousarray(values).reshape(-1), path)
        first = self._first.setdefault((array.c_type, array.path, array.values.astype(np.int64).tobytes()), array)
        self.by_layer.setdefault(layer, []).append(array if first is array else replace(array, same_as=first.name))
        return array

    @property
    def flash_space(self) -> str:
        """Returns avr-gcc's name of the address space that reaches all of them: of 16 bits where it does, else of 24."""
        arrays = (array for arrays in self.by_layer.values() for array in arrays)
        near = sum(array.bytes for array in arrays if array.path in PATHS["plain"]) <= _NEAR_FLASH_BYTES
        return "__flash" if near else "__memx"
