"""Models that end otherwise than in a softmax over all classes, from training to the measured artifact, and what predict says."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.web_tools import node

from glyphlite.compiler import Sample, compile_artifact
from glyphlite.conversion.folder import convert_to_folder
from glyphlite.conversion.isolation import prepare
from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.evaluation.model_evaluation import evaluate_artifact, evaluate_keras
from glyphlite.evaluation.simulation import simulate
from glyphlite.evaluation.verification.agreement import verify
from glyphlite.export.web.page import export_web
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.models.registry import resolve_model
from glyphlite.pipeline.predict import predict_pictures
from glyphlite.tflite.reader import read_graph
from glyphlite.training.trainer import train

PROGRAM = """
import keras
from keras import layers

def one_sigmoid():
    stem = [keras.Input((28, 28, 1)), layers.RandomSharpness(0.1), layers.RandomTranslation(0.02, 0.02)]
    stem += [layers.Conv2D(8, 5, strides=3, activation="relu"), layers.Flatten()]
    return keras.Sequential([*stem, layers.Dense(1, activation="sigmoid")])

def one_logit():
    return keras.Sequential([keras.Input((784,)), layers.Dense(1)])

def sigmoids():
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(4, activation="sigmoid")])

def logits():
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dropout(0.1), layers.Dense(4)])
"""


def bars(images: int, seed: int, classes: int) -> Split:
    """Strokes, light on dark: upright, level, falling, rising."""
    generator = np.random.default_rng(seed)
    pixels, labels = np.zeros((images, 28, 28, 1), np.uint8), np.arange(images) % classes
    steps = np.arange(-7, 8)
    for image, label in zip(pixels, labels, strict=True):
        row, column = generator.integers(11, 17, 2)
        rows, columns = (
            [(row + steps, column + 0 * steps), (row + 0 * steps, column + steps)][label]
            if label < 2
            else (
                row + steps,
                column + (steps if label == 2 else -steps),
            )
        )
        for thickness in (0, 1):
            image[rows, columns + thickness, 0] = generator.integers(180, 256)
    return Split(pixels, labels)


def dataset(classes: int) -> Dataset:
    labels = ("upright", "level", "falling", "rising")[:classes]
    splits = [bars(images, seed, classes) for seed, images in enumerate((1200, 200, 200))]
    return Dataset("bars", labels, *splits, source="drawn here")


def check_generated_c(artifact: Path, data: Dataset, folder: Path) -> None:
    """``NAME_classify`` and the emulated core name the class of one image of each."""
    for label in range(data.classes):
        sample = Sample(data.test.images[label], label, "test")
        compile_artifact(artifact, folder / f"c{label}", name="strokes", sample=sample, labels=data.labels)
        done = subprocess.run(
            ["make", "-s", "-C", folder / f"c{label}" / "example", "run"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done
        assert done.stdout.endswith(f"class: {data.labels[label]}\n")
    simulation = simulate(folder / "c0", "cortex-m4", data.test.images[:8])
    assert simulation.classes.tolist() == data.test.labels[:8].tolist()
    assert simulation.real_scores.shape == (8, data.classes)


SCRIPT = """
import { readFileSync } from "node:fs";
const [folder] = process.argv.slice(2);
const { Engine, classOf, probabilities } = await import(`file://${folder}/engine.js`);
const model = JSON.parse(readFileSync(`${folder}/model.json`));
const images = JSON.parse(readFileSync(`${folder}/images.json`));
const engine = await Engine.load(readFileSync(`${folder}/engine-plain.wasm`), model);
const output = { ...engine.output, kind: model.output.kind };
const say = (scores) => [classOf(scores, output), probabilities(scores, output)];
console.log(JSON.stringify(images.map((image) => say(engine.scores(Uint8Array.from(image))))));
"""


def check_page(artifact: Path, data: Dataset, folder: Path) -> None:
    """The page's engine names the same classes, with a probability for each."""
    page = export_web(artifact, folder / "page")
    (page.folder / "images.json").write_text(json.dumps(data.test.images[:8].reshape(8, -1).tolist()))
    (folder / "script.mjs").write_text(SCRIPT)
    answer = subprocess.run([node(), folder / "script.mjs", page.folder], capture_output=True, text=True, check=True).stdout
    found = json.loads(answer)
    assert [each for each, _ in found] == data.test.labels[:8].tolist()
    assert all(len(values) == data.classes and values[each] == max(values) for each, values in found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "classes", "kind", "shape"),
    [
        ("one_sigmoid", 2, OutputKind.SIGMOID, (1, 28, 28, 1)),
        ("one_logit", 2, OutputKind.SIGMOID, (1, 784)),
        ("sigmoids", 4, OutputKind.SIGMOIDS, (1, 28, 28)),
        ("logits", 4, OutputKind.SOFTMAX, (1, 28, 28)),
    ],
)
def test_from_training_to_an_answer(
    function: str, classes: int, kind: OutputKind, shape: tuple[int, ...], tmp_path: Path
) -> None:
    prepare()
    (tmp_path / "models.py").write_text(PROGRAM)
    data = dataset(classes)
    choice = resolve_model(f"{tmp_path / 'models.py'}:{function}", data.input_shape, classes)
    trained = train(choice, data, tmp_path / "run", epochs=30)
    assert trained.validation_accuracy is not None
    assert trained.validation_accuracy > 0.97
    keras = evaluate_keras(tmp_path / "run" / "model.keras", data, latency=False)
    assert keras.report.accuracy.value > 0.97
    assert keras.report.outputs == kind
    assert keras.probabilities.shape == (200, classes)

    artifacts = convert_to_folder(trained.model, tmp_path / "run", ("float32", "int8"), dataset=data, samples=40)
    for artifact in artifacts:
        graph = read_graph(artifact.path)
        assert (outputs_of(graph, "it"), graph.input.shape) == (kind, shape)
        assert not any("VARIABLE" in operator.name or "RANDOM" in operator.name for operator in graph.operators)
        measured = evaluate_artifact(
            artifact.path, data, convention=OURS, keras_predictions=keras.predictions, latency=False, runtimes=False
        )
        assert measured.report.accuracy.value > 0.97
        assert measured.report.agreement_with_keras is not None
        assert measured.report.agreement_with_keras > 0.98
        assert measured.report.outputs == kind
        np.testing.assert_allclose(measured.probabilities, keras.probabilities, atol=0.15)
        sums = measured.probabilities.sum(axis=1)
        assert kind is OutputKind.SIGMOIDS or np.allclose(sums, 1, atol=0.02)

    verified = verify(
        artifacts[1].path,
        data,
        convention=OURS,
        images=50,
        keras=tmp_path / "run" / "model.keras",
        runtimes=("litert_builtin", "tflm", "generated_c"),
    )
    assert verified.agrees, verified.verdict
    assert all(record.accuracy and record.accuracy.value > 0.95 for record in verified.records)

    check_generated_c(artifacts[1].path, data, tmp_path)
    check_page(artifacts[1].path, data, tmp_path)

    for label in range(classes):
        picture = tmp_path / f"{label}.png"
        Image.fromarray(data.test.images[label, ..., 0]).save(picture)
        said: Any = predict_pictures(
            [picture], model_path=artifacts[0].path, samples=[], show=None, every=False, dataset=None, data_dir=None
        ).predictions[0]
        assert said.label == data.labels[label]
        assert 0.5 < said.probability <= 1
        assert len(said.top) == min(3, classes)
