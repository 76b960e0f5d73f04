"""A training killed at any moment and resumed ends with the weights of one that was not, bit for bit."""

import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ModelError
from glyphlite.files.scratch import PREFIX, scratch_folder
from glyphlite.files.single import write_bytes
from glyphlite.models.registry import resolve_model
from glyphlite.training import checkpoint, trainer
from glyphlite.training.history import read_history
from glyphlite.training.state import require_same_settings
from glyphlite.training.trainer import TrainingResult, train

pytestmark = pytest.mark.slow

EPOCHS = 2
SEED = 7


def _choice():
    """edge-cnn: dropout, and bfloat16 where the processor has it; with everything else that has a state."""
    choice = resolve_model("edge-cnn", (28, 28, 1), 10)
    return replace(choice, recipe=replace(choice.recipe, augmentation="affine", ema=0.9, label_smoothing=0.05))


def _train(few: Dataset, folder: Path, **options) -> TrainingResult:
    return train(_choice(), few, folder, epochs=EPOCHS, seed=SEED, **options)


def _kill_self(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def _train_until(few: Dataset, folder: Path, moment: str, resume: bool) -> None:
    """In a child process: train with a checkpoint after every chunk, up to a moment at which the process kills itself."""
    trainer.CHECKPOINT_SECONDS = 0.0
    kind, _, count = moment.partition(" ")
    left = [int(count or 1)]

    def after(function):
        def wrapped(*arguments, **keywords):
            left[0] -= 1
            if left[0] == 0:
                _kill_self()
            return function(*arguments, **keywords)

        return wrapped

    def half_written(path: Path, content: bytes) -> Path:
        left[0] -= 1
        if left[0] == 0:
            with scratch_folder(path.parent) as scratch:
                (scratch / path.name).write_bytes(content[: len(content) // 2])
                _kill_self()
        return write_bytes(path, content)

    if kind == "step":
        trainer.TrainingLoop.run = after(trainer.TrainingLoop.run)
    elif kind == "validation":
        trainer.TrainingLoop.validate = after(trainer.TrainingLoop.validate)
    elif kind == "history":
        trainer.write_history = after(trainer.write_history)
    elif kind == "results":
        trainer.write_owned = after(trainer.write_owned)
    elif kind == "checkpoint":
        checkpoint.write_bytes = half_written
    _train(few, folder, resume=resume)


def _digest(folder: Path) -> list[np.ndarray]:
    from glyphlite.models.loading import load_keras_model

    return load_keras_model(folder / "model.keras").get_weights()


def _same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.fixture(scope="module")
def uninterrupted(few, tmp_path_factory) -> TrainingResult:
    return _train(few, tmp_path_factory.mktemp("uninterrupted"))


def _check(result: TrainingResult, uninterrupted: TrainingResult) -> None:
    assert _same(result.model.get_weights(), uninterrupted.model.get_weights())
    assert _same(_digest(result.folder), uninterrupted.model.get_weights())
    assert [replace(record, seconds=0) for record in result.history] == [
        replace(record, seconds=0) for record in uninterrupted.history
    ]
    assert read_history(result.folder / "history.csv") == result.history
    assert result.best_epoch == uninterrupted.best_epoch


@pytest.mark.parametrize(
    "moments",
    [["step 2", "validation 1"], ["checkpoint 2", "step 2", "history 1"], ["results 1"]],
    ids=", then ".join,
)
def test_killed_and_resumed(few, folder, child, uninterrupted, moments):
    for number, moment in enumerate(moments):
        process = child(_train_until, few, folder, moment, number > 0)
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
    _check(_train(few, folder, resume=True), uninterrupted)
    assert not list(folder.rglob(f"{PREFIX}*")), "what was half-written is swept away"


def test_killed_at_random_and_resumed(few, folder, child, uninterrupted):
    chance = random.Random(0)
    for number in range(2):
        process = child(_train_until, few, folder, "never", number > 0)
        at_start = folder / "checkpoints" / "checkpoint-000000000.ckpt"
        before = {at_start, *(folder / "checkpoints").glob("*.ckpt")}
        while process.is_alive() and set((folder / "checkpoints").glob("*.ckpt")) <= before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.7))
        process.kill()
        process.join()
    _check(_train(few, folder, resume=True), uninterrupted)


def _interrupt(few: Dataset, folder: Path, number: int) -> None:
    """In this process: train, and get a signal while the second chunk is under way."""
    calls = []
    run = trainer.TrainingLoop.run

    def interrupted(self, *arguments):
        calls.append(arguments)
        if len(calls) == 2:
            os.kill(os.getpid(), number)
        return run(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.TrainingLoop, "run", interrupted)
        _train(few, folder)


def test_ctrl_c_leaves_a_checkpoint(few, folder, uninterrupted, capfd):
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        _interrupt(few, folder, signal.SIGINT)
    assert "--resume continues from here" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler
    result = _train(few, folder, resume=True)
    assert "resuming at epoch 1 of 2, batch 32 of 33" in capfd.readouterr().err
    _check(result, uninterrupted)


def test_sigterm_leaves_a_checkpoint(few, folder):
    with pytest.raises(SystemExit) as caught:
        _interrupt(few, folder, signal.SIGTERM)
    assert caught.value.code == 143
    assert sorted(path.name for path in folder.rglob("*.ckpt")) == ["checkpoint-000000000.ckpt", "checkpoint-000000032.ckpt"]


def test_finished_training_resumed_returns_at_once(few, uninterrupted, capfd, monkeypatch):
    monkeypatch.setattr(trainer.TrainingLoop, "run", None)
    result = _train(few, uninterrupted.folder, resume=True)
    assert "is finished: 2 epochs" in capfd.readouterr().err
    _check(result, uninterrupted)


def test_truncated_checkpoint_falls_back_to_the_one_before(few, folder, uninterrupted, capfd, monkeypatch):
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        _interrupt(few, folder, signal.SIGINT)
    older, newer = sorted(folder.rglob("*.ckpt"))
    newer.write_bytes(newer.read_bytes()[:-1000])
    result = _train(few, folder, resume=True)
    told = " ".join(capfd.readouterr().err.split())
    assert f"the checkpoint {newer} is damaged" in told
    assert "falling back to the one before it" in told
    assert "batch 16 of 33" in told
    assert not older.exists()
    _check(result, uninterrupted)


def test_a_checkpoint_from_before_a_setting_was_known_is_resumed_where_it_is_not_used(tmp_path: Path) -> None:
    saved = {"recipe": {"epochs": 2}}
    require_same_settings(saved, {"recipe": {"epochs": 2, "beginnings": None}, "teachers": {}}, tmp_path)
    for used in ({"recipe": {"epochs": 2, "beginnings": {"count": 3}}}, {"teachers": {"teacher-32k": "ab"}}):
        with pytest.raises(
            ModelError, match=r"cannot resume .*: its (recipe's beginnings's count|teachers's teacher-32k) was None, now it is "
        ):
            require_same_settings(saved, used, tmp_path)
    with pytest.raises(ModelError, match="its recipe's epochs was 2, now it is None"):
        require_same_settings(saved, {"recipe": {}}, tmp_path)
