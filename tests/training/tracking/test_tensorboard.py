"""TensorBoard's event files: TensorFlow reads back every epoch once, also of a training that was stopped and gone on with."""

import re
from pathlib import Path

import pytest

from glyphlite.training.history import EpochRecord
from glyphlite.training.tracking import tensorboard
from glyphlite.training.tracking.trackers import Tracking

EPOCHS = [
    EpochRecord(number, 0.1 / number, 2.0 / number, 0.25 * number, 1.0 / number, 0.125 * number, 3.0) for number in range(1, 5)
]


def events(folder: Path) -> list[tuple[int, str, float]]:
    """Step, tag and value of every scalar of a folder's event files, in their order."""
    import tensorflow as tf

    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars":
                    assert value.metadata.data_class == 1
                    found.append((event.step, value.tag, float(tf.make_ndarray(value.tensor))))
    return found


def test_every_epoch_is_written_with_the_tags_that_keras_writes(tmp_path: Path) -> None:
    with Tracking(tmp_path / "logs").begin("run") as trackers:
        trackers.describe({"model": "m|n", "recipe": {"epochs": 4, "ema": None}})
        trackers.epochs(EPOCHS[:2])
        trackers.epochs(EPOCHS[:3])
        trackers.finish({"int8/test_accuracy": 0.5, "absent": None})
    train, validation = (events(tmp_path / "logs" / "run" / name) for name in ("train", "validation"))
    losses = [(step, value) for step, tag, value in train if tag == "epoch_loss"]
    assert losses == [(0, 2.0), (1, 1.0), (2, pytest.approx(2 / 3))]
    assert [value for _, tag, value in train if tag == "epoch_accuracy"] == [0.25, 0.5, 0.75]
    assert [value for _, tag, value in validation if tag == "epoch_accuracy"] == [0.125, 0.25, 0.375]
    assert {tag for _, tag, _ in train} == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}
    assert events(tmp_path / "logs" / "run") == [(3, "int8/test_accuracy", 0.5)]
    assert b"m\\|n" in next((tmp_path / "logs" / "run").glob("events*")).read_bytes()


def test_a_resumed_training_goes_on_in_its_folder_and_tells_no_epoch_twice(tmp_path: Path) -> None:
    for resumed, told in ((False, EPOCHS[:1]), (True, EPOCHS[:3]), (True, EPOCHS)):
        with Tracking(tmp_path).begin("run", resumed=resumed) as trackers:
            trackers.epochs(told)
    steps = [step for step, tag, _ in events(tmp_path / "run" / "validation") if tag == "epoch_loss"]
    assert sorted(steps) == [0, 1, 2, 3], "files of one second are in no order"


def test_event_files_that_a_kill_cut_off_are_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Tracking(tmp_path).begin("run") as trackers:
        trackers.epochs(EPOCHS[:2])
    (cut,) = (tmp_path / "run" / "validation").glob("events*")
    cut.write_bytes(cut.read_bytes()[:-60])  # within the second epoch
    with Tracking(tmp_path).begin("run", resumed=True) as trackers:
        trackers.epochs(EPOCHS)
    whole = {path: len(path.read_bytes()) for path in (tmp_path / "run" / "validation").glob("events*") if path != cut}
    assert len(whole) == 1
    assert "no more" not in capsys.readouterr().err


def test_another_training_of_the_same_name_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    for _ in range(2):
        with Tracking(tmp_path).begin("run") as trackers:
            trackers.epochs(EPOCHS[:1])
    assert {path.name for path in tmp_path.iterdir()} == {"run", "run-2"}
    with Tracking(tmp_path).begin("run", resumed=True) as trackers:
        trackers.epochs(EPOCHS[:2])
    assert len(events(tmp_path / "run-2" / "validation")) == 4


@pytest.mark.parametrize("name", ["a|b", "a\nb", "<script>x</script>", "[x](javascript:y)", "\x1b]0;x\x07", "\u202ex", "a\udcff"])
def test_a_name_stays_one_cell_of_text(name: str) -> None:
    cell = tensorboard._cell(name)
    assert cell.isprintable()
    assert cell.encode()
    assert not re.search(r"(?<!\\)[|<>\[\]]", cell)
