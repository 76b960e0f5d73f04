"""What a training leaves, which epoch it keeps, and what it refuses."""

import csv
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from glyphlite.datasets.dataset import Split, as_float
from glyphlite.errors import ModelError, OutputError
from glyphlite.files.owned import locked_folder
from glyphlite.models.recipe import Schedule
from glyphlite.models.registry import resolve_model
from glyphlite.training.batches import Batches
from glyphlite.training.loop import TrainingLoop, balanced_weights
from glyphlite.training.trainer import train

pytestmark = pytest.mark.slow


def _mlp(**recipe):
    choice = resolve_model("mlp", (28, 28, 1), 10)
    return replace(choice, recipe=replace(choice.recipe, batch_size=64, **recipe))


@pytest.fixture(scope="module")
def trained(few, tmp_path_factory):
    """A learning rate that grows until it spoils the model, so that the best epoch is not the last."""
    choice = _mlp(epochs=4, schedule=Schedule("exponential_floor", peak=0.002, decay_epochs=-0.7))
    return train(choice, few, tmp_path_factory.mktemp("trained"))


def test_the_best_epoch_is_kept(trained, few):
    best = max(trained.history, key=lambda record: (record.validation_accuracy, -record.validation_loss))
    assert trained.best_epoch == best.epoch < len(trained.history)
    assert trained.validation_accuracy == best.validation_accuracy
    scores = trained.model.predict(as_float(few.validation.images), verbose=0)
    assert np.mean(scores.argmax(axis=1) == few.validation.labels) == pytest.approx(trained.validation_accuracy)


def test_files_hold_what_was_returned(trained, few):
    from glyphlite.models.loading import load_keras_model

    folder = trained.folder
    assert sorted(path.name for path in folder.iterdir()) == [
        ".glyphlite.json", "checkpoints", "figures", "history.csv", "labels.txt", "model.keras", "model.weights.h5",
    ]  # fmt: skip
    weights = trained.model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(load_keras_model(folder / "model.keras").get_weights(), weights, strict=True))
    rebuilt = _mlp().build()
    rebuilt.load_weights(folder / "model.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(rebuilt.get_weights(), weights, strict=True))
    assert (folder / "labels.txt").read_text().split() == list(few.labels)
    assert (folder / "figures" / "training.png").read_bytes().startswith(b"\x89PNG")


def test_history_csv(trained):
    rows = list(csv.DictReader((trained.folder / "history.csv").open()))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert [float(row["validation_accuracy"]) for row in rows] == [record.validation_accuracy for record in trained.history]
    assert all(0 < float(row["accuracy"]) < 1 and float(row["seconds"]) > 0 for row in rows)


def test_one_checkpoint_stays_and_knows_the_end(trained):
    assert [path.name for path in (trained.folder / "checkpoints").glob("*.ckpt")] == ["checkpoint-000000260.ckpt"]


def test_learns(trained):
    assert trained.history[0].validation_accuracy > 0.8


def test_other_seed_other_weights(few, tmp_path):
    one, other = (train(_mlp(), few, tmp_path / str(seed), epochs=1, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.model.get_weights()[0], other.model.get_weights()[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "its seed was 0, now it is 1"),
        ({"epochs": 5}, "its epochs was 4, now it is 5"),
        ({"model": "micro-cnn"}, "its model was mlp, now it is micro-cnn"),
        ({"batch_size": 32}, "its recipe's batch_size was 64, now it is 32"),
        ({"images": 4000}, "its dataset content was"),
    ],
)
def test_resuming_with_other_settings_is_refused(trained, few, change, words):
    choice = _mlp(epochs=4, schedule=Schedule("exponential_floor", peak=0.002, decay_epochs=-0.7))
    if "model" in change:
        choice = resolve_model(change["model"], (28, 28, 1), 10)
    if "batch_size" in change:
        choice = replace(choice, recipe=replace(choice.recipe, batch_size=change["batch_size"]))
    if "images" in change:
        few = replace(few, train=Split(few.train.images[: change["images"]], few.train.labels[: change["images"]]))
    before = sorted((path, path.stat().st_mtime_ns) for path in trained.folder.rglob("*"))
    with pytest.raises(ModelError, match=words) as caught:
        train(choice, few, trained.folder, epochs=change.get("epochs"), seed=change.get("seed", 0), resume=True)
    assert "without --resume" in str(caught.value)
    assert before == sorted((path, path.stat().st_mtime_ns) for path in trained.folder.rglob("*"))


def test_resuming_nothing_is_refused_and_leaves_nothing(few, tmp_path):
    with pytest.raises(ModelError, match=r"nothing to resume in .*: it holds no checkpoint .*; leave out --resume"):
        train(_mlp(), few, tmp_path / "new", epochs=1, resume=True)
    assert not (tmp_path / "new").exists()


def test_the_first_checkpoint_is_there_before_the_first_step(few, folder, stopped, capfd):
    with stopped(0), pytest.raises(KeyboardInterrupt):
        train(_mlp(), few, folder, epochs=1)
    assert [path.name for path in folder.rglob("*.ckpt")] == ["checkpoint-000000000.ckpt"]
    whole = train(_mlp(), few, folder.with_name("whole"), epochs=1)
    resumed = train(_mlp(), few, folder, epochs=1, resume=True)
    assert all(np.array_equal(*both) for both in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True))
    assert capfd.readouterr().err.count("1 epoch, about a few seconds") == 3


def test_timing_a_step_leaves_no_trace(few):
    choice = resolve_model("edge-cnn", (28, 28, 1), 10)
    loop = TrainingLoop(choice, few.train, few.validation, choice.recipe, 0)
    chunk = next(Batches(len(few.train), (28, 28), 128, seed=0, augmentation=choice.recipe.augmentation).epoch(0))
    before = loop.state()
    fastest, slowest = loop.time_step(chunk, np.full(len(chunk.order), 0.01))
    assert 0 < fastest <= slowest
    after = loop.state()
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_digits_in_other_styles_are_learned_the_same_after_a_resumption_and_letters_are_not(few, folder, stopped, capfd):
    def weights(dataset=few, name: str = "whole", photometric: str = "occluded_coarse_rewritten", **options):
        choice = _mlp(photometric=photometric)
        return train(choice, dataset, folder.with_name(name), epochs=1, **options).model.get_weights()

    whole, without = weights(), weights(photometric="occluded_coarse", name="without")
    assert not np.array_equal(whole[0], without[0])
    with stopped(1), pytest.raises(KeyboardInterrupt):
        weights(name="resumed")
    assert all(np.array_equal(*both) for both in zip(weights(name="resumed", resume=True), whole, strict=True))
    assert "no digits are drawn" not in capfd.readouterr().err
    letters = replace(few, labels=tuple("abcdefghij"))
    assert all(np.array_equal(*both) for both in zip(weights(letters, name="letters"), without, strict=True))
    assert capfd.readouterr().err.count("no digits are drawn into the training images") == 1


def test_starting_over_forgets_what_was_there(few, tmp_path):
    train(_mlp(), few, tmp_path, epochs=2)
    assert len(train(_mlp(), few, tmp_path, epochs=1).history) == 1
    assert len(train(_mlp(), few, tmp_path, epochs=1, resume=True).history) == 1


def test_colour_images_of_other_sizes(few, tmp_path):
    def resized(split: Split) -> Split:
        images = np.repeat(np.pad(split.images[:300], [(0, 0), (2, 2), (0, 4), (0, 0)]), 3, axis=3)
        return Split(images, split.labels[:300] % 5)

    colour = replace(
        few, labels=tuple("abcde"), train=resized(few.train), validation=resized(few.validation), test=resized(few.test)
    )
    assert colour.input_shape == (32, 32, 3)
    result = train(resolve_model("micro-cnn", colour.input_shape, colour.classes), colour, tmp_path, epochs=1)
    assert result.model.output_shape == (None, 5)


def test_model_of_another_shape_is_refused(few, tmp_path):
    with pytest.raises(
        ModelError, match=r"mlp was made for images of \(28, 28, 3\) in 10 classes, mnist has \(28, 28, 1\) in 10"
    ):
        train(resolve_model("mlp", (28, 28, 3), 10), few, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_model_file_of_another_shape_leaves_nothing_half_written(few, samples, tmp_path):
    large = replace(few, train=Split(np.pad(few.train.images, [(0, 0), (2, 2), (2, 2), (0, 0)]), few.train.labels))
    with pytest.raises(ModelError, match="takes images of 28x28x1, the dataset's are 32x32x1"):
        train(resolve_model(str(samples / "model.keras"), (32, 32, 1), 10), large, tmp_path / "run")
    assert not list(tmp_path.rglob("*.ckpt"))


@pytest.mark.parametrize("epochs", [0, -1])
def test_no_epochs(few, tmp_path, epochs):
    with pytest.raises(ModelError, match="at least 1 epoch"):
        train(_mlp(), few, tmp_path, epochs=epochs)


def test_unwritable_folder(few, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot create the folder"):
        train(_mlp(), few, tmp_path / "file" / "run")


def _hold(folder, held, done):
    with locked_folder(folder):
        held.set()
        done.wait(30)


def test_one_training_a_folder(few, tmp_path):
    context = multiprocessing.get_context("forkserver")
    (tmp_path / "checkpoints").mkdir()
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "checkpoints", held, done))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(OutputError, match="another glyphlite command is writing"):
            train(_mlp(), few, tmp_path)
    finally:
        done.set()
        other.join()


def test_exploding_training_ends_in_a_clear_line(few, tmp_path):
    with pytest.raises(ModelError, match="the loss is no longer a number in epoch 1"):
        train(_mlp(schedule=Schedule("constant", peak=1e30)), few, tmp_path, epochs=1)


def test_model_that_fails_in_training_ends_in_a_clear_line(few, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        """
import keras

class Moody(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            raise ValueError("not today")
        return x

def moody():
    return keras.Sequential([
        keras.Input((28, 28, 1)), Moody(), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
"""
    )
    with pytest.raises(ModelError, match=r"moody cannot be trained: .*Moody.call\(\)\. not today$") as caught:
        train(resolve_model(f"{path}:moody", (28, 28, 1), 10), few, tmp_path / "run", epochs=1)
    assert "\n" not in str(caught.value)


def test_model_with_nothing_to_train(few, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        """
import keras

def fixed():
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
    model.trainable = False
    return model
"""
    )
    with pytest.raises(ModelError, match="fixed has nothing to train"):
        train(resolve_model(f"{path}:fixed", (28, 28, 1), 10), few, tmp_path / "run", epochs=1)


def test_keras_file_goes_on_from_its_weights(few, samples, tmp_path):
    result = train(resolve_model(str(samples / "model.keras"), (28, 28, 1), 10), few, tmp_path / "run", epochs=1)
    assert result.history[0].accuracy > 0.9


def test_early_stopping_ends_behind_the_best_epoch(few, tmp_path, capfd):
    choice = _mlp(epochs=9, early_stopping=2, schedule=Schedule("exponential_floor", peak=0.002, decay_epochs=-0.7))
    result = train(choice, few, tmp_path)
    assert len(result.history) == result.best_epoch + 2 < 9
    assert "ended early: 2 epochs without a better one than epoch" in capfd.readouterr().err
    again = train(choice, few, tmp_path, resume=True)
    assert again.history == result.history
    with pytest.raises(ModelError, match="its recipe's early_stopping was 2, now it is 3"):
        train(replace(choice, recipe=replace(choice.recipe, early_stopping=3)), few, tmp_path, resume=True)


def test_balanced_class_weights_make_rare_classes_count(few, tmp_path):
    """Nine classes of 20 images beside one of many: without weights the rare ones are hardly learnt."""
    order = np.concatenate([np.flatnonzero(few.train.labels == label)[: 20 if label else 400] for label in range(10)])
    rare = replace(few, train=Split(few.train.images[order], few.train.labels[order]))

    def recall_of_rare(folder: str, **recipe) -> float:
        result = train(_mlp(**recipe), rare, tmp_path / folder, epochs=3)
        model, measured = result.model, [each.validation_balanced_accuracy for each in result.history]
        if recipe:
            answers = model.predict(as_float(few.validation.images), verbose=0).argmax(axis=1) == few.validation.labels
            recalls = [answers[few.validation.labels == label].mean() for label in range(10)]
            assert measured[result.best_epoch - 1] == max(filter(None, measured)) == pytest.approx(np.mean(recalls))
        else:
            assert measured == [None] * 3
        seen = few.validation.labels != 0
        answers = model.predict(as_float(few.validation.images[seen]), verbose=0).argmax(axis=1)
        return float(np.mean(answers == few.validation.labels[seen]))

    assert recall_of_rare("weighted", class_weights="balanced") > recall_of_rare("plain") + 0.02


def test_class_weights_have_a_mean_of_one_over_the_images():
    labels = np.array([0] * 6 + [1] * 3 + [3])
    weights = balanced_weights(labels, 4)
    np.testing.assert_allclose(weights, [10 / 18, 10 / 9, 0, 10 / 3], rtol=1e-6)
    assert weights[labels].mean() == pytest.approx(1)
