"""State of a training: settings, position, history, best epoch; to and from a checkpoint. Knows nothing of the model."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ModelError
from glyphlite.models.choice import ModelChoice
from glyphlite.models.recipe import Recipe
from glyphlite.training.augmentation.parameters import RANGES, ranges_behind
from glyphlite.training.checkpoint import Checkpoint
from glyphlite.training.distillation import teacher_hashes
from glyphlite.training.engine.library import TENSORFLOW
from glyphlite.training.history import EpochRecord

_PLAIN = ("epoch", "batch", "loss_sum", "correct", "epoch_seconds", "finished")


@dataclass
class Session:
    """Everything about a training that is not in the model. Epochs and batches count from 0 here.

    Attributes:
        epoch: the epoch under way.
        batch: batches of it done.
        loss_sum: of its images so far.
        correct: of its images so far, classified right.
        epoch_seconds: spent on it so far.
        history: the finished epochs.
        best_weights: the model's after the best finished epoch.
        finished: whether the training has come to its end.
        first_choice: the first epoch, from 1, that may be the best.
        beginnings: the losses of the beginnings tried so far, where the recipe has several.
        beginning_seconds: spent on them.
        engine: what computes the steps, as `TrainingLoop.engine` names it.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    epoch_seconds: float = 0.0
    history: list[EpochRecord] = field(default_factory=list)
    best_weights: list[np.ndarray] = field(default_factory=list)
    finished: bool = False
    first_choice: int = 1
    beginnings: list[float] = field(default_factory=list)
    beginning_seconds: float = 0.0
    engine: str = TENSORFLOW

    @property
    def best(self) -> EpochRecord:
        """Returns the epoch of the highest validation accuracy, balanced where classes are weighed; ties go to the lower loss.

        Where there are no validation images nothing is chosen: it is the last epoch.
        """
        candidates = [record for record in self.history if record.epoch >= self.first_choice]

        def worth(record: EpochRecord) -> tuple[float, float]:
            accuracy, balanced = record.validation_accuracy, record.validation_balanced_accuracy
            if accuracy is None or record.validation_loss is None:
                return 0.0, record.epoch
            return accuracy if balanced is None else balanced, -record.validation_loss

        return max(candidates, key=worth)

    @property
    def seconds(self) -> float:
        """Returns the time spent in training and validation, over every resumption."""
        return self.beginning_seconds + sum(record.seconds for record in self.history) + self.epoch_seconds

    def checkpoint(self, settings: dict[str, Any], state: dict[str, np.ndarray]) -> Checkpoint:
        """Packs it with the settings and a training loop's state."""
        arrays = {f"state/{name}": array for name, array in state.items()}
        arrays |= {f"best/{index}": weight for index, weight in enumerate(self.best_weights)}
        document = {
            "settings": settings,
            "versions": {**library_versions(), "engine": self.engine},
            **{name: getattr(self, name) for name in _PLAIN},
            "beginnings": self.beginnings,
            "beginning_seconds": self.beginning_seconds,
            "history": [asdict(record) for record in self.history],
        }
        return Checkpoint(arrays, document)

    @classmethod
    def unpack(cls, checkpoint: Checkpoint) -> "tuple[Session, dict[str, np.ndarray]]":
        """Returns the session and the training loop's state of a checkpoint."""
        document = checkpoint.document
        best = sum(name.startswith("best/") for name in checkpoint.arrays)
        session = cls(
            **{name: document[name] for name in _PLAIN},
            beginnings=document.get("beginnings", []),
            beginning_seconds=document.get("beginning_seconds", 0.0),
            history=[EpochRecord(**record) for record in document["history"]],
            best_weights=[checkpoint.arrays[f"best/{index}"] for index in range(best)],
        )
        state = {name.removeprefix("state/"): array for name, array in checkpoint.arrays.items() if name.startswith("state/")}
        return session, state


def recorded_recipe(recipe: Recipe) -> dict[str, Any]:
    """Returns a recipe as a training's records keep it: plain JSON, beside the augmentations' names the numbers behind them."""
    return json.loads(json.dumps({**asdict(recipe), **ranges_behind(recipe.augmentation, recipe.photometric)}))


def training_settings(
    choice: ModelChoice, dataset: Dataset, recipe: Recipe, precision: str, seed: int, content: str
) -> dict[str, Any]:
    """Returns what has to be the same for a training to be resumed; plain JSON."""
    return {
        "model": choice.name,
        "model definition": choice.fingerprint,
        "image shape": list(choice.input_shape),
        "classes": list(dataset.labels),
        "dataset": dataset.name,
        "images": f"all, {dataset.joined} of validation with them" if dataset.joined else None,
        "dataset content": content,
        "seed": seed,
        "epochs": recipe.epochs,
        "recipe": recorded_recipe(recipe),
        "teachers": teacher_hashes(recipe),
        "precision": precision,
    }


def require_same_settings(saved: dict[str, Any], wanted: dict[str, Any], folder: object) -> None:
    """Refuses to resume under other settings. The numbers behind an augmentation's name are compared where they were kept.

    Raises:
        ModelError: naming the first setting that differs, with both values.
    """
    then, now = each_setting(saved), each_setting(wanted)
    for name in {**now, **then}:
        before, value = then.get(name), now.get(name)
        if before != value and (name in then or f"{RANGES}'s " not in name):
            raise ModelError(
                f"cannot resume the training in {folder}: its {name} was {_brief(before)}, now it is {_brief(value)}; "
                "train with the former settings, or without --resume to start over"
            )


def warn_of_other_versions(saved: dict[str, str], engine: str) -> None:
    """Says so where another TensorFlow, Keras or engine wrote the checkpoint: bits are only promised within one."""
    for name, now in {**library_versions(), "engine": engine}.items():
        before = saved.get(name, TENSORFLOW if name == "engine" else None)
        if before != now:
            say(
                f"the checkpoint was written with {name} {before}, this is {now}: the last bits may differ",
                style="yellow",
            )


def library_versions() -> dict[str, str]:
    """Returns what computes the weights, beside the engine."""
    import tensorflow as tf

    return {"tensorflow": tf.__version__, "keras": version("keras")}


def content_hash(dataset: Dataset) -> str:
    """Returns the SHA-256  over what is trained and validated on, in order."""
    digest = hashlib.sha256()
    for split in (dataset.train, dataset.validation):
        for array in (split.images, split.labels):
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def each_setting(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns every setting by itself, those of a table under its name. What a record is too old to know counts as not used."""
    each = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            each |= {f"{name}'s {key}": part for key, part in each_setting(value).items()}
        else:
            each[name] = value
    return each


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:12]}..."
