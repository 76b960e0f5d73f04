"""Commands on models that classify no pictures, on a machine without network or cache: nothing is loaded, nothing is called a
class.
"""

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.assembled import Assembly

from glyphlite.tflite.reader import read_graph
from glyphlite.tflite.writer import pack_model, unpack_model

WORDS_OF_CLASSIFIERS = ("mnist", "digit", "class ", "probabilit", "accura", "picture", "pixel", "test image")

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """The command line without network and with an empty cache; returns exit code, standard output and standard error."""
    from glyphlite.__main__ import main

    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["glyphlite", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def cut(samples: Path, path: Path, first: int, last: int) -> Path:
    """The sample's ops from ``first`` to ``last`` as a model of their own."""
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    graph = model.subgraphs[0]
    graph.operators = graph.operators[first : last + 1]
    graph.inputs, graph.outputs = [graph.operators[0].inputs[0]], [graph.operators[-1].outputs[0]]
    model.signatureDefs, model.metadata = [], []
    path.write_bytes(pack_model(model))
    return path


@pytest.fixture(scope="module")
def regression(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 numbers in, 10 out."""
    return cut(samples, tmp_path_factory.mktemp("regression") / "regression.tflite", 4, 4)


@pytest.fixture(scope="module")
def maps(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture in, a map out."""
    return cut(samples, tmp_path_factory.mktemp("maps") / "maps.tflite", 0, 1)


@pytest.mark.parametrize("kind", ["regression", "maps"])
def test_verify_simulate_and_compile_take_any_model(kind: str, cli: Cli, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path: Path = request.getfixturevalue(kind)
    code, out, err = cli("verify", path, "--images", 40)
    assert code == 0
    assert "No dataset: 40 random inputs (seed 0) over the whole range of int8" in " ".join(err.split())
    assert f"generated C and TFLite Micro agree on every byte of {kind}.tflite over 40 inputs" in " ".join(out.split())
    said = out + err
    code, out, err = cli("simulate", path, "--cpu", "cortex-m0", "--images", 2)
    assert code == 0
    assert "The outputs are TFLite Micro's, bit by bit, on 2 inputs." in " ".join(out.split())
    said += out + err
    code, out, err = cli("compile", path, "--out", tmp_path / "c", "--no-compare")
    assert code == 0
    assert "outputs are TFLite Micro's, bit by bit, on 32 random and extreme inputs" in " ".join(out.split())
    said += err
    assert not [word for word in WORDS_OF_CLASSIFIERS if word in said.replace("images with their classes", "").lower()]
    code, out, err = cli("simulate", tmp_path / "c", "--cpu", "cortex-m0", "--images", 2, "--json")
    assert code == 0
    [document] = json.loads(out)
    assert [len(sample["outputs"]) for sample in document["images"]] == [1, 1]
    assert not list((tmp_path / "cache").glob("**/*mnist*"))


def test_a_file_of_real_values_is_what_is_run(regression: Path, cli: Cli, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "rows.npz", features=rng.normal(size=(30, 16)), labels=rng.integers(0, 10, 30))
    np.save(tmp_path / "rows.npy", rng.normal(size=(30, 16)).astype("float32"))
    code, out, err = cli("verify", regression, "--inputs", "rows.npy", "--images", 20, "--json")
    document = json.loads(out)
    assert (code, document["images"], document["inputs"]["source"]) == (0, 20, "20 of 30 inputs of rows.npy")
    assert "rows.npy is taken as real values" in " ".join(err.split())
    assert all(record["accuracy"] is None and record["same_class"] is None for record in document["verify"])
    code, out, _ = cli("verify", regression, "--inputs", "rows.npz", "--runtimes", "tflm,generated_c", "--json")
    assert [record["accuracy"]["n"] for record in json.loads(out)["verify"]] == [30, 30]
    code, out, _ = cli("simulate", regression, "--inputs", "rows.npy", "--cpu", "cortex-m0", "--json")
    assert (code, json.loads(out)[0]["identical_to_tflm"]) == (0, 10)
    code, out, _ = cli("compile", regression, "--inputs", "rows.npy", "--out", "c", "--no-compare")
    assert "outputs are TFLite Micro's, bit by bit, on 30 inputs of rows.npy" in " ".join(out.split())
    code, out, _ = cli("simulate", "c", "--inputs", "rows.npy", "--cpu", "cortex-m0", "--images", 3, "--json")
    assert len(json.loads(out)[0]["images"]) == 3


def test_labels_name_the_classes_of_what_tells_them_apart(regression: Path, maps: Path, cli: Cli, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(12, 16)).astype("float32")
    np.savez(tmp_path / "rows.npz", x=values, labels=np.arange(12) % 10)
    code, out, _ = cli("simulate", regression, "--inputs", "rows.npz", "--images", 2, "--cpu", "cortex-m0", "--json")
    assert (code, [sample["expected"] for sample in json.loads(out)[0]["images"]]) == (0, ["0", "1"])
    np.savez(tmp_path / "many.npz", x=values, labels=np.arange(12))
    np.savez(tmp_path / "maps.npz", x=np.zeros((2, 28, 28, 1), "float32"), labels=np.arange(2))
    for path, name, said in (
        (regression, "many.npz", "12 inputs of many.npz have the label 11, but regression.tflite tells 10 classes apart, 0 to 9"),
        (maps, "maps.npz", "2 inputs of maps.npz have labels, but maps.tflite gives no classes"),
    ):
        code, out, err = cli("verify", path, "--inputs", name)
        assert (code, out) == (2, "")
        assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--inputs", "absent.npy"], "cannot read absent.npy: No such file or directory; expected a .npy file"),
        (["--inputs", "random:many"], "--inputs random:many is not understood; expected random, random:N or random:N:SEED"),
        (["--inputs", "random", "--dataset", "mnist"], "--inputs and --dataset both name inputs; give one of them"),
        (["--inputs", "wide.npy"], "wide.npy has shape [5, 17]; expected (n, 16), n samples of 16 int8"),
        (["--source", "absent.tflite"], "there is no file absent.tflite"),
    ],
)
def test_what_names_no_inputs_is_one_line(regression: Path, cli: Cli, tmp_path: Path, arguments: list[str], said: str) -> None:
    np.save(tmp_path / "wide.npy", np.zeros((5, 17), np.float32))
    code, out, err = cli("verify", regression, *arguments)
    assert (code, out) == (2, "")
    assert " ".join(err.split()).startswith(f"glyphlite: {said}")


@pytest.mark.slow
def test_a_float_model_shows_the_error_of_an_autoencoder(cli: Cli, tmp_path: Path) -> None:
    """Both kinds of source; a model of two inputs and two outputs of one shape, which the converter brings into another order."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    first, second = keras.Input((6,), batch_size=1, name="zeta"), keras.Input((6,), batch_size=1, name="alpha")
    code = keras.layers.Dense(4, "relu")(keras.layers.Concatenate()([first, keras.layers.Dense(2)(second)]))
    model: Any = keras.Model([first, second], [keras.layers.Dense(6)(code), keras.layers.Dense(6, "tanh")(code)])
    model.save(tmp_path / "float.keras")
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (tmp_path / "float.tflite").write_bytes(converter.convert())
    rng = np.random.default_rng(0)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, 6)).astype("float32") for _ in range(2)] for _ in range(80))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (tmp_path / "int8.tflite").write_bytes(converter.convert())
    assert len(read_graph(tmp_path / "int8.tflite").outputs) == 2
    np.savez(tmp_path / "both.npz", alpha=rng.normal(size=(50, 6)), zeta=rng.normal(size=(50, 6)))
    errors = {}
    for source in ("float.keras", "float.tflite"):
        code, out, _ = cli(
            "verify", "int8.tflite", "--source", source, "--inputs", "both.npz", "--runtimes", "tflm,generated_c", "--json"
        )
        document = json.loads(out)
        assert code == 0
        assert "Mean absolute error of TFLite Micro against the float source: 0.0" in document["verdict"]
        errors[source] = [record["mean_absolute_error"] for record in document["verify"]]
        assert errors[source][0] == 0
        assert max(errors[source]) < 0.05
    assert errors["float.keras"] == pytest.approx(errors["float.tflite"], abs=1e-5)


@pytest.mark.slow
def test_a_model_larger_than_the_core_is_compiled_all_the_same(cli: Cli, tmp_path: Path) -> None:
    assembly = Assembly()
    part = assembly.subgraph()
    source, result = part.tensor((1, 5_000_000), (0.01, 0)), part.tensor((1, 5_000_000), (0.01, 0))
    part.op("RELU", [source], [result])
    part.edges([source], [result])
    (tmp_path / "large.tflite").write_bytes(assembly.pack())
    code, said, error = cli("compile", "large.tflite", "--out", "c", "--no-check")
    assert code == 0, error
    assert "input 5,000,000 bytes" in said
    assert "No trade-offs measured: cortex-m4: 5000000 bytes more do not fit the emulated RAM" in " ".join(error.split())
    assert (tmp_path / "c" / "large.c").is_file()


def test_predict_refuses_what_takes_no_picture_before_it_says_how_a_pixel_enters(
    regression: Path, cli: Cli, tmp_path: Path
) -> None:
    """Nor does it take a few rows of a spectrogram for a picture."""
    assembly = Assembly()
    main = assembly.subgraph()
    given, scores = main.tensor((1, 3, 40), (0.1, -128)), main.tensor((1, 120), (0.1, -128))
    main.op("RESHAPE", [given, main.constant(np.array([1, 120], np.int32))], [scores], "ReshapeOptions")
    main.edges([given], [scores])
    (tmp_path / "slices.tflite").write_bytes(assembly.pack())
    for path, shape in ((regression, "16"), (tmp_path / "slices.tflite", "3x40")):
        code, out, err = cli("predict", path, "seven.png")
        assert (code, out) == (2, "")
        assert f"takes inputs of shape {shape}, not images; predict needs height x width x 1 or 3" in " ".join(err.split())
        assert "pixels" not in err
