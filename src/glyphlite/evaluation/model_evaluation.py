"""One model against one dataset: everything that ``results.json`` says of it, measured on the file that it names.

Composes the measurements of this package. Figures come from the test split and are for reporting, never for choosing; what is
chosen, a temperature and a rejection threshold, comes from the validation split.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.acceptance import ask_runtimes
from glyphlite.evaluation.accuracy import accuracy_of, agreement_of, confusion_matrix, mcnemar_p, per_class_accuracy
from glyphlite.evaluation.confidence import expected_calibration_error, fit_confidence, mean_certainty, with_test_figures
from glyphlite.evaluation.convention_search import artifact_convention, keras_convention
from glyphlite.evaluation.footprint import measure_footprint
from glyphlite.evaluation.latency import keras_latency, runtime_latency
from glyphlite.evaluation.variant import COMPILED, ports_of, type_name_of
from glyphlite.files.single import sha256_of
from glyphlite.formatting import things
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.models.interface.purpose import check_one_in_and_out
from glyphlite.models.qat.state import set_quantized
from glyphlite.records import Accuracy, ArtifactReport, Certainty, KerasReport, RuntimeReport
from glyphlite.runtimes.base import predict_probabilities, stored_images
from glyphlite.tflite.graph import Graph

SLOW_FITTING_IMAGES = 2000
"""Of the validation images, so many are enough for int16x8, which LiteRT runs in reference kernels a hundred times slower."""


@dataclass(frozen=True)
class KerasEvaluation:
    """Holds the measurements of a Keras model; probabilities ``(n, classes)`` and predicted classes ``(n,)`` on the test split.

    ``convention`` is how pixels entered, ``held_out`` the accuracy on the validation split.
    """

    report: KerasReport
    probabilities: np.ndarray
    predictions: np.ndarray
    convention: InputConvention
    held_out: Accuracy


@dataclass(frozen=True)
class ArtifactEvaluation:
    """Holds the measurements of a .tflite file; probabilities ``(n, classes)`` and predicted classes ``(n,)`` on the test split.

    ``convention`` and ``held_out`` as those of :class:`KerasEvaluation`.
    """

    report: ArtifactReport
    probabilities: np.ndarray
    predictions: np.ndarray
    convention: InputConvention
    held_out: Accuracy


def evaluate_keras(
    path: Path,
    dataset: Dataset,
    *,
    convention: InputConvention | None = None,
    validation_accuracy: float | None = None,
    best_epoch: int | None = None,
    latency: bool = True,
    progress: Callable[[int], None] | None = None,
    model: Any = None,
) -> KerasEvaluation:
    """Measures a .keras file on the whole test split, after its certainty was fitted on the validation split.

    A model that was trained with int8 simulated is measured without: it is the float source that its artifacts are held against.

    Args:
        path: the file; what is measured is what was saved.
        dataset: its validation and test splits are used.
        convention: how the model takes a pixel; found with the dataset's training images when None.
        validation_accuracy: what training reported, passed on into the report.
        best_epoch: likewise.
        latency: whether to spend half a second on timing.
        progress: called with the number of images just finished.
        model: what the file holds, where it has been loaded before; not the model that was trained.

    Raises:
        ModelError: the file is no Keras model or does not fit the dataset.
    """
    from glyphlite.models.cost import keras_macs, keras_parameters
    from glyphlite.models.user import check_classifier, load_keras_model, with_fixed_size
    from glyphlite.runtimes.keras import KerasModel

    model = load_keras_model(path) if model is None else model
    set_quantized(model, quantized=False)
    kind = check_classifier(model, dataset.input_shape, dataset.classes, str(path))
    convention = convention or keras_convention(model, path, dataset).convention
    labels = dataset.test.labels
    loaded = KerasModel(with_fixed_size(model, dataset.input_shape), path.name)
    outputs = predict_probabilities(loaded, dataset.test.images, convention, progress)
    held_out = predict_probabilities(loaded, dataset.validation.images, convention)
    predictions, probabilities = kind.chosen(outputs), kind.probabilities(outputs)
    files = [path / "saved_model.pb", *path.glob("variables/*")] if path.is_dir() else [path]
    report = KerasReport(
        parameters=keras_parameters(model),
        macs=keras_macs(model),
        bytes=sum(file.stat().st_size for file in files),
        sha256=sha256_of(files[0]),
        accuracy=accuracy_of(predictions, labels),
        validation_accuracy=validation_accuracy,
        best_epoch=best_epoch,
        latency_us=keras_latency(model, stored_images(dataset.test.images[:1], convention, loaded.input)[0]).median_us
        if latency
        else None,
        per_class=per_class_accuracy(predictions, labels, dataset.classes),
        confusion=confusion_matrix(predictions, labels, dataset.classes),
        mean_certainty=mean_certainty(probabilities),
        expected_calibration_error=expected_calibration_error(probabilities, labels),
        certainty=_certainty(kind, held_out, dataset.validation.labels, probabilities, labels),
        outputs=kind.value,
        input=convention.report(),
    )
    return KerasEvaluation(
        report, probabilities, predictions, convention, accuracy_of(kind.chosen(held_out), dataset.validation.labels)
    )


def evaluate_artifact(
    path: Path,
    dataset: Dataset,
    *,
    convention: InputConvention | None = None,
    keras_predictions: np.ndarray | None = None,
    variant: str | None = None,
    latency: bool = True,
    runtimes: bool = True,
    progress: Callable[[int], None] | None = None,
    compiler: Callable[[Graph], RuntimeReport] | None = None,
    runtime: str = "litert",
) -> ArtifactEvaluation:
    """Measures a .tflite file on the whole test split, in LiteRT with XNNPACK unless another runtime is named.

    Its certainty is fitted on the validation split.

    Args:
        path: the file.
        dataset: its validation and test splits are used.
        convention: how the model takes a pixel; found with the dataset's training images when None.
        keras_predictions: classes ``(n,)`` that the float Keras model gives the test split, for agreement and McNemar's test.
        variant: what the file is; by default told from its tensors.
        latency: whether to spend half a second on timing.
        runtimes: whether to try the file in every interpreter.
        progress: called with the number of images just finished.
        compiler: says whether C can be generated of a file that computes with integers; not asked when None.
        runtime: the name of what runs it.

    Raises:
        ArtifactError: the file is malformed, does not fit the dataset, or LiteRT refuses it.
    """
    from glyphlite.evaluation.prediction import predict_split
    from glyphlite.runtimes.registry import get_runtime
    from glyphlite.tflite.reader import read_graph

    graph = read_graph(path)
    kind = outputs_of(graph, str(path))
    check_fit(graph, dataset, path)
    convention = convention or artifact_convention(path, dataset)
    images, labels = dataset.test.images, dataset.test.labels
    variant = variant or type_name_of(graph)
    fitting = slice(SLOW_FITTING_IMAGES if variant == "int16x8" else None)
    validation = Split(dataset.validation.images[fitting], dataset.validation.labels[fitting])
    with get_runtime(runtime).load(path) as model:
        timing = runtime_latency(model, images[0], convention) if latency else None
        outputs = predict_split(model, path, images, convention, runtime=runtime, progress=progress).reshape(len(images), -1)
        held_out = np.zeros((0, outputs.shape[1]), np.float32)
        if len(validation):
            held_out = predict_split(model, path, validation.images, convention, runtime=runtime)
    # Classes from what the file answered: the softmax of large logits rounds to ties.
    predictions, probabilities = kind.chosen(outputs), kind.probabilities(outputs)
    held_out = held_out.reshape(-1, outputs.shape[1])
    footprint = measure_footprint(path)
    input_type, output_type = ports_of(graph)
    report = ArtifactReport(
        variant=variant,
        input_type=input_type,
        output_type=output_type,
        path=path.name,
        bytes=footprint.bytes,
        weight_bytes=footprint.weight_bytes,
        sha256=footprint.sha256,
        accuracy=accuracy_of(predictions, labels),
        agreement_with_keras=None if keras_predictions is None else agreement_of(predictions, keras_predictions),
        mcnemar_p=None if keras_predictions is None else mcnemar_p(predictions, keras_predictions, labels),
        latency_us=timing.median_us if timing else None,
        per_class=per_class_accuracy(predictions, labels, dataset.classes),
        confusion=confusion_matrix(predictions, labels, dataset.classes),
        runtimes=_answers(path, graph, variant, compiler) if runtimes else {},
        mean_certainty=mean_certainty(probabilities),
        expected_calibration_error=expected_calibration_error(probabilities, labels),
        certainty=_certainty(kind, held_out, validation.labels, probabilities, labels),
        outputs=kind.value,
        input=convention.report(),
    )
    return ArtifactEvaluation(
        report,
        probabilities,
        predictions,
        convention,
        accuracy_of(kind.chosen(held_out), validation.labels),
    )


def _answers(
    path: Path, graph: Graph, variant: str, compiler: Callable[[Graph], RuntimeReport] | None
) -> dict[str, RuntimeReport]:
    """Returns what every interpreter says of a file, and the compiler where it is asked and the file computes with integers."""
    answers = ask_runtimes(path)
    return answers if compiler is None or variant not in COMPILED else {**answers, "generated_c": compiler(graph)}


def _certainty(
    kind: OutputKind, held_out: np.ndarray, held_out_labels: np.ndarray, probabilities: np.ndarray, labels: np.ndarray
) -> Certainty | None:
    """Returns the certainty that is fitted on outputs for held-out images, with its figures on test images; None without any."""
    if not len(held_out_labels):
        return None
    fitted = fit_confidence(kind.probabilities(held_out), held_out_labels, independent=kind is OutputKind.SIGMOIDS)
    return with_test_figures(fitted, probabilities, labels)


def check_fit(graph: Graph, dataset: Dataset, path: Path) -> None:
    """Refuses an artifact whose input or output is not the dataset's.

    Raises:
        ArtifactError: naming the file, what the dataset needs and what the file has.
    """
    check_one_in_and_out(graph, str(path))
    wanted = int(np.prod(dataset.input_shape))
    given = int(np.prod([max(extent, 1) for extent in graph.input.shape[1:]]))
    if given != wanted:
        shape = " x ".join(map(str, dataset.input_shape))
        raise ArtifactError(
            f"{path} takes inputs of shape {_shape(graph.input.shape)}, but the images of {dataset.name} are {shape}; "
            "name the dataset that it was trained on with --dataset"
        )
    outputs = abs(graph.output.shape[-1]) if graph.output.shape else 1
    if outputs_of(graph, str(path)).classes(outputs) != dataset.classes:
        raise ArtifactError(
            f"{path} has {things(outputs, 'output')}, but {dataset.name} has {dataset.classes} classes; "
            "name the dataset that it was trained on with --dataset"
        )


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join("?" if extent < 0 else str(extent) for extent in shape) or "a scalar"
