"""The check of groups: who stands on two sides, who is alone, and the splits that training makes of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from glyphlite.cli import app
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.registry import load_dataset, survey_dataset
from glyphlite.errors import DataError
from glyphlite.evaluation.data_check.check import check_survey
from glyphlite.evaluation.data_check.records import DataCheck
from glyphlite.report.findings.data_findings import data_findings
from glyphlite.report.findings.group_findings import group_words
from glyphlite.report.html.data_page import render_data_check


@pytest.fixture
def written(mnist: Dataset, tmp_path: Path) -> Path:
    """Three digits of six writers, two of each."""
    for label in (1, 3, 6):
        folder = tmp_path / "digits" / str(label)
        folder.mkdir(parents=True)
        for place, number in enumerate(np.flatnonzero(mnist.train.labels == label)[:12]):
            Image.fromarray(mnist.train.images[number, ..., 0]).save(folder / f"w{place % 6}_{place}.png")
    return tmp_path / "digits"


def _checked(folder: Path, group_by: str | None = "_") -> DataCheck:
    return check_survey(survey_dataset(str(folder), group_by=group_by), suspects=False)


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(source.read_bytes())


def test_clean_groups_are_counted_and_split_as_training_does(written: Path) -> None:
    check = _checked(written)
    assert data_findings(check) == []
    assert check.groups is not None
    assert check.groups.images == {f"w{number}": 6 for number in range(6)}
    assert check.groups.splits is not None
    dataset = load_dataset(str(written), group_by="_")
    made = {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}
    for name, split in made.items():
        assert split.groups is not None
        assert (check.groups.splits[name].groups, check.groups.splits[name].images) == (len(set(split.groups)), len(split))
    assert group_words(check.groups).startswith("6 groups; training would make of them training 4 groups (24 images); validation")
    assert _checked(written, None).groups is None


def test_what_is_wrong_with_groups_is_found_and_named(written: Path) -> None:
    first = written / "1" / "w0_0.png"
    _copy(first, written / "1" / "zed_0.png")
    _copy(first, written / "1" / "alone.png")
    _copy(written / "3" / "w1_1.png", written / "3" / "W1_1.png")
    check = _checked(written)
    assert check.groups is not None
    assert check.groups.ungrouped == ["1/alone.png"]
    assert check.groups.alike == [["W1", "w1"]]
    assert [each.several_groups for each in check.repetitions] == [True, True]
    said = data_findings(check)
    for words in (
        "1 picture without a group: 1/alone.png. Training with --group-by refuses",
        "2 pictures with the same pixels in several groups, as",
        "1 group written in two ways, as W1 and w1",
    ):
        assert any(words in each for each in said), words
    with pytest.raises(DataError, match="tells no group of 1 of 39 pictures"):
        load_dataset(str(written), group_by="_")


def test_groups_in_several_of_the_datas_own_splits_are_found(written: Path) -> None:
    for path in sorted(written.rglob("*.png")):
        writer = int(path.name[1])
        for split in ("train", "test"):
            if writer != (5 if split == "train" else 0):
                _copy(path, written.parent / "split" / split / path.parent.name / path.name)
    check = _checked(written.parent / "split")
    assert check.groups is not None
    assert [(each.group, each.splits) for each in check.groups.shared] == [
        (f"w{number}", ["training", "test"]) for number in (1, 2, 3, 4)
    ]
    assert "4 groups in several splits of the data's own, as w1 in training and test" in data_findings(check)[0]


def test_one_writer_of_nearly_all_and_a_class_of_one_writer_are_said(written: Path) -> None:
    for path in sorted(written.rglob("*.png")):
        if path.name[1] in "0123" or path.parent.name == "6":
            path.rename(path.with_name(f"anna_{path.name}"))
    check = _checked(written)
    assert check.groups is not None
    assert check.groups.of_one_group == {"6": "anna"}
    said = data_findings(check)
    assert any(
        "1 class would have no test image with these groups and not be measured: 6; a single group has 6 (anna)" in each
        for each in said
    )
    assert any(
        "anna alone has 78 % of the images: what a model makes of others is measured on the 8 images" in each for each in said
    )
    dataset = load_dataset(str(written), group_by="_")
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [28, 4, 4]


def test_too_few_groups_are_said_and_refused(written: Path) -> None:
    for path in sorted(written.rglob("*.png")):
        path.rename(path.with_name(f"{path.parent.name}_{path.name}"))
    check = _checked(written)
    assert check.groups is not None
    assert check.groups.splits is None
    assert data_findings(check)[0].startswith("3 groups, too few to hold some out")
    with pytest.raises(DataError, match="3 groups to train, validate and test with: too few"):
        load_dataset(str(written), group_by="_")


def test_groups_of_arrays_and_of_known_datasets(mnist: Dataset, tmp_path: Path) -> None:
    images, labels = mnist.train.images[:60, ..., 0], mnist.train.labels[:60] % 3
    np.savez(
        tmp_path / "digits.npz", x_train=images, y_train=labels, x_test=images[:5], y_test=labels[:5], hand=np.arange(60) % 5
    )
    check = _checked(tmp_path / "digits.npz", "hand")
    assert check.groups is not None
    assert sum(check.groups.images.values()) == 60
    assert check.groups.ungrouped == []
    assert check.groups.shared == []
    with pytest.raises(DataError, match="--group-by is for data of your own"):
        survey_dataset("mnist", group_by="_")


def test_the_page_and_the_command_show_groups(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _copy(written / "1" / "w0_0.png", written / "1" / "<i>_0.png")
    survey = survey_dataset(str(written), group_by="_")
    page = render_data_check(check_survey(survey, suspects=False), survey.images, survey.numbers)
    assert '<section id="groups">' in page
    assert '<th scope="row">&lt;i&gt;</th>' in page
    assert "several groups" in page
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["data", "check", "digits", "--no-suspects", "--group-by", "_"])
    assert shown.exit_code == 0
    assert "7 groups; training would make of them" in " ".join(shown.stdout.split())
