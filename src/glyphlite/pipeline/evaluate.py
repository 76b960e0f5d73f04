"""``glyphlite evaluate``: every file named, on the whole test split, against the float Keras model where there is one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlite.console import progress_bar
from glyphlite.evaluation.identity import float32_variant_of
from glyphlite.evaluation.inspection import ask_compiler
from glyphlite.evaluation.model_evaluation import (
    ArtifactEvaluation,
    KerasEvaluation,
    check_fit,
    evaluate_artifact,
    evaluate_keras,
)
from glyphlite.formatting import things
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.loading import load_keras_model
from glyphlite.pipeline.inputs.conventions import input_convention, say_if_at_chance
from glyphlite.pipeline.inputs.datasets import data_of, say_if_labels_differ
from glyphlite.pipeline.inputs.files import host_runtime, is_keras, keras_beside, keras_image_shape, model_file, own_image_shape
from glyphlite.pipeline.runs.results_file import keep_results
from glyphlite.records import ArtifactReport, KerasReport
from glyphlite.tflite.reader import read_graph


@dataclass(frozen=True)
class Evaluation:
    """The measurement of each file, by its path as it was named."""

    dataset: str
    labels: tuple[str, ...]
    keras: dict[str, KerasReport]
    artifacts: dict[str, ArtifactReport]
    engine: str = "litert"

    def document(self) -> dict[str, Any]:
        """Returns the plain JSON document."""
        return {
            "dataset": self.dataset,
            "labels": list(self.labels),
            "engine": self.engine,
            "keras": [{"path": path, **report.model_dump(mode="json")} for path, report in self.keras.items()],
            "artifacts": [{**report.model_dump(mode="json"), "path": path} for path, report in self.artifacts.items()],
        }


def evaluate_files(
    files: list[Path],
    dataset: str | None,
    *,
    keras: Path | None,
    latency: bool,
    seed: int | None,
    data_dir: Path | None,
    input_range: str | None = None,
    engine: str = "litert",
) -> Evaluation:
    """Measures .keras and .tflite files on the whole test split.

    Each artifact is held against the Keras model named with ``keras``, else the model.keras beside it, else the only .keras file
    among ``files``. Without ``dataset`` the data of the run that they lie in is taken, else MNIST; without ``seed`` the run's
    own validation images. Files that all lie in one folder leave what was measured in its ``results.json``, unless ``engine`` is
    "c": figures there are LiteRT's.

    Raises:
        ArtifactError: a .tflite file is missing, malformed or does not fit the dataset.
        ModelError: a .keras file likewise.
        DataError: the dataset.
        ToolError: ``engine`` is "c", and no C compiler is here.
    """
    files = list(dict.fromkeys(model_file(path) for path in files))
    sources = [path for path in files if is_keras(path)]
    artifacts = [path for path in files if not is_keras(path)]
    models = {path: load_keras_model(path) for path in sources}  # once: it takes seconds, and their memory
    shapes = {keras_image_shape(models[path]) if path in models else own_image_shape(path) for path in files} - {None}
    loaded = data_of(files, dataset, data_dir).load(seed, shapes.pop() if len(shapes) == 1 else None)
    known: dict[Path, KerasEvaluation] = {}

    def measure_keras(path: Path) -> KerasEvaluation:
        if path not in known:
            model = models.pop(path, None) or load_keras_model(path)
            found = input_convention(path, loaded, input_range, model)
            with progress_bar(f"{path.name} on {things(len(loaded.test), 'test image')}", len(loaded.test)) as advance:
                known[path] = evaluate_keras(
                    path, loaded, convention=found.convention, latency=latency, progress=advance, model=model
                )
            say_if_at_chance(path, known[path].held_out, loaded, "validation images", found)
        return known[path]

    for path in sources:
        measure_keras(path)
    measured: dict[str, ArtifactReport] = {}
    graphs = {str(path): read_graph(path) for path in artifacts}
    for path in artifacts:
        say_if_labels_differ(path, graphs[str(path)].labels, loaded)
        source = keras_beside(path, keras) or (sources[0] if len(sources) == 1 else None)
        reference = measure_keras(source).predictions if source else None
        check_fit(graphs[str(path)], loaded, path)  # before a line says how it takes a pixel
        found = input_convention(path, loaded, input_range)
        evaluation = measure(
            path, loaded, reference, convention=found.convention, latency=latency, runtime=host_runtime(path, engine)
        )
        say_if_at_chance(path, evaluation.held_out, loaded, "validation images", found)
        against = {"keras_path": str(source) if source else None, "float32_path": float32_variant_of(graphs[str(path)], graphs)}
        measured[str(path)] = evaluation.report.model_copy(update=against)
    sources_measured = {str(path): each.report for path, each in known.items()}
    if engine == "litert":
        keep_results(sources_measured, measured, dataset=loaded.name, labels=loaded.labels, seed=seed or 0)
    return Evaluation(loaded.name, loaded.labels, sources_measured, measured, engine)


def measure(
    path: Path,
    dataset: Any,
    keras_predictions: Any,
    *,
    convention: InputConvention | None = None,
    latency: bool = True,
    variant: str | None = None,
    runtime: str = "litert",
) -> ArtifactEvaluation:
    """Measures one artifact with a progress bar, and asks the compiler for it as well."""
    with progress_bar(f"{path.name} on {things(len(dataset.test), 'test image')}", len(dataset.test)) as advance:
        return evaluate_artifact(
            path,
            dataset,
            convention=convention,
            keras_predictions=keras_predictions,
            variant=variant,
            latency=latency,
            progress=advance,
            compiler=ask_compiler,
            runtime=runtime,
        )
