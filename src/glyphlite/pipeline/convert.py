"""``glyphlite convert``: a .keras file to the variants asked for, with the round trip of its weights checked."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from glyphlite.console import say
from glyphlite.conversion.calibration import CalibrationEffect, calibration_effect
from glyphlite.conversion.folder import ConvertedArtifact, convert_to_folder
from glyphlite.conversion.isolation import prepare
from glyphlite.conversion.variants import artifact_name, get_variant
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ConversionError
from glyphlite.evaluation.convention_search import keras_convention
from glyphlite.extras import require_extra
from glyphlite.files.owned import locked_folder, require_ours
from glyphlite.files.single import without_detours
from glyphlite.models.interface.input_convention import OURS, InputConvention, parse_input_range
from glyphlite.models.loading import load_keras_model
from glyphlite.models.user import choose_user_model, classifier, require_source
from glyphlite.pipeline.inputs.datasets import data_of
from glyphlite.pipeline.inputs.files import is_keras, keras_image_shape

ROUND_TRIP_IMAGES = 256


@dataclass(frozen=True)
class Converted:
    """The artifacts written, the variants that could not be made with the reason, and the effect of calibration if asked for."""

    artifacts: list[ConvertedArtifact]
    calibration: list[CalibrationEffect]
    failed: dict[str, str] = field(default_factory=dict)
    convention: InputConvention = OURS

    def document(self) -> dict[str, Any]:
        """Returns the plain JSON document."""
        return {
            "artifacts": [{**asdict(artifact), "path": str(artifact.path)} for artifact in self.artifacts],
            "calibration": [asdict(effect) for effect in self.calibration],
            "failed": [{"variant": variant, "reason": reason} for variant, reason in self.failed.items()],
            "input": self.convention.report().model_dump(mode="json"),
        }

    def require_all(self) -> None:
        """Raises a ConversionError that counts the variants that could not be made, if there are any."""
        require_all_variants(self.failed)


def convert_model(
    path: Path,
    folder: Path | None,
    *,
    variants: str,
    batch: str,
    dataset: str | None,
    samples: int,
    show_calibration: bool,
    seed: int,
    data_dir: Path | None,
    input_range: str | None = None,
    overwrite: bool = False,
) -> Converted:
    """Converts a Keras model.

    Args:
        path: a .keras or .h5 file, a SavedModel folder, or ``path/to/file.py:function``.
        folder: where the artifacts go; None is the model's own folder.
        variants: names with commas between.
        batch: a number, or ``dynamic``.
        dataset: where calibration images come from (its training split); None takes the run's own, else MNIST.
        samples: how many.
        show_calibration: whether to measure several sample counts on validation.
        seed: draws the samples.
        data_dir: where the dataset lies already.
        input_range: how the model takes a pixel, where the user says it.
        overwrite: replace files of an earlier conversion that were changed since.

    Raises:
        ConversionError: an unknown variant or batch, or a model that cannot be expressed.
        ModelError: the file is no Keras classifier of the dataset's shape.
        DataError: the dataset.
        OutputError: the folder.
        ToolError: the extra ``train`` is not installed.
    """
    require_extra("train", "converting")
    names = tuple(dict.fromkeys(name.strip() for name in variants.split(",") if name.strip()))
    if not names:
        raise ConversionError("--to names no variant; for example --to float32,int8")
    for name in names:
        get_variant(name)
    size = _batch_size(batch)
    chosen = parse_input_range(input_range) if input_range is not None else None
    require_source(str(path))
    folder = without_detours(path.parent if folder is None else folder)
    require_ours(folder, [artifact_name(name) for name in names], overwrite=overwrite)
    with locked_folder(folder):
        prepare()
        # A function of the user's builds its model for the data, whatever their size.
        stored = load_keras_model(path) if is_keras(path) else None
        loaded = data_of(path, dataset, data_dir).load(seed, keras_image_shape(stored))
        if stored is not None:
            model = classifier(stored, loaded.input_shape, loaded.classes, str(path))
        else:
            model = choose_user_model(str(path), loaded.input_shape, loaded.classes).build()
        found = keras_convention(model, path, loaded, chosen=chosen)
        if found.words:
            say(found.words)
        artifacts, failed = convert_what_can_be(
            model,
            folder,
            names,
            dataset=loaded,
            convention=found.convention,
            samples=samples,
            seed=seed,
            batch=size,
            overwrite=overwrite,
        )
    effects: list[CalibrationEffect] = []
    if show_calibration:
        from glyphlite.runtimes.registry import probabilities_of

        effects = calibration_effect(model, loaded, probabilities_of, convention=found.convention, seed=seed)
    return Converted(artifacts, effects, failed, found.convention)


def convert_what_can_be(
    model: Any,
    folder: Path,
    variants: Sequence[str],
    *,
    dataset: Dataset,
    convention: InputConvention,
    samples: int,
    seed: int,
    batch: int | None = 1,
    overwrite: bool = False,
) -> tuple[list[ConvertedArtifact], dict[str, str]]:
    """Converts to the variants that the model can be expressed in, and says in one line why it cannot in each other.

    Returns:
        The artifacts, and the reasons by variant.

    Raises:
        ConversionError: it can be expressed in none.
        OutputError: the folder.
    """
    failed: dict[str, ConversionError] = {}
    artifacts = convert_to_folder(
        model,
        folder,
        variants,
        dataset=dataset,
        convention=convention,
        samples=samples,
        seed=seed,
        batch=batch,
        failed=failed,
        overwrite=overwrite,
    )
    noted: dict[str, list[str]] = {}
    for artifact in artifacts:
        for note in artifact.notes:
            noted.setdefault(note, []).append(artifact.path.name)
    for note, files in noted.items():
        say(f"{', '.join(files)}: {note}")
    for error in failed.values():
        say(str(error), lead="Left out:", style="yellow")
    return artifacts, {variant: str(error) for variant, error in failed.items()}


def require_all_variants(failed: Collection[str]) -> None:
    """Raises a ConversionError that names the variants that could not be made, if there are any."""
    if failed:
        raise ConversionError(f"everything else was written, but not {', '.join(failed)}; the reason is given above")


def check_weights(folder: Path, images: Any) -> None:
    """Checks that a run's model.keras and model.weights.h5 give equal predictions on a few images (uint8)."""
    from glyphlite.conversion.weights import check_round_trip

    model = load_keras_model(folder / "model.keras")
    check_round_trip(model, folder / "model.weights.h5", images=OURS.real(images[:ROUND_TRIP_IMAGES]))


def _batch_size(text: str) -> int | None:
    """Returns None for ``dynamic``, else a positive number."""
    if text == "dynamic":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 4096:
        raise ConversionError(f"--batch takes a number from 1 to 4096, or dynamic; not {text!r}")
    return int(text)
