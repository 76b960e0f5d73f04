"""FULLY_CONNECTED: a vector at once, or a flattened map row by row; on several rows it is a 1x1 convolution."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.filters import Filter
from glyphlite.compiler.codegen.kernel import Accumulator, Kernel, Placement, Site
from glyphlite.compiler.codegen.packing import Lanes
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer
from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.matrix.vectors import Vectors, pairs_plus_8, plus_128, vectors_of
from glyphlite.compiler.ops.matrix.weighted import Weighted, weighted_facts
from glyphlite.compiler.values import Value, Window
from glyphlite.tflite.graph import Operator

_FEW_OUTPUTS = 24  # spreading a row into lanes pays from about this many outputs on


@dataclass(frozen=True, kw_only=True)
class FullyConnected(Weighted):
    """A fully connected layer on one vector; weights are int8 ``(out, in)``."""

    streams: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True

    def _row(self, placement: Placement) -> int:
        """Returns the inputs that it takes at a time: a row of the map before it, or all."""
        return self.inputs[0].elements if placement.row_bytes is None else placement.row_bytes

    def _has_lanes(self, placement: Placement) -> bool:
        return packing.is_packable(self.weights) and self._row(placement) >= packing.GROUP

    def _reads_bytes(self, placement: Placement) -> bool:
        """Returns whether it takes rows as they are; else it spreads them into lanes once, for all its outputs."""
        few = self.output.channels <= _FEW_OUTPUTS or placement.optimize != "speed"
        return few and self._row(placement) % packing.GROUP == 0

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes of one row's lanes."""
        if not placement.dsp or placement.row_bytes is None or self._reads_bytes(placement) or not self._has_lanes(placement):
            return 0
        return 8 * -(-self._row(placement) // packing.GROUP)

    def filter(self) -> Filter | None:
        """Returns it as a filter of a table, over a map of one pixel."""
        return Filter(self.weights, 1, self.bias, self.requantization, Window(), self.int4)

    def kernel(self, site: Site) -> Kernel:
        """Returns the kernel of a vector, or of a map that comes row by row."""
        placement = site.placement
        accumulates, row = placement.row_bytes is not None, self._row(placement)
        parts = np.split(self.weights, self.weights.shape[1] // row, axis=1)
        lanes = self._lanes(site, parts, row, accumulates=accumulates)
        path = "narrow" if lanes else "not wide"
        if self.int4:
            words = np.concatenate([packing.interleave_int4_quads(part) for part in parts])
            plain = site.add("int4_weights", "uint16_t", words, path)
        else:
            words = np.concatenate([packing.interleave_quads(part) for part in parts])
            plain = site.add("weights", "uint8_t", words, path)
        made, _ = requantizer(site, self.requantization, self.weights, self.bias)
        kernel = FullyConnectedKernel(
            layer=site.layer,
            requantizer=made,
            int4=self.int4,
            row=row,
            lanes=lanes,
            weights=plain,
            mve_weights=self._mve_weights(site, parts) if lanes else None,
            vectors=vectors_of(site, parts, made),
        )
        if not accumulates:
            return kernel
        return FullyConnectedRowsKernel(**vars(kernel), expands=not self._reads_bytes(placement))

    def _mve_weights(self, site: Site, parts: list[np.ndarray]) -> Array | None:
        """Lays down weights for Helium, row after row of each part."""
        if not self._has_mve(site):
            return None
        stored = [pairs_plus_8(part) if self.int4 else plus_128(part) for part in parts]
        return site.add("mve_weights", "uint8_t", np.stack(stored), "mve")

    def _has_mve(self, site: Site) -> bool:
        """Returns whether Helium has a kernel: not for bytes of the caller, which may be int8."""
        return not site.layer.reads_model_input and site.placement.optimize != "size"

    def _lanes(self, site: Site, parts: list[np.ndarray], row: int, *, accumulates: bool) -> Lanes | None:
        """Lays down the weights of each part of the input, four outputs at a time; None where lanes do not do."""
        if not self._has_lanes(site.placement):
            return None
        pack = packing.pack_int4_quads if self.int4 else packing.pack_quads
        words = np.concatenate([pack(part) for part in parts])
        path = "dsp, no mve" if self._has_mve(site) else "dsp"
        array = site.add("lane_weights", "uint32_t" if self.int4 else "int32_t", words, path)
        groups = -(-row // packing.GROUP) if accumulates else row // packing.GROUP
        block = min(packing.blocks_of(part, int4=self.int4) for part in parts)
        return Lanes(array, 2 if self.int4 else 4, groups, block)


@dataclass(frozen=True, kw_only=True)
class FullyConnectedKernel(Kernel):
    """Four outputs at a time over a vector.

    Attributes:
        row: inputs.
        lanes: for the DSP extension; None where cores with it run the plain code.
        weights: for plain code.
        mve_weights: for Helium; None where it takes what the DSP extension does.
        vectors: for wide vectors.
    """

    template: ClassVar[str] = "fully_connected.c.j2"
    takes_many: ClassVar[bool] = True

    requantizer: Requantizer
    int4: bool
    row: int
    lanes: Lanes | None
    weights: Array
    mve_weights: Array | None
    vectors: Vectors

    @property
    def tail(self) -> int:
        """Returns the last inputs, which do not fill a word."""
        return self.row % packing.GROUP

    @property
    def many_lanes(self) -> int:
        """Returns the lanes that an image takes where it computes many at once."""
        return self.vectors.segment_lanes

    @property
    def quads(self) -> int:
        """Returns the groups of four outputs."""
        return -(-self.layer.output.channels // 4)

    @property
    def quad_step(self) -> int:
        """Returns the elements of plain weights of four outputs."""
        return self.row if self.int4 else 4 * self.row

    @property
    def shares_code(self) -> bool:
        """Returns whether cores with a long multiplication, but without the DSP extension, run what all such layers share."""
        made, scaled = self.requantizer, self.requantizer.scaled
        if self.int4 or self.layer.reads_model_input or self.layer.table or self.layer.output.channels % 4 or scaled is None:
            return False
        plain = scaled.words == 1 and scaled.fraction == 8 and not scaled.step and not scaled.addend
        return plain and (made.activation_min, made.activation_max) == (0, 255)


@dataclass(frozen=True, kw_only=True)
class FullyConnectedRowsKernel(FullyConnectedKernel, Accumulator):
    """Four outputs at a time over one row of a flattened map, added to the sums.

    Attributes:
        expands: whether cores with the DSP extension spread a row into lanes first.
    """

    template: ClassVar[str] = "fully_connected_rows.c.j2"
    takes_many: ClassVar[bool] = False
    selects_row: ClassVar[bool] = True

    expands: bool


def lower_fully_connected(context: Context, operator: Operator) -> None:
    """Lowers FULLY_CONNECTED on one row. Source: ``kernels/fully_connected_common.cc``."""
    facts, weights = weighted_facts(context, operator)
    (source,) = facts["inputs"]
    facts["inputs"] = (Value(source.index, source.name, 1, 1, source.elements, source.quantization),)
    context.nodes.append(FullyConnected(**facts, weights=weights))
