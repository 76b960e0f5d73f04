"""Firmware from an int8 artifact: the TFLite Micro project, generated C99, and what that costs on emulated cores."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler import CompilationReport, Sample, compile_artifact
from glyphlite.compiler.codegen.c_names import identifier, is_reserved
from glyphlite.compiler.compile import OPTIMIZE, check_name
from glyphlite.compiler.report import memory_map
from glyphlite.console import progress_bar, say
from glyphlite.cores import PREFERRED_CORE
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.escaping import shell_word, visible
from glyphlite.evaluation.recorded_accuracy import accuracy_words
from glyphlite.evaluation.simulation import Simulation, simulate
from glyphlite.evaluation.variant import variant_of
from glyphlite.evaluation.verification.self_check import check_generated
from glyphlite.export.tflm.project import export_tflm
from glyphlite.files import temporary_folder
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.pretrained import pretrained_names
from glyphlite.pipeline.export import image_of
from glyphlite.pipeline.inputs.conventions import input_convention
from glyphlite.pipeline.inputs.datasets import beside, data_of, to_remember
from glyphlite.pipeline.inputs.files import artifact_in, own_image_shape
from glyphlite.records import FirmwareReport, RuntimeReport
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph

RUN_CORES = (PREFERRED_CORE, "cortex-m0")
RUN_IMAGES = 10
TRADE_OFF_CORE = "cortex-m4"


@dataclass(frozen=True)
class Firmware:
    """The firmware of the int8 artifact: TFLite Micro's verdict with its arena, and generated C on each core."""

    tflm: RuntimeReport | None = None
    reports: list[FirmwareReport] = field(default_factory=list)


def build_firmware(artifact: Path, folder: Path, dataset: Dataset, convention: InputConvention, accuracy: str = "") -> Firmware:
    """Exports ``folder/tflm``, compiles ``folder/c``, and counts on emulated cores; what cannot be done is said, not fatal.

    ``accuracy`` is what was measured on the artifact, in words, for the header.

    Raises:
        OutputError: a folder cannot be written.
    """
    image, label, labels = image_of(dataset, 0)
    tflm = None
    try:
        exported = export_tflm(
            artifact,
            folder / "tflm",
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
            folder / "c",
            name="model",
            sample=sample,
            labels=labels,
            convention=convention,
            overwrite=True,
            accuracy=accuracy,
        )
        with progress_bar("Counting on emulated cores", len(RUN_CORES)) as advance:
            for core in RUN_CORES:
                reports.append(simulate(folder / "c", core, dataset.test.images[:RUN_IMAGES], measured=RUN_IMAGES).report)
                advance()
    except (ArtifactError, ToolError) as error:
        say(str(error), lead="No firmware figures:", style="yellow")
    return Firmware(tflm, reports)


@dataclass(frozen=True)
class Compiled:
    """The record of what was compiled, for programs and in words."""

    document: dict[str, Any]
    words: str
    trade_offs: dict[str, FirmwareReport]


def compile_file(
    path: Path,
    folder: Path | None,
    *,
    name: str | None,
    optimize: str,
    scores: str,
    dataset: str | None,
    sample: int,
    data_dir: Path | None,
    input_range: str | None = None,
    compare: bool = True,
    overwrite: bool = False,
    check: bool = True,
) -> Compiled:
    """Compiles an int8 .tflite file (or a run's) to C99; with ``compare``, measures what each ``--optimize`` would cost.

    With ``check``, the C is held to TFLite Micro's bytes on random inputs before it is written.

    Without ``folder`` it goes into one named after the file, without ``dataset`` the test image is one of the model's own run;
    where no data fits the model, the example holds a blank image. All of this is said.

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
        DisagreementError: the C differs from TFLite Micro, which is a fault of ours.
        DataError: a dataset that was named, or no such image in it.
        OutputError: the folder cannot be written.
    """
    if name is not None:
        check_name(name)
    named = path
    path = artifact_in(path)
    graph = _int8_graph(path)
    folder = _folder_for(named) if folder is None else folder
    name = _name_for(path) if name is None else name
    data = data_of(path, dataset, data_dir)
    loaded = data.load_fitting(graph, "the example holds a blank image, and costs are counted on it")
    image, label, labels = image_of(loaded, sample) if loaded else (None, None, None)
    convention = input_convention(path, loaded, input_range).convention
    checked = check_generated(path, optimize=optimize) if check else None
    report = compile_artifact(
        path,
        folder,
        name=name,
        optimize=optimize,
        scores=scores,
        sample=None if image is None else Sample(image, label, f"{loaded.name} test image {sample}" if loaded else ""),
        labels=labels,
        convention=convention,
        overwrite=overwrite,
        accuracy=accuracy_words(path),
        dataset=beside(to_remember(data.name, loaded, None)["named"], folder) if loaded else None,
    )
    blank = np.zeros(tuple(abs(extent) for extent in graph.input.shape[1:]), np.uint8)
    costs = _trade_offs(path, blank if image is None else image, scores, convention) if compare else {}
    document = {**_document(report), "trade_offs": {each: cost.model_dump(mode="json") for each, cost in costs.items()}}
    document["check"] = None if checked is None else asdict(checked)
    return Compiled(document, _words(report, folder) + (f"\n{checked.words}" if checked else ""), costs)


def _folder_for(named: Path) -> Path:
    """Returns a folder in the current one, after what the user named: a file, a run's folder, a pretrained model; says so.

    A folder of a pretrained model's very name would be taken for it by the next command.
    """
    name = named.stem if named.suffix.lower() == ".tflite" else named.resolve().name
    folder = Path(f"{name}_c" if named.is_dir() or name in pretrained_names() else name)
    say(f"No --out: writing the folder {folder}")
    return folder


def _name_for(path: Path) -> str:
    """Returns the prefix of symbols and files, after the artifact; says so where its own name is taken."""
    name = identifier(path.stem)
    if is_reserved(path.stem):
        say(f"{path.stem} is a name of C, C++, POSIX, Arduino or a file system: files and symbols are called {name}")
    return name


@dataclass(frozen=True)
class Simulated:
    """Simulations on several cores of the same images, and what the images show."""

    simulations: list[Simulation]
    expected: np.ndarray
    labels: tuple[str, ...]

    @property
    def reports(self) -> list[FirmwareReport]:
        """Returns the records, one per core."""
        return [simulation.report for simulation in self.simulations]

    def document(self) -> list[dict[str, Any]]:
        """Returns the plain JSON document: the records, and each image's class and scores."""
        return [
            {
                **simulation.report.model_dump(mode="json"),
                "images": [
                    {
                        "expected": self.labels[int(expected)],
                        "class": self.labels[int(found)],
                        "scores": scores.tolist(),
                        "instructions": int(instructions),
                    }
                    for expected, found, scores, instructions in zip(
                        self.expected, simulation.classes, simulation.scores, simulation.instructions, strict=True
                    )
                ],
            }
            for simulation in self.simulations
        ]

    def predictions(self) -> list[tuple[str, list[tuple[str, float]]]]:
        """Returns each image with its best three classes on the first core, and whether it is right."""
        rows = []
        first = self.simulations[0]
        for index, (expected, scores) in enumerate(zip(self.expected, first.real_scores, strict=True)):
            best = np.argsort(-scores, kind="stable")[:3]
            top = [(self.labels[int(each)], float(scores[each])) for each in best]
            right = "right" if int(best[0]) == int(expected) else "WRONG"
            rows.append((f"test image {index}: {self.labels[int(expected)]}, {right}", top))
        return rows


def simulate_target(
    target: Path,
    cores: Sequence[str],
    *,
    images: int,
    optimize: str,
    dataset: str | None,
    data_dir: Path | None,
    input_range: str | None = None,
) -> Simulated:
    """Runs generated C on emulated cores: the first test images, each counted instruction by instruction.

    Without ``dataset`` they are those of the run that the model or the C belongs to, else MNIST's.

    Raises:
        ArtifactError: the file or folder holds no model that can be simulated on this dataset.
        ToolError: the cross-compiler or the emulator is missing.
        DataError: the dataset.
    """
    if not target.is_dir():
        target = artifact_in(target)
        _int8_graph(target)
    elif (target / "model_int8.tflite").is_file():
        target = target / "model_int8.tflite"
    loaded = data_of(target, dataset, data_dir).load(takes=None if target.is_dir() else own_image_shape(target))
    convention = _simulated_convention(target, loaded, input_range)
    pixels, labels = loaded.test.images[:images], loaded.test.labels[:images]
    simulations = []
    for core in cores:
        with progress_bar(f"{target.name} on {core}", len(pixels)) as advance:
            simulations.append(
                simulate(target, core, pixels, convention=convention, optimize=optimize, measured=len(pixels), progress=advance)
            )
    return Simulated(simulations, labels, loaded.labels)


def _simulated_convention(target: Path, dataset: Dataset, input_range: str | None) -> InputConvention | None:
    """Returns the model's input convention; None for a compiled folder, which contains it."""
    if not target.is_dir():
        return input_convention(target, dataset, input_range).convention
    if input_range is not None:
        raise ArtifactError(f"{target} was compiled for one input range; name the .tflite file, or compile it with --input-range")
    return None


def _trade_offs(path: Path, image: np.ndarray, scores: str, convention: InputConvention) -> dict[str, FirmwareReport]:
    """Returns what each way to optimize takes on an emulated Cortex-M4; nothing where cross-compiler or emulator are missing."""
    costs = {}
    try:
        with (
            temporary_folder() as folder,
            progress_bar("Weighing the trade-offs", len(OPTIMIZE)) as advance,
        ):
            for optimize in OPTIMIZE:
                generated = folder / optimize
                # A class alone cannot be read out of the emulator; dropping the scores saves what dropping the softmax saves.
                kept = "logits" if scores == "none" else scores
                compile_artifact(path, generated, optimize=optimize, scores=kept, convention=convention)
                costs[optimize] = simulate(generated, TRADE_OFF_CORE, image[np.newaxis]).report
                advance()
    except ToolError as error:
        say(str(error), lead="No trade-offs measured:", style="yellow")
    return costs


def _int8_graph(path: Path) -> Graph:
    """Returns the graph of an int8 artifact.

    Raises:
        ArtifactError: the file is malformed, or is another variant.
    """
    graph = read_graph(path)
    variant = variant_of(graph)
    if variant != "int8":
        raise ArtifactError(f"{path} is a {variant} file; generated C is made from int8: glyphlite convert MODEL.keras --to int8")
    return graph


def _document(report: CompilationReport) -> dict[str, Any]:
    return {**memory_map(report), "folder": str(report.folder), "files": [str(file) for file in report.files]}


def _words(report: CompilationReport, folder: Path) -> str:
    """Returns what was written and what it takes; the cores' figures are ``glyphlite simulate``'s."""
    shown = visible(str(folder))
    word = shell_word(folder)
    lines = [
        f"{shown}: {', '.join(report.files)}",
        f"optimized for {report.optimize}, scores: {report.scores}; {report.macs:,} multiply-accumulates",
        f"arena {report.arena_bytes:,} bytes, input {report.input_bytes:,}, output {report.output_bytes:,}; constants "
        f"{report.constant_bytes:,} bytes with the DSP extension, {report.plain_constant_bytes:,} without",
        f"Try it: make -C {word}; count it: glyphlite simulate {word} --cpu cortex-m4",
    ]
    return "\n".join(lines)
