"""`train`: epochs, validation, checkpoints, and the files that a training leaves.

Killed at any moment and resumed, it ends with the weights of one that was not, bit for bit, on the same machine: whatever the
next step depends on is either a pure function of seed, epoch and step, or in the checkpoint. Knows nothing of conversion.
"""

import math
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ModelError
from glyphlite.files.owned import locked_folder, write_owned
from glyphlite.files.single import made_folder
from glyphlite.models.choice import ModelChoice
from glyphlite.models.recipe import Restarts
from glyphlite.models.saving import save_keras, stored_weights
from glyphlite.training.augmentation.digit_styles import drawings_for
from glyphlite.training.batches import Batches, Chunk
from glyphlite.training.checkpoint import CheckpointStore
from glyphlite.training.curve import draw_training_curve
from glyphlite.training.distillation import Teachers, with_fitting_teachers
from glyphlite.training.engine.library import TENSORFLOW
from glyphlite.training.history import EpochRecord, write_history
from glyphlite.training.interrupts import Stop, postponed_interrupts
from glyphlite.training.loop import TrainingLoop
from glyphlite.training.precision import compute_precision
from glyphlite.training.progress import TrainingProgress
from glyphlite.training.restarts import best_beginning, initial_seed, try_beginning
from glyphlite.training.schedule import frozen_share, recipe_rates
from glyphlite.training.state import Session, content_hash, require_same_settings, training_settings, warn_of_other_versions
from glyphlite.training.time_estimate import remaining_seconds, roughly_between

if TYPE_CHECKING:
    import keras
    import numpy as np

Watch = Callable[[Sequence[EpochRecord]], None]
"""What is told of every epoch so far."""

CHECKPOINT_SECONDS = 10.0
"""How much work a kill costs at most, besides the end of every epoch."""


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        model: float32, with the weights of the best epoch.
        best_epoch: chosen on validation, from 1; the last one where there are no validation images.
        validation_accuracy: of the best epoch, a fraction; None where there are no validation images.
        history: every epoch.
        seconds: in training and validation, over every resumption.
        precision: what products were computed in while training.
        engine: what computed them: ``tensorflow``, or our own by name and version.
        folder: where the files are.
        recipe: by which it was trained, as plain data.
    """

    model: "keras.Model"
    best_epoch: int
    validation_accuracy: float | None
    history: tuple[EpochRecord, ...]
    seconds: float
    precision: str
    folder: Path
    recipe: dict[str, Any]
    engine: str = TENSORFLOW


def train(
    choice: ModelChoice,
    dataset: Dataset,
    folder: Path,
    *,
    epochs: int | None = None,
    seed: int = 0,
    resume: bool = False,
    watch: Watch | None = None,
) -> TrainingResult:
    """Trains a model by its recipe and keeps the best epoch; the last one where the dataset has no validation images.

    Leaves ``model.keras``, ``model.weights.h5``, ``history.csv``, ``labels.txt``, ``figures/training.png`` and ``checkpoints/``
    in the folder.

    Args:
        choice: the model and its recipe.
        dataset: its training split is learned, its validation split chooses the epoch, its test split is not looked at. Of a
            dataset `with_all_images` the last epoch is kept.
        folder: where everything goes; made where it is missing.
        epochs: instead of the recipe's.
        seed: of the weights, the order of the images, dropout and augmentation.
        resume: go on from the newest checkpoint in the folder; without one, start from the beginning.
        watch: told of the epochs so far at the beginning, and after each that is kept in a checkpoint.

    Raises:
        ModelError: the model does not fit the data, cannot be trained, or the folder's training had other settings.
        OutputError: the folder cannot be written, or another command is writing it.
        KeyboardInterrupt: Ctrl-C; a checkpoint is left.
    """
    if choice.input_shape != dataset.input_shape or choice.classes != dataset.classes:
        raise ModelError(
            f"{choice.name} was made for images of {choice.input_shape} in {choice.classes} classes, "
            f"{dataset.name} has {dataset.input_shape} in {dataset.classes}"
        )
    if epochs is not None and epochs < 1:
        raise ModelError(f"a training needs at least 1 epoch, got {epochs}; give --epochs 1 or more")
    store = CheckpointStore(folder / "checkpoints")
    with made_folder(folder), locked_folder(store.folder), postponed_interrupts() as stop:
        return _Training(choice, dataset, folder, store, stop, epochs=epochs, seed=seed, watch=watch).run(resume=resume)


class _Training:
    """One call of `train`: what its parts share."""

    def __init__(
        self,
        choice: ModelChoice,
        dataset: Dataset,
        folder: Path,
        store: CheckpointStore,
        stop: Stop,
        *,
        epochs: int | None,
        seed: int,
        watch: Watch | None,
    ) -> None:
        self._watch = watch
        self.choice, self.dataset, self.folder, self.store, self.stop, self.seed = choice, dataset, folder, store, stop, seed
        content = content_hash(dataset)
        recipe = choice.recipe.with_epochs(epochs or choice.recipe.epochs)
        if recipe.early_stopping and not len(dataset.validation):
            raise ModelError(
                f"the recipe {recipe.name} stops early, and there are no validation images to judge by; "
                "train without --all-images, or by a recipe without early_stopping"
            )
        self.recipe = with_fitting_teachers(recipe, choice.name, content_hash(dataset.as_split()) if dataset.joined else content)
        self.precision = compute_precision(self.recipe.precision)
        self.settings = training_settings(choice, dataset, self.recipe, self.precision, seed, content)
        self.batches = Batches.of_recipe(self.recipe, len(dataset.train), dataset.input_shape[:2], seed)
        self.session = Session(first_choice=self.recipe.first_choice)

    def run(self, *, resume: bool) -> TrainingResult:
        drawings = drawings_for(self.recipe, self.dataset, self.seed)
        loop = TrainingLoop(self.choice, self.dataset.train, self.dataset.validation, self.recipe, self.seed, drawings)
        self._begin(loop, resume=resume)
        self.session.engine = loop.engine
        self._tell()
        if not self.session.finished:
            self._train(loop)
            self.session.finished = True
        elif self.recipe.quantized_epochs:
            loop.simulate_int8()
        loop.model.set_weights(self.session.best_weights)
        loop.narrow()
        self._write_results(loop.model)
        best = self.session.best
        return TrainingResult(
            model=loop.model,
            best_epoch=best.epoch,
            validation_accuracy=best.validation_accuracy,
            history=tuple(self.session.history),
            seconds=self.session.seconds,
            precision=self.precision,
            engine=loop.engine,
            folder=self.folder,
            recipe=self.settings["recipe"],
        )

    def _begin(self, loop: TrainingLoop, *, resume: bool) -> None:
        """Goes to the newest checkpoint where one is wanted and there is one, else to the beginning."""
        if not resume:
            self.store.clear()
            return
        checkpoint = self.store.load()
        if checkpoint is None:
            raise ModelError(
                f"there is nothing to resume in {self.folder}: it holds no checkpoint that can be read; leave out --resume to "
                "train from the beginning"
            )
        require_same_settings(checkpoint.document["settings"], self.settings, self.folder)
        self.settings = checkpoint.document["settings"]  # what it was begun with: an old one says less, and nothing is made up
        warn_of_other_versions(checkpoint.document["versions"], loop.engine)
        self.session, state = Session.unpack(checkpoint)
        self.session.first_choice = self.recipe.first_choice
        self.store.sweep()
        if self.session.finished:
            say(f"the training in {self.folder} is finished: {len(self.session.history)} epochs; nothing left to do")
            return
        if self.recipe.quantized_epochs and (self.session.epoch, self.session.batch) > (self.recipe.float_epochs, 0):
            loop.simulate_int8()
        if not state:
            say(f"resuming after {len(self.session.beginnings)} initializations")
            return
        loop.restore(state)
        epoch, batch = self.session.epoch + 1, self.session.batch
        say(f"resuming at epoch {epoch} of {self.recipe.epochs}, batch {batch} of {self.batches.steps}")

    def _train(self, loop: TrainingLoop) -> None:
        session = self.session
        done = session.epoch * self.batches.steps + session.batch
        if not done and not session.beginnings:
            # From here on --resume finds something, however early the end comes.
            self.store.save(0, session.checkpoint(self.settings, {} if self.recipe.beginnings else loop.state()))
        if not self._is_done():
            self._say_how_long(loop, done)
        if self.recipe.beginnings and not done:
            self._choose_beginning(loop, self.recipe.beginnings)
        with TrainingProgress(self.choice.name, epochs=self.recipe.epochs, steps=self.batches.steps, done=done) as progress:
            while not self._is_done():
                self._train_epoch(loop, progress)
                write_history(self.folder / "history.csv", session.history)
                self._save(loop)
                self._tell()
                self._leave_if_asked()
        if session.epoch < self.recipe.epochs:
            say(f"ended early: {self.recipe.early_stopping} epochs without a better one than epoch {session.best.epoch}")

    def _is_done(self) -> bool:
        """Returns whether all epochs are done, or, with early stopping, too many have passed without a better one."""
        session, patience = self.session, self.recipe.early_stopping
        if session.epoch >= self.recipe.epochs:
            return True
        return bool(patience) and session.epoch >= session.first_choice and session.epoch - session.best.epoch >= patience

    def _say_how_long(self, loop: TrainingLoop, done: int) -> None:
        """Times a few steps, which leave no trace, and says how long all that are left will take.

        The fastest and the slowest step give a range: where other programs run, the time of a step is no one number.
        """
        session, recipe, steps = self.session, self.recipe, self.batches.steps
        chunk = next(self.batches.epoch(session.epoch, from_step=session.batch % steps))
        rates = recipe_rates(recipe, session.epoch, steps)[chunk.first_step : chunk.first_step + len(chunk.order)]
        answers = self._answers(session.epoch, chunk)  # the first one compiles
        answer_seconds = 0.0
        if self._teachers and not self._teachers.are_on_disk((recipe.augmentation_cycle or recipe.epochs) - 1):
            clock = _Clock(0.0)
            self._teachers.ask(chunk)
            answer_seconds = clock()
        low, high = (
            remaining_seconds(
                recipe,
                steps=steps,
                done=done,
                validation_images=len(self.dataset.validation),
                step_seconds=step_seconds,
                chunk_answer_seconds=answer_seconds,
                simulates_int8=recipe.quantized_epochs > 0 and done > recipe.float_epochs * steps,
                is_compiled=loop.engine != TENSORFLOW,
                untried=recipe.beginnings.count - len(session.beginnings) if recipe.beginnings and not done else 0,
            )
            for step_seconds in loop.time_step(chunk, rates, answers)
        )
        left = recipe.epochs - session.epoch
        say(f"{left} {'epoch' if left == 1 else 'epochs'}{' left' if done else ''}, about {roughly_between(low, high)}")

    def _choose_beginning(self, loop: TrainingLoop, beginnings: Restarts) -> None:
        """Tries the beginnings that were not tried before a stop, then begins with the best."""
        losses, steps = self.session.beginnings, self.batches.steps
        total, name = beginnings.count * beginnings.epochs, f"{self.choice.name}, restarts"
        with TrainingProgress(name, epochs=total, steps=steps, done=len(losses) * beginnings.epochs * steps) as progress:

            def seen(epoch: int, batch: int, loss: float, accuracy: float) -> None:
                progress.update(len(losses) * beginnings.epochs + epoch, batch, loss, accuracy)
                self._leave_if_asked()

            while len(losses) < beginnings.count:
                seed, clock = initial_seed(self.seed, len(losses)), _Clock(self.session.beginning_seconds)
                losses.append(try_beginning(loop, seed, beginnings.epochs, self.batches, self._answers, seen))
                self.session.beginning_seconds = clock()
                say(f"restart {len(losses):>2}/{beginnings.count}  loss {losses[-1]:.4f} after {beginnings.epochs} epochs")
                self.store.save(0, self.session.checkpoint(self.settings, {}))
        best = best_beginning(losses)
        if not math.isfinite(losses[best]):
            raise ModelError("the loss diverges in every restart; use a lower learning rate")
        loop.restart(initial_seed(self.seed, best))
        say(f"restart {best + 1} has the lowest loss and continues")

    def _train_epoch(self, loop: TrainingLoop, progress: TrainingProgress) -> None:
        session, recipe = self.session, self.recipe
        rates = recipe_rates(recipe, session.epoch, self.batches.steps)
        if recipe.quantized_epochs and (session.epoch, session.batch) == (recipe.float_epochs, 0):
            loop.quantize()
        clock = _Clock(session.epoch_seconds)
        saved = time.monotonic()
        for chunk in self.batches.epoch(session.epoch, from_step=session.batch):
            end = chunk.first_step + len(chunk.order)
            if share := frozen_share(recipe, session.epoch, chunk.first_step, self.batches.steps):
                loop.freeze(share)
            loss, correct = loop.run(chunk, rates[chunk.first_step : end], self._answers(session.epoch, chunk))
            session.loss_sum, session.correct = session.loss_sum + loss, session.correct + correct
            if not math.isfinite(loss):
                raise ModelError(f"the loss is no longer a number in epoch {session.epoch + 1}; train with a lower learning rate")
            session.batch, session.epoch_seconds = end, clock()
            seen = min(end * recipe.batch_size, len(self.dataset.train))
            progress.update(session.epoch, end, session.loss_sum / seen, session.correct / seen)
            if self.stop or time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save(loop)
                saved = time.monotonic()
                self._leave_if_asked()
        loop.synchronize()
        validates = len(self.dataset.validation) > 0
        validation_loss, validation_accuracy, balanced = loop.validate() if validates else (None, None, None)
        images = len(self.dataset.train)
        record = EpochRecord(
            epoch=session.epoch + 1,
            learning_rate=float(rates[-1]),
            loss=session.loss_sum / images,
            accuracy=session.correct / images,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            seconds=clock(),
            validation_balanced_accuracy=balanced,
        )
        session.history.append(record)
        is_best = record.epoch >= session.first_choice and session.best is record
        if is_best:
            session.best_weights = loop.weights()
        progress.epoch_done(record, best=is_best and validates)
        session.epoch, session.batch, session.loss_sum, session.correct, session.epoch_seconds = session.epoch + 1, 0, 0.0, 0, 0.0

    def _answers(self, epoch: int, chunk: Chunk) -> "np.ndarray | None":
        return self._teachers.answers(epoch, chunk) if self._teachers else None

    @cached_property
    def _teachers(self) -> Teachers | None:
        if not self.recipe.distillation:
            return None
        return Teachers(self.recipe.distillation, self.dataset, self.batches, self.settings["dataset content"])

    def _save(self, loop: TrainingLoop) -> None:
        self.store.save(loop.step, self.session.checkpoint(self.settings, loop.state()))

    def _tell(self) -> None:
        if self._watch is not None:
            self._watch(self.session.history)

    def _leave_if_asked(self) -> None:
        if not self.stop:
            return
        say(f"stopped; the same command with --resume continues from here ({self.folder})")
        raise SystemExit(128 + signal.SIGTERM) if self.stop.signal == signal.SIGTERM else KeyboardInterrupt

    def _write_results(self, model: "keras.Model") -> None:
        """Writes what the folder is for, then marks the training as finished: killed in between, it writes it all again."""
        session = self.session
        save_keras(model, self.folder / "model.keras")
        write_owned(self.folder / "model.weights.h5", stored_weights(self.folder / "model.keras"))
        write_owned(self.folder / "labels.txt", "".join(f"{label}\n" for label in self.dataset.labels))
        write_history(self.folder / "history.csv", session.history)
        title = f"{self.choice.name} on {self.dataset.name}{', all images' if self.dataset.joined else ''}"
        draw_training_curve(session.history, self.folder / "figures" / "training.png", title=title, best_epoch=session.best.epoch)
        step = self.recipe.epochs * self.batches.steps
        self.store.save(step, session.checkpoint(self.settings, {}))
        self.store.keep_only(step)


class _Clock:
    """Seconds since it was made, on top of those spent before."""

    def __init__(self, before: float) -> None:
        self._start = time.monotonic() - before

    def __call__(self) -> float:
        return time.monotonic() - self._start
