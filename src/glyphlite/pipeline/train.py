"""``glyphlite train``: a dataset, a model by name, and the trainer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlite.data.datasets import load_dataset
from glyphlite.files import sha256_of
from glyphlite.models.registry import split_seed
from glyphlite.pipeline.conventions import choose_model
from glyphlite.pipeline.record import write_run_record
from glyphlite.pipeline.run_data import to_remember
from glyphlite.training.trainer import train


@dataclass(frozen=True)
class Trained:
    """What training reports: accuracies on validation only."""

    model: str
    dataset: str
    folder: Path
    epochs: int
    best_epoch: int
    validation_accuracy: float
    seconds: float

    def document(self) -> dict[str, Any]:
        """The plain JSON document."""
        return {**vars(self), "folder": str(self.folder)}


def train_model(
    model: str,
    dataset: str,
    folder: Path | None,
    *,
    epochs: int | None,
    seed: int,
    resume: bool,
    data_dir: Path | None,
    input_range: str | None = None,
) -> Trained:
    """Train a model into a folder, ``runs/`` with the model's name when none is given.

    Raises:
        DataError: the dataset.
        ModelError: the model, or a checkpoint of other settings.
        OutputError: the folder.
    """
    loaded = load_dataset(dataset, data_dir=data_dir, seed=split_seed(model, seed))
    choice = choose_model(model, loaded, input_range)
    folder = folder or Path("runs") / choice.name
    result = train(choice, loaded, folder, epochs=epochs, seed=seed, resume=resume)
    write_run_record(
        folder,
        command=["glyphlite", "train", model, "--dataset", dataset, "--out", str(folder), "--seed", str(seed)]
        + (["--epochs", str(epochs)] if epochs is not None else [])
        + (["--input-range", input_range] if input_range is not None else []),
        model=model,
        dataset=loaded,
        remember=to_remember(dataset, loaded, data_dir),
        recipe=result.recipe,
        settings={"seed": seed, "epochs": len(result.history), "best_epoch": result.best_epoch},
        hashes={name: sha256_of(folder / name) for name in ("model.keras", "model.weights.h5") if (folder / name).is_file()},
    )
    return Trained(
        choice.name, loaded.name, folder, len(result.history), result.best_epoch, result.validation_accuracy, result.seconds
    )
