"""history.csv: exact round trip, clear refusals."""

from dataclasses import replace

import pytest

from glyphlite.errors import DataError
from glyphlite.training.curve import draw_training_curve
from glyphlite.training.history import EpochRecord, read_history, write_history

RECORDS = tuple(EpochRecord(epoch, 0.1 / epoch, 1 / 3 / epoch, 0.9, 0.2, 0.91 + epoch / 1000, 1.5) for epoch in (1, 2, 3))


def test_round_trip(tmp_path):
    assert read_history(write_history(tmp_path / "history.csv", RECORDS)) == RECORDS


def test_balanced_accuracies_are_kept_where_classes_are_weighed(tmp_path):
    assert "balanced" not in write_history(tmp_path / "plain.csv", RECORDS).read_text()
    weighed = tuple(replace(each, validation_balanced_accuracy=0.8 + each.epoch / 100) for each in RECORDS)
    assert read_history(write_history(tmp_path / "history.csv", weighed)) == weighed


def test_missing(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_history(tmp_path / "history.csv")


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "epoch,learning_rate\n1,2\n", "epoch,learning_rate,loss,accuracy\nx,y,z,w\n"])
def test_another_table(tmp_path, text):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="is not a training's history"):
        read_history(path)


def test_curve(tmp_path):
    for count in (1, 3):
        path = draw_training_curve(
            RECORDS[:count], tmp_path / "figures" / "training.png", title="micro-cnn on mnist", best_epoch=count
        )
        assert path.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in path.parent.glob("[!.]*")] == ["training.png"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["$^$", r"$\frac{1}$", "\N{SNOWMAN}\N{CJK UNIFIED IDEOGRAPH-4E00}", "a\nb\x1b[31m", "{x}" * 40])
def test_curve_of_a_dataset_with_any_name(tmp_path, name):
    path = draw_training_curve(RECORDS[:1], tmp_path / "training.png", title=f"micro-cnn on {name}")
    assert path.read_bytes().startswith(b"\x89PNG")
