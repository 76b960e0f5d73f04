"""The way of a depthwise filter along a row, two outputs at a time: which columns share a word, which tap meets which word."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from glyphlite.compiler.values import Value, Window


@dataclass(frozen=True)
class Columns(ABC):
    """The columns of one channel's rows in words of two, each word's rows side by side, and two sums that a step leaves there.

    Columns are counted from the leftmost that the window lies on, in the map or before it.
    """

    window: Window
    input: Value
    output: Value

    @property
    def rows(self) -> int:
        """Returns the input rows that are laid down."""
        return self.window.height

    @property
    def steps(self) -> int:
        """Returns the steps along a row of outputs, two at a time."""
        return -(-self.output.width // 2)

    @property
    @abstractmethod
    def words(self) -> int:
        """Returns the words of a row."""

    @property
    @abstractmethod
    def distance(self) -> int:
        """Returns by how many columns the second column of a word lies behind the first."""

    @property
    @abstractmethod
    def advance(self) -> int:
        """Returns by how many columns one word lies behind the one before it."""

    @property
    def unit(self) -> int:
        """Returns the words that the rows of a pair of columns take."""
        return self.rows

    @property
    def pitch(self) -> int:
        """Returns the words of a channel."""
        return self.words * self.unit

    def inside(self) -> list[tuple[bool, bool]]:
        """Returns of each word of a row which of its columns lie in the map."""
        starts = [word * self.advance - self.window.pad_left for word in range(self.words)]
        return [(0 <= at < self.input.width, 0 <= at + self.distance < self.input.width) for at in starts]

    @cached_property
    def runs(self) -> tuple[int, int, int, int, int]:
        """Returns how many words, one run after the other, lie before the map, with the second column in it, with both,
        with the first alone, and behind it.
        """
        inside = self.inside()
        before = next((at for at, columns in enumerate(inside) if any(columns)), len(inside))
        second, both, first = (inside.count(kind) for kind in ((False, True), (True, True), (True, False)))
        return before, second, both, first, len(inside) - before - second - both - first

    @property
    def is_regular(self) -> bool:
        """Returns whether words come in the order of these runs, some with both columns, and all fits the shape's 16 bits."""
        before, second, both, first, behind = self.runs
        out, kinds = (False, False), [(False, True)] * second + [(True, True)] * both + [(True, False)] * first
        in_order = self.inside() == [out] * before + kinds + [out] * behind
        return in_order and both > 0 and bool(np.all((self.shape() >= 0) & (self.shape() < 2**16)))

    def shape(self) -> np.ndarray:
        """Returns what the function that lays columns down is told, in the order of ``helpers_columns.c.j2``."""
        window, source = self.window, self.input
        second = self.runs[0] * self.advance - window.pad_left + self.distance
        fixed = (self.rows, window.dilation_y, source.channels, self.pitch, self.unit, source.zero_point, second)
        return np.array([*fixed, *self.runs], np.int64)


@dataclass(frozen=True)
class Product:
    """One multiplication of a step: the output that it adds to, its instruction, the word of columns, the word of weights."""

    output: int
    instruction: str
    columns: int
    weights: int


@dataclass(frozen=True)
class Load:
    """One load of a step of two rows of outputs, and the multiplications with what it brings.

    Attributes:
        lane: the word of columns, counted from the step's first.
        products: of each the sum that it adds to, its instruction, the filter row and word of weights, and whether it is the
            first of that sum.
    """

    lane: int
    products: tuple[tuple[int, str, int, int, bool], ...]


@dataclass(frozen=True)
class NeighbourColumns(Columns):
    """Neighbours share a word: for the DSP extension, which multiplies the halves of two words at once.

    A step's first output starts at the first column of a word. One row of outputs is made, or ``rows_at_once``.
    """

    rows_at_once: int = 1

    @property
    def rows(self) -> int:
        """Returns the input rows that are laid down."""
        return self.window.height + (self.rows_at_once - 1) * self.window.stride_y

    @property
    def distance(self) -> int:
        """Returns by how many columns the second column of a word lies behind the first."""
        return 1

    @property
    def advance(self) -> int:
        """Returns by how many columns one word lies behind the one before it."""
        return 2

    @property
    def words(self) -> int:
        """Returns the words of a row."""
        return (self.steps - 1) * self.window.stride_x + max(product.columns for product in self.products) + 1

    @property
    def unit(self) -> int:
        """Returns the words that the rows of a pair of columns take; a step leaves two sums there for each row of outputs."""
        return max(self.rows, 2 * self.rows_at_once) if self.window.stride_x == 1 or self.rows_at_once > 1 else self.rows

    @cached_property
    def taps(self) -> tuple[tuple[int, int | None], ...]:
        """Returns the taps of a filter row that share a word, first the lower half's."""
        width = self.window.width
        if self.window.stride_x % 2 and width > 1:
            return tuple((tap, tap + 1) for tap in range(width - 1))
        return tuple((tap, tap + 1 if tap + 1 < width else None) for tap in range(0, width, 2))

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """Returns the multiplications of a filter row in one step.

        Where an output starts at the second column of a word, its first tap is alone; so is what is left of an odd number.
        """
        made: list[Product] = []
        for output in range(2):
            word, odd = divmod(output * self.window.stride_x, 2)
            if odd:
                made.append(Product(output, "__smlatb", word, 0))
            made += [self._product(output, word + (tap + odd) // 2, tap) for tap in range(odd, self.window.width, 2)]
        return tuple(made)

    @cached_property
    def loads(self) -> tuple[Load, ...]:
        """Returns the multiplications of a step in the order in which assembly makes them, input row after input row."""
        met = {
            word * self.unit + ky: [
                (2 * row + product.output, product.instruction, ky - row * self.window.stride_y, product.weights)
                for row in range(self.rows_at_once)
                for product in self.products
                if product.columns == word and 0 <= ky - row * self.window.stride_y < self.window.height
            ]
            for ky in range(self.rows)
            for word in sorted({product.columns for product in self.products})
        }
        begun: set[int] = set()
        made: list[Load] = []
        for lane, products in met.items():
            products.sort(key=lambda each: (each[0] not in begun, -each[0] if each[0] not in begun else 0))
            firsts = [each[0] not in begun for each in products]
            begun.update(each[0] for each in products)
            made.append(Load(lane, tuple((*each, first) for each, first in zip(products, firsts, strict=True))))
        return tuple(load for load in made if load.products)

    @property
    def last_sum(self) -> int:
        """Returns the sum that begins last: until then its register holds the start of all."""
        return [product[0] for load in self.loads for product in load.products if product[4]][-1]

    def _product(self, output: int, columns: int, tap: int) -> Product:
        """Returns the multiplication of a tap, and of the next one if there is one, with a word of columns."""
        if tap + 1 < self.window.width:
            return Product(output, "__smlad", columns, self.taps.index((tap, tap + 1)))
        if (tap, None) in self.taps:
            return Product(output, "__smlabb", columns, self.taps.index((tap, None)))
        return Product(output, "__smlabt", columns, self.taps.index((tap - 1, tap)))


@dataclass(frozen=True)
class DistantColumns(Columns):
    """Columns half a row apart share a word: one multiplication by a tap serves the same place of either half.

    Both sums of a step lie in one word, which holds them if they fit 16 bits each.
    """

    @property
    def distance(self) -> int:
        """Returns by how many columns the second column of a word lies behind the first."""
        return self.steps * self.window.stride_x

    @property
    def advance(self) -> int:
        """Returns by how many columns one word lies behind the one before it."""
        return 1

    @property
    def words(self) -> int:
        """Returns the words of a row."""
        return (self.steps - 1) * self.window.stride_x + self.window.width


@dataclass(frozen=True)
class SingleColumns(Columns):
    """Columns of four channels share a word, where two sums don't fit one."""

    @property
    def distance(self) -> int:
        """Returns 0: both columns are the same."""
        return 0

    @property
    def advance(self) -> int:
        """Returns by how many columns one word lies behind the one before it."""
        return 1

    @property
    def words(self) -> int:
        """Returns the words of a row, as many as two outputs at a time look at."""
        return (2 * self.steps - 1) * self.window.stride_x + self.window.width


def fit_16_bits(rows: np.ndarray) -> bool:
    """Returns whether the sums of all outputs fit 16 bits, whatever bytes weights meet. ``rows`` are int8 (outputs, inputs)."""
    wide = rows.astype(np.int64) * 255
    return bool(np.maximum(wide, 0).sum(axis=1).max() < 2**15 and np.minimum(wide, 0).sum(axis=1).min() >= -(2**15))
