"""The values that trackers get of a run: its parameters before the training, its figures at the end."""

from dataclasses import asdict
from typing import Any

from glyphlite.datasets.dataset import Dataset
from glyphlite.models.choice import ModelChoice
from glyphlite.results import Results


def tracked_parameters(choice: ModelChoice, dataset: Dataset, seed: int) -> dict[str, Any]:
    """Returns what a training is: model, data, seed and recipe."""
    data = {"name": dataset.name, "images": len(dataset.train), "shape": "x".join(map(str, dataset.input_shape))}
    definition = {"file": str(choice.definition.path), "sha256": choice.definition.sha256} if choice.definition else None
    return {"model": choice.name, "definition": definition, "dataset": data, "seed": seed, "recipe": asdict(choice.recipe)}


def tracked_figures(results: Results) -> dict[str, float | None]:
    """Returns what was measured: accuracies as fractions, sizes in bytes."""
    figures: dict[str, float | None] = {
        "keras/test_accuracy": results.keras.accuracy.value if results.keras.accuracy else None,
        "keras/test_balanced_accuracy": results.keras.balanced_accuracy,
        "keras/validation_accuracy": results.keras.validation_accuracy,
        "keras/parameters": results.keras.parameters,
    }
    for artifact in results.artifacts:
        figures[f"{artifact.variant}/bytes"] = artifact.bytes
        figures[f"{artifact.variant}/test_accuracy"] = artifact.accuracy.value if artifact.accuracy else None
        figures[f"{artifact.variant}/test_balanced_accuracy"] = artifact.balanced_accuracy
    for report in results.firmware:
        figures[f"{report.cpu}/instructions"] = report.instructions
        figures[f"{report.cpu}/flash_bytes"] = report.code_bytes + report.constant_bytes
        figures[f"{report.cpu}/ram_bytes"] = report.ram_bytes
    return figures
