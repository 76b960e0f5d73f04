"""``glyphlite verify``: one artifact, every runtime that takes it, the same inputs."""

from pathlib import Path

from glyphlite.console import progress_bar
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.verification.agreement import TOLERANCE, Verification, verify, work_units
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.pipeline.inputs.conventions import input_convention, say_if_at_chance
from glyphlite.pipeline.inputs.datasets import data_of, say_if_labels_differ
from glyphlite.pipeline.inputs.files import artifact_in, keras_beside, own_image_shape
from glyphlite.runtimes.registry import RUNTIME_NAMES
from glyphlite.tflite.metadata import read_labels


def verify_file(
    path: Path,
    dataset: str | None,
    *,
    images: int | None,
    keras: Path | None,
    runtimes: str | None,
    tolerance: float | None,
    seed: int,
    data_dir: Path | None,
    input_range: str | None = None,
) -> Verification:
    """Compares the runtimes on one artifact, on the data that ``dataset`` names, else on that of its run, else on MNIST.

    Raises:
        ArtifactError: the file is malformed, no runtime takes it, or an unknown runtime is named.
        DataError: the dataset.
    """
    path = artifact_in(path)
    names = _runtimes(runtimes)
    source = keras_beside(path, keras) if names is None or "keras" in names else None
    if names is not None:
        names = tuple(name for name in names if name != "keras")
    loaded = data_of(path, dataset, data_dir).load(seed, own_image_shape(path))
    say_if_labels_differ(path, read_labels(path.read_bytes()), loaded)
    found = input_convention(path, loaded, input_range)
    verification = compare(
        path,
        loaded,
        images=images,
        seed=seed,
        convention=found.convention,
        keras=source,
        keras_convention=input_convention(source, loaded, input_range).convention if source else None,
        runtimes=names,
        tolerance=tolerance,
    )
    reference = next(record for record in verification.records if record.runtime == verification.reference)
    say_if_at_chance(path, reference.accuracy, loaded, "test images", found)
    return verification


def compare(
    path: Path,
    dataset: Dataset,
    *,
    images: int | None,
    seed: int,
    keras: Path | None,
    convention: InputConvention | None = None,
    keras_convention: InputConvention | None = None,
    runtimes: tuple[str, ...] | None = None,
    tolerance: float | None = None,
) -> Verification:
    """Compares with a progress bar over every image and runtime."""
    count = min(images or len(dataset.test), len(dataset.test))
    with progress_bar(
        f"{path.name}: {count} images through every runtime", work_units(path, count, runtimes, keras=keras is not None)
    ) as advance:
        return verify(
            path,
            dataset,
            images=count,
            seed=seed,
            convention=convention,
            keras=keras,
            keras_convention=keras_convention,
            runtimes=runtimes,
            tolerance=TOLERANCE if tolerance is None else tolerance,
            progress=advance,
        )


def _runtimes(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in RUNTIME_NAMES]
    if unknown or not names:
        raise ArtifactError(
            f"--runtimes does not know {', '.join(unknown) or 'an empty list'}; it takes {', '.join(RUNTIME_NAMES)}"
        )
    return names
