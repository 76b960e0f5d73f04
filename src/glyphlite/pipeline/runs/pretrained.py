"""A run of a model that ships: its Keras file in place of a training, and the record of where it came from."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import say
from glyphlite.conversion.folder import ConvertedArtifact
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ModelError, OutputError
from glyphlite.evaluation.confidence import with_test_figures
from glyphlite.evaluation.model_evaluation import ArtifactEvaluation
from glyphlite.files.owned import owned_path, write_owned
from glyphlite.files.single import sha256_of
from glyphlite.formatting import percent, things
from glyphlite.models.loading import load_keras_model
from glyphlite.models.pretrained import PretrainedCard, pretrained_card, pretrained_keras, retired_names, retired_words
from glyphlite.models.saving import stored_weights
from glyphlite.records import Certainty, PretrainedReport
from glyphlite.training.trainer import TrainingResult


def check_pretrained(name: str, dataset: str, *, changes: Sequence[str], resume: bool) -> PretrainedCard:
    """Returns the card of the model, where a run of it makes sense.

    Raises:
        ModelError: no pretrained one is installed, it was trained on another dataset, or an option is about training.
    """
    card = pretrained_card(name)
    if name in retired_names():
        say(retired_words(name))
    about_training = [*(word for word in changes if word.startswith("--")), *(["--resume"] if resume else [])]
    if about_training:
        raise ModelError(f"--pretrained trains nothing; leave out {', '.join(about_training)}, or --pretrained")
    if dataset != card.dataset:
        raise ModelError(
            f"the {name} that comes with glyphlite was trained on {card.dataset}; leave out --pretrained to train on {dataset}"
        )
    return card


def take_pretrained(card: PretrainedCard, dataset: Dataset, folder: Path) -> TrainingResult:
    """Puts a shipped Keras model, and what a training leaves beside it, into a run's folder.

    Raises:
        ModelError: a file of the package is not the one that was shipped.
        OutputError: the folder holds a training, which would be lost, or cannot be written.
    """
    if (folder / "history.csv").exists():
        raise OutputError(f"{folder} holds a training of its own; choose another folder with --out")
    best = card.best
    say(
        f"{card.model} comes with glyphlite: seed {best.seed}, among {things(len(card.seeds), 'seed')} the one whose int8 file "
        f"is right most often on validation images ({percent(best.validation_accuracy)}"
        f"{', before it was trained on these, too' if card.all_images else ''}). Nothing is trained; "
        f"glyphlite train {card.model} makes one anew."
    )
    with owned_path(folder / "model.keras") as temporary:
        shutil.copyfile(pretrained_keras(card.model), temporary)
    write_owned(folder / "model.weights.h5", stored_weights(folder / "model.keras"))
    write_owned(folder / "labels.txt", "".join(f"{label}\n" for label in dataset.labels))
    return TrainingResult(
        model=load_keras_model(folder / "model.keras"),
        best_epoch=best.best_epoch,
        validation_accuracy=None if card.all_images else best.float_validation_accuracy,
        history=(),
        seconds=best.seconds,
        precision=str(card.recipe.get("precision", "float32")),
        folder=folder,
        recipe=card.recipe,
    )


def pretrained_report(card: PretrainedCard, int8: ConvertedArtifact | None) -> PretrainedReport:
    """Returns what ``results.json`` says of where the model came from; says aloud whether the int8 file is the shipped one."""
    best = card.best
    same = int8 is not None and sha256_of(int8.path) == best.sha256
    if int8 is not None:
        words = (
            "equals the released file, byte for byte"
            if same
            else "differs from the released file: another version of the converter wrote it"
        )
        say(f"{int8.path.name} {words}")
    return PretrainedReport(
        seed=best.seed,
        seeds=len(card.seeds),
        best_epoch=best.best_epoch,
        train_seconds=best.seconds,
        validation_accuracy=best.validation_accuracy,
        all_images=card.all_images,
        keras_sha256=card.keras_sha256,
        int8_sha256=best.sha256,
        int8_is_the_shipped_one=same,
    )


def with_certainty_of_twin(evaluation: ArtifactEvaluation, card: PretrainedCard, labels: np.ndarray) -> ArtifactEvaluation:
    """Returns the measurement of a released file with the certainty that its card has of its twin, where it has one.

    A file that was trained on all images has no held-out ones that could be fitted.
    """
    report = evaluation.report
    if not card.all_images or report.sha256 != card.best.sha256 or card.best.certainty is None:
        return evaluation
    fitted = with_test_figures(Certainty.model_validate(card.best.certainty), evaluation.probabilities, labels)
    return replace(evaluation, report=report.model_copy(update={"certainty": fitted}))


def pretrained_record(card: PretrainedCard) -> dict[str, Any]:
    """Returns what ``run.toml`` says of where the model came from."""
    return {
        "seed": card.chosen,
        "seeds": [each.seed for each in card.seeds],
        "best_epoch": card.best.best_epoch,
        "validation_accuracy": card.best.validation_accuracy,
        **({"all_images": True} if card.all_images else {}),
        "keras_sha256": card.keras_sha256,
        "versions": card.versions,
    }
