"""The input convention of a stranger's model is found, printed, and passed on to everything that feeds the model."""

import ctypes
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.strangers_models import bars, bars_dataset, beginning_with, taking, trained
from support.web_tools import node

from glyphlite.compiler import compile_artifact
from glyphlite.conversion.converter import convert
from glyphlite.datasets.dataset import Dataset
from glyphlite.emulation.toolchain import compile_shared
from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.evaluation.convention_search import artifact_convention, at_chance, find_convention, keras_convention
from glyphlite.export.tflm.project import export_tflm
from glyphlite.export.web.page import export_web
from glyphlite.models.interface.input_convention import OURS, InputConvention, named_convention, parse_input_range
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.metadata import ModelMetadata, add_metadata

pytestmark = pytest.mark.slow

RANGES = ["0..1", "0..255", "-1..1", "33.3,78.6"]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return bars_dataset()


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> Any:
    return trained(dataset)


@pytest.fixture(scope="module")
def artifact(model: Any, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """An int8 or float32 file of a model that takes a range, as a stranger's: without metadata."""
    folder = tmp_path_factory.mktemp("strangers")

    def make(text: str, variant: str) -> Path:
        path = folder / f"{variant} {text.replace('.', '_')}.tflite"
        if not path.exists():
            convention = parse_input_range(text)
            made = convert(taking(model, convention), variant, convention=convention, representative=dataset.train.images[:200])
            path.write_bytes(add_metadata(made.content, ModelMetadata()))
        return path

    return make


def _accuracy(path: Path, convention: InputConvention, dataset: Dataset) -> float:
    with get_runtime("litert").load(path) as loaded:
        scores = predict_probabilities(loaded, dataset.validation.images, convention)
    return float((scores.argmax(axis=1) == dataset.validation.labels).mean())


@pytest.mark.parametrize("text", [*RANGES, "-0.5..0.5"])
def test_a_model_that_says_nothing_is_tried_on_training_images(model: Any, dataset: Dataset, text: str) -> None:
    truth = named_convention(text, "") if text == "-0.5..0.5" else parse_input_range(text)
    if text == "33.3,78.6":  # standardized by its own data
        pixels = dataset.train.images
        truth = InputConvention((float(pixels.mean()),), (float(pixels.std()),), "")
    found = keras_convention(taking(model, truth), None, dataset)
    assert found.convention.table() == pytest.approx(truth.table(), abs=1e-3 * (truth.high - truth.low))
    assert found.accuracy is not None
    assert found.accuracy.value > 0.97
    assert found.words is not None
    assert truth.title in found.words
    assert "--input-range" in found.words
    assert not found.convention.assumed


def test_what_cannot_be_told_apart_is_said(dataset: Dataset) -> None:
    import keras

    blind = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
    kernel = np.zeros((784, 4), np.float32)
    for label in range(4):
        kernel[:, label] = dataset.train.images[dataset.train.labels == label].mean(axis=0).ravel()
    kernel -= kernel.mean(axis=0)  # with no bias either, neither a factor nor an offset changes the class
    blind.set_weights([kernel / np.linalg.norm(kernel, axis=0), np.zeros(4)])
    found = keras_convention(blind, None, dataset)
    assert found.convention.title == "0..1"
    assert found.convention.assumed
    assert "as right with pixels as 0..1 as with 0..255" in str(found.words)


def test_a_model_that_guesses_is_never_measured_in_silence(model: Any, dataset: Dataset) -> None:
    import keras

    other: Any = keras.models.clone_model(model)
    found = keras_convention(other, None, dataset)
    assert found.convention.assumed
    assert "guessing reaches 25%" in str(found.words)
    assert "--input-range 0..1, 0..255, -1..1 or MEAN,STD" in str(found.words)
    assert "\n" not in str(found.words)
    assert at_chance(wilson_interval(14, 100), 10)
    assert not at_chance(wilson_interval(90, 100), 10)
    assert not at_chance(wilson_interval(0, 0), 10)


def test_first_layers_speak(model: Any, dataset: Dataset) -> None:
    import keras

    layers: Any = keras.layers
    normalization = layers.Normalization(axis=None)
    normalization.adapt(dataset.train.images.astype(np.float32))
    (mean, std), of_pixels = (np.asarray(normalization.mean).item(), np.asarray(normalization.variance).item() ** 0.5), "0..255"
    standardized = taking(model, InputConvention((mean,), (std,), ""))
    cases = [
        (beginning_with(model, layers.Rescaling(1 / 255)), of_pixels, "layer rescaling"),
        (
            beginning_with(taking(model, parse_input_range("-1..1")), layers.Rescaling(1 / 127.5, -1)),
            of_pixels,
            "layer rescaling",
        ),
        (beginning_with(taking(model, parse_input_range("-1..1")), layers.Rescaling(2, -1)), "0..1", "layer rescaling"),
        (beginning_with(model, layers.Rescaling(0.5, 0.5)), "-1..1", "layer rescaling"),
        (beginning_with(standardized, normalization), of_pixels, "layer normalization"),
        (
            beginning_with(model, layers.CenterCrop(28, 28), layers.RandomZoom(0.1), layers.Rescaling(1 / 255)),
            of_pixels,
            "rescaling",
        ),
        (beginning_with(model, lambda pixels: pixels / 255.0), of_pixels, "true_divide"),
        (beginning_with(model, layers.Rescaling(1 / 255), dtype="uint8"), of_pixels, "uint8"),
    ]
    for stranger, title, source in cases:
        found = keras_convention(stranger, None, dataset)
        assert found.convention.title == title
        assert source in found.convention.source
        assert found.accuracy is not None
        assert found.accuracy.value > 0.97


def test_a_layer_that_the_training_images_speak_against_is_not_believed(model: Any, dataset: Dataset) -> None:
    """Divided twice: the model divides, and so did whoever trained it."""
    import keras

    twice = beginning_with(taking(model, InputConvention((0.0,), (255.0**2,), "")), keras.layers.Rescaling(1 / 255))
    found = keras_convention(twice, None, dataset)
    assert found.convention.title == "0..1"
    assert "which its layer rescaling" in str(found.words)


def test_what_the_user_says_decides(model: Any, dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model.save(path)
    found = find_convention(path, dataset, chosen=parse_input_range("-1..1"))
    assert found.convention.title == "-1..1"
    assert found.words is None


def test_a_record_beside_a_file_says_it(model: Any, tmp_path: Path) -> None:
    from glyphlite.files.single import sha256_of

    path = tmp_path / "model.keras"
    model.save(path)
    entry = {"sha256": sha256_of(path), "input": parse_input_range("-1..1").report().model_dump(mode="json")}
    (tmp_path / "results.json").write_text(json.dumps({"keras": entry}))
    assert find_convention(path).convention.title == "-1..1"
    assert find_convention(path).words is None
    (tmp_path / "results.json").unlink()
    assert find_convention(path).convention.assumed
    assert "is assumed to take pixels as 0..1" in str(find_convention(path).words)


@pytest.mark.parametrize("text", RANGES)
def test_a_quantized_file_says_its_range_and_generated_c_gives_the_class_of_tflite_micro(
    artifact: Callable[[str, str], Path], dataset: Dataset, tmp_path: Path, text: str
) -> None:
    path = artifact(text, "int8")
    convention = artifact_convention(path, dataset)
    assert (convention.low, convention.high) == pytest.approx(
        (parse_input_range(text).low, parse_input_range(text).high), abs=0.03 * (convention.high - convention.low)
    )
    pixels = bars(60, 3).images
    with get_runtime("tflm").load(path) as loaded:
        expected = predict_probabilities(loaded, pixels, parse_input_range(text)).argmax(axis=1)
    assert (expected == bars(60, 3).labels).mean() > 0.95

    compile_artifact(path, tmp_path / "c", name="net", sample=(pixels[0], int(expected[0])), convention=convention)
    library = ctypes.CDLL(str(compile_shared([tmp_path / "c" / "net.c"], tmp_path / "net.so", include=[tmp_path / "c"])))
    scores, arena = np.zeros(4, np.int8), np.zeros(1 << 16, np.uint8)
    pointer = ctypes.c_void_p
    found = [
        library.net_classify(pointer(image.ctypes.data), pointer(scores.ctypes.data), pointer(arena.ctypes.data))
        for image in np.ascontiguousarray(pixels)
    ]
    assert found == expected.tolist()
    made = subprocess.run(["make", "-C", "example"], cwd=tmp_path / "c", capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    document = json.loads((tmp_path / "c" / "net.json").read_text())
    assert document["input"]["range"] == convention.title

    exported = export_tflm(path, tmp_path / "tflm", image=pixels[0], label=0, labels=dataset.labels, convention=convention)
    np.testing.assert_array_equal(_cpp_inputs(exported.folder, path, tmp_path), _stored(path, convention))


def test_the_page_gives_the_class_of_tflite_micro(artifact: Callable[[str, str], Path], tmp_path: Path) -> None:
    path, pixels = artifact("-1..1", "int8"), bars(40, 4).images
    export_web(path, tmp_path / "page")
    (tmp_path / "pixels").write_bytes(pixels.tobytes())
    mjs = Path(__file__).parents[1] / "support" / "web_engine.mjs"
    command = [node(), str(mjs), str(tmp_path / "page"), "plain", str(tmp_path / "pixels")]
    ran = subprocess.run(command, capture_output=True, check=True, timeout=60)
    with get_runtime("tflm").load(path) as loaded:
        expected = predict_probabilities(loaded, pixels, parse_input_range("-1..1")).argmax(axis=1)
    assert np.frombuffer(ran.stdout, np.int8).reshape(40, 4).argmax(axis=1).tolist() == expected.tolist()
    record = json.loads((tmp_path / "page" / "model.json").read_text())
    taken = InputConvention(tuple(record["input"]["mean"]), tuple(record["input"]["std"]), "the page's record")
    assert taken.title == "-1..1"


def _stored(path: Path, convention: InputConvention) -> np.ndarray:
    from glyphlite.runtimes.base import stored_images

    with get_runtime("litert").load(path) as loaded:
        every = np.resize(np.arange(256, dtype=np.uint8), (1, 28, 28, 1))
        return stored_images(every, convention, loaded.input).ravel()[:256]


def _cpp_inputs(project: Path, path: Path, folder: Path) -> np.ndarray:
    """Returns the values that the exported program's own ToInput, compiled and run, gives for every pixel."""
    from glyphlite.tflite.reader import read_graph

    quantization = read_graph(path).input.quantization
    assert quantization is not None
    source = (project / "model_inference.cc").read_text()
    function = re.search(r"InputType ToInput.*?\n}\n", source, re.DOTALL)
    assert function is not None
    program = folder / "inputs.cc"
    program.write_text(
        "#include <algorithm>\n#include <cmath>\n#include <cstdint>\n#include <cstdio>\n#include <limits>\n"
        "struct TfLiteQuantizationParams { float scale; std::int32_t zero_point; };\nusing InputType = std::int8_t;\n"
        f'{function[0]}\nint main() {{ for (int i = 0; i < 256; ++i) std::printf("%d ", ToInput(static_cast<std::uint8_t>(i), '
        f"{{static_cast<float>({quantization.scale:.9g}), {quantization.zero_point}}})); }}\n"
    )
    subprocess.run(["g++", "-std=c++17", "-Wall", "-Werror", str(program), "-o", str(folder / "inputs")], check=True, timeout=60)
    printed = subprocess.run([str(folder / "inputs")], capture_output=True, text=True, check=True, timeout=60)
    return np.array(printed.stdout.split(), np.int64)


@pytest.mark.parametrize("text", ["0..255", "-1..1"])
def test_a_float_file_that_says_nothing_is_tried_or_assumed_aloud(
    artifact: Callable[[str, str], Path], dataset: Dataset, text: str
) -> None:
    path = artifact(text, "float32")
    found = find_convention(path, dataset)
    assert found.convention.title == text
    assert _accuracy(path, found.convention, dataset) > 0.97
    alone = find_convention(path)
    assert alone.convention.assumed
    assert "assumed to take pixels as 0..1" in str(alone.words)


def test_metadata_go_first(artifact: Callable[[str, str], Path], tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    content = artifact("-1..1", "float32").read_bytes()
    path.write_bytes(add_metadata(content, ModelMetadata(mean=(127.5,), std=(127.5,))))
    assert artifact_convention(path).title == "-1..1"
    assert artifact_convention(path).source == "its metadata"
    path.write_bytes(add_metadata(artifact("-1..1", "int8").read_bytes(), ModelMetadata(mean=(0.0,), std=(1.0,))))
    assert artifact_convention(path).title == "-1..1", "a quantized input that cannot hold what the metadata say"


def test_our_own_files_are_fed_as_ever(samples: Path, mnist: Dataset) -> None:
    for variant in ("int8", "float32"):
        assert artifact_convention(samples / f"model_{variant}.tflite", mnist).table() == pytest.approx(OURS.table(), abs=1e-6)
