"""``glyphlite train``: a dataset, a model by name, and the trainer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlite import __version__
from glyphlite.evaluation.model_evaluation import evaluate_keras
from glyphlite.extras import require_extra
from glyphlite.files.owned import locked_folder
from glyphlite.files.single import sha256_of
from glyphlite.formatting import things
from glyphlite.models.interface.input_layers import training_convention
from glyphlite.models.training_options import TrainingOptions
from glyphlite.pipeline.inputs.datasets import to_remember
from glyphlite.pipeline.runs.folder import Wish
from glyphlite.pipeline.runs.record import definition_report, write_run_record
from glyphlite.pipeline.runs.stages import Stages
from glyphlite.pipeline.runs.tracked import tracked_figures, tracked_parameters
from glyphlite.pipeline.runs.training_plan import TrainingPlan, plan_training
from glyphlite.report.findings.unequal_classes import unequal_classes
from glyphlite.results import Results
from glyphlite.training.history import training_report
from glyphlite.training.tracking.trackers import Trackers, Tracking
from glyphlite.training.trainer import train


@dataclass(frozen=True)
class Trained:
    """The report of a training: accuracies on validation images, and what is to be said of unequal classes of test images.

    There is no accuracy on validation images, and the best epoch is the last one, where all images were trained on.
    ``validation_balanced_accuracy`` is the mean recall, by which the epoch was chosen, where the training weighs classes.
    """

    model: str
    dataset: str
    folder: Path
    epochs: int
    best_epoch: int
    validation_accuracy: float | None
    seconds: float
    validation_balanced_accuracy: float | None = None
    test_balanced_accuracy: float | None = None
    unequal: str | None = None

    @property
    def words(self) -> str:
        """Returns which epoch was kept, and what validation images say of it."""
        if self.validation_accuracy is None:
            return f"trained on all images, so there is no validation accuracy; epoch {self.best_epoch}, the last"
        balanced = self.validation_balanced_accuracy
        recall = f", mean recall of the classes {balanced:.2%}," if balanced is not None else ""
        return f"validation accuracy {self.validation_accuracy:.2%}{recall} at epoch {self.best_epoch} of {self.epochs}"

    def document(self) -> dict[str, Any]:
        """Returns the plain JSON document."""
        return {name: value for name, value in vars(self).items() if name != "unequal"} | {"folder": str(self.folder)}


def train_model(
    model: str,
    dataset: str,
    wish: Wish,
    *,
    seed: int = 0,
    options: TrainingOptions | None = None,
    data_dir: Path | None = None,
    input_range: str | None = None,
    group_by: str | None = None,
    tracking: Tracking | None = None,
) -> Trained:
    """Trains a model into a folder, ``runs/`` with the model's name when none is given, and leaves its records there.

    ``results.json`` says what is known then: the model, its validation accuracy and its accuracy on the test split.

    Raises:
        DataError: the dataset.
        ModelError: the model, an option, or a checkpoint of other settings.
        OutputError: the folder, or it holds a run already.
        ToolError: the extra ``train`` is not installed.
    """
    require_extra("train", "training")
    plan = plan_training(
        model, dataset, wish, seed=seed, options=options, data_dir=data_dir, input_range=input_range, group_by=group_by
    )
    tracking = tracking or Tracking()
    with locked_folder(plan.folder), tracking.begin(plan.folder.name, resumed=wish.resume) as trackers:
        return _train_alone(plan, tracking, trackers)


def _train_alone(plan: TrainingPlan, tracking: Tracking, trackers: Trackers) -> Trained:
    model, dataset, seed, data_dir, input_range = plan.model, plan.dataset, plan.seed, plan.data_dir, plan.input_range
    stages = Stages(3)
    with stages.stage("data", f"Data: {dataset}"):
        loaded, choice = plan.load()
    plan.clear()
    trackers.describe(tracked_parameters(choice, loaded, seed))
    with stages.stage("train", f"Training {choice.name} on {things(len(loaded.train), 'image')}"):
        result = train(choice, loaded, plan.folder, seed=seed, resume=plan.wish.resume, watch=trackers.epochs)
    with stages.stage("evaluate", f"Measuring it on {things(len(loaded.test), 'test image')}"):
        keras = evaluate_keras(
            plan.folder / "model.keras",
            loaded,
            convention=training_convention(result.model, choice.convention),
            validation_accuracy=result.validation_accuracy,
            best_epoch=result.best_epoch,
        )
    write_run_record(
        plan.folder,
        command=[
            *("glyphlite", "train", model, "--dataset", dataset, "--out", str(plan.folder), "--seed", str(seed)),
            *plan.options.words(),
            *(("--input-range", input_range) if input_range is not None else ()),
            *(("--group-by", plan.group_by) if plan.group_by is not None else ()),
            *tracking.words(),
        ],
        model=model,
        dataset=loaded,
        remember=to_remember(dataset, loaded, data_dir, plan.input_shape, plan.group_by),
        recipe=result.recipe,
        definition=choice.definition,
        settings={
            "seed": seed,
            **plan.options.settings(),
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "engine": result.engine,
        },
        hashes={
            name: sha256_of(plan.folder / name) for name in ("model.keras", "model.weights.h5") if (plan.folder / name).is_file()
        },
    )
    results = Results(
        glyphlite=__version__,
        model=choice.name,
        dataset=loaded.name,
        seed=seed,
        labels=list(loaded.labels),
        seconds=stages.seconds,
        cpu_seconds=stages.cpu_seconds,
        definition=definition_report(choice),
        training=training_report(result.history, len(loaded.validation)),
        keras=keras.report,
    )
    results.save(plan.folder / "results.json")  # last: with it the training is finished
    plan.finish()
    trackers.finish(tracked_figures(results))
    return Trained(
        choice.name,
        loaded.name,
        plan.folder,
        len(result.history),
        result.best_epoch,
        result.validation_accuracy,
        result.seconds,
        result.history[result.best_epoch - 1].validation_balanced_accuracy,
        keras.report.balanced_accuracy,
        unequal_classes("model.keras", keras.report, loaded.labels),
    )
