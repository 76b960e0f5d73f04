"""A run remembers its data: every command on its folder takes it, wherever it is started, and says so."""

import itertools
import json
import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from PIL import Image
from support.pretrained import ship_sample, use_shipped

from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.idx import write_idx
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError
from glyphlite.files.single import sha256_of
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.pipeline.compile import compile_file
from glyphlite.pipeline.convert import convert_model
from glyphlite.pipeline.evaluate import evaluate_files
from glyphlite.pipeline.export import export_file
from glyphlite.pipeline.inputs import datasets
from glyphlite.pipeline.inputs.datasets import RunData, data_of, fits, groups_beside, run_record, to_remember
from glyphlite.pipeline.predict import predict_pictures
from glyphlite.pipeline.simulate import simulate_target
from glyphlite.pipeline.verify import verify_file
from glyphlite.tflite.reader import read_graph

COMPILE = {"name": None, "optimize": "speed", "scores": "probabilities", "sample": 0, "data_dir": None, "compare": False}


@pytest.fixture
def data(mnist: Dataset, tmp_path: Path) -> Path:
    """Digits of another order than MNIST's, whose first test image is a 4."""
    first = np.flatnonzero(mnist.test.labels == 4)[:1]
    test = np.concatenate([first, np.arange(60)])
    path = tmp_path / "data" / "digits.npz"
    path.parent.mkdir()
    np.savez(
        path,
        x_train=mnist.train.images[:400, ..., 0],
        y_train=mnist.train.labels[:400],
        x_test=mnist.test.images[test, ..., 0],
        y_test=mnist.test.labels[test],
    )
    return path


@pytest.fixture
def run(data: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder as `glyphlite run --dataset data/digits.npz` leaves it; the test goes on in another folder."""
    folder = tmp_path / "runs" / "digits"
    folder.mkdir(parents=True)
    for name in ("model_int8.tflite", "model.keras"):
        (folder / name).write_bytes((samples / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    loaded = load_dataset("data/digits.npz")
    kept = {key: value for key, value in to_remember("data/digits.npz", loaded, None).items() if value is not None}
    (folder / "run.toml").write_text(tomli_w.dumps({"repeat": "glyphlite run", "dataset": {"name": "digits", **kept}}))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def forget_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever loads MNIST fails."""
    load = datasets.load_dataset

    def refuse(name: str, **options: object) -> Dataset:
        assert name != "mnist", "MNIST was loaded"
        return load(name, **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(datasets, "load_dataset", refuse)


@pytest.mark.slow
def test_every_command_takes_the_runs_own_data(run: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    forget_mnist(monkeypatch)
    options = {"model_path": None, "samples": [0], "show": None, "every": False, "dataset": None, "data_dir": None}
    for place in (run, run / "model_int8.tflite"):
        answers = predict_pictures([place], **options)  # pyright: ignore[reportArgumentType]
        assert [each.true_label for each in answers.predictions] == ["4"]
    assert "digits.npz, as" in capfd.readouterr().err
    evaluation = evaluate_files([run / "model_int8.tflite"], None, keras=None, latency=False, seed=0, data_dir=None)
    assert evaluation.dataset == "digits"
    assert next(iter(evaluation.artifacts.values())).accuracy.n == 61
    verification = verify_file(run, None, images=None, keras=None, runtimes="tflm,litert", tolerance=0.1, seed=0, data_dir=None)
    assert verification.records[0].images == 61


@pytest.mark.slow
def test_what_is_compiled_and_exported_embeds_the_runs_own_image(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    forget_mnist(monkeypatch)
    out = tmp_path / "elsewhere" / "out"
    compile_file(run, out, dataset=None, **COMPILE)  # pyright: ignore[reportArgumentType]
    assert "digits test image 0, class 4" in (out / "example" / "example.c").read_text()
    printed = subprocess.run(["make", "-s", "-C", out], capture_output=True, text=True, timeout=120, check=True).stdout
    assert printed.splitlines()[-1] == "class: 4"
    assert json.loads((out / "model_int8.json").read_text())["dataset"].endswith("digits.npz")
    simulated = simulate_target(out, ["cortex-m0"], images=1, optimize="speed", dataset=None, data_dir=None)
    assert [each["expected"] for each in simulated.document()[0]["images"]] == ["4"]
    export = {"name": "model", "language": "cc", "dataset": None, "sample": 0, "data_dir": None}
    export_file(run, "tflm", tmp_path / "tflm", **export)  # pyright: ignore[reportArgumentType]
    assert "kTestImageClass = 4;" in (tmp_path / "tflm" / "test_image.h").read_text()


def test_data_that_has_changed_since_the_run_is_said(run: Path, data: Path, capfd: pytest.CaptureFixture[str]):
    document = tomllib.loads((run / "run.toml").read_text())
    document["dataset"]["sha256"] = {"digits.npz": "0" * 64}
    (run / "run.toml").write_text(tomli_w.dumps(document))
    data_of(run, None).load()
    assert "digits has changed since the run was made" in " ".join(capfd.readouterr().err.split())
    document["dataset"]["sha256"] = {"digits.npz": sha256_of(data)}
    (run / "run.toml").write_text(tomli_w.dumps(document))
    data_of(run, None).load()
    assert "since the run was made" not in capfd.readouterr().err


def test_other_classes_than_the_files_own_are_said(samples: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    from glyphlite.tflite.metadata import ModelMetadata, add_metadata

    letters = tmp_path / "letters.tflite"
    metadata = ModelMetadata(name="letters", labels=tuple("ABCDEFGHIJ"))
    letters.write_bytes(add_metadata((samples / "model_int8.tflite").read_bytes(), metadata))
    verify_file(letters, "mnist", images=3, keras=None, runtimes="tflm", tolerance=None, seed=0, data_dir=None)
    said = " ".join(capfd.readouterr().err.split())
    assert "letters.tflite has the classes A, B, C, ..., mnist has 0, 1, 2, ...:" in said


def test_a_compiled_folder_remembers_data_that_was_named_from_elsewhere(
    run: Path, data: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(data.parent)
    compile_file(samples / "model_int8.tflite", tmp_path / "out", dataset="digits.npz", **COMPILE)  # pyright: ignore[reportArgumentType]
    monkeypatch.chdir(tmp_path)
    assert data_of(tmp_path / "out", None).load().name == "digits"


def test_data_and_what_was_compiled_for_it_can_be_moved_together(
    run: Path, data: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    compile_file(samples / "model_int8.tflite", tmp_path / "data" / "c", dataset=str(data), **COMPILE)  # pyright: ignore[reportArgumentType]
    assert json.loads((tmp_path / "data" / "c" / "model_int8.json").read_text())["dataset"] == "../digits.npz"
    data.parent.rename(tmp_path / "moved")
    assert data_of(tmp_path / "moved" / "c", None).load().name == "digits"


@pytest.mark.parametrize(
    ("named", "folder", "written"),
    [
        ("mnist", "/home/a/out", "mnist"),
        ("/home/a/mnist", "/home/a", "./mnist"),
        ("/home/a/data.npz", "/home/a/out/c", "../../data.npz"),
        ("/data/digits.npz", "/home/a/out", "/data/digits.npz"),
    ],
)
def test_a_memory_map_names_data_by_the_path_from_its_folder(named: str, folder: str, written: str, tmp_path: Path):
    assert datasets.beside(named, Path(folder)) == written
    (tmp_path / "out").mkdir()
    found = datasets._beside(datasets.beside("/elsewhere/mnist", tmp_path / "out"), tmp_path / "out")
    assert found == "/elsewhere/mnist"


def test_pictures_are_brought_to_what_a_model_takes_and_arrays_keep_their_size(mnist: Dataset, data: Path, tmp_path: Path):
    for split, name in itertools.product(("train", "test"), ("four", "other")):
        folder = tmp_path / "pictures" / split / name
        folder.mkdir(parents=True)
        for number in range(12):
            Image.fromarray(mnist.train.images[number + 12 * (name == "four"), ..., 0]).save(folder / f"{number}.png")
    pictures = RunData(str(tmp_path / "pictures"), named=True)
    assert pictures.load().input_shape == (28, 28, 1)
    fitted = pictures.load(takes=(32, 40, 3))
    assert fitted.input_shape == (32, 40, 3)
    assert np.ptp(fitted.test.images, axis=3).max() == 0
    assert replace(pictures, input_shape=(20, 20, 1)).load(takes=(32, 32, 3)).input_shape == (20, 20, 1)  # the run's own
    arrays = RunData(str(data), named=True)
    assert arrays.load(takes=(32, 32, 3)).input_shape == (28, 28, 1)
    assert arrays.load(takes=(28, 28, 3)).input_shape == (28, 28, 3)


def test_every_command_asks_for_images_of_its_models_own_shape(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def stop(self: RunData, seed: int | None = None, takes: tuple[int, int, int] | None = None) -> None:
        asked.append(takes)
        raise DataError("far enough")

    monkeypatch.setattr(RunData, "load", stop)
    monkeypatch.setattr("glyphlite.pipeline.convert.prepare", lambda: None)
    int8, keras = samples / "model_int8.tflite", samples / "model.keras"
    named = {"dataset": "pictures", "data_dir": None}
    converting = {"variants": "int8", "batch": "1", "samples": 9, "show_calibration": False, "seed": 0}
    predicting = {"model_path": int8, "samples": [0], "show": None, "every": False}
    commands = [
        lambda: evaluate_files([int8, keras], keras=None, latency=False, seed=0, **named),
        lambda: verify_file(int8, images=3, keras=None, runtimes="tflm", tolerance=None, seed=0, **named),
        lambda: convert_model(keras, tmp_path, **converting, **named),
        lambda: simulate_target(int8, ["cortex-m0"], images=1, optimize="speed", **named),
        lambda: predict_pictures([], **predicting, **named),
        lambda: compile_file(int8, tmp_path / "out", **{**COMPILE, **named}),
    ]
    for command in commands:
        with pytest.raises(DataError, match="far enough"):
            command()
        assert asked.pop() == (28, 28, 1)


def test_an_explicit_dataset_wins(run: Path, tmp_path: Path):
    assert data_of(run, "fashion-mnist") == RunData("fashion-mnist", named=True)
    assert data_of(run, None).name == str(tmp_path / "data" / "digits.npz")
    assert data_of(run / "c", None).name == data_of(run, None).name


def test_data_that_is_gone_is_one_line_that_says_so(run: Path, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    data.unlink()
    with pytest.raises(DataError, match=r"the data of this run, .*digits\.npz .*is gone; name it with --dataset"):
        verify_file(run, None, images=5, keras=None, runtimes=None, tolerance=None, seed=0, data_dir=None)
    compile_file(run, tmp_path / "out", dataset=None, **COMPILE)  # pyright: ignore[reportArgumentType]
    assert "No dataset: the data of this run" in " ".join(capfd.readouterr().err.split())
    assert "a blank image, class unknown" in (tmp_path / "out" / "example" / "example.c").read_text()


def test_no_foreign_image_is_embedded_and_nothing_loaded_for_it(
    samples: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """A model of letters, by the labels that it carries: MNIST fits its shape and is not its data."""
    from glyphlite.tflite.metadata import ModelMetadata, add_metadata

    forget_mnist(monkeypatch)
    letters = tmp_path / "letters.tflite"
    metadata = ModelMetadata(name="letters", labels=tuple("ABCDEFGHIJ"))
    letters.write_bytes(add_metadata((samples / "model_int8.tflite").read_bytes(), metadata))
    monkeypatch.chdir(tmp_path)
    compiled = compile_file(letters, None, dataset=None, **COMPILE)  # pyright: ignore[reportArgumentType]
    said = " ".join(capfd.readouterr().err.split())
    assert "No --out: writing the folder letters" in said
    assert "No dataset: the example holds zeros" in said
    assert "mnist" not in said
    assert compiled.document["labels"] == tuple("ABCDEFGHIJ")
    assert (
        subprocess.run(["make", "-s", "-C", tmp_path / "letters"], capture_output=True, timeout=120, check=False).returncode == 0
    )
    export = {"name": "model", "language": "cc", "dataset": None, "sample": 0, "data_dir": None}
    export_file(letters, "tflm", tmp_path / "tflm", **export)  # pyright: ignore[reportArgumentType]
    assert "kTestImageClass = -1;" in (tmp_path / "tflm" / "test_image.h").read_text()
    with pytest.raises(DataError, match=r"mnist does not fit .*name the dataset"):
        compile_file(letters, None, dataset="mnist", **COMPILE)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("named", "folder"), [("glyph-700", "glyph-700_c"), ("../run", "run_c"), ("my digits.tflite", "my digits")]
)
def test_without_out_the_folder_is_named_after_what_was_compiled(
    named: str, folder: str, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    for place in (tmp_path / "run" / "model_int8.tflite", tmp_path / "here" / "my digits.tflite"):
        place.parent.mkdir()
        place.write_bytes((samples / "model_int8.tflite").read_bytes())
    monkeypatch.chdir(tmp_path / "here")
    compile_file(Path(named), None, dataset=None, **COMPILE)  # pyright: ignore[reportArgumentType]
    assert (tmp_path / "here" / folder / "example" / "example.c").is_file()
    assert f"No --out: writing the folder {folder}" in " ".join(capfd.readouterr().err.split())


def test_without_a_run_mnist_is_taken_and_that_is_said(samples: Path, capfd: pytest.CaptureFixture[str]):
    data = data_of(samples / "model_int8.tflite", None)
    assert data == RunData("mnist")
    data.load()
    assert "No --dataset, and the model is in no run's folder: using mnist" in " ".join(capfd.readouterr().err.split())
    assert data_of(pretrained_artifact("glyph-700"), None).name == "mnist"


def test_files_of_runs_of_different_data_are_not_measured_on_one(run: Path):
    with pytest.raises(DataError, match=r"runs of different data .*name one with --dataset"):
        data_of([run / "model_int8.tflite", pretrained_artifact("glyph-700")], None)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"dataset": {"name": "mnist"}, "repeat": "glyphlite run --model edge-cnn --dataset mnist"}, "mnist"),
        ({"dataset": {"name": "letters"}, "repeat": "glyphlite run --dataset 'my data/letters' --seed 0"}, "my data/letters"),
        ({"dataset": {"name": "letters", "source": "data/letters.npz"}}, "data/letters.npz"),
    ],
)
def test_records_of_a_former_version_are_read(record: dict, name: str, tmp_path: Path):
    (tmp_path / "run.toml").write_text(tomli_w.dumps(record))
    assert data_of(tmp_path, None).name == name


@pytest.mark.parametrize("text", ["", "[", "dataset = 1", "[dataset]\nname = 3", "repeat = 1"])
def test_a_damaged_record_remembers_nothing(text: str, tmp_path: Path):
    (tmp_path / "run.toml").write_text(text)
    assert run_record(tmp_path) is not None
    assert data_of(tmp_path, None) == RunData("mnist")


def test_labels_decide_where_a_file_carries_them(samples: Path):
    graph = read_graph(samples / "model_int8.tflite")
    assert fits(graph, (28, 28), tuple("0123456789"))
    assert not fits(graph, (28, 28), tuple("012345678"))
    assert not fits(graph, (32, 32, 3), tuple("0123456789"))
    assert not fits(replace(graph, labels=tuple("ABCDEFGHIJ")), (28, 28), tuple("0123456789"))


def test_the_validation_images_are_the_runs_own(tmp_path: Path):
    """Confidence is fitted on images that the run held out, not on those that it was trained on."""
    for recipe, seed in (({}, 7), ({"split_seed": 0}, 0)):
        record = {"dataset": {"name": "mnist", "named": "mnist"}, "settings": {"seed": 7}, "recipe": recipe}
        (tmp_path / "run.toml").write_text(tomli_w.dumps(record))
        assert data_of(tmp_path, None).seed == seed


def test_files_named_by_how_they_begin_are_found_again(mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    kept = to_remember("gzip/emnist-letters", replace(mnist, source="gzip/emnist-letters"), None)
    assert kept["named"] == str(tmp_path / "gzip" / "emnist-letters")


def test_a_sample_of_other_classes_is_not_compared(samples: Path, tmp_path: Path, mnist: Dataset):
    classes = np.arange(120) % 26
    images = mnist.train.images[:120, ..., 0]
    np.savez(tmp_path / "letters.npz", x_train=images, y_train=classes, x_test=images, y_test=classes)
    with pytest.raises(DataError, match=r"letters has 26 classes, the model 10 outputs; name the dataset"):
        predict_pictures(
            [samples / "model_int8.tflite"],
            model_path=None,
            samples=[0],
            show=None,
            every=False,
            dataset=str(tmp_path / "letters.npz"),
            data_dir=None,
        )


def test_the_data_folder_is_kept_too(mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "idx").mkdir()
    assert to_remember("MNIST", mnist, Path("idx")) == {"named": "mnist", "data_dir": str(tmp_path / "idx")}


@pytest.mark.parametrize("named", ["gzip/emnist-digits", "gzip/emnist-digits:upright", "letters.npz:transposed"])
def test_parts_of_a_folder_and_how_glyphs_lie_are_kept_too(
    named: str, mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    images, labels = mnist.test.images[:240, ..., 0], mnist.test.labels[:240]
    for split in ("train", "test"):
        write_idx(tmp_path / "gzip" / f"emnist-digits-{split}-images-idx3-ubyte", images)
        write_idx(tmp_path / "gzip" / f"emnist-digits-{split}-labels-idx1-ubyte", labels.astype(np.uint8))
    np.savez(tmp_path / "letters.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    monkeypatch.chdir(tmp_path)
    loaded = load_dataset(named)
    kept = to_remember(named, loaded, None)
    monkeypatch.chdir("/")
    again = RunData(kept["named"], record=tmp_path / "run.toml").load()
    np.testing.assert_array_equal(again.test.images, loaded.test.images)


@pytest.mark.parametrize(("name", "may"), [("mnist", True), ("fashion-mnist", False), ("pictures", True)])
def test_a_known_dataset_of_other_classes_is_not_loaded_to_find_a_range(name: str, may: bool, samples: Path):
    assert replace(data_of(samples / "model_int8.tflite", None), name=name).may_fit(samples / "model_int8.tflite") is may


@pytest.mark.slow
def test_a_keras_file_is_loaded_once_for_all_that_is_asked_of_it(
    samples: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import keras

    loads: list[str] = []
    load = keras.saving.load_model

    def counted(path: Path, **options: Any) -> object:
        loads.append(Path(path).name)
        return load(path, **options)

    monkeypatch.setattr(keras.saving, "load_model", counted)
    model = tmp_path / "digits.keras"
    shutil.copy(samples / "model.keras", model)
    evaluate_files([model], str(data), keras=None, latency=False, seed=0, data_dir=None)
    assert len(loads) == 1
    convert_model(
        model, tmp_path / "out", variants="float32", batch="1", samples=9, show_calibration=False, seed=0,
        dataset=str(data), data_dir=None,
    )  # fmt: skip
    assert len(loads) == 2


@pytest.fixture
def grouped(samples: Path, mnist: Dataset, tmp_path: Path) -> Path:
    """A run's folder whose data was split by the writers that an array of it names."""
    folder, path = tmp_path / "runs" / "grouped", tmp_path / "writers.npz"
    folder.mkdir(parents=True)
    (folder / "model_int8.tflite").write_bytes((samples / "model_int8.tflite").read_bytes())
    np.savez(path, X=mnist.train.images[:400, ..., 0], y=mnist.train.labels[:400], writer=np.arange(400) // 20)
    loaded = load_dataset(str(path), group_by="writer")
    remembered = to_remember(str(path), loaded, None, group_by="writer")
    kept = {key: value for key, value in remembered.items() if value is not None}
    (folder / "run.toml").write_text(tomli_w.dumps({"repeat": "glyphlite run", "dataset": {"name": "writers", **kept}}))
    return folder


def test_a_run_of_grouped_data_keeps_its_splits(grouped: Path, tmp_path: Path) -> None:
    path = tmp_path / "writers.npz"
    expected = load_dataset(str(path), group_by="writer").test.images
    assert not np.array_equal(expected, load_dataset(str(path)).test.images)
    for named in (None, str(path)):
        data = data_of(grouped / "model_int8.tflite", named)
        assert data.group_by == "writer"
        np.testing.assert_array_equal(data.load().test.images, expected)
    assert data_of(grouped, "mnist").group_by is None
    compile_file(grouped / "model_int8.tflite", tmp_path / "c", dataset=None, **COMPILE)  # pyright: ignore[reportArgumentType]
    assert data_of(tmp_path / "c", None).group_by == "writer"


def test_compiled_c_names_a_table_of_groups_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = tmp_path / "data" / "groups.csv"
    table.write_text("a.png,anna\n")
    assert groups_beside(str(table), tmp_path / "c") == "../data/groups.csv"
    assert groups_beside(r"w(\d+)", tmp_path / "c") == r"w(\d+)"
    for written, expected in (("../data/groups.csv", str(table)), (r"w(\d+)", r"w(\d+)")):
        (tmp_path / "c").mkdir(exist_ok=True)
        assert datasets._groups_beside(written, tmp_path / "c") == expected


def test_a_table_of_groups_is_remembered_wherever_a_command_is_started(
    mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("groups.csv").write_text("a.png,anna\n")
    assert to_remember("mnist", mnist, None, group_by="groups.csv")["group_by"] == str(tmp_path / "groups.csv")
    assert to_remember("mnist", mnist, None, group_by="_")["group_by"] == "_"
    assert "group_by" not in to_remember("mnist", mnist, None)


@pytest.fixture
def of_all_images(samples: Path, tmp_path: Path) -> Path:
    """A file in the folder of a run that trained on all images."""
    folder = tmp_path / "runs" / "all"
    folder.mkdir(parents=True)
    (folder / "model_int8.tflite").write_bytes((samples / "model_int8.tflite").read_bytes())
    record = {"repeat": "glyphlite train", "dataset": {"name": "mnist", "named": "mnist"}, "settings": {"all_images": True}}
    (folder / "run.toml").write_text(tomli_w.dumps(record))
    return folder / "model_int8.tflite"


@pytest.mark.parametrize("named", [None, "mnist", "MNIST"])
def test_no_image_that_a_run_trained_on_is_held_out_for_its_files(of_all_images: Path, samples: Path, named, capsys) -> None:
    """Also where the user names the very data, and where a file of another run stands beside it."""
    for paths in (of_all_images, [samples / "model_int8.tflite", of_all_images]):
        loaded = data_of(paths, named).load()
        assert (len(loaded.train), len(loaded.validation), loaded.joined) == (60_000, 0, 5_000)
    assert "trained on all images, so none of them is left to validate on" in capsys.readouterr().err
    assert not data_of(of_all_images, "fashion-mnist").all_images


def test_no_image_that_a_pretrained_model_was_trained_on_is_held_out_for_its_files(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship_sample(tmp_path, samples, "micro-cnn", {0: 0.98, 1: 0.97}, chosen=0, all_images=True)
    use_shipped(tmp_path, monkeypatch)
    for seed in (0, 1):
        assert data_of(pretrained_artifact("micro-cnn", seed), None).all_images
    assert data_of(pretrained_artifact("micro-cnn"), "mnist").all_images


@pytest.mark.slow
def test_files_of_a_run_of_all_images_get_no_certainty_and_no_words_of_validation(of_all_images: Path) -> None:
    evaluation = evaluate_files([of_all_images], None, keras=None, latency=False, seed=None, data_dir=None)
    (report,) = evaluation.artifacts.values()
    assert report.accuracy.value > 0.97
    assert report.certainty is None
