"""``predict`` on what people name: several pictures of which some are bad, pictures of several glyphs, pages."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.pipeline.predict import Answers, Failure, Prediction, _refusal, predict_pictures
from glyphlite.records import Certainty


def answers_of(samples: Path, *pictures: Path, every: bool = False) -> Answers:
    model = samples / "model_int8.tflite"
    return predict_pictures(pictures, model_path=model, samples=[], show=None, every=every, dataset="mnist", data_dir=None)


def written(mnist: Dataset, lines: list[list[int]], path: Path) -> list[str]:
    """Puts test images on white paper, a row per line; returns their labels a string per line."""
    page = np.full((160 * len(lines) + 40, 150 * max(map(len, lines)) + 40), 245, np.uint8)
    for row, line in enumerate(lines):
        for column, index in enumerate(line):
            top, left = 40 + 160 * row, 40 + 150 * column
            digit = np.kron(mnist.test.images[index, ..., 0], np.ones((4, 4), int))
            page[top : top + 112, left : left + 112] = 245 - digit * 200 // 255
    Image.fromarray(page).save(path)
    return [" ".join(str(mnist.test.labels[index]) for index in line) for line in lines]


def test_bad_pictures_do_not_stop_the_others(samples: Path, mnist: Dataset, tmp_path: Path, capsys) -> None:
    Image.new("L", (60, 60), 200).save(tmp_path / "blank.png")
    (tmp_path / "broken.png").write_text("no picture")
    (seven,) = written(mnist, [[0]], tmp_path / "seven.png")
    names = ["seven.png", "blank.png", "broken.png", "missing.png", "seven.png"]
    answers = answers_of(samples, *(tmp_path / name for name in names))
    assert [Path(entry.picture).name for entry in answers.entries] == names
    assert [isinstance(entry, Failure) for entry in answers.entries] == [False, True, True, True, False]
    assert [each.label for each in answers.predictions] == [seven, seven]
    document = json.loads(json.dumps(answers.document()))
    assert [entry.get("error") is not None for entry in document] == [False, True, True, True, False]
    with pytest.raises(DataError, match=r"3 of 4 pictures gave no answer.*blank\.png.*broken\.png.*missing\.png"):
        answers.raise_failures()
    assert "blank.png is blank" in capsys.readouterr().err.replace("\n", "")


def test_a_single_bad_picture_is_one_error(samples: Path, tmp_path: Path) -> None:
    Image.new("L", (60, 60), 200).save(tmp_path / "blank.png")
    for every in (False, True):
        answers = answers_of(samples, tmp_path / "blank.png", every=every)
        with pytest.raises(DataError, match=r"blank\.png is blank: no glyph stands out .*write darker"):
            answers.raise_failures()


@pytest.mark.parametrize("indices", [[0, 1], [3, 2, 1], [17, 4]])
def test_several_glyphs_are_counted_and_read_in_order(samples: Path, mnist: Dataset, tmp_path: Path, indices: list[int]) -> None:
    reads = written(mnist, [indices], tmp_path / "number.png")
    (one,) = answers_of(samples, tmp_path / "number.png").predictions
    assert one.glyphs == len(indices)
    assert one.note == f"{len(indices)} glyphs found; this is the largest; --all reads each"
    page = answers_of(samples, tmp_path / "number.png", every=True)
    assert [each.label for each in page.predictions] == reads[0].split()
    assert list(page.readings.values()) == [tuple(reads)]
    assert all(each.note is None for each in page.predictions)


def test_one_glyph_gets_no_note(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    for index in (0, 3, 8):
        written(mnist, [[index]], tmp_path / f"{index}.png")
    answers = answers_of(samples, *tmp_path.glob("*.png"))
    assert [each.note for each in answers.predictions] == [None] * 3


def test_lines_are_read_a_row_each(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    reads = written(mnist, [[0, 1, 2], [3, 4]], tmp_path / "page.png")
    answers = answers_of(samples, tmp_path / "page.png", every=True)
    assert [each.line for each in answers.predictions] == [1, 1, 1, 2, 2]
    assert {each.reads for each in answers.predictions} == {tuple(reads)}


def test_a_doubted_glyph_is_marked_in_the_reading() -> None:
    from glyphlite.pipeline.predict import _with_readings

    sure = Prediction("page.png", "3", 0.99, (("3", 0.99),), line=1)
    unsure = Prediction("page.png", "1", 0.4, (("1", 0.4),), line=1, doubt="it is a blot")
    assert [each.reads for each in _with_readings([sure, unsure])] == [("3 1?",)] * 2


def test_a_refusal_by_a_twins_threshold_says_that_the_file_has_seen_these_images_since() -> None:
    certainty = Certainty(temperature=1, least_certainty=0.9, floor=0.001, images=5000)
    own, twin = (_refusal(0.5, ("0", "1"), each) for each in (certainty, certainty.model_copy(update={"twin": True})))
    assert "99 % of validation digits reach 90.0 %, so" in own
    assert "99 % of validation digits reached 90.0 % before the model was trained on them, too, so" in twin
