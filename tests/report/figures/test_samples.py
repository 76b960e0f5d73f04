"""The choice of samples on real test images."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.report.figures.samples import SampleSheet, choose_samples, decode_png, encode_png


@pytest.fixture(scope="module")
def chosen(mnist: Dataset) -> tuple[SampleSheet, np.ndarray]:
    images, labels = mnist.test.images[:500], mnist.test.labels[:500]
    random = np.random.default_rng(1)
    probabilities = random.dirichlet(np.ones(10), 500)
    # Three of four are made right; the rest stay as they fell.
    for index in np.flatnonzero(random.random(500) < 0.75):
        best = probabilities[index].argmax()
        probabilities[index, [best, labels[index]]] = probabilities[index, [labels[index], best]]
    return choose_samples(images, labels, probabilities, artifact="a.tflite"), probabilities


def test_mistakes_are_the_surest_and_right_ones_cover_the_classes(chosen: tuple[SampleSheet, np.ndarray], mnist: Dataset):
    sheet, probabilities = chosen
    labels, predictions = mnist.test.labels[:500], probabilities.argmax(axis=1)
    certainty = probabilities.max(axis=1)
    assert sheet.mistakes == np.count_nonzero(predictions != labels) > 20
    assert [each.certainty for each in sheet.wrong] == sorted(certainty[predictions != labels], reverse=True)[:20]
    assert all(not each.is_right for each in sheet.wrong)
    assert sorted(each.label for each in sheet.right) == list(range(10))
    for each in (*sheet.right, *sheet.wrong):
        assert (each.label, each.predicted) == (labels[each.index], predictions[each.index])
        assert each.label_probability == probabilities[each.index, each.label]
        assert np.array_equal(decode_png(each.png), mnist.test.images[each.index, :, :, 0])


def test_the_draw_is_seeded(mnist: Dataset, chosen: tuple[SampleSheet, np.ndarray]):
    sheet, probabilities = chosen
    images, labels = mnist.test.images[:500], mnist.test.labels[:500]
    again = choose_samples(images, labels, probabilities, artifact="a.tflite")
    other = choose_samples(images, labels, probabilities, artifact="a.tflite", seed=7)
    assert again == sheet
    assert [each.index for each in other.right] != [each.index for each in sheet.right]
    assert other.wrong == sheet.wrong


def test_a_sheet_survives_the_disk_and_a_broken_one_is_refused(chosen: tuple[SampleSheet, np.ndarray], tmp_path: Path):
    sheet, _ = chosen
    assert SampleSheet.load(sheet.save(tmp_path / "figures" / "samples.json")) == sheet
    (tmp_path / "broken.json").write_text('{"artifact": "a"')
    with pytest.raises(DataError, match=r"broken\.json"):
        SampleSheet.load(tmp_path / "broken.json")
    with pytest.raises(DataError, match=r"absent\.json"):
        SampleSheet.load(tmp_path / "absent.json")


def test_colour_images_stay_colour():
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    assert np.array_equal(decode_png(encode_png(image)), image)
