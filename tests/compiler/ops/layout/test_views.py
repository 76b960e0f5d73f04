"""Parts that lie in one piece are read where they are: no copy; others are copied, or come row by row."""

from pathlib import Path

import numpy as np
import pytest
from random_models.by_hand import write
from random_models.drafts import Draft, Step
from random_models.harness import run_generated
from random_models.one_op import Activation, Constant, one_op
from random_models.oracle import Oracle

from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph

WINDOW = {"kernel": (3, 3), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME", "bias": True, "fused": "none"}
NO_ACTIVATION = {"fused": "none"}


def split(source: int, axis: int, shapes: list[tuple[int, ...]]) -> list[Step]:
    settings = {"axis": axis, "shapes": shapes, "sizes": [shape[axis] for shape in shapes]}
    return [Step("split_v", (source,), shape, {"part": part, **settings}) for part, shape in enumerate(shapes)]


def compiled(input_shape: tuple[int, ...], steps: list[Step], folder: Path, seed: int = 1) -> str:
    """The generated C, whose bytes are TFLite Micro's."""
    model = write(Draft(seed, input_shape, tuple(steps), "int8"))
    graph = parse_graph(model, "parts")
    stored = np.random.default_rng(seed).integers(-128, 128, (40, *input_shape)).astype(np.int8)
    assert np.array_equal(run_generated(graph, stored, folder), Oracle(model).run(stored))
    return (folder / "net.c").read_text()


def test_parts_of_a_vector_are_read_where_they_are(tmp_path: Path):
    parts = split(1, 0, [(6,), (1,), (6,)])
    steps = [Step("dense", (0,), (13,), {"units": 13, "bias": True, "fused": "none"}), *parts]
    text = compiled((9,), [*steps, Step("add", (2, 4), (6,), NO_ACTIVATION)], tmp_path)
    assert "_split_v(" not in text


def test_parts_of_the_input_are_read_where_they_are(tmp_path: Path):
    parts = split(0, 0, [(2, 4, 3), (3, 4, 3)])
    text = compiled((5, 4, 3), [*parts, Step("conv", (2,), (3, 4, 5), {"filters": 5, **WINDOW})], tmp_path)
    assert "_split_v(" not in text
    assert "input + 24" in text


def test_nobody_writes_where_a_part_is_still_read(tmp_path: Path):
    """An ADD could write over its operand; here that is a part of the other one's memory."""
    parts = split(1, 0, [(1, 4, 3), (1, 4, 3)])
    first = Step("conv", (0,), (2, 4, 3), {"filters": 3, **WINDOW})
    compiled((2, 4, 3), [first, *parts, Step("add", (1, 3), (2, 4, 3), NO_ACTIVATION)], tmp_path)


def test_rows_of_a_map_that_nobody_else_reads_stay_rows(tmp_path: Path):
    """A convolution's last rows: the rows pass by, and its map never exists whole."""
    steps = [
        Step("conv", (0,), (12, 4, 8), {"filters": 8, **WINDOW}),
        Step("slice", (1,), (2, 4, 8), {"begin": [10, 0, 0], "size": [2, 4, 8]}),
        Step("reshape", (2,), (64,)),
        Step("dense", (3,), (4,), {"units": 4, "bias": True, "fused": "none"}),
    ]
    text = compiled((12, 4, 2), steps, tmp_path)
    assert "_slice(" in text
    header = (tmp_path / "net.h").read_text()
    arena = int(header.split("NET_ARENA_BYTES ")[1].split()[0].strip("()"))
    assert arena < 12 * 4 * 8


def test_channels_are_copied(tmp_path: Path):
    parts = split(0, 2, [(4, 4, 2), (4, 4, 3)])
    text = compiled((4, 4, 5), [*parts, Step("conv", (2,), (4, 4, 2), {"filters": 2, **WINDOW})], tmp_path)
    assert "_split_v(" in text


def test_channels_are_shuffled_by_a_transpose_of_five_axes(tmp_path: Path):
    """As ShuffleNet does: rows of a map become images of a batch, and rows again."""
    steps = [
        Step("conv", (0,), (4, 5, 6), {"filters": 6, **WINDOW}),
        Step("reshape", (1,), (4, 5, 2, 3)),
        Step("transpose", (2,), (4, 5, 3, 2), {"axes": [0, 1, 3, 2]}),
        Step("reshape", (3,), (4, 5, 6)),
        Step("conv", (4,), (4, 5, 2), {"filters": 2, **WINDOW}),
    ]
    compiled((4, 5, 3), steps, tmp_path)


@pytest.mark.parametrize(
    ("shape", "multiples"),
    [((3, 4, 2), (2, 1, 1)), ((3, 4, 2), (1, 3, 1)), ((3, 4, 2), (2, 2, 3)), ((5,), (4,)), ((1, 1, 3), (2, 2, 1))],
)
def test_a_tile_repeats_its_input(shape: tuple[int, ...], multiples: tuple[int, ...], tmp_path: Path):
    """TFLite Micro has no TILE, so NumPy says what it gives; Keras's UpSampling2D is made of it."""
    tiled = tuple(extent * times for extent, times in zip(shape, multiples, strict=True))
    operands = [Activation((1, *shape), 0.5, 3), Constant(np.array((1, *multiples), np.int32))]
    graph = parse_graph(one_op("TILE", operands, Activation((1, *tiled), 0.5, 3)), "tile")
    stored = np.random.default_rng(0).integers(-128, 128, (20, *shape)).astype(np.int8)
    expected = np.tile(stored, (1, *multiples)).reshape(20, -1)
    assert np.array_equal(run_generated(graph, stored, tmp_path), expected)


@pytest.mark.parametrize(
    ("multiples", "output", "words"),
    [((1, 0), (1, 2), "times"), ((1, 2, 2), (1, 4), "times"), ((1, 2), (1, 3), "computes the shape")],
)
def test_a_tile_that_does_not_fit_is_refused(multiples: tuple[int, ...], output: tuple[int, ...], words: str):
    operands = [Activation((1, 2), 0.5, 3), Constant(np.array(multiples, np.int32))]
    with pytest.raises(ArtifactError, match=words):
        parse_graph(one_op("TILE", operands, Activation(output, 0.5, 3)), "tile")
