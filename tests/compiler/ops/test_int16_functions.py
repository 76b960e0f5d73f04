"""SQUARED_DIFFERENCE, RSQRT and BATCH_MATMUL on int16, QUANTIZE from int32, and sums and products over several images."""

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, Constant, agree, one_op


def wide(shape: tuple[int, ...], scale: float) -> Activation:
    return Activation(shape, float(np.float32(scale)), 0, "int16")


def words(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> Constant:
    return Constant(rng.integers(-32768, 32768, shape).astype(np.int16), [float(np.float32(scale))])


def squared_difference(rng: np.random.Generator) -> bytes:
    whole = (1, *rng.integers(1, 6, 3).tolist())
    part = tuple(extent if rng.random() < 0.6 else 1 for extent in whole)
    first, second = (scale := 10 ** rng.uniform(-6, 0)), scale * 10 ** rng.uniform(-1, 1)
    pair = [wide(whole, first), words(rng, part, second)]
    output = wide(whole, max(first, second) ** 2 * 3e4 * 10 ** rng.uniform(-1, 1))
    return one_op("SQUARED_DIFFERENCE", pair if rng.random() < 0.5 else pair[::-1], output)


def rsqrt(rng: np.random.Generator) -> bytes:
    """Of what cannot be negative: TFLite Micro stops there."""
    whole, scale = (1, *rng.integers(1, 6, 3).tolist()), 10 ** rng.uniform(-6, 1)
    root = wide(whole, scale**-0.5 * 10 ** rng.uniform(-5, 0))
    return one_op("ABS", [wide(whole, scale)], wide(whole, scale), "AbsOptions", behind=[("RSQRT", root)])


def product(rng: np.random.Generator) -> bytes:
    rows, depth, columns = (int(extent) for extent in rng.integers(1, 9, 3))
    batch = (1, *rng.integers(1, 4, int(rng.integers(0, 3))).tolist())
    adjoint_x, adjoint_y = (bool(rng.random() < 0.5) for _ in range(2))
    first = (*batch, *((depth, rows) if adjoint_x else (rows, depth)))
    second = (*batch, *((columns, depth) if adjoint_y else (depth, columns)))
    scale = 10 ** rng.uniform(-6, 0)
    output = wide((*batch, rows, columns), scale**2 * 2e4 * depth**0.5)
    pair = [wide(first, scale), words(rng, second, scale)]
    return one_op("BATCH_MATMUL", pair, output, "BatchMatMulOptions", adjX=adjoint_x, adjY=adjoint_y)


def from_int32(rng: np.random.Generator) -> bytes:
    kind = ("int8", "int16")[int(rng.integers(2))]
    source = Activation((1, 2, 3, 4), 1.5e-7, 0, "int32")
    output = Activation((1, 2, 3, 4), float(np.float32(10 ** rng.uniform(-6, -1))), 5 if kind == "int8" else 0, kind)
    return one_op("QUANTIZE", [source], output, "QuantizeOptions")


def several_images(rng: np.random.Generator) -> bytes:
    whole = tuple(rng.integers(1, 6, 4).tolist())
    name, is_wide = ("ADD", "SUB", "MUL", "MAXIMUM", "SQUARED_DIFFERENCE")[int(rng.integers(5))], rng.random() < 0.5
    kind, zero_point, unit = ("int16", 0, 257) if is_wide else ("int8", 7, 1)
    source = Activation(whole, 0.1, zero_point, kind)
    stored = rng.integers(-128, 128, whole if rng.random() < 0.5 else (1, 1, 1, whole[-1]))
    scale = {"MUL": 0.6 * unit, "SQUARED_DIFFERENCE": 2.0 * unit}.get(name, 0.2)
    options = f"{name.title()}Options" if name in ("ADD", "SUB", "MUL") else None
    pair = [source, Constant((stored * unit).astype(kind), [0.1], zero_point)]
    return one_op(name, pair, Activation(whole, scale, zero_point, kind), options)


@pytest.mark.parametrize("path", PATHS)
def test_models_agree(path: str):
    place = list(PATHS).index(path)
    rng = np.random.default_rng(place)
    drawn = {each.__name__: each for each in (squared_difference, rsqrt, product, from_int32, several_images)}
    models = {f"{name} {number}": draw(rng) for name, draw in drawn.items() for number in range(6)}
    agree(models, path=path, optimize=OPTIMIZE[place % 3], seed=place, inputs=12)
