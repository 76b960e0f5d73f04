"""The names that ``import glyphlite`` offers: the steps of a run as functions of paths and datasets, and what they return.

Each is a thin way into the package that does the work; nothing here measures or writes by itself. Every failure that a caller
can do something about is a :class:`GlyphliteError`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glyphlite.compiler.compile import compile_artifact
from glyphlite.compiler.report import CompilationReport
from glyphlite.console import quiet_tensorflow
from glyphlite.conversion.folder import ConvertedArtifact, convert_to_folder
from glyphlite.conversion.variants import VARIANT_NAMES
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError, GlyphliteError
from glyphlite.evaluation.inspection import Inspection, inspect_artifact
from glyphlite.evaluation.model_evaluation import ArtifactEvaluation, KerasEvaluation
from glyphlite.evaluation.simulation import Simulation
from glyphlite.evaluation.verification.agreement import Verification
from glyphlite.export.tflm.project import export_tflm
from glyphlite.extras import require_extra
from glyphlite.results import Results
from glyphlite.runtimes.base import LoadedModel
from glyphlite.tflite.reader import read_graph
from glyphlite.training.trainer import TrainingResult

if TYPE_CHECKING:
    import keras

    from glyphlite.evaluation.input_sets.input_set import InputSet

__all__ = [
    "Dataset",
    "GlyphliteError",
    "Results",
    "compile",
    "convert",
    "draw_graph",
    "evaluate",
    "export_tflm",
    "inspect",
    "load_dataset",
    "load_model",
    "read_graph",
    "show",
    "simulate",
    "train",
    "verify",
]


def train(
    model: str, dataset: Dataset, folder: str | Path, *, epochs: int | None = None, seed: int = 0, resume: bool = False
) -> TrainingResult:
    """Trains a model by its recipe and keeps the best epoch, chosen on validation images.

    Args:
        model: a name that ``glyphlite models`` lists, ``path/to/file.py:function``, or a .keras file.
        dataset: its training split is learned, its validation split chooses the epoch, its test split is not looked at. Of
            ``dataset.with_all_images()`` the last epoch is kept, as nothing is left to choose by.
        folder: where model.keras, history.csv and the checkpoints go; made where it is missing.
        epochs: instead of the recipe's.
        seed: of the weights, the order of the images, dropout and augmentation.
        resume: go on from the newest checkpoint in the folder.

    Returns:
        The trained Keras model, its history, and which epoch was kept.

    Raises:
        GlyphliteError: the model is unknown or does not fit the data, or the folder cannot be written.
    """
    require_extra("train", "training")
    quiet_tensorflow()
    from glyphlite.models.registry import resolve_model
    from glyphlite.training.trainer import train as train_choice

    choice = resolve_model(model, dataset.input_shape, dataset.classes)
    return train_choice(choice, dataset, Path(folder), epochs=epochs, seed=seed, resume=resume)


def convert(
    model: "str | Path | keras.Model",
    folder: str | Path,
    variants: Sequence[str] = VARIANT_NAMES,
    *,
    dataset: Dataset,
    samples: int = 300,
    seed: int = 0,
    batch: int | None = 1,
) -> list[ConvertedArtifact]:
    """Converts a Keras image classifier to .tflite files, ``model_VARIANT.tflite`` each.

    Args:
        model: a .keras or .h5 file, a SavedModel folder, or a Keras model.
        folder: where the files go; made where it is missing.
        variants: of float32, float16, dynamic, int8 and int16x8, in the order of the work.
        dataset: calibration images come from its training split, class labels from its records.
        samples: how many calibration images.
        seed: draws them.
        batch: images per inference; None leaves it free.

    Returns:
        A record per file: its path, variant and bytes.

    Raises:
        GlyphliteError: the model cannot be read or expressed, or the folder cannot be written.
    """
    require_extra("train", "converting")
    quiet_tensorflow()
    from glyphlite.models.loading import load_keras_model

    loaded = load_keras_model(Path(model)) if isinstance(model, str | Path) else model
    return convert_to_folder(loaded, Path(folder), variants, dataset=dataset, samples=samples, seed=seed, batch=batch)


def evaluate(
    path: str | Path, dataset: Dataset, *, keras: KerasEvaluation | None = None, latency: bool = True
) -> ArtifactEvaluation | KerasEvaluation:
    """Measures a .tflite or .keras file on the whole test split.

    Args:
        path: the file.
        dataset: its validation and test splits are used.
        keras: what this function returned for the Keras model that a .tflite file was converted from: for agreement, and for
            McNemar's test.
        latency: whether to spend half a second on timing.

    Returns:
        The record of ``results.json`` in ``report``, and the probabilities of every image.

    Raises:
        GlyphliteError: the file is malformed, or is no classifier of the dataset's images.
    """
    from glyphlite.evaluation.model_evaluation import evaluate_artifact, evaluate_keras

    path = Path(path)
    if path.suffix != ".tflite":
        require_extra("train", str(path))
        quiet_tensorflow()
        return evaluate_keras(path, dataset, latency=latency)
    return evaluate_artifact(path, dataset, keras_predictions=keras.predictions if keras else None, latency=latency)


def verify(
    path: str | Path,
    dataset: Dataset | str | Path | None = None,
    *,
    images: int | None = None,
    keras: str | Path | None = None,
    seed: int = 0,
) -> Verification:
    """Runs the same stored inputs through every runtime that accepts a .tflite file, and compares what comes out.

    Args:
        path: a .tflite file, whatever it is for.
        dataset: the inputs: a dataset whose test images the file classifies; a .npy, .npz or .bin file of them;
            "random:N:SEED"; or None, which is random inputs over all that may enter.
        images: how many of them, drawn with the seed; all of them when None.
        keras: the float model that the file was converted from, .keras or .tflite, to be compared as well.
        seed: of the draw.

    Returns:
        A record per runtime, and the verdict in words.

    Raises:
        GlyphliteError: the file is malformed, or no runtime accepts it.
    """
    from glyphlite.evaluation.verification.agreement import verify as compare

    path = Path(path)
    data = dataset if isinstance(dataset, Dataset) else _inputs(path, dataset, images, seed)
    return compare(path, data, images=images, keras=None if keras is None else Path(keras), seed=seed)


def inspect(path: str | Path, *, runtimes: bool = True) -> Inspection:
    """Returns what is in a .tflite file, damaged and hostile ones included: ops, shapes, scales, bytes, supported runtimes.

    Raises:
        GlyphliteError: the file cannot be read or is malformed; one line says how.
    """
    return inspect_artifact(Path(path), runtimes=runtimes)


def compile(  # noqa: A001 - the command's own name
    path: str | Path,
    folder: str | Path,
    *,
    name: str | None = None,
    optimize: str = "speed",
    scores: str = "probabilities",
    sample: tuple[np.ndarray, int | None] | None = None,
    labels: Sequence[str] | None = None,
    overwrite: bool = False,
) -> CompilationReport:
    """Compiles an int8 .tflite file into a folder of C99 whose outputs are bit-identical to TensorFlow Lite Micro's.

    Args:
        path: the .tflite file.
        folder: where the files go, as a whole.
        name: prefix of files and functions; by default the file's name.
        optimize: "speed", "size" or "ram".
        scores: what ``NAME_invoke`` gives: "probabilities", "logits" or "none" (only the class).
        sample: an image, uint8 (height, width, channels), and its class, for the example program; a blank image by default.
        labels: of the classes; by default those in the file, else numbers.
        overwrite: also replace files of an earlier compilation that were changed.

    Returns:
        What the compiled model takes in memory, and layer by layer.

    Raises:
        GlyphliteError: the file is malformed, or holds what generated code cannot express; or the folder holds other files.
    """
    return compile_artifact(
        Path(path),
        Path(folder),
        name=name,
        optimize=optimize,
        scores=scores,
        sample=sample,
        labels=labels,
        overwrite=overwrite,
    )


def simulate(
    source: str | Path, cpu: str, images: np.ndarray | str | Path, *, measured: int = 1, optimize: str = "speed"
) -> Simulation:
    """Runs inputs on an emulated core and counts the instructions of ``NAME_invoke``.

    Args:
        source: an int8 .tflite file, or a folder that :func:`compile` wrote.
        cpu: "cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "rv32imc", or "cortex-m55" where QEMU is installed.
        images: uint8 pixels ``(n, height, width, channels)``; or, for a .tflite file, a .npy, .npz or .bin file of its inputs, or
            "random:N:SEED".
        measured: how many of them, from the first on, are counted instruction by instruction.
        optimize: for a .tflite file: "speed", "size" or "ram".

    Returns:
        Classes and scores of each image; instructions, flash, arena and stack in ``report``.

    Raises:
        GlyphliteError: the model cannot be compiled or does not fit the images, or the core is unknown.
    """
    from glyphlite.evaluation.simulation import simulate as emulate

    source = Path(source)
    given = images if isinstance(images, np.ndarray) else _inputs(source, images, None, 0)
    return emulate(source, cpu, given, measured=measured, optimize=optimize)


def _inputs(path: Path, named: str | Path | None, count: int | None, seed: int) -> "InputSet":
    """Returns the inputs that a name or a file stands for, of a .tflite file."""
    from glyphlite.evaluation.input_sets.value_ranges import inputs_of
    from glyphlite.pipeline.inputs.sets import named_set

    return named_set(inputs_of(read_graph(path)), "random" if named is None else str(named), count=count, seed=seed)


def draw_graph(path: str | Path) -> str:
    """Returns a picture of a .tflite file's graph, as an SVG element.

    Raises:
        GlyphliteError: the file cannot be read or is malformed.
    """
    from glyphlite.report.figures.graph_picture import draw_graph as draw

    return draw(read_graph(Path(path)), Path(path).name)


def show(*records: Inspection | Verification | Simulation | Results, width: int = 120) -> None:
    """Prints records as the commands that make them do; in a notebook, too.

    Args:
        records: of one kind: what :func:`inspect`, :func:`verify` or :func:`simulate` returned, or a run's results.
        width: columns of the tables.

    Raises:
        GlyphliteError: a record is of none of these kinds.
    """
    from rich.console import Console

    from glyphlite.report.terminal.command_output import firmware_view, run_view, verification_view
    from glyphlite.report.terminal.inspection import render_inspection

    console = Console(width=width)
    simulations = [each.report for each in records if isinstance(each, Simulation)]
    for each in records:
        if isinstance(each, Inspection):
            console.print(render_inspection(each))
        elif isinstance(each, Verification):
            console.print(verification_view(each))
        elif isinstance(each, Results):
            console.print(run_view(each))
        elif not isinstance(each, Simulation):
            raise DataError(
                f"cannot show a {type(each).__name__}; expected what inspect, verify or simulate returned, or Results"
            )
    if simulations:
        console.print(firmware_view(simulations))


def load_model(path: str | Path, runtime: str = "litert") -> LoadedModel:
    """Loads a .tflite file into a runtime, ready to be run; close it, or use it as a context manager.

    Args:
        path: the file.
        runtime: "litert" (XNNPACK), "litert_builtin", "litert_reference", "tflm", "generated_c", or "keras" for a .keras file.

    Returns:
        The model: ``input`` and ``output`` say shape, type and quantization, ``predict`` runs stored inputs.

    Raises:
        GlyphliteError: the file is malformed, the runtime refuses it, or is not installed.
    """
    from glyphlite.runtimes.registry import get_runtime

    return get_runtime(runtime).load(Path(path))
