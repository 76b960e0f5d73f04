"""Proof that runtimes agree: the same stored inputs through every runtime that takes a file, compared byte for byte.

Knows runtimes by their common interface and images by their split. The file is checked before any runtime sees it, and those that
it can bring down run in child processes.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, GlyphliteError
from glyphlite.evaluation.accuracy import accuracy_of
from glyphlite.evaluation.convention_search import artifact_convention
from glyphlite.evaluation.verification.tensor_comparison import TensorComparison, differences
from glyphlite.evaluation.verification.verdict import verdict_of
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.output_kind import OutputKind, outputs_of
from glyphlite.records import VerifyReport
from glyphlite.runtimes.base import LoadedModel
from glyphlite.runtimes.refusals import RefusedError
from glyphlite.runtimes.registry import INTERPRETERS, RUNTIME_NAMES, get_runtime
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import dequantize, quantize
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


@dataclass(frozen=True)
class Verification:
    """The result of a comparison of runtimes.

    Attributes:
        records: one per runtime that took the file, the reference among them; the matrix.
        refused: the runtimes that did not, with their reasons.
        reference: what the others are held against.
        images: how many images went through each.
        agrees: whether every runtime's classes are the reference's, within the tolerance.
        verdict: the same in words.
        convention: how a pixel entered.
    """

    records: list[VerifyReport]
    refused: dict[str, str]
    reference: str
    images: int
    agrees: bool
    verdict: str
    convention: InputConvention | None = None

    def document(self) -> dict[str, Any]:
        """Returns the plain JSON document of ``glyphlite verify --json``."""
        return {
            "reference": self.reference,
            "images": self.images,
            "agrees": self.agrees,
            "verdict": self.verdict,
            "input": self.convention.report().model_dump(mode="json") if self.convention else None,
            "refused": self.refused,
            "verify": [record.model_dump(mode="json") for record in self.records],
        }


def work_units(
    artifact: Path,
    images: int,
    runtimes: Sequence[str] | None = None,
    *,
    keras: bool = True,
    tensor_images: int | None = TENSOR_IMAGES,
) -> int:
    """Returns how far :func:`verify` advances its progress in all: images through each runtime, and those whose tensors are
    compared.
    """
    del artifact  # which of the runtimes take the file is found out on the way; those that do not advance at once
    inside = images if tensor_images is None else min(images, tensor_images)
    return images * (len(runtimes or DEFAULT_RUNTIMES) + (1 if keras else 0)) + inside


def verify(
    artifact: Path,
    dataset: Dataset,
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
) -> Verification:
    """Runs the same stored inputs through every runtime that takes the file and compares what comes out.

    Args:
        artifact: a .tflite classifier of the dataset's images.
        dataset: its test split is used.
        convention: how the artifact takes a pixel; found with the dataset's training images when None.
        images: how many test images, drawn with the seed; all of them when None.
        seed: of that draw.
        keras: the float source, a .keras file or a loaded model; its probabilities are compared in the artifact's output steps.
        keras_convention: how the float source takes a pixel; as the artifact when None.
        runtimes: names from the registry; those of :data:`DEFAULT_RUNTIMES` when None.
        reference: the runtime the others are held against; TFLite Micro where it takes the file, else LiteRT's built-in kernels.
        tolerance: share of the images whose class may differ from the reference's.
        keras_tolerance: the same for the float source.
        tensor_images: over how many images to compare the tensors inside; all when None, 0 for none.
        progress: called with the number of images just done; see :func:`work_units` for the total.

    Raises:
        ArtifactError: the file is malformed, does not fit the dataset, or no runtime (or not the reference) takes it.
        ToolError: an unknown runtime.
    """
    artifact = Path(artifact)
    graph = read_graph(artifact)
    _check_fit(graph, dataset, artifact.name)
    chosen = _choose(len(dataset.test), images, seed)
    convention = convention or artifact_convention(artifact, dataset)
    pixels, labels = dataset.test.images[chosen], dataset.test.labels[chosen]
    stored = quantize(convention.real(pixels), graph.input.quantization, graph.input.dtype)
    advance = progress or _silent

    refused: dict[str, str] = {}
    outputs: dict[str, np.ndarray] = {}
    with ExitStack() as stack:
        models: dict[str, LoadedModel] = {}
        for name in _ordered(runtimes or DEFAULT_RUNTIMES):
            with _refusals(name, refused):
                models[name] = stack.enter_context(get_runtime(name).load(artifact))
        for name, model in list(models.items()):
            with _refusals(name, refused):
                outputs[name] = model.predict(stored.reshape(len(stored), *model.input.shape), advance)
        advance(len(stored) * len(refused))
        models = {name: models[name] for name in outputs}
        reference = _pick_reference(reference, outputs, refused, artifact.name)
        comparisons = _compare_tensors(graph, models, reference, outputs, stored, tensor_images, advance)
    if keras is not None:
        outputs = {"keras": _keras_outputs(keras, (keras_convention or convention).real(pixels), graph, advance), **outputs}

    records = [
        _record(artifact.name, name, reference, outputs, labels, graph, comparisons.get(name)) for name in _ordered(outputs)
    ]
    agrees, verdict = verdict_of(records, refused, tolerance=tolerance, keras_tolerance=keras_tolerance)
    return Verification(records, refused, reference, len(stored), agrees, verdict, convention)


def _check_fit(graph: Graph, dataset: Dataset, name: str) -> None:
    """Refuses a model that does not take this dataset's images, before any runtime loads it.

    Raises:
        ArtifactError: what does not fit.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ArtifactError(
            f"{name} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; expected one image in and its scores out"
        )
    pixels, classes = math.prod(graph.input.shape[1:]), math.prod(graph.output.shape[1:])
    if pixels != (available := math.prod(dataset.input_shape)):
        raise ArtifactError(
            f"{name} takes {pixels} values per image, {dataset.name} has {available}; name its dataset with --dataset"
        )
    if outputs_of(graph, name).classes(classes) != dataset.classes:
        raise ArtifactError(
            f"{name} knows {classes} classes, {dataset.name} has {dataset.classes}; name its dataset with --dataset"
        )
    for kind, tensor in (("input", graph.input), ("output", graph.output)):
        if tensor.dtype.kind not in "iuf" or (tensor.dtype.kind != "f" and tensor.quantization is None):
            raise ArtifactError(
                f"{name}: its {kind} is {tensor.dtype} without scale and zero point; expected a quantized or a float tensor"
            )


def _choose(available: int, images: int | None, seed: int) -> np.ndarray:
    """Indices of the test images, in their order: all, or a draw without repetition."""
    if images is None or images >= available:
        return np.arange(available)
    return np.sort(np.random.default_rng(seed).choice(available, images, replace=False))


def _ordered(names: Iterable[str]) -> list[str]:
    """Names in the registry's order, each once; unknown ones last, where asking for them says what is known."""
    order = {name: place for place, name in enumerate(RUNTIME_NAMES)}
    return sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))


@contextmanager
def _refusals(name: str, refused: dict[str, str]) -> Iterator[None]:
    """Notes a runtime that does not take the file, or does not survive it, with its reason."""
    try:
        yield
    except RefusedError as error:
        refused[name] = error.reason
    except GlyphliteError as error:
        if name not in RUNTIME_NAMES:
            raise
        refused[name] = str(error)


def _pick_reference(asked: str | None, outputs: dict[str, np.ndarray], refused: dict[str, str], name: str) -> str:
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
    outputs: dict[str, np.ndarray],
    stored: np.ndarray,
    count: int | None,
    advance: Progress,
) -> dict[str, TensorComparison]:
    """Compares the tensors inside, over the images whose outputs differ and evenly spaced others."""
    differing = np.zeros(len(stored), bool)
    for output in outputs.values():
        differing |= _rows_differ(output, outputs[reference])
    chosen = _most_telling(differing, len(stored) if count is None else min(count, len(stored)))
    comparisons = {name: TensorComparison(graph, fuses=name in FUSING) for name in models if name != reference}
    if not len(chosen) or not comparisons:
        return {}
    for start in range(0, len(chosen), TENSOR_CHUNK):
        chunk = stored[chosen[start : start + TENSOR_CHUNK]]
        expected = _tensors(models[reference], chunk)
        if not expected:
            return {}
        for name in list(comparisons):
            if found := _tensors(models[name], chunk):
                comparisons[name].add(expected, found, len(chunk))
            else:
                del comparisons[name]
        advance(len(chunk))
    return comparisons


def _tensors(model: LoadedModel, stored: np.ndarray) -> dict[int, np.ndarray]:
    """Returns the tensors inside; none where the runtime does not show them or does not survive showing them."""
    try:
        return model.tensors((stored.reshape(len(stored), *model.input.shape),))
    except ArtifactError:
        return {}


def _most_telling(differing: np.ndarray, count: int) -> np.ndarray:
    """Indices of ``count`` images in their order: those that differ, filled up with evenly spaced others."""
    telling, others = np.flatnonzero(differing)[:count], np.flatnonzero(~differing)
    room = min(count - len(telling), len(others))
    return np.sort(np.concatenate([telling, others[np.linspace(0, len(others) - 1, room).astype(int)] if room else others[:0]]))


def _keras_outputs(keras: Path | Any, floats: np.ndarray, graph: Graph, advance: Progress) -> np.ndarray:
    """Returns the float source's probabilities, stored as the artifact stores its own."""
    if isinstance(keras, str | Path):
        model = get_runtime("keras").load(Path(keras))
    else:
        from glyphlite.runtimes.keras import KerasModel

        model = KerasModel(keras)
    with model:
        stored = quantize(floats.reshape(len(floats), *model.input.shape), None, model.input.dtype)
        probabilities = model.predict(stored, advance)
    kind, wanted = getattr(model, "output_kind", OutputKind.SOFTMAX), outputs_of(graph, "the artifact")
    probabilities = kind.stored(probabilities, wanted)
    if probabilities.shape[1:] != (math.prod(graph.output.shape[1:]),):
        raise ArtifactError(
            f"the Keras model knows {probabilities.shape[-1]} classes, the artifact {graph.output.shape[-1]}; name its own source"
        )
    return quantize(probabilities, graph.output.quantization, graph.output.dtype)


def _record(
    artifact: str,
    name: str,
    reference: str,
    outputs: dict[str, np.ndarray],
    labels: np.ndarray,
    graph: Graph,
    comparison: TensorComparison | None,
) -> VerifyReport:
    output, expected = outputs[name], outputs[reference]
    kind, quantization = outputs_of(graph, artifact), graph.output.quantization
    classes, expected_classes = (kind.chosen(dequantize(each, quantization)) for each in (output, expected))
    differing = comparison.report() if comparison else []
    return VerifyReport(
        artifact=artifact,
        runtime=name,
        reference=reference,
        images=len(labels),
        identical=1 - float(_rows_differ(output, expected).mean()),
        largest_difference=float(differences(output, expected).max(initial=0.0)),
        same_class=float((classes == expected_classes).mean()),
        accuracy=accuracy_of(classes, labels),
        first_difference=differing[0] if differing else None,
        differing_tensors=differing,
        difference_unit="steps" if graph.output.dtype.kind in "iu" else "probability",
        tensor_images=comparison.images if comparison else 0,
        tensors_compared=len(comparison.compared) if comparison else 0,
    )


def _rows_differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns for each image whether any byte of its output differs."""
    one, other = (np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1) for values in (first, second))
    return (one != other).any(axis=1)


def _silent(_images: int) -> None:
    """Shows no progress."""
