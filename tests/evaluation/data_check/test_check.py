"""The check of a dataset: every kind of fault that was put into a small one is found, and nothing is found in a clean one."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from rich.console import Console
from typer.testing import CliRunner

from glyphlite.cli import app
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.registry import load_dataset, survey_dataset
from glyphlite.errors import DataError, OutputError
from glyphlite.evaluation.data_check.check import check_survey
from glyphlite.evaluation.data_check.records import Unreadable
from glyphlite.pipeline.check_data import check_data
from glyphlite.report.findings.data_findings import data_findings
from glyphlite.report.html.data_page import render_data_check
from glyphlite.report.terminal.data_check import data_check_view


@pytest.fixture
def digits(mnist: Dataset, tmp_path: Path) -> Path:
    """Pictures of three digits, twelve to train and four to test of each."""
    for split, part, count in (("train", mnist.train, 12), ("test", mnist.test, 4)):
        for label in (1, 3, 6):
            folder = tmp_path / "digits" / split / str(label)
            folder.mkdir(parents=True)
            for number in np.flatnonzero(part.labels == label)[:count]:
                Image.fromarray(part.images[number, ..., 0]).save(folder / f"{number:05}.png")
    return tmp_path / "digits"


def _pictures(folder: Path, label: str) -> list[Path]:
    return sorted((folder / "train" / label).iterdir())


def test_nothing_is_found_in_clean_data(digits: Path) -> None:
    check = check_survey(survey_dataset(str(digits)), suspects=False)
    assert data_findings(check) == []
    assert (check.images, check.sizes, check.modes, check.imbalance) == (48, {"28x28": 48}, {"L": 48}, 1)
    assert [each.images for each in check.classes] == [{"training": 12, "test": 4}] * 3


def test_sizes_are_height_by_width_and_say_so(digits: Path) -> None:
    for number, picture in enumerate(_pictures(digits, "1")):
        Image.open(picture).resize((40, 32)).save(picture.with_name(f"wide{number}.png"))
    check = check_survey(survey_dataset(str(digits)), suspects=False)
    assert set(check.sizes) == {"28x28", "32x40"}  # Pillow names the width first
    assert any("32x40 (12), height x width: the glyph on each is cut out" in each for each in check.notes)
    console = Console(width=200)
    with console.capture() as capture:
        console.print(data_check_view(check))
    assert "sizes (height x width): 28x28 (48), 32x40 (12); modes" in capture.get()


def test_every_fault_is_found_and_named(digits: Path) -> None:
    ones, threes, sixes = (_pictures(digits, label) for label in "136")
    (digits / "train" / "3" / "broken.png").write_bytes(b"\x89PNG broken")
    (digits / "train" / "6" / "blank.png").write_bytes(b"")
    (digits / "test" / "3" / "copy.png").write_bytes(threes[0].read_bytes())
    (digits / "train" / "1" / "both.png").write_bytes(threes[1].read_bytes())
    (digits / "train" / "3" / "again.png").write_bytes(threes[2].read_bytes())
    ImageOps.invert(Image.open(sixes[0])).save(sixes[0])
    Image.open(ones[0]).resize((40, 40)).convert("RGB").save(ones[0])
    for path in ones[1:11]:
        path.unlink()
    check = check_survey(survey_dataset(str(digits)), suspects=False)
    assert {each.name for each in check.unreadable} == {"train/3/broken.png", "train/6/blank.png"}
    assert [(each.two_classes, each.across, len(each.images)) for each in check.repetitions] == [
        (True, False, 2),
        (False, True, 2),
        (False, False, 2),
    ]
    assert {image.name for image in check.repetitions[0].images} == {"train/1/both.png", f"train/3/{threes[1].name}"}
    assert [each.name for each in check.inverted] == [f"train/6/{sixes[0].name}"]
    assert check.sizes == {"28x28": check.images - 1, "40x40": 1}
    assert check.modes == {"L": check.images - 1, "RGB": 1}
    said = data_findings(check)
    for words in ("2 pictures cannot be read", "under 1 and 3", "in training and test", "dark on light", "unequal"):
        assert any(words in each for each in said), words
    assert any("40x40 (1): the glyph on each is cut out" in each for each in check.notes)
    assert check.normalized
    assert any(each.endswith("Each is made light on dark.") for each in said)


def test_the_check_says_of_blank_pictures_what_training_does_with_them(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (28, 28)).save(digits / "train" / "3" / "blank.png")
    check = check_survey(survey_dataset(str(digits)), suspects=False)
    assert (check.unreadable, check.blank) == ([], ["train/3/blank.png"])
    assert "1 picture blank, one colour all over, and trained on all the same" in data_findings(check)[0]
    assert len(load_dataset(str(digits)).train) + len(load_dataset(str(digits)).validation) == 37
    assert "1 of 49 pictures are blank, and used all the same: train/3/blank.png" in " ".join(capsys.readouterr().err.split())
    Image.new("L", (30, 30), 9).save(digits / "train" / "3" / "large.png")
    check = check_survey(survey_dataset(str(digits)), suspects=False)
    assert ([each.name for each in check.unreadable], check.blank) == (["train/3/blank.png", "train/3/large.png"], [])
    with pytest.raises(DataError, match=r"2 of 50 pictures of .* cannot be taken"):
        load_dataset(str(digits))


def test_the_check_sees_the_pixels_that_training_sees(digits: Path) -> None:
    for path in digits.rglob("*.png"):
        Image.fromarray((np.asarray(Image.open(path)) < 128).astype(np.uint8)).save(path)
    survey, dataset = survey_dataset(str(digits)), load_dataset(str(digits))
    trained = np.concatenate([dataset.train.images, dataset.validation.images, dataset.test.images])
    assert sorted(image.tobytes() for image in survey.images) == sorted(image.tobytes() for image in trained)
    check = check_survey(survey, suspects=False)
    assert check.dark_on_light
    assert check.inverted == []
    assert "the pictures are dark on light: each was made light on dark, as predict does" in check.notes


def test_copies_of_other_bytes_are_found_by_their_pixels(digits: Path) -> None:
    one = _pictures(digits, "1")[0]
    Image.open(one).save(digits / "train" / "1" / "copy.bmp")
    [found] = check_survey(survey_dataset(str(digits)), suspects=False).repetitions
    assert [image.name for image in found.images] == [f"train/1/{one.name}", "train/1/copy.bmp"]


def test_arrays_are_checked_by_their_places(mnist: Dataset, tmp_path: Path) -> None:
    images, labels = mnist.train.images[:60, ..., 0].copy(), mnist.train.labels[:60]
    images[7], images[9] = images[3], 255 - images[9]
    np.savez(tmp_path / "digits.npz", X=images, y=labels)
    check = check_survey(survey_dataset(str(tmp_path / "digits.npz")), suspects=False)
    assert [image.name for image in check.repetitions[0].images] == ["training image 3", "training image 7"]
    assert [image.name for image in check.inverted] == ["training image 9"]


def test_the_page_shows_pictures_and_escapes_names(digits: Path) -> None:
    one = _pictures(digits, "1")[0]
    one.with_name("<b>.png").write_bytes(one.read_bytes())
    survey = survey_dataset(str(digits))
    page = render_data_check(check_survey(survey, suspects=False), survey.images, survey.numbers)
    assert "&lt;b&gt;.png" in page
    assert "<b>.png" not in page
    assert page.count("data:image/png;base64,") == 1 + 3 * 6
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_folds_a_long_table_and_says_what_it_leaves_out(digits: Path) -> None:
    survey = survey_dataset(str(digits))
    check = check_survey(survey, suspects=False)
    doubted = [Unreadable(name=f"{number}.png", reason="a blot") for number in range(70)]
    page = render_data_check(check.model_copy(update={"doubted": doubted}), survey.images, survey.numbers)
    at_once, folded = page.split("<summary>48 more</summary>")
    assert (at_once.count("<td>a blot</td>"), folded.count("<td>a blot</td>")) == (12, 48)
    assert "10 more in the JSON document." in folded
    short = render_data_check(check.model_copy(update={"doubted": doubted[:12]}), survey.images, survey.numbers)
    assert "<details>" not in short
    assert "more in the JSON" not in short


def test_the_command_prints_findings_writes_the_page_and_one_document(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (digits / "train" / "3" / "broken.png").write_bytes(b"broken")
    shown = CliRunner().invoke(app, ["data", "check", "digits", "--no-suspects"])
    assert shown.exit_code == 0
    assert "1 picture cannot be read: train/3/broken.png" in " ".join(shown.stdout.split())
    assert (tmp_path / "data-check-digits.html").read_text().startswith("<!doctype html>")
    asked = CliRunner().invoke(app, ["data", "check", "digits", "--no-suspects", "--json", "--out", "page.html"])
    document = json.loads(asked.stdout)
    assert (document["schema"], document["images"], document["page"]) == (1, 48, "page.html")
    assert document["unreadable"][0]["name"] == "train/3/broken.png"
    (tmp_path / "notes.html").write_text("mine")
    with pytest.raises(OutputError, match="is not glyphlite's"):
        check_data("digits", out=tmp_path / "notes.html", suspects=False)
    assert (tmp_path / "notes.html").read_text() == "mine"


def test_bad_input_is_refused(tmp_path: Path, digits: Path) -> None:
    with pytest.raises(DataError, match="there is no dataset"):
        check_data(str(tmp_path / "gone"), suspects=False)
    for path in digits.rglob("*.png"):
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match="none of the 48 pictures"):
        check_data(str(digits), suspects=False)
