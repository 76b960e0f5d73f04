"""TRANSPOSE, SPACE_TO_DEPTH, DEPTH_TO_SPACE, REVERSE_V2, BROADCAST_TO and TILE: every value in another place, or in several."""

import numpy as np

from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.layout.move import add_move
from glyphlite.tflite.graph import Operator

_MOST_TRANSPOSED = 5
"""Axes of a TRANSPOSE (micro/kernels/transpose_common.cc)."""


def lower_transpose(context: Context, operator: Operator) -> None:
    """Lowers TRANSPOSE by any permutation. Source: micro/kernels/transpose.cc."""
    if "permutation" not in operator.options:
        raise context.refuse(operator, "its permutation is computed, not constant", "convert with a fixed input shape")
    rank = len(context.tensor(operator.inputs[0]).shape)
    if rank > _MOST_TRANSPOSED:
        raise context.refuse(operator, f"its input has {rank} dimensions", f"TFLite Micro transposes at most {_MOST_TRANSPOSED}")
    if any(axis < 0 for axis in operator.options["permutation"]):
        raise context.refuse(operator, "its permutation counts from the last axis", "count from the first")
    add_move(context, operator, lambda image: image.transpose(operator.options["permutation"]))


def lower_blocks(context: Context, operator: Operator) -> None:
    """Lowers SPACE_TO_DEPTH and DEPTH_TO_SPACE. Source: kernels/internal/reference/{space_to_depth,depth_to_space}.h."""
    block = operator.options["block"]
    batch, height, width, channels = map(abs, context.tensor(operator.inputs[0]).shape)

    def blocks(image: np.ndarray) -> np.ndarray:
        if operator.name == "SPACE_TO_DEPTH":
            parted = image.reshape(batch, height // block, block, width // block, block, channels)
        else:
            parted = image.reshape(batch, height, width, block, block, channels // block**2)
        return parted.transpose(0, 1, 3, 2, 4, 5)

    add_move(context, operator, blocks)


def lower_reverse(context: Context, operator: Operator) -> None:
    """Lowers REVERSE_V2. Source: micro/kernels/reverse.cc."""
    if "axes" not in operator.options:
        raise context.refuse(operator, "its axes are computed, not constant", "convert with a fixed input shape")
    add_move(context, operator, lambda image: np.flip(image, operator.options["axes"]))


def lower_broadcast_to(context: Context, operator: Operator) -> None:
    """Lowers BROADCAST_TO. Source: micro/kernels/broadcast_to.cc."""
    if "new_shape" not in operator.options:
        raise context.refuse(operator, "its shape is computed, not constant", "convert with a fixed input shape")
    add_move(context, operator, lambda image: np.broadcast_to(image, operator.options["new_shape"]))


def lower_tile(context: Context, operator: Operator) -> None:
    """Lowers TILE, of which Keras's UpSampling2D is made. TFLite Micro has no kernel of it; source: kernels/tile.cc."""
    if "multiples" not in operator.options:
        raise context.refuse(operator, "its multiples are computed, not constant", "convert with a fixed input shape")
    shape = tuple(map(abs, context.tensor(operator.inputs[0]).shape))
    pairs = zip(operator.options["multiples"], shape, strict=True)
    repeated = tuple(extent for pair in pairs for extent in pair)
    apart = tuple(extent for each in shape for extent in (1, each))
    add_move(context, operator, lambda image: np.broadcast_to(image.reshape(apart), repeated))
