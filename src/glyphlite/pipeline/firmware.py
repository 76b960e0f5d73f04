"""Firmware from an int8 artifact: the TFLite Micro project, generated C99, and what that costs on emulated cores."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glyphlite.compiler.compile import compile_artifact
from glyphlite.compiler.interface import Sample
from glyphlite.console import progress_bar, say
from glyphlite.cores import PREFERRED_CORE
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.simulation import simulate
from glyphlite.export.tflm.project import export_tflm
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.pipeline.inputs.datasets import image_of
from glyphlite.pipeline.runs.folder import C_FOLDER, TFLM_FOLDER
from glyphlite.records import FirmwareReport, RuntimeReport

RUN_CORES = (PREFERRED_CORE, "cortex-m0")
RUN_IMAGES = 10


@dataclass(frozen=True)
class Firmware:
    """The firmware of the int8 artifact: TFLite Micro's verdict with its arena, and generated C on each core."""

    tflm: RuntimeReport | None = None
    reports: list[FirmwareReport] = field(default_factory=list)


def build_firmware(
    artifact: Path,
    folder: Path,
    dataset: Dataset,
    convention: InputConvention,
    accuracy: str = "",
    *,
    cores: Sequence[str] = RUN_CORES,
    optimize: str = "speed",
) -> Firmware:
    """Exports ``folder/tflm``, compiles ``folder/c``, and counts on emulated cores; what cannot be done is said, not fatal.

    ``accuracy`` is what was measured on the artifact, in words, for the header; ``optimize`` what the C is optimized for.

    Raises:
        OutputError: a folder cannot be written.
    """
    image, label, labels = image_of(dataset, 0)
    tflm = None
    try:
        exported = export_tflm(
            artifact,
            folder / TFLM_FOLDER,
            image=image,
            label=label,
            labels=labels,
            image_source=f"{dataset.name} test image 0",
            convention=convention,
            overwrite=True,
        )
        tflm = exported.arena.report()
    except (ArtifactError, ToolError) as error:
        say(str(error), lead="No TFLite Micro project:", style="yellow")
    reports = []
    try:
        sample = Sample(image, label, f"{dataset.name} test image 0")
        compile_artifact(
            artifact,
            folder / C_FOLDER,
            name="model",
            sample=sample,
            labels=labels,
            convention=convention,
            overwrite=True,
            accuracy=accuracy,
            optimize=optimize,
        )
        with progress_bar("Counting on emulated cores", len(cores)) as advance:
            for core in cores:
                reports.append(simulate(folder / C_FOLDER, core, dataset.test.images[:RUN_IMAGES], measured=RUN_IMAGES).report)
                advance()
    except (ArtifactError, ToolError) as error:
        say(str(error), lead="No firmware figures:", style="yellow")
    return Firmware(tflm, reports)
