"""A model whose channels come first, as PyTorch's do: wherever pixels enter, they come in its order."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.assembled import Assembly

from glyphlite.compiler import compile_artifact
from glyphlite.compiler.interface import Sample
from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.evaluation.convention_search import find_convention
from glyphlite.evaluation.simulation import simulate
from glyphlite.export.tflm.project import export_tflm
from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.pipeline.compile import _purpose_words
from glyphlite.tflite.reader import read_graph

LABELS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def colours() -> Dataset:
    """Pictures of one colour with noise; in another order all channels have the same mean."""
    rng = np.random.default_rng(2)
    labels = np.arange(60) % 3
    pictures = rng.integers(40, 200, (60, 8, 8, 3)) + 50 * np.eye(3, dtype=int)[labels][:, None, None]
    split = Split(pictures.astype(np.uint8), labels)
    return Dataset("colours", LABELS, split, split, split, "here")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The brightest channel of 3x8x8 pixels, whose file does not say how it takes them."""
    assembly = Assembly()
    main = assembly.subgraph()
    pixels, row, scores = (
        main.tensor((1, 3, 8, 8), (0.008, -128)),
        main.tensor((1, 192), (0.008, -128)),
        main.tensor((1, 3), (0.01, -128)),
    )
    main.op("RESHAPE", [pixels, main.constant(np.array([1, 192], np.int32))], [row], "ReshapeOptions")
    weights = main.constant(np.repeat(np.eye(3, dtype=np.int8), 64, axis=1), [(1 / 64, 0)])
    main.op(
        "FULLY_CONNECTED",
        [row, weights, main.constant(np.zeros(3, np.int32), [(0.008 / 64, 0)])],
        [scores],
        "FullyConnectedOptions",
    )
    main.edges([pixels], [scores])
    path = tmp_path_factory.mktemp("first") / "colour.tflite"
    path.write_bytes(assembly.pack())
    return path


def test_ranges_are_tried_on_pixels_in_its_order(artifact: Path, colours: Dataset) -> None:
    found = find_convention(artifact, colours)
    assert found.accuracy is not None
    assert found.accuracy.value == 1


def test_its_c_is_shown_pixels_in_its_order(artifact: Path, colours: Dataset, tmp_path: Path) -> None:
    sample = Sample(colours.test.images[1], 1)
    compile_artifact(artifact, tmp_path / "c", sample=sample, labels=LABELS, convention=OURS)
    header = (tmp_path / "c" / "colour.h").read_text()
    for side, extent in (("HEIGHT", 8), ("WIDTH", 8), ("CHANNELS", 3)):
        assert f"#define COLOUR_INPUT_{side} {extent}\n" in header
    assert "8 x 8, rows first, one byte per pixel, 3 channels one behind the other" in " ".join(header.split())
    ran = subprocess.run(["make", "-s", "-C", tmp_path / "c" / "example"], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.endswith("class: green\n")
    simulation = simulate(tmp_path / "c", "cortex-m0", colours.test.images[:3])
    assert simulation.classes.tolist() == [0, 1, 2]


def test_a_range_for_each_channel_is_left_to_the_caller(artifact: Path, tmp_path: Path) -> None:
    """The C's table of pixels goes by channels side by side."""
    convention = InputConvention((120.0, 110.0, 100.0), (60.0, 61.0, 62.0), "ImageNet, say")
    report = compile_artifact(artifact, tmp_path / "c", labels=LABELS, convention=convention)
    assert "colour_classify" not in (tmp_path / "c" / "colour.h").read_text()
    assert "no colour_classify, as channels that lie one behind the other have a range each" in _purpose_words(
        report, read_graph(artifact)
    )


def test_its_tflite_micro_program_holds_the_picture_in_its_order(artifact: Path, colours: Dataset, tmp_path: Path) -> None:
    picture = colours.test.images[1]
    export_tflm(artifact, tmp_path / "tflm", image=picture, label=1, labels=LABELS, convention=OURS)
    assert "channels, height, width" in (tmp_path / "tflm" / "model_inference.h").read_text()
    text = (tmp_path / "tflm" / "test_image.h").read_text()
    first = [int(each) for each in text.split("= {")[1].split(",")[:8]]
    assert first == picture[0, :, 0].tolist()
