"""MAX_POOL_2D and AVERAGE_POOL_2D of any window: TFLite Micro's bytes on every path, and on a core that runs the assembly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models.harness import PATHS
from random_models.one_op import Activation, agree, one_op

from glyphlite.compiler.lower import lower
from glyphlite.compiler.ops.reduction.sum_line import fit_sum_lines
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.checked_op import convolved
from glyphlite.tflite.reader import parse_graph

PADDINGS = ("same", "valid")


def pool(
    kind: str, shape: tuple[int, int, int], window: tuple[int, int], strides: tuple[int, int], padding: str, fused: int
) -> bytes:
    source = Activation((1, *shape), 0.05, -20)
    extents = [convolved(size, extent, step, 1, padding) for size, extent, step in zip(shape[:2], window, strides, strict=True)]
    fields: dict[str, Any] = {"filterHeight": window[0], "filterWidth": window[1], "strideH": strides[0], "strideW": strides[1]}
    fields |= {"padding": PADDINGS.index(padding), "fusedActivationFunction": fused}
    return one_op(f"{kind}_POOL_2D", [source], Activation((1, *extents, shape[2]), 0.05, -20), "Pool2DOptions", **fields)


def any_pool(rng: np.random.Generator) -> tuple[str, bytes]:
    """A window of 1 to 6 by 1 to 6, seldom more, on one channel to twenty, with and without a clamp."""
    most = 7 if rng.random() < 0.9 else 20
    window = int(rng.integers(1, most)), int(rng.integers(1, most))
    shape = window[0] + int(rng.integers(0, 8)), window[1] + int(rng.integers(0, 8)), int(rng.integers(1, 21))
    strides = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    kind, padding = str(rng.choice(["MAX", "AVERAGE"])), str(rng.choice(PADDINGS))
    fused = int(rng.choice([0, 0, 1, 3]))
    return f"{kind} {shape} {window} {strides} {padding} {fused}", pool(kind, shape, window, strides, padding, fused)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_any_window_agrees(path: str):
    rng = np.random.default_rng([9, list(PATHS).index(path)])
    agree(dict(any_pool(rng) for _ in range(30)), path=path)


@pytest.mark.parametrize("core", ["cortex_m0", "cortex_m4"])
@pytest.mark.parametrize(
    ("kind", "shape", "window", "padding", "fused"),
    [
        ("MAX", (7, 9, 7), (3, 3), "same", 0),
        ("MAX", (6, 6, 4), (2, 3), "valid", 3),
        ("AVERAGE", (7, 9, 7), (3, 3), "same", 1),
        ("AVERAGE", (6, 6, 8), (2, 2), "valid", 0),
        ("AVERAGE", (9, 9, 3), (6, 6), "same", 0),
    ],
)
def test_emulated_cores_agree(
    core: str, kind: str, shape: tuple[int, int, int], window: tuple[int, int], padding: str, fused: int, tmp_path: Path
):
    path = tmp_path / "model.tflite"
    path.write_bytes(pool(kind, shape, window, (2, 1), padding, fused))
    with get_runtime("tflm").load(path) as reference, get_runtime(core).load(path) as model:
        inputs = np.random.default_rng(1).integers(-128, 128, (12, *model.inputs[0].shape)).astype(np.int8)
        inputs[0], inputs[1] = -128, 127
        [expected], [got] = reference.run((inputs,)), model.run((inputs,))
        assert np.array_equal(got, expected)


def test_windows_at_borders_lie_on_fewer_bytes():
    graph = parse_graph(pool("AVERAGE", (6, 6, 1), (3, 3), (2, 2), "same", 0))
    [node] = lower(graph).nodes
    assert node._counts() == (4, 6, 9)  # type: ignore[attr-defined]


def test_lines_of_several_sums_share_a_shift():
    counts = (4, 6, 9, 25)
    answers = []
    for count in counts:
        centred = np.arange(255 * count + 1) - 128 * count
        answers.append((np.sign(centred) * ((np.abs(centred) + count // 2) // count) + 128).astype(np.uint8))
    lines = fit_sum_lines(answers, [1 / count for count in counts])
    assert len({line.shift for line in lines}) == 1
    for line, wanted in zip(lines, answers, strict=True):
        assert np.array_equal((np.arange(len(wanted)) * line.factor + line.start) >> line.shift, wanted)
