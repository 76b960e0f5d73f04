"""Groups of pictures: told by names, expressions, tables or arrays, refused in one line where some picture has none."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.datasets.own.groups import check_group_by, groups_of
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError

Arrays = tuple[np.ndarray, np.ndarray]
NAMES = ("a/anna_1.png", "a/ben_2.png", "b/anna_3.png")


def _groups(how: str, names: tuple[str, ...] = NAMES) -> list[str]:
    return groups_of([Path("data", name) for name in names], Path("data"), how).tolist()


@pytest.mark.parametrize("how", ["_", "[a-z]+(?=_)", r"/(\w+?)_"])
def test_a_separator_or_an_expression_tells_the_group(how: str) -> None:
    assert _groups(how) == ["anna", "ben", "anna"]


@pytest.mark.parametrize(
    "table",
    [
        "file,group\nanna_1.png,anna\nben_2.png,ben\nanna_3.png,anna\n",
        "a/anna_1.png;anna\na\\ben_2.png;ben\n./b/anna_3.png;anna\n",
        "\ufefffile\tgroup\textra\nanna_1.png\tanna\tx\nben_2.png\tben\tx\nanna_3.png\tanna\tx\n",
    ],
)
def test_a_table_tells_the_group(tmp_path: Path, table: str) -> None:
    (tmp_path / "groups.csv").write_text(table, encoding="utf-8")
    assert _groups(str(tmp_path / "groups.csv")) == ["anna", "ben", "anna"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("file,group\nanna_1.png,anna\n", r"no group of 2 of 3 pictures: a/ben_2\.png"),
        ("anna_1.png,anna\nanna_1.png,ben\n", "gives anna_1.png two groups: anna and ben"),
        ("anna_1.png\n", "row 1 is no pair"),
        ("", "is no pair of file and group"),
        ("x\0,\xff", "tells no group of 3"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, table: str, words: str) -> None:
    (tmp_path / "groups.csv").write_text(table, encoding="utf-8")
    with pytest.raises(DataError, match=words) as caught:
        _groups(str(tmp_path / "groups.csv"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("how", "words"),
    [("-", "no group of 3 of 3"), ("(", "no regular expression"), ("gone.csv", "no such table"), (r"b/(\w+?)_", "no group of 2")],
)
def test_what_tells_no_group_is_refused(how: str, words: str) -> None:
    def told() -> None:
        check_group_by(how)
        _groups(how)

    with pytest.raises(DataError, match=words):
        told()


@pytest.fixture
def written(tmp_path: Path, strokes: Arrays) -> Path:
    """Strokes of ten writers, each with all four classes."""
    images, labels = strokes
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / "strokes" / "abcd"[label] / f"w{number // 12}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "strokes"


def test_no_writer_stands_in_two_splits(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = load_dataset(str(written), group_by="_", seed=1)
    splits = (dataset.train, dataset.validation, dataset.test)
    groups = [set(split.groups.tolist()) for split in splits if split.groups is not None]
    assert [len(each) for each in groups] == [8, 1, 1]
    assert len(set.union(*groups)) == 10
    assert "groups: training 8, validation 1, test 1; none in two splits" in capsys.readouterr().err
    assert load_dataset(str(written)).train.groups is None
    again = load_dataset(str(written), group_by="_", seed=2)
    np.testing.assert_array_equal(again.test.images, dataset.test.images)


def test_splits_that_the_data_brings_are_kept_and_what_they_share_is_said(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split, writers in (("train", range(8)), ("test", (7, 8, 9))):
        for label in "abcd":
            (written / split / label).mkdir(parents=True, exist_ok=True)
            for writer in writers:
                for path in sorted((written / label).glob(f"w{writer}_*.png"))[split == "test" :]:
                    (written / split / label / path.name).write_bytes(path.read_bytes())
    for label in "abcd":
        for path in (written / label).iterdir():
            path.unlink()
        (written / label).rmdir()
    dataset = load_dataset(str(written), group_by="_")
    said = " ".join(capsys.readouterr().err.split())
    assert "1 of 3 groups of the test images are among the training images, too (w7)" in said
    assert len(dataset.test) == 3 * 8


def test_an_array_of_an_npz_tells_the_groups(tmp_path: Path, strokes: Arrays) -> None:
    images, labels = strokes
    path = tmp_path / "strokes.npz"
    np.savez(path, X=images, y=labels, writer=np.arange(len(labels)) // 12)
    dataset = load_dataset(str(path), group_by="writer")
    assert dataset.test.groups is not None
    assert dataset.train.groups is not None
    assert set(dataset.test.groups).isdisjoint(dataset.train.groups)
    for how, words in (("hand", "has no array hand"), ("X", "expected a name or whole number for each of 120 images")):
        with pytest.raises(DataError, match=words):
            load_dataset(str(path), group_by=how)


def test_other_data_tells_no_groups(tmp_path: Path, written: Path) -> None:
    with pytest.raises(DataError, match="--group-by is for data of your own"):
        load_dataset("mnist", group_by="_")
    (tmp_path / "table.csv").write_text("1,2,3,4,5\n0,2,3,4,5\n")
    with pytest.raises(DataError, match="does not tell groups"):
        load_dataset(str(tmp_path / "table.csv"), group_by="_")
    with pytest.raises(DataError, match="1 group to train, validate and test with: too few"):
        load_dataset(str(written), group_by="png")
