"""The table of filters: convolutions, depthwise ones and fully connected layers as data of one C function.

Knows shapes, weights and places; no op, no node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Array, Constants
from glyphlite.compiler.codegen.filters import Filter
from glyphlite.compiler.codegen.kernel import Place, Rows
from glyphlite.compiler.codegen.short_scaling import FORMS, ShortForm, ShortScaling, short_scaling
from glyphlite.compiler.values import Value, Window

FEWEST = 4
"""Filters from which on one function and its table take less flash than a function each."""


_SHORT = 128


@dataclass(frozen=True)
class Named:
    """A filter and what surrounds it.

    Attributes:
        name: the layer's.
        function: what the names of its constants begin with.
        sources: the ops of the file that it computes, in words.
        ring: where the chain's next layer finds its rows; None at the end of the chain, where the caller says.
    """

    name: str
    function: str
    sources: tuple[str, ...]
    filter: Filter
    input: Value
    output: Value
    ring: Rows | None


@dataclass(frozen=True)
class Record:
    """A filter's line in the table: the arrays that it reads.

    Attributes:
        lanes: its weights for the DSP extension; None where they are the same.
        bias_unit: what its biases are stored divided by.
    """

    named: Named
    weights: Array
    lanes: Array | None
    scaling: Array
    bias: Array
    bias_unit: int


@dataclass(frozen=True)
class MapRecord:
    """A map's line in the table: its rows that are kept, and where in the arena; ``place`` is of no use for what is passed."""

    value: Value
    place: Place
    capacity: int


@dataclass(frozen=True)
class Chain:
    """Filters that run together.

    Attributes:
        first: where the first of them stands in the table.
        first_map: where its input's map stands among the maps.
        source: where that lies.
        patch: where the bytes under a window lie.
    """

    records: tuple[Record, ...]
    first: int
    first_map: int
    source: Place
    patch: Place

    @property
    def is_vector(self) -> bool:
        """Returns whether it is one filter on one row, its whole input."""
        named = self.records[0].named
        return len(self.records) == 1 and named.input.height == named.output.height == 1 and named.filter.window == Window()

    @property
    def maps(self) -> tuple[MapRecord, ...]:
        """Returns the maps: the first one's input, and what each of them writes."""
        source, last = self.records[0].named.input, self.records[-1].named.output
        rings = [(record.named.output, record.named.ring) for record in self.records[:-1]]
        inner = [MapRecord(value, ring.place, ring.capacity) for value, ring in rings if ring is not None]
        nowhere = Place("arena")
        return MapRecord(source, nowhere, source.height), *inner, MapRecord(last, nowhere, last.height)


@dataclass(frozen=True)
class FilterTable:
    """Everything that the template of the table renders."""

    chains: tuple[Chain, ...]
    form: ShortForm

    @property
    def records(self) -> tuple[Record, ...]:
        """Returns the lines of the table."""
        return tuple(record for chain in self.chains for record in chain.records)

    @property
    def maps(self) -> tuple[MapRecord, ...]:
        """Returns the maps, each chain's input before its outputs; what one writes and the next reads is there once."""
        found: list[MapRecord] = []
        for chain in self.chains:
            found[chain.first_map :] = chain.maps
        return tuple(found)

    @property
    def square(self) -> bool:
        """Returns whether windows, strides and paddings are the same in both directions, and windows fit seven bits."""
        windows = [record.named.filter.window for record in self.records]
        return all((w.height, w.stride_y, w.pad_top) == (w.width, w.stride_x, w.pad_left) and w.height < _SHORT for w in windows)

    @property
    def longest(self) -> int:
        """Returns the most filters of a chain."""
        return max(len(chain.records) for chain in self.chains)

    @property
    def tallest(self) -> int:
        """Returns the most rows under a window."""
        return max(record.named.filter.window.height for record in self.records)

    @property
    def has_int4(self) -> bool:
        """Returns whether weights of some filter are two in a byte."""
        return any(record.named.filter.int4 for record in self.records)

    @property
    def has_int8(self) -> bool:
        """Returns whether weights of some filter are one in a byte."""
        return any(not record.named.filter.int4 for record in self.records)

    @property
    def has_lanes(self) -> bool:
        """Returns whether cores with the DSP extension read other weights of some filter."""
        return any(record.lanes for record in self.records)

    @property
    def has_units(self) -> bool:
        """Returns whether biases of some filter are stored divided by something."""
        return any(record.bias_unit != 1 for record in self.records)

    @property
    def bias_type(self) -> str:
        """Returns the C type of the biases."""
        return self.records[0].bias.c_type

    @property
    def clamp(self) -> tuple[int, int] | None:
        """Returns the clamp of all results where all layers have the same."""
        scalings = [record.named.filter.requantization for record in self.records]
        found = {(each.activation_min, each.activation_max) for each in scalings}
        return found.pop() if len(found) == 1 else None

    @property
    def flips(self) -> bool:
        """Returns whether some chain reads the caller's input, whose bytes may be int8."""
        return any(chain.source.base == "input" for chain in self.chains)

    @property
    def dilates(self) -> bool:
        """Returns whether some window has gaps."""
        windows = [record.named.filter.window for record in self.records]
        return any((window.dilation_y, window.dilation_x) != (1, 1) for window in windows)

    def type_of(self, field: str) -> str:
        """Returns the narrowest C type of a field of the table."""
        most = max(_numbers(self, field))
        return "uint8_t" if most < 2**8 else "uint16_t" if most < 2**16 else "int32_t"

    def signed_type_of(self, field: str) -> str:
        """Returns the narrowest signed C type of a field of the table."""
        numbers = _numbers(self, field)
        most = max(map(abs, numbers))
        return "int8_t" if most < 2**7 else "int16_t" if most < 2**15 else "int32_t"


def _numbers(table: FilterTable, field: str) -> list[int]:
    values = [line.value for line in table.maps]
    if field == "offset":
        return [at for line in table.maps for at in (line.place.offset, line.place.plain_offset)]
    if field in ("height", "channels", "row_bytes"):
        return [getattr(value, field) for value in values]
    if field == "capacity":
        return [line.capacity for line in table.maps]
    filters = [record.named.filter for record in table.records]
    return [getattr(each.window, field.removeprefix("window_")) for each in filters]


@dataclass(frozen=True)
class Plan:
    """The form of scaling that all filters of a model share, and how the sums of each are scaled, by layer name."""

    form: ShortForm
    scalings: dict[str, ShortScaling]


def chained(chains: Sequence[tuple[Sequence[Record], Place, Place]]) -> tuple[Chain, ...]:
    """Returns chains, one behind the other in the table.

    Args:
        chains: the records of each, and the place of its source and of its patch.
    """
    made: list[Chain] = []
    first, last = 0, list[MapRecord]()
    for records, source, patch in chains:
        chain = Chain(tuple(records), first, len(last), source, patch)
        if last and last[-1] == chain.maps[0]:
            chain = replace(chain, first_map=len(last) - 1)
        made.append(chain)
        last[chain.first_map :] = chain.maps
        first += len(records)
    return tuple(made)


def plan_table(filters: Sequence[tuple[str, int, Filter]]) -> Plan | None:
    """Chooses the filters that go into a table; None where too few would.

    Args:
        filters: the name of each layer, its input's zero point as held, and its filter.
    """
    best: Plan | None = None
    bounds = [sums_of(each, zero_point)[1:] for _, zero_point, each in filters]
    for form in FORMS:
        found = {
            name: scaling
            for (name, _, each), (low, high) in zip(filters, bounds, strict=True)
            if _fits_lanes(each) and (scaling := short_scaling(form, each.requantization, low, high)) is not None
        }
        if len(found) >= FEWEST and (best is None or len(found) > len(best.scalings)):
            best = Plan(form, found)
        if len(found) == len(filters):
            break
    return best


def sums_of(taken: Filter, zero_point: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the bias with the input's zero point folded in, and the least and the largest sum of each output, all int64."""
    wide = taken.rows.astype(np.int64)
    folded = taken.bias - zero_point * wide.sum(axis=1)
    return folded, np.minimum(wide, 0).sum(axis=1) * 255 + folded, np.maximum(wide, 0).sum(axis=1) * 255 + folded


def pack_int4(rows: np.ndarray) -> np.ndarray:
    """Packs two weights of an output in a byte, the first in the high half; of an odd number the first has a byte of its own."""
    odd = rows.shape[1] % 2
    padded = np.zeros((len(rows), odd + rows.shape[1]), np.uint8)
    padded[:, odd:] = rows.astype(np.uint8) & 0xF
    return ((padded[:, 0::2] << 4) | padded[:, 1::2]).reshape(-1)


def _lanes(taken: Filter) -> tuple[str, np.ndarray]:
    """Returns a filter's weights as cores with the DSP extension read them, four outputs at a time, and their C type."""
    if taken.int4:
        return "uint32_t", packing.pack_int4_quads(taken.rows)
    return "int32_t", packing.pack_quads(taken.rows)


def _fits_lanes(taken: Filter) -> bool:
    """Returns whether the sums of a filter can be added up in lanes in one go."""
    groups = -(-taken.products // packing.GROUP)
    return packing.is_packable(taken.rows) and packing.blocks_of(taken.rows, int4=taken.int4) >= groups


def _units(biases: Mapping[str, np.ndarray]) -> tuple[str, dict[str, int]]:
    """Chooses how biases are stored: the C type of all, and what those of each layer are divided by.

    Without a bias of its own a layer has the input's zero point times sums of weights, which layers of the same weights share.
    """
    divisors = {name: int(np.gcd.reduce(bias)) if bias.any() else 1 for name, bias in biases.items()}
    units = {name: divisor if divisor < 256 else 1 for name, divisor in divisors.items()}
    found: list[tuple[int, str, dict[str, int]]] = []
    for each in (dict.fromkeys(biases, 1), units):
        stored = {name: biases[name] // unit for name, unit in each.items()}
        most = max(int(np.abs(values).max()) for values in stored.values())
        c_type, size = ("int8_t", 1) if most < 2**7 else ("int16_t", 2) if most < 2**15 else ("int32_t", 4)
        arrays = {values.tobytes(): len(values) for values in stored.values()}
        found.append((size * sum(arrays.values()), c_type, each))
    _, c_type, chosen = min(found, key=lambda way: way[0])
    return c_type, chosen


def lay_down(plan: Plan, constants: Constants, filters: Sequence[Named]) -> dict[str, Record]:
    """Lays down the constants of every filter of a table: its line, by layer name."""
    folded = {each.name: sums_of(each.filter, each.input.zero_point)[0] for each in filters}
    bias_type, units = _units(folded)
    records: dict[str, Record] = {}
    for each in filters:
        weights = pack_int4(each.filter.rows) if each.filter.int4 else each.filter.rows
        words = plan.scalings[each.name].words(plan.form)

        def add(suffix: str, c_type: str, values: np.ndarray, path: str = "both", named: Named = each) -> Array:
            return constants.add(named.name, f"{named.function}_{suffix}", c_type, values, path)

        has_lanes = each.filter.step == 1
        records[each.name] = Record(
            each,
            add("weights", "uint8_t" if each.filter.int4 else "int8_t", weights, "plain" if has_lanes else "both"),
            add("lane_weights", *_lanes(each.filter), "dsp") if has_lanes else None,
            add("scaling", "uint32_t", words),
            add("bias", bias_type, folded[each.name] // units[each.name]),
            units[each.name],
        )
    return records
