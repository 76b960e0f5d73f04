"""``glyphlite verify``: one artifact, every runtime that takes it, the same inputs."""

from dataclasses import replace
from pathlib import Path

from glyphlite.console import progress_bar, say
from glyphlite.cores import core_title
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.simulation import simulate
from glyphlite.evaluation.verification.agreement import TOLERANCE, Verification, verify, work_units
from glyphlite.formatting import things
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.pipeline.inputs.conventions import input_convention, say_if_at_chance
from glyphlite.pipeline.inputs.datasets import data_of, say_if_labels_differ
from glyphlite.pipeline.inputs.files import artifact_in, existing_file, keras_beside
from glyphlite.pipeline.inputs.sets import named_set, unasked_set
from glyphlite.runtimes.base import Runtime
from glyphlite.runtimes.device.connection import BAUD
from glyphlite.runtimes.registry import BOARD, RUNTIME_NAMES
from glyphlite.tflite.metadata import read_labels
from glyphlite.tflite.reader import read_graph

DEVICE_INPUTS = 200
"""Inputs that a board gets unless more are asked for: at 115,200 baud an image of 28x28 pixels takes 70 ms."""


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
    inputs: str | None = None,
    device: str | None = None,
    baud: int = BAUD,
) -> Verification:
    """Compares the runtimes on one artifact, whatever it is for, and a board on a serial port where ``device`` names one.

    What the board's core takes for the same C where it is emulated stands beside the board's time, where the firmware says which
    core it was built for.

    The inputs are those that ``inputs`` names, else test images of the dataset that ``dataset`` names or the artifact's run goes
    with, else of MNIST where the artifact classifies such images, else random ones.

    Raises:
        ArtifactError: the file is malformed, no runtime takes it, or an unknown runtime is named.
        ToolError: the board does not answer or runs another model.
        DataError: the inputs or the dataset.
    """
    path = artifact_in(path)
    board = None if device is None else BOARD.create(port=device, baud=baud)
    images = DEVICE_INPUTS if images is None and board is not None else images
    names = _runtimes(runtimes)
    source = _float_source(path, keras) if names is None or keras is not None or "keras" in names else None
    if names is not None:
        names = tuple(name for name in names if name != "keras")
    graph = read_graph(path)
    if inputs is not None:
        found = named_set(inputs_of(graph), inputs, dataset=dataset, count=images, seed=seed)
        compared = compare(path, found, images=None, seed=seed, keras=source, runtimes=names, tolerance=tolerance, board=board)
        return _beside_the_emulator(path, compared)
    data = data_of(path, dataset, data_dir)
    loaded = data.load_where_it_fits(graph, seed)
    if loaded is None:
        found = unasked_set(inputs_of(graph), count=images, seed=seed)
        compared = compare(path, found, images=None, seed=seed, keras=source, runtimes=names, tolerance=tolerance, board=board)
        return _beside_the_emulator(path, compared)
    compared = _on_images(
        path, loaded, input_range, images=images, seed=seed, keras=source, runtimes=names, tolerance=tolerance, board=board
    )
    return _beside_the_emulator(path, compared)


def _beside_the_emulator(path: Path, compared: Verification) -> Verification:
    """Returns a comparison with what the board's core takes for one inference where it is emulated, if it can be."""
    board = compared.board
    if board is None or board.core is None:
        return compared
    try:
        report = simulate(path, board.core, random_set(inputs_of(read_graph(path)), 1)).report
    except (ArtifactError, ToolError) as error:
        say(str(error), lead=f"No emulated {core_title(board.core)} to compare with:", style="yellow")
        return compared
    emulated = {"emulated_instructions": report.instructions, "emulated_cycles": report.cycles}
    return replace(compared, board=board.model_copy(update=emulated))


def _on_images(
    path: Path,
    loaded: Dataset,
    input_range: str | None,
    *,
    images: int | None,
    seed: int,
    keras: Path | None,
    runtimes: tuple[str, ...] | None,
    tolerance: float | None,
    board: Runtime | None,
) -> Verification:
    """Compares on test images, and says where what is known of the classes does not fit."""
    say_if_labels_differ(path, read_labels(path.read_bytes()), loaded)
    found = input_convention(path, loaded, input_range)
    verification = compare(
        path,
        loaded,
        images=images,
        seed=seed,
        convention=found.convention,
        keras=keras,
        keras_convention=input_convention(keras, loaded, input_range).convention if keras else None,
        runtimes=runtimes,
        tolerance=tolerance,
        board=board,
    )
    reference = next(record for record in verification.records if record.runtime == verification.reference)
    if reference.accuracy is not None:
        say_if_at_chance(path, reference.accuracy, loaded, "test images", found)
    return verification


def compare(
    path: Path,
    data: Dataset | InputSet,
    *,
    images: int | None,
    seed: int,
    keras: Path | None,
    convention: InputConvention | None = None,
    keras_convention: InputConvention | None = None,
    runtimes: tuple[str, ...] | None = None,
    tolerance: float | None = None,
    board: Runtime | None = None,
) -> Verification:
    """Compares with a progress bar over every input and runtime."""
    if isinstance(data, InputSet) and data.is_random and keras is not None:
        words = "random inputs reach values that calibration never saw; --inputs FILE shows it on real ones"
        say(words, lead="Error against float:")
    available = len(data.test) if isinstance(data, Dataset) else len(data)
    count = min(images or available, available)
    unit = "image" if isinstance(data, Dataset) else data.unit
    with progress_bar(
        f"{path.name}: {things(count, unit)} through every runtime",
        work_units(path, count, runtimes, keras=keras is not None, board=board is not None),
    ) as advance:
        return verify(
            path,
            data,
            images=count,
            seed=seed,
            convention=convention,
            keras=keras,
            keras_convention=keras_convention,
            runtimes=runtimes,
            tolerance=TOLERANCE if tolerance is None else tolerance,
            progress=advance,
            board=board,
        )


def _float_source(path: Path, named: Path | None) -> Path | None:
    """Returns the float source: a float .tflite file that was named, else a Keras model that was named or lies beside the file.

    Raises:
        ArtifactError: a .tflite file that is named is missing.
        ModelError: another file that is named is missing.
    """
    if named is not None and named.suffix.lower() == ".tflite":
        return existing_file(named, "the float .tflite file that the artifact goes with")
    return keras_beside(path, named)


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
