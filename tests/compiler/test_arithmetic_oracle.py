"""The arithmetic of generated C against exact integers: no reference kernel, no NumPy of ours, only the definition.

``MultiplyByQuantizedMultiplier`` of TensorFlow Lite Micro with double rounding is, over the integers: shift left (wrapping to 32
bits), multiply, divide by 2**31 rounding to nearest with halves up, divide by 2**-shift rounding to nearest with halves away from
zero. Here that is written with Python's integers; a C twin on 128-bit integers, checked against it, does ten million cases.
"""

import ctypes
import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from random_models.by_hand import write
from random_models.drafts import Draft, Step
from random_models.harness import PATHS, run_generated
from support.slow import rest_slow

from glyphlite.compiler import arithmetic, compile_graph
from glyphlite.emulation.toolchain import compile_shared
from glyphlite.tflite.reader import parse_graph

LOW, HIGH = -(2**31), 2**31 - 1
EDGES = sorted(
    {LOW, LOW + 1, -(2**30), -(2**30) - 1, -65537, -65535, -32769, -1, 0, 1, 2, 3, 32767, 65535, 65537}
    | {2**30 - 1, 2**30, 2**30 + 1, HIGH - 1, HIGH, 0x7FFF0000, 0x7FFF8000, 0x55555555, -0x55555556, 1518500249}
    | {sign * 2**bit + step for sign in (1, -1) for bit in (7, 15, 16, 22, 29) for step in (-1, 0, 1)}
)

HELPERS = ("high_mul", "round_shift", "scale_wide", "product")

HARNESS = r"""
#include "net.c"
typedef __int128 wide;
static wide floor_div(wide a, wide b) { wide q = a / b; return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q; }

int32_t exact_high_mul(int32_t a, int32_t b) { return (int32_t)floor_div((wide)a * b + ((wide)1 << 31), (wide)1 << 32); }
int32_t exact_product(int32_t a, int32_t b) { return (int32_t)floor_div((wide)a * b + ((wide)1 << 30), (wide)1 << 31); }
int32_t exact_round_shift(int32_t a, int32_t shift) {
  const wide size = a < 0 ? -(wide)a : a, rounded = floor_div(2 * size + ((wide)1 << shift), (wide)2 << shift);
  return (int32_t)(a < 0 ? -rounded : rounded);
}
int32_t exact_scale(int32_t a, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const wide moved = (wide)a * ((wide)1 << left);
  const int32_t wrapped = (int32_t)(uint32_t)(uint64_t)moved;
  return exact_round_shift(exact_product(wrapped, multiplier), left - shift);
}
void exact_scales(const int32_t *a, const int32_t *multiplier, const int32_t *shift, int32_t *out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = exact_scale(a[i], multiplier[i], shift[i]);
}

static uint64_t state;
static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state; }
/* Any 32 bits, or a number of few bits of either sign: halves and carries are common among these. */
static int32_t draw(void) {
  const uint64_t bits = next();
  return (int32_t)(uint32_t)bits >> ((bits >> 40) % 3 ? 0 : (bits >> 48) % 31);
}
static int32_t draw_multiplier(void) { return (int32_t)((1u << 30) | ((uint32_t)next() >> 2)); }

int64_t wrong_helpers(uint64_t seed, int64_t cases, int32_t *first) {
  int64_t wrong = 0;
  state = seed;
  for (int64_t i = 0; i < cases; i++) {
    int32_t a = draw(), b = draw();
    const int32_t m = next() % 16 ? draw_multiplier() : draw() & 0x7FFFFFFF;
    const int32_t shift = (int32_t)(next() % 63) - 31, right = (int32_t)(next() % 32);
    if (a == INT32_MIN) a = 0;
    const int bad = (net_high_mul(a, m) != exact_high_mul(a, m)) | (net_round_shift(b, right) != exact_round_shift(b, right)) << 1
      | (net_scale_wide(b, m, shift) != exact_scale(b, m, shift)) << 2 | (net_product(a, b) != exact_product(a, b)) << 3;
    if (bad && !wrong++) { first[0] = bad; first[1] = a; first[2] = b; first[3] = m; first[4] = shift; first[5] = right; }
  }
  return wrong;
}
int32_t emitted_high_mul(int32_t a, int32_t b) { return net_high_mul(a, b); }
int32_t emitted_round_shift(int32_t a, int32_t shift) { return net_round_shift(a, shift); }
int32_t emitted_scale_wide(int32_t a, int32_t multiplier, int32_t shift) { return net_scale_wide(a, multiplier, shift); }
int32_t emitted_product(int32_t a, int32_t b) { return net_product(a, b); }
"""


def build(folder: Path, flags: tuple[str, ...]) -> ctypes.CDLL:
    """The helpers in the C of a model that needs all of them, and the exact model beside them."""
    for seed in range(100, 200):
        steps = (
            Step("dense", (0,), (3,), {"units": 3, "bias": True, "fused": "none"}),
            Step("add", (1,), (3,), {"constant": (3,), "fused": "none"}),
            Step("softmax", (2,), (3,)),
            Step("log_softmax", (3,), (3,)),
        )
        compilation = compile_graph(parse_graph(write(Draft(seed, (2,), steps, "int8"))), "net")
        if all(f"net_{helper}(" in compilation.files["net.c"] for helper in HELPERS):
            break
    else:
        pytest.fail(f"no model needs {HELPERS}: have they other names now?")
    compilation.write(folder)
    source = folder / "harness.c"
    source.write_text(HARNESS)
    flags = ("-O2", "-std=gnu11", "-w", *flags)
    return ctypes.CDLL(str(compile_shared([source], folder / "harness.so", flags=flags, include=[folder])))


@pytest.fixture(scope="module", params=rest_slow(["plain", "v6m"]))
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """For one path; undefined behaviour would end the process."""
    traps = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
    return build(tmp_path_factory.mktemp("helpers"), (*traps, *PATHS[request.param]))


@pytest.fixture(scope="module")
def library_of_scales(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return build(tmp_path_factory.mktemp("scales"), ())


def wrap(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def nearest_halves_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def nearest_halves_away(value: Fraction) -> int:
    rounded = math.floor(abs(value) + Fraction(1, 2))
    return -rounded if value < 0 else rounded


def exact_scale(value: int, multiplier: int, shift: int) -> int:
    high = nearest_halves_up(Fraction(wrap(value << max(shift, 0)) * multiplier, 2**31))
    return nearest_halves_away(Fraction(high, 2 ** max(-shift, 0)))


def test_every_pair_of_edges(library: ctypes.CDLL):
    for a, b in itertools.product(EDGES, EDGES):
        if a != LOW and b >= 0:
            assert library.emitted_high_mul(a, b) == library.exact_high_mul(a, b) == nearest_halves_up(Fraction(a * b, 2**32)), (
                a,
                b,
            )
        if (a, b) != (LOW, LOW):
            assert library.emitted_product(a, b) == library.exact_product(a, b) == nearest_halves_up(Fraction(a * b, 2**31)), (
                a,
                b,
            )
    for a, shift in itertools.product(EDGES, range(32)):
        expected = nearest_halves_away(Fraction(a, 2**shift))
        assert library.emitted_round_shift(a, shift) == library.exact_round_shift(a, shift) == expected, (a, shift)


def test_every_edge_under_every_multiplier_and_shift(library: ctypes.CDLL):
    for a, multiplier, shift in itertools.product(EDGES, (0, 1, 2**30, 2**30 + 1, 1518500250, HIGH - 1, HIGH), range(-31, 31)):
        expected = exact_scale(a, multiplier, shift)
        assert library.exact_scale(a, multiplier, shift) == expected, (a, multiplier, shift)
        assert library.emitted_scale_wide(a, multiplier, shift) == expected, (a, multiplier, shift)


def test_ten_million_random_cases(library: ctypes.CDLL):
    first = (ctypes.c_int32 * 6)()
    library.wrong_helpers.restype = ctypes.c_int64
    library.wrong_helpers.argtypes = [ctypes.c_uint64, ctypes.c_int64, ctypes.c_void_p]
    wrong = library.wrong_helpers(0x9E3779B97F4A7C15, 10_000_000, first)
    assert wrong == 0, f"{wrong} wrong; the first (which, a, b, multiplier, shift, right): {list(first)}"


def test_the_compilers_own_arithmetic_is_exact():
    """glyphlite.compiler.arithmetic, which makes the tables: the same definition."""
    rng = np.random.default_rng(5)
    for multiplier, shift in itertools.product((0, 2**30, 1518500250, HIGH), range(-31, 31, 3)):
        values = np.concatenate([np.array(EDGES), rng.integers(LOW, HIGH, 200)])
        got = arithmetic.multiply_by_quantized_multiplier(values, multiplier, shift)
        assert [int(value) for value in got] == [exact_scale(int(value), multiplier, shift) for value in values], (
            multiplier,
            shift,
        )


def exact_multiplier(real: float) -> tuple[int, int]:
    """``real`` as multiplier and shift, from the definition: the multiplier in [2**30, 2**31), rounded, halves away from zero."""
    value, shift = Fraction(real), 0
    while value >= 1:
        value, shift = value / 2, shift + 1
    while value < Fraction(1, 2):
        value, shift = value * 2, shift - 1
    multiplier = nearest_halves_away(value * 2**31)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    return (multiplier, shift) if shift >= -31 else (0, 0)


def test_multipliers_of_real_numbers_are_exact():
    rng = np.random.default_rng(6)
    edges = [1.0, 0.5, 2.0, 1 - 2**-53, 1 - 2**-32, 0.5 - 2**-54, 2.0**-31, 2.0**-32, 2.0**-33, 1e-12, 3e8]
    for real in [*edges, *(10 ** rng.uniform(-12, 8, 3000))]:
        assert arithmetic.quantize_multiplier(float(real)) == exact_multiplier(float(real)), real


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_layers_scale_every_sum_exactly(seed: int, tmp_path: Path, library_of_scales: ctypes.CDLL):
    """A dense layer of two inputs and sixteen units, whole: all 65,536 inputs, a million sums a model, on one path in turn.

    Whatever form the compiler chose for the layer's scaling (pieces, no shift, positive only, wide), the bytes must be exact.
    """
    settings = {"units": 16, "bias": True, "fused": ("none", "relu", "relu6", "relu_n1_to_1")[seed % 4]}
    graph = parse_graph(write(Draft(1000 + seed, (2,), (Step("dense", (0,), (16,), settings),), "int8")))
    operator = graph.operators[0]
    source, weights, bias, result = (graph.tensors[index] for index in (*operator.inputs, operator.outputs[0]))
    assert source.quantization is not None
    assert weights.quantization is not None
    assert result.quantization is not None
    assert weights.data is not None
    assert bias.data is not None
    values = np.arange(-128, 128, dtype=np.int8)
    inputs = np.stack(np.meshgrid(values, values, indexing="ij"), axis=-1).reshape(-1, 2)
    centered = inputs.astype(np.int64) - source.quantization.zero_point
    sums = centered @ weights.data.astype(np.int64).T + bias.data.astype(np.int64)
    scales = weights.quantization.scales
    reals = [source.quantization.scale * scale / result.quantization.scale for scale in (scales * 16)[:16]]
    pairs = [exact_multiplier(real) for real in reals]
    multipliers, shifts = (np.tile(np.array(column, np.int32), len(sums)) for column in zip(*pairs, strict=True))
    scaled = np.empty(sums.size, np.int32)
    flat = np.ascontiguousarray(sums.reshape(-1), np.int32)
    arrays = (array.ctypes.data_as(ctypes.c_void_p) for array in (flat, multipliers, shifts, scaled))
    library_of_scales.exact_scales(*arrays, ctypes.c_int64(sums.size))
    zero, (low, high) = result.quantization.zero_point, exact_clamp(str(settings["fused"]), result.quantization.scale)
    expected = np.clip(scaled.astype(np.int64) + zero, max(-128, zero + low), min(127, zero + high)).reshape(sums.shape)
    got = run_generated(graph, inputs, tmp_path, path=list(PATHS)[seed // 3 % len(PATHS)])
    assert np.array_equal(got, expected)


def exact_clamp(activation: str, scale: float) -> tuple[int, int]:
    """A fused activation's range in steps from the zero point; the division is in float32, as the reference's."""

    def steps(real: float) -> int:
        return nearest_halves_away(Fraction(float(np.float32(real) / np.float32(scale))))

    ranges = {"none": (-(10**9), 10**9), "relu": (0, 10**9), "relu6": (0, steps(6)), "relu_n1_to_1": (steps(-1), steps(1))}
    return ranges[activation]
