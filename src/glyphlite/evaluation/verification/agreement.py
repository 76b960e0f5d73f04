"""Proof that runtimes agree: the same stored inputs through every runtime that takes a file, compared byte for byte.

Knows runtimes by their common interface and inputs as a set of stored values, wherever they come from. The file is checked before
any runtime sees it, and those that it can bring down run in child processes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, GlyphliteError, OutputError
from glyphlite.evaluation.convention_search import artifact_convention
from glyphlite.evaluation.input_sets.coverage import Coverage, coverage_of
from glyphlite.evaluation.input_sets.image_inputs import check_fit, image_set
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.labels import named_labels
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.verification.float_source import float_outputs
from glyphlite.evaluation.verification.output_comparison import compared, rows_differ
from glyphlite.evaluation.verification.tensor_comparison import TensorComparison
from glyphlite.evaluation.verification.verdict import verdict_of
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.records import BoardReport, VerifyReport
from glyphlite.runtimes.base import LoadedModel, Runtime
from glyphlite.runtimes.refusals import NotStartedError, RefusedError
from glyphlite.runtimes.registry import FLOAT_SOURCES, INTERPRETERS, RUNTIME_NAMES, get_runtime
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph

DEFAULT_RUNTIMES = (*INTERPRETERS, "generated_c")
"""Compared unless others are named. Emulated cores take minutes and are asked for by name."""

TENSOR_IMAGES = 1000
"""Images over which the tensors inside are compared, those whose outputs differ first."""

TENSOR_CHUNK = 100

FUSING = ("litert",)
"""Runtimes that fuse ops, so that a tensor between two of them may never be written: XNNPACK does."""

TOLERANCE = 0.001
"""Share of the images on which two runtimes of one file may see another class. Not 0: kernels that round ties differently see
another class where two scores are a step apart, on one image of ten thousand."""

KERAS_TOLERANCE = 0.02
"""The same for the float source: quantization, not a fault."""

Progress = Callable[[int], None]
Outputs = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Verification:
    """The result of a comparison of runtimes.

    Attributes:
        records: one per runtime that took the file, the reference among them; the matrix.
        refused: the runtimes that did not, with their reasons.
        reference: what the others are held against.
        images: how many inputs went through each; with the second time of a model that keeps state.
        agrees: whether generated C gives TFLite Micro's bytes; where it was not compared, whether every runtime's classes are the
            reference's, within the tolerance.
        verdict: the same in words.
        convention: how a pixel entered; None where the inputs are no images.
        inputs: where they come from, in words.
        coverage: how much of what may enter they used.
        notes: what was assumed of them, a sentence each.
        board: how long a board took, where one was compared.
    """

    records: list[VerifyReport]
    refused: dict[str, str]
    reference: str
    images: int
    agrees: bool
    verdict: str
    convention: InputConvention | None = None
    inputs: str = ""
    coverage: tuple[Coverage, ...] = ()
    notes: tuple[str, ...] = ()
    board: BoardReport | None = None

    def document(self) -> dict[str, Any]:
        """Returns the plain JSON document of ``glyphlite verify --json``."""
        return {
            "reference": self.reference,
            "images": self.images,
            "agrees": self.agrees,
            "verdict": self.verdict,
            "input": self.convention.report().model_dump(mode="json") if self.convention else None,
            "inputs": {
                "source": self.inputs,
                "coverage": [each.document() for each in self.coverage],
                "notes": list(self.notes),
            },
            "refused": self.refused,
            "board": self.board.model_dump(mode="json") if self.board else None,
            "verify": [record.model_dump(mode="json") for record in self.records],
        }


def work_units(
    artifact: Path,
    images: int,
    runtimes: Sequence[str] | None = None,
    *,
    keras: bool = True,
    tensor_images: int | None = TENSOR_IMAGES,
    board: bool = False,
) -> int:
    """Returns how far :func:`verify` advances its progress in all: images through each runtime, and those whose tensors are
    compared.
    """
    del artifact  # which of the runtimes take the file is found out on the way; those that do not advance at once
    inside = images if tensor_images is None else min(images, tensor_images)
    return images * (len(runtimes or DEFAULT_RUNTIMES) + keras + board) + inside


def verify(
    artifact: Path,
    data: Dataset | InputSet | None = None,
    *,
    convention: InputConvention | None = None,
    images: int | None = None,
    seed: int = 0,
    keras: Path | Any | None = None,
    keras_convention: InputConvention | None = None,
    runtimes: Sequence[str] | None = None,
    reference: str | None = None,
    tolerance: float = TOLERANCE,
    keras_tolerance: float = KERAS_TOLERANCE,
    tensor_images: int | None = TENSOR_IMAGES,
    progress: Progress | None = None,
    board: Runtime | None = None,
) -> Verification:
    """Runs the same stored inputs through every runtime that takes the file and compares what comes out.

    Args:
        artifact: a .tflite file, whatever it is for.
        data: the inputs, or a dataset whose test images the file classifies; random inputs when None.
        convention: how the artifact takes a pixel of a dataset; found with its training images when None.
        images: how many of the inputs, drawn with the seed; all of them when None.
        seed: of that draw, and of random inputs.
        keras: the float source, a .keras file, a float .tflite file or a loaded Keras model; compared in the artifact's output
            steps.
        keras_convention: how the float source takes a pixel; as the artifact when None.
        runtimes: names from the registry; those of :data:`DEFAULT_RUNTIMES` when None.
        reference: the runtime the others are held against; TFLite Micro where it takes the file, else LiteRT's built-in kernels.
        tolerance: share of the images whose class may differ from the reference's.
        keras_tolerance: the same for the float source.
        tensor_images: over how many inputs to compare the tensors inside; all when None, 0 for none.
        progress: called with the number of inputs just done; see :func:`work_units` for the total.
        board: compared too.

    Raises:
        ArtifactError: the file is malformed, does not fit the dataset, or no runtime (or not the reference) takes it.
        DataError: the inputs have labels of classes that the file does not tell apart.
        ToolError: an unknown runtime, or a board that does not answer or runs another model.
    """
    artifact = Path(artifact)
    graph = read_graph(artifact)
    if isinstance(data, Dataset):
        check_fit(graph, data, artifact.name)
        convention = convention or artifact_convention(artifact, data)
        inputs = image_set(data, graph, convention, count=images, seed=seed, source_convention=keras_convention)
    else:
        if data is None:
            inputs = random_set(inputs_of(graph), images, seed)
        else:
            inputs = data.chosen(slice(images)) if graph.is_stateful else data.drawn(images, seed)
        inputs = named_labels(inputs, graph, artifact.name)
        convention = None
    rounds = 2 if graph.is_stateful else 1
    if keras is not None and not str(keras).endswith(".tflite"):  # a Keras model keeps nothing from one sample to the next
        inputs = replace(inputs, unrelated=True)
    advance = progress or _silent

    refused: dict[str, str] = {}
    outputs: dict[str, Outputs] = {}
    with ExitStack() as stack:
        models: dict[str, LoadedModel] = {}
        for name in _ordered(runtimes or DEFAULT_RUNTIMES):
            with _refusals(name, refused):
                models[name] = stack.enter_context(get_runtime(name).load(artifact))
        if board is not None:
            with _refusals(board.name, refused):
                models[board.name] = stack.enter_context(board.load(artifact))
        for name, model in list(models.items()):
            with _refusals(name, refused):
                outputs[name] = _run(model, inputs, rounds, advance)
        advance(len(inputs) * len(refused))
        models = {name: models[name] for name in outputs}
        reference = _pick_reference(reference, outputs, refused, artifact.name)
        timing = models[board.name].timing if board is not None and board.name in models else None
        comparisons = _compare_tensors(graph, models, reference, outputs, inputs.arrays, tensor_images, advance)
    covered = coverage_of(inputs_of(graph), inputs)
    source = None if keras is None else float_outputs(keras, inputs, graph, advance)
    judged = len(inputs)
    if rounds > 1:
        inputs = inputs.twice()
    if source is not None:
        outputs = {source.runtime: source.stored, **outputs}

    records = [
        compared(artifact.name, graph, name, reference, outputs, inputs, comparisons.get(name), source, judged=judged)
        for name in _ordered(outputs)
    ]
    agrees, verdict = verdict_of(records, refused, tolerance=tolerance, keras_tolerance=keras_tolerance)
    return Verification(
        records=records,
        refused=refused,
        reference=reference,
        images=len(inputs),
        agrees=agrees,
        verdict=verdict,
        convention=convention,
        inputs=inputs.source,
        coverage=covered,
        notes=inputs.notes,
        board=timing,
    )


def _run(model: LoadedModel, inputs: InputSet, rounds: int, advance: Progress) -> Outputs:
    """Returns what a model gives; of one that keeps state again after a reset, before each sample where they are unrelated."""
    taken = _shaped(inputs.arrays, model)
    found = model.run(taken, advance)
    if rounds == 1:
        return found
    again = model.run_each(taken) if inputs.unrelated else model.run(taken)
    return tuple(np.concatenate(outputs) for outputs in zip(found, again, strict=True))


def _shaped(arrays: Outputs, model: LoadedModel) -> Outputs:
    """Returns the samples in the shapes in which a runtime sees the inputs: one may flatten them."""
    return tuple(values.reshape(len(values), *port.shape) for values, port in zip(arrays, model.inputs, strict=True))


def _ordered(names: Iterable[str]) -> list[str]:
    """Names in the registry's order, the float source first, each once; unknown ones last, where asking for them says what is
    known.
    """
    order = {name: place for place, name in enumerate(dict.fromkeys((*FLOAT_SOURCES, *RUNTIME_NAMES)))}
    return sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))


@contextmanager
def _refusals(name: str, refused: dict[str, str]) -> Iterator[None]:
    """Notes a runtime that does not take the file, or does not survive it, with its reason."""
    try:
        yield
    except RefusedError as error:
        refused[name] = error.reason
    except (OutputError, NotStartedError):  # the disk's or the machine's, not the runtime's
        raise
    except GlyphliteError as error:
        if name not in RUNTIME_NAMES:
            raise
        refused[name] = str(error)


def _pick_reference(asked: str | None, outputs: dict[str, Outputs], refused: dict[str, str], name: str) -> str:
    if not outputs:
        reasons = "; ".join(f"{runtime}: {reason}" for runtime, reason in refused.items())
        raise ArtifactError(f"{name}: no runtime accepts it ({reasons})")
    if asked is None:
        return next((runtime for runtime in ("tflm", "litert_builtin") if runtime in outputs), next(iter(outputs)))
    if asked not in outputs:
        raise ArtifactError(
            f"{name}: the reference {asked} does not accept it: {refused.get(asked, 'it was not among the runtimes')}"
        )
    return asked


def _compare_tensors(
    graph: Graph,
    models: dict[str, LoadedModel],
    reference: str,
    outputs: dict[str, Outputs],
    stored: Outputs,
    count: int | None,
    advance: Progress,
) -> dict[str, TensorComparison]:
    """Compares the tensors inside, over the inputs whose outputs differ and evenly spaced others.

    Not where a call leaves something behind for the next: the tensors of an input then depend on those before it.
    """
    if graph.is_stateful:
        return {}
    total = len(stored[0]) if stored else 0
    differing = np.zeros(total, bool)
    for output in outputs.values():
        differing |= rows_differ(output, outputs[reference])
    chosen = _most_telling(differing, total if count is None else min(count, total))
    comparisons = {name: TensorComparison(graph, fuses=name in FUSING) for name in models if name != reference}
    if not len(chosen) or not comparisons:
        return {}
    for start in range(0, len(chosen), TENSOR_CHUNK):
        places = chosen[start : start + TENSOR_CHUNK]
        chunk = tuple(values[places] for values in stored)
        expected = _tensors(models[reference], chunk)
        if not expected:
            return {}
        for name in list(comparisons):
            if found := _tensors(models[name], chunk):
                comparisons[name].add(expected, found, len(places))
            else:
                del comparisons[name]
        advance(len(places))
    return comparisons


def _tensors(model: LoadedModel, stored: Outputs) -> dict[int, np.ndarray]:
    """Returns the tensors inside; none where the runtime does not show them or does not survive showing them."""
    try:
        return model.tensors(_shaped(stored, model))
    except ArtifactError:
        return {}


def _most_telling(differing: np.ndarray, count: int) -> np.ndarray:
    """Indices of ``count`` images in their order: those that differ, filled up with evenly spaced others."""
    telling, others = np.flatnonzero(differing)[:count], np.flatnonzero(~differing)
    room = min(count - len(telling), len(others))
    return np.sort(np.concatenate([telling, others[np.linspace(0, len(others) - 1, room).astype(int)] if room else others[:0]]))


def _silent(_images: int) -> None:
    """Shows no progress."""
