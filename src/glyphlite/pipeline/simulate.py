"""``glyphlite simulate``: generated C on emulated cores, on a dataset's images, a file's inputs or random ones."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.compile import compile_artifact
from glyphlite.compiler.picture.sources import LONGEST
from glyphlite.console import progress_bar, say
from glyphlite.datasets.download.catalogue import CATALOGUE
from glyphlite.emulation.picture_cost import measure_picture
from glyphlite.emulation.toolchain import target_named
from glyphlite.errors import ArtifactError, DisagreementError, ToolError
from glyphlite.evaluation.input_sets.compiled_inputs import inputs_of_map, memory_map_in
from glyphlite.evaluation.input_sets.image_inputs import check_fit, image_set
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.labels import named_labels
from glyphlite.evaluation.input_sets.random_inputs import CALLS, most_inputs
from glyphlite.evaluation.input_sets.value_ranges import ModelInputs, inputs_of
from glyphlite.evaluation.simulation import Simulation, simulate
from glyphlite.evaluation.verification.output_comparison import rows_differ
from glyphlite.files.scratch import temporary_folder
from glyphlite.formatting import channels_left_out, things
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.pipeline.inputs.conventions import input_convention
from glyphlite.pipeline.inputs.datasets import DEFAULT, data_of
from glyphlite.pipeline.inputs.files import artifact_in, integer_graph
from glyphlite.pipeline.inputs.sets import named_set, unasked_set
from glyphlite.records import FirmwareReport, PictureReport
from glyphlite.runtimes.registry import get_runtime

INPUTS = 10
"""Inputs where nobody says how many."""

SHOWN = 4
"""Values of an output that a table shows."""


@dataclass(frozen=True)
class Simulated:
    """Simulations on several cores of the same inputs, and what came out.

    Attributes:
        simulations: one per core.
        inputs: where the inputs come from, in words.
        unit: what one of them is called.
        expected: the class of each, where it is known.
        labels: the classes' names, where the inputs have classes.
        checked: on how many inputs the outputs are TFLite Micro's, byte for byte; None where that was not asked.
    """

    simulations: list[Simulation]
    inputs: str
    unit: str = "input"
    expected: np.ndarray | None = None
    labels: tuple[str, ...] = ()
    checked: int | None = None

    @property
    def reports(self) -> list[FirmwareReport]:
        """Returns the records, one per core."""
        return [simulation.report for simulation in self.simulations]

    @property
    def words(self) -> str:
        """Returns where the inputs come from, and what was compared."""
        words = f"Inputs: {self.inputs}."
        if self.checked is not None:
            words += f" The outputs are TFLite Micro's, bit by bit, on {things(self.checked, self.unit)}."
        if removed := self.reports[0].removed_channels:
            words += f" {channels_left_out(removed)}."
        return words

    def document(self) -> list[dict[str, Any]]:
        """Returns the plain JSON document: the records, and what each input gave: class and scores, or the outputs as stored."""
        return [
            {
                **simulation.report.model_dump(mode="json"),
                "inputs": self.inputs,
                "identical_to_tflm": self.checked,
                "images": [self._sample(simulation, index) for index in range(len(simulation.instructions))],
            }
            for simulation in self.simulations
        ]

    def predictions(self) -> list[tuple[str, list[tuple[str, float]]]]:
        """Returns each image with its best three classes on the first core, and whether it is right; none without classes."""
        rows = []
        first = self.simulations[0]
        for index, (expected, scores) in enumerate(zip(self._known(), first.real_scores, strict=False)):
            best = np.argsort(-scores, kind="stable")[:3]
            top = [(self.labels[int(each)], float(scores[each])) for each in best]
            right = "right" if int(best[0]) == int(expected) else "WRONG"
            unit = "test image" if self.unit == "image" else self.unit
            rows.append((f"{unit} {index}: {self.labels[int(expected)]}, {right}", top))
        return rows

    def outputs(self) -> list[tuple[str, int, str]]:
        """Returns each input with its instructions and the first values of every output as stored, on the first core."""
        first = self.simulations[0]
        return [
            (f"{self.unit} {index}", int(count), "; ".join(_some(output[index]) for output in first.given))
            for index, count in enumerate(first.instructions)
        ]

    def _known(self) -> np.ndarray:
        return np.empty(0, int) if self.expected is None else self.expected

    def _sample(self, simulation: Simulation, index: int) -> dict[str, Any]:
        outputs = {"outputs": [output[index].tolist() for output in simulation.given]}
        if self.expected is not None:
            outputs = {
                "expected": self.labels[int(self.expected[index])],
                "class": self.labels[int(simulation.classes[index])],
                "scores": simulation.scores[index].tolist(),
            }
        return {**outputs, "instructions": int(simulation.instructions[index])}


def simulate_target(
    target: Path,
    cores: Sequence[str],
    *,
    images: int | None,
    optimize: str,
    dataset: str | None,
    data_dir: Path | None,
    input_range: str | None = None,
    inputs: str | None = None,
) -> Simulated:
    """Runs generated C on emulated cores, each input counted instruction by instruction.

    The inputs are those that ``inputs`` names, else the first test images of ``dataset``, else of the data of the run that the
    model or the C belongs to, else MNIST's where the model classifies such, else random ones.

    Raises:
        ArtifactError: the file or folder holds no model that can be simulated on these inputs.
        DisagreementError: an output is not TFLite Micro's, which is a fault of ours.
        ToolError: the cross-compiler or the emulator is missing.
        DataError: the inputs or the dataset.
    """
    if target.is_dir() and (target / "model_int8.tflite").is_file():
        target = target / "model_int8.tflite"
    if target.is_dir():
        return _simulate_folder(target, cores, inputs, dataset, data_dir, images, input_range)
    target = artifact_in(target)
    graph = integer_graph(target)
    model, convention = inputs_of(graph), None
    count = _count(model, images)
    if inputs is not None:
        found = named_labels(named_set(model, inputs, dataset=dataset, count=count, first=True), graph, target.name)
    else:
        loaded = data_of(target, dataset, data_dir).load_where_it_fits(graph)
        if loaded is None:
            found = unasked_set(model, count=count)
        else:
            check_fit(graph, loaded, target.name)
            convention = input_convention(target, loaded, input_range).convention
            found = image_set(loaded.with_test(slice(count)), graph, convention)
    found = replace(found, unit="call") if model.keeps_state and not found.unrelated else found
    simulations = _on_cores(target, cores, found, optimize, convention)
    checked = _checked(target, found, simulations)
    return Simulated(simulations, found.source, found.unit, found.labels, found.class_names, checked)


def _simulate_folder(
    folder: Path,
    cores: Sequence[str],
    inputs: str | None,
    dataset: str | None,
    data_dir: Path | None,
    images: int | None,
    input_range: str | None,
) -> Simulated:
    """Runs the C of a folder, which was compiled for one way in which a pixel enters."""
    if input_range is not None:
        raise ArtifactError(f"{folder} was compiled for one input range; name the .tflite file, or compile it with --input-range")
    document = memory_map_in(folder)
    model = inputs_of_map(document)
    images, unit = _count(model, images), "call" if model.keeps_state else "input"
    if inputs is not None:
        found = named_set(model, inputs, dataset=dataset, count=images, first=True)
        return Simulated(_on_cores(folder, cores, found), found.source, unit)
    data = data_of(folder, dataset, data_dir)
    if data.assumed and not _takes_mnist(document):
        found = unasked_set(model, count=images)
        return Simulated(_on_cores(folder, cores, found), found.source, unit)
    loaded = data.load()
    pixels, labels = loaded.test.images[:images], loaded.test.labels[:images]
    source = f"{things(len(pixels), 'test image')} of {loaded.name}"
    return Simulated(_on_cores(folder, cores, pixels), source, "image", labels, loaded.labels)


def _count(model: ModelInputs, asked: int | None) -> int:
    """Returns how many inputs are run: calls of a model that keeps state are consecutive, and few show nothing."""
    return asked or min(CALLS if model.keeps_state else INPUTS, most_inputs(model))


def _takes_mnist(document: dict[str, Any]) -> bool:
    """Returns whether C classifies images of MNIST's size and number of classes, as far as its memory map says."""
    single = all(len(document.get(f"{kind}_tensors") or [0]) == 1 for kind in ("input", "output"))
    known = CATALOGUE[DEFAULT]
    return single and document["input_bytes"] == math.prod(known.image_shape) and len(document["labels"]) == len(known.labels)


def _on_cores(
    target: Path,
    cores: Sequence[str],
    found: InputSet | np.ndarray,
    optimize: str = "speed",
    convention: InputConvention | None = None,
) -> list[Simulation]:
    simulations = []
    for core in cores:
        with progress_bar(f"{target.name} on {core}", len(found)) as advance:
            simulations.append(
                simulate(target, core, found, convention=convention, optimize=optimize, measured=len(found), progress=advance)
            )
    return simulations


def _checked(target: Path, found: InputSet, simulations: Sequence[Simulation]) -> int | None:
    """Returns on how many inputs every core gave TFLite Micro's bytes; None, after a line, where TFLite Micro is not here.

    Raises:
        DisagreementError: a byte differs.
    """
    try:
        with get_runtime("tflm").load(target) as reference:
            expected = (reference.run_each if found.unrelated else reference.run)(found.arrays)
    except (ArtifactError, ToolError) as error:
        say(str(error), lead="Not compared with TFLite Micro:", style="yellow")
        return None
    for simulation in simulations:
        given = tuple(
            values.reshape(-1, *wanted.shape[1:])[: len(wanted)]  # several samples a call where the file's batch is fixed
            for values, wanted in zip(simulation.given, expected, strict=True)
        )
        if different := int(rows_differ(given, expected).sum()):
            raise DisagreementError(
                f"generated C on {simulation.report.cpu} differs from TFLite Micro on {different} of {found.source}: "
                f"this is a fault of glyphlite. Please report it with {target}"
            )
    return len(found)


def _some(values: np.ndarray) -> str:
    """Returns the first values of an output."""
    flat = values.ravel()
    more = ", ..." if flat.size > SHOWN else ""
    return ", ".join(f"{value:g}" for value in flat[:SHOWN].tolist()) + more


def picture_costs(target: Path, cores: Sequence[str], wanted: Mapping[str, str]) -> list[PictureReport]:
    """Measures the preparation of pictures on emulated cores.

    Args:
        target: a .tflite file of pictures, or a folder that ``glyphlite compile --with-picture`` wrote.
        cores: their names.
        wanted: sizes as ``WIDTHxHEIGHT`` by kind: frame, canvas, strokes.

    Raises:
        ArtifactError: the model takes no grey picture, or a size is none that can be prepared.
        ToolError: the cross-compiler or the emulator is missing.
    """
    sizes = {kind: _size_of(kind, words) for kind, words in wanted.items()}
    reports = []
    with temporary_folder() as folder:
        generated = target
        if not target.is_dir() or not any(target.glob("*_image.c")):
            generated = folder / "c"
            compile_artifact(artifact_in(target), generated, name="picture", with_picture=True)
        name = str(memory_map_in(generated)["name"])
        for core in cores:
            for kind, (width, height) in sizes.items():
                reports.append(measure_picture(generated, name, target_named(core), height, width, kind, folder))
    return reports


def _size_of(kind: str, words: str) -> tuple[int, int]:
    """Returns width and height of ``WIDTHxHEIGHT``."""
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", words)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= min(size) <= max(size) <= LONGEST:
        raise ArtifactError(f"--{kind} {words}: expected WIDTHxHEIGHT of 1 to {LONGEST} pixels a side, such as 96x96")
    return size
