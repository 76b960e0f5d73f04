"""MLflow and Weights & Biases, by their own packages and with their own settings.

Where records go, their environment variables say (``MLFLOW_TRACKING_URI``, ``WANDB_MODE``, ``WANDB_DIR`` ...); a project or
experiment ``glyphlite`` holds them unless those name one.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from glyphlite.escaping import visible
from glyphlite.training.history import EpochRecord

PROJECT = "glyphlite"

_LONGEST = 500
"""Characters that MLflow takes of a parameter."""


class MlflowTracker:
    """A run of an MLflow experiment."""

    def __init__(self, name: str) -> None:
        self._mlflow: Any = import_module("mlflow")
        if "MLFLOW_EXPERIMENT_NAME" not in os.environ and "MLFLOW_EXPERIMENT_ID" not in os.environ:
            self._mlflow.set_experiment(PROJECT)
        self._mlflow.start_run(run_name=name)

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Logs them as the run's parameters."""
        self._mlflow.log_params({name: visible(str(value))[:_LONGEST] for name, value in values.items()})

    def epoch(self, record: EpochRecord) -> None:
        """Logs an epoch's metrics, the epoch counted from 1."""
        self._mlflow.log_metrics(epoch_metrics(record), step=record.epoch)

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        """Logs what was measured."""
        self._mlflow.log_metrics(dict(values), step=step)

    def close(self, *, finished: bool) -> None:
        """Ends the run: as finished, or as killed."""
        self._mlflow.end_run("FINISHED" if finished else "KILLED")


class WandbTracker:
    """A run of a Weights & Biases project."""

    def __init__(self, name: str) -> None:
        wandb: Any = import_module("wandb")
        self._run = wandb.init(project=os.environ.get("WANDB_PROJECT", PROJECT), name=name, settings={"silent": True})

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Logs them as the run's configuration."""
        self._run.config.update({name: visible(each) if isinstance(each, str) else each for name, each in values.items()})

    def epoch(self, record: EpochRecord) -> None:
        """Logs an epoch's metrics, the epoch counted from 1."""
        self._run.log(epoch_metrics(record), step=record.epoch)

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        """Puts what was measured into the run's summary."""
        self._run.summary.update(dict(values))

    def close(self, *, finished: bool) -> None:
        """Ends the run."""
        self._run.finish(exit_code=0 if finished else 1)


def epoch_metrics(record: EpochRecord) -> dict[str, float]:
    """Returns an epoch's metrics by the names that Keras gives them; those of validation where there is any."""
    metrics = {
        "loss": record.loss,
        "accuracy": record.accuracy,
        "val_loss": record.validation_loss,
        "val_accuracy": record.validation_accuracy,
        "learning_rate": record.learning_rate,
    }
    return {name: value for name, value in metrics.items() if value is not None}
