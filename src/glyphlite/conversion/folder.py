"""A Keras model to a folder of artifacts: calibration images drawn once, each file written whole or not at all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from glyphlite.conversion.calibration import representative_images
from glyphlite.conversion.converter import convert_exported, exported
from glyphlite.conversion.variants import VARIANT_NAMES, artifact_name, get_variant
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ConversionError
from glyphlite.files.owned import require_ours, write_owned
from glyphlite.formatting import things
from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.models.interface.output_layer import outputs_of_model

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ConvertedArtifact:
    """One file that a conversion has left.

    Attributes:
        path: the file.
        variant: its name.
        bytes: its size.
        seconds: that its conversion took.
        select_tf_ops: TensorFlow's own ops in it; not empty means converted but not verified.
        ruled_out: runtimes that cannot execute it for that.
        notes: what a user should know of it.
    """

    path: Path
    variant: str
    bytes: int
    seconds: float
    select_tf_ops: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def convert_to_folder(
    model: "keras.Model",
    folder: Path,
    variants: Sequence[str] = VARIANT_NAMES,
    *,
    dataset: Dataset,
    convention: InputConvention = OURS,
    samples: int = 300,
    seed: int = 0,
    batch: int | None = 1,
    description: str = "",
    progress: Callable[[int], None] | None = None,
    failed: "dict[str, ConversionError] | None" = None,
    overwrite: bool = False,
) -> list[ConvertedArtifact]:
    """Converts a model to several variants, ``model_<variant>.tflite`` each.

    Args:
        model: a Keras image classifier.
        folder: where the files go; made if missing.
        variants: names, in the order of the work.
        dataset: calibration images come from its training split, class labels from its records.
        convention: how the model takes a pixel.
        samples: calibration images.
        seed: draws them.
        batch: images per inference; None leaves it free.
        description: one sentence for the files; what they are is the default.
        progress: called with 1 after each file.
        failed: takes the error of each variant that cannot be made, and the others are made all the same.
        overwrite: replace files of an earlier conversion that were changed since; the user's own are never replaced.

    Raises:
        ConversionError: an unknown variant, or a model that cannot be expressed in one (with ``failed``: in any); files finished
            before it stay.
        OutputError: a file cannot be written, or would replace one of the user's.
    """
    chosen = [get_variant(name) for name in variants]
    if batch is not None and batch < 1:
        raise ConversionError(f"a batch of {batch} images makes no sense; give 1 or more, or `dynamic`")
    outputs = int(model.outputs[0].shape[-1] or 0)
    if len(dataset.labels) != outputs_of_model(model, "the model").classes(outputs):
        raise ConversionError(
            f"the model has {things(outputs, 'output')}, {dataset.name} has {len(dataset.labels)} classes; "
            "name the dataset that it was trained on with --dataset"
        )
    require_ours(Path(folder), [artifact_name(variant.name) for variant in chosen], overwrite=overwrite)
    artifacts = []
    with exported(model, batch=batch) as saved:
        calibrated = any(saved.needs_calibration(variant) for variant in chosen)
        images = representative_images(dataset, samples, seed) if calibrated else None
        for variant in chosen:
            started = time.perf_counter()
            words = (
                description
                or f"Classifies {dataset.name} images of {'x'.join(map(str, dataset.input_shape))} into {dataset.classes}."
            )
            try:
                converted = convert_exported(
                    saved,
                    variant.name,
                    convention=convention,
                    representative=images,
                    labels=dataset.labels,
                    description=f"{words} {variant.title}: {variant.description}",
                )
            except ConversionError as error:
                if failed is None:
                    raise
                failed[variant.name] = error
                continue
            path = write_owned(Path(folder) / artifact_name(variant.name), converted.content, overwrite=overwrite)
            artifacts.append(
                ConvertedArtifact(
                    path,
                    variant.name,
                    len(converted.content),
                    time.perf_counter() - started,
                    converted.select_tf_ops,
                    converted.ruled_out,
                    converted.notes,
                )
            )
            if progress:
                progress(1)
    if failed and not artifacts:
        raise next(iter(failed.values()))
    return artifacts
