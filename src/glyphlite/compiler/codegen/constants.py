"""The constant arrays of generated C, by the node that reads them; equal ones are stored once."""

from dataclasses import replace

import numpy as np

from glyphlite.compiler.codegen.packing import Array
from glyphlite.compiler.ir import Node


class Constants:
    """Collects arrays while nodes are described.

    Attributes:
        by_node: the arrays of each node, by its name, in the order they came.
    """

    def __init__(self, prefix: str) -> None:
        """``prefix``: what every name begins with."""
        self._prefix = prefix
        self._first: dict[tuple[str, str, bytes], Array] = {}
        self.by_node: dict[str, list[Array]] = {}

    def add(self, node: Node, suffix: str, c_type: str, values: np.ndarray, path: str = "both") -> str:
        """Lay down an array that kernels of a path read, and say what it is called."""
        return self._add(node.name, Array(f"{self._prefix}_{node.name}_{suffix}", c_type, _flat(values), path))

    def add_pixels(self, table: np.ndarray) -> None:
        """Lay down the table that pixels are looked up in."""
        self._add("pixels", Array(f"{self._prefix}_pixels", "uint8_t", _flat(table)))

    def _add(self, owner: str, array: Array) -> str:
        first = self._first.setdefault((array.c_type, array.path, array.values.tobytes()), array)
        self.by_node.setdefault(owner, []).append(array if first is array else replace(array, same_as=first.name))
        return array.name


def _flat(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).reshape(-1)
