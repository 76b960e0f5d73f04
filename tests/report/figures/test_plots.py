"""The pictures: written whole, of a sensible size, with the figures they claim, and calm about hostile names."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from glyphlite.datasets.dataset import Dataset
from glyphlite.report.figures.plots import (
    comparison_figure,
    confusion_figure,
    saw_picture,
    size_accuracy_figure,
    training_figure,
    write_figures,
)
from glyphlite.report.figures.samples import SampleSheet
from glyphlite.report.figures.style import PALETTE, themed_svg
from glyphlite.results import Results
from glyphlite.training.history import EpochRecord


@pytest.mark.slow
def test_every_picture_of_a_run_is_written(results: Results, sheet: SampleSheet, tmp_path: Path):
    written = write_figures(results, tmp_path, samples=sheet)
    assert {each.name for each in written} == {
        "accuracy.png",
        "size-accuracy.png",
        "latency.png",
        "confusion.png",
        "samples-right.png",
        "samples-wrong.png",
    }
    assert sorted((tmp_path / "figures").glob("*.png")) == sorted(written)
    for path in written:
        with Image.open(path) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert min(picture.size) > 300
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20


@pytest.mark.slow
def test_hostile_labels_are_drawn_as_text(results: Results, sheet: SampleSheet, tmp_path: Path):
    labels = ["$\\frac{1$", "</svg><script>", "\N{PILE OF POO}", "a\nb", "_{x}^{y}", "%s", "", "$$", "\\", "x" * 40]
    assert len(write_figures(results.model_copy(update={"labels": labels}), tmp_path, samples=sheet)) == 6


def test_a_confusion_matrix_of_a_thousand_classes_names_some_of_them(results: Results):
    per_class = np.eye(1000, dtype=int)
    artifact = results.artifacts[3].model_copy(update={"confusion": per_class.tolist()})
    axes = confusion_figure(artifact, [f"class {each}" for each in range(1000)]).axes[0]
    assert [each.get_text() for each in axes.get_xticklabels()] == [f"class {each}" for each in range(0, 1000, 10)]


def names_at(svg: str) -> str:
    return " ".join(svg.split())


def test_svgs_follow_the_page_and_say_what_they_show(results: Results):
    svg = themed_svg(size_accuracy_figure(results), "size", 'Size "and" accuracy')
    assert svg.startswith("<svg role=")
    assert 'aria-label="Size &quot;and&quot; accuracy"' in svg
    assert "var(--accent)" in svg
    assert "var(--muted)" in svg
    assert not [colour for colour in PALETTE.values() if colour in svg.lower()]
    assert "http" not in svg
    for artifact in results.artifacts:
        assert f">{artifact.variant}, {artifact.bytes / 1024:.1f} KB<" in names_at(svg)


def test_names_of_close_files_do_not_cover_each_other(results: Results):
    close = [(f"model-{number}", results.artifacts[3], number == 0) for number in range(4)]
    figure = comparison_figure(close)
    places = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(places) == 4
    assert not any(one.overlaps(other) for place, one in enumerate(places) for other in places[:place])


def test_the_training_curve_names_the_kept_epoch():
    history = [EpochRecord(epoch, 0.001, 0.5 / epoch, 0.9 + epoch / 100, 0.3, 0.91 + epoch / 200, 6.0) for epoch in (1, 2, 3)]
    svg = themed_svg(training_figure(history, best_epoch=2), "training", "Training")
    assert "kept: epoch 2, 92.00 %" in svg
    assert "kept" not in themed_svg(training_figure(history[:1], best_epoch=9), "training", "Training")


@pytest.mark.parametrize("epochs", [1, 2, 3, 40])
def test_the_training_curve_counts_whole_epochs_and_its_words_are_apart(epochs: int):
    history = [EpochRecord(epoch, 0.001, 0.5, 0.8 + epoch / 400, 0.3, 0.89 + epoch / 400, 6.0) for epoch in range(1, epochs + 1)]
    figure = training_figure(history, best_epoch=epochs)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert shown
    assert all(tick == round(tick) for tick in shown)
    places = [Text.get_window_extent(text) for text in axes.texts]  # without an arrow
    assert len(places) == 3
    assert not any(one.overlaps(other) for place, one in enumerate(places) for other in places[:place])


@pytest.mark.parametrize("colour", [False, True])
def test_what_the_model_saw_stands_beside_the_original(mnist: Dataset, tmp_path: Path, colour: bool):
    seen = mnist.test.images[0]
    original = np.kron(255 - seen[:, :, 0], np.ones((5, 5), np.uint8))
    if colour:
        original = np.stack([original] * 3, axis=-1)
    path = saw_picture(original, seen, [("7", 0.97), ("1", 0.02), ("9", 0.01)], tmp_path / "saw.png", box=(30, 30, 110, 120))
    with Image.open(path) as picture:
        width, height = picture.size
        pixels = np.asarray(picture.convert("L"))
    assert width > 2 * height
    # Paper on the left, the black ground that the model sees in the middle.
    left, middle = pixels[:, : width // 3], pixels[:, width // 3 : 2 * width // 3]
    assert left.mean() > 180 > 120 > middle.mean()
