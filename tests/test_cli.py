"""The commands as a user meets them: what they print, where, with which exit code, and what they leave behind when they fail."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.errors import GlyphliteError
from glyphlite.models import DEFAULT_ELSEWHERE, DEFAULT_EPOCHS, DEFAULT_MODEL
from glyphlite.pipeline.run import RunOptions

COMMANDS = (
    "run",
    "search",
    "data",
    "datasets",
    "models",
    "boards",
    "fits",
    "train",
    "convert",
    "evaluate",
    "predict",
    "inspect",
    "optimize",
    "verify",
    "export",
    "compile",
    "simulate",
    "report",
    "draw",
)


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    from glyphlite.__main__ import main

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["glyphlite", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return call


def refused(outcome: Outcome, *words: str) -> None:
    """One clear line that holds these words, exit code 2, nothing on standard output, no traceback."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    last = outcome.err.rstrip("\n").split("\n")[-1]
    assert last.startswith("glyphlite: "), outcome.err
    for word in words:
        assert word in last, last


def fresh(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "glyphlite", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=120,
    )


@pytest.mark.parametrize(
    ("words", "model", "epochs"),
    [
        ((), DEFAULT_MODEL, DEFAULT_EPOCHS),
        (("--epochs", "3"), DEFAULT_MODEL, 3),
        (("--pretrained",), DEFAULT_MODEL, None),
        (("--model", DEFAULT_MODEL), DEFAULT_MODEL, None),
        (("--dataset", "fashion-mnist"), DEFAULT_ELSEWHERE, None),
    ],
)
def test_run_has_a_model_when_none_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], model: str, epochs: int | None
):
    taken = []

    def stop(options: RunOptions) -> None:
        taken.append((options.model, options.training.epochs))
        raise GlyphliteError("far enough")

    monkeypatch.setattr("glyphlite.pipeline.run.run_pipeline", stop)
    refused(cli("run", *words), "far enough")
    assert taken == [(model, epochs)]


def test_help_imports_typer_and_next_to_nothing_else() -> None:
    script = (
        "import sys, json, typer\nbefore = set(sys.modules)\n"
        "from glyphlite.__main__ import main\nsys.argv = ['glyphlite', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    more = set(json.loads(done.stderr))
    assert "Commands:" in done.stdout
    assert {name for name in more if name.partition(".")[0] == "glyphlite"} == {
        "glyphlite",
        "glyphlite.__main__",
        "glyphlite.cli",
        "glyphlite.console",
        "glyphlite.cores",
        "glyphlite.errors",
        "glyphlite.escaping",
        "glyphlite.models",
    }
    others = {name.partition(".")[0] for name in more} - {"glyphlite"}
    assert others <= sys.stdlib_module_names | {"typer"}, others
    assert "typer.rich_utils" not in more
    assert "importlib.metadata" not in more


@pytest.mark.parametrize(
    "command", ["run", "train", "convert", "evaluate", "predict", "verify", "export", "compile", "simulate", "draw"]
)
def test_a_wrong_input_range_is_refused_before_anything_else_is_looked_at(cli: Cli, command: str) -> None:
    model = [] if command in ("run", "draw") else ["nothing-is-there.keras"]
    outcome = cli(command, *model, "--input-range", "0..7up")
    refused(outcome, "--input-range takes 0..255, 0..1, -1..1", "'0..7up'")
    assert outcome.err.count("\n") == 1


def test_an_input_range_of_fractions_is_said_once_in_pixels(cli: Cli) -> None:
    outcome = cli("evaluate", "nothing-is-there.keras", "--input-range", "0.1307,0.3081")
    refused(outcome, "nothing-is-there.keras")
    assert outcome.err.count("mean 33.33, std 78.57 in pixels") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(cli: Cli, command: str) -> None:
    outcome = cli(command, "--help")
    assert outcome.code == 0
    assert f"Example: glyphlite {command} " in " ".join(outcome.out.split()) + " "


def test_the_help_lists_every_command(cli: Cli) -> None:
    listed = cli("--help").out.partition("Commands:\n")[2].splitlines()
    assert sorted(line.split()[0] for line in listed) == sorted(COMMANDS)
    assert not [line for line in listed if line.endswith("...")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train"], ["argument 'MODEL'", "glyphlite train --help"]),
        (["train", "micro-cnn", "--nonsense"], ["--nonsense", "glyphlite train --help"]),
        (["nonsense"], ["nonsense", "glyphlite --help"]),
        (["run", "--epochs", "0"], ["--epochs", "glyphlite run --help"]),
        (["simulate", "x.tflite", "--cpu", "z80"], ["z80", "cortex-m4"]),
    ],
)
def test_a_wrong_command_line_is_one_line(cli: Cli, arguments: list[str], words: list[str]) -> None:
    outcome = cli(*arguments)
    refused(outcome, *words)
    assert outcome.err.count("\n") == 1


def test_version(cli: Cli) -> None:
    from glyphlite import __version__

    assert cli("--version") == Outcome(0, f"glyphlite {__version__}\n", "")


def test_models_are_listed_with_their_figures(cli: Cli) -> None:
    listed = {entry["name"]: entry for entry in json.loads(cli("models", "--json").out)}
    assert list(listed)[:5] == ["decay-cnn", "micro-cnn", "edge-cnn", "mlp", "classic-cnn"]
    budgets = ("700", "2k", "4k", "8k", "2kram", "4kram", "4kflash", "16kflash", "50kmac", "110kmac")
    assert list(listed)[5:] == [f"glyph-{budget}" for budget in budgets]
    assert listed["micro-cnn"]["parameters"] == 21_898
    assert listed["micro-cnn"]["macs"] == 70_464
    table = cli("models").out
    assert "21,898" in table
    assert "70,464" in table


def test_datasets_are_listed(cli: Cli) -> None:
    names = [entry["name"] for entry in json.loads(cli("datasets", "--json").out)]
    assert names[:2] == ["mnist", "fashion-mnist"]
    assert "mnist" in cli("datasets").out


@pytest.mark.slow
def test_predict_compares_a_test_image_with_its_label(cli: Cli, samples: Path, tmp_path: Path) -> None:
    outcome = cli("predict", samples / "model_int8.tflite", "--sample", 0, "--show", tmp_path / "seen.png", "--json")
    assert outcome.code == 0, outcome.err
    (prediction,) = json.loads(outcome.out)
    assert prediction["label"] == prediction["true_label"] == "7"
    assert len(prediction["top"]) == 3
    assert prediction["probability"] == prediction["top"][0][1] > 0.9
    with Image.open(tmp_path / "seen.png") as picture:
        assert min(picture.size) > 100


def test_shipped_models_go_by_their_names(cli: Cli, shipped: Path, tmp_path: Path, mnist) -> None:
    Image.fromarray(mnist.test.images[0, ..., 0]).resize((84, 84)).save(tmp_path / "seven.png")
    for arguments in (["--model", "edge-cnn"], []):
        outcome = cli("predict", tmp_path / "seven.png", *arguments, "--json")
        assert json.loads(outcome.out)[0]["label"] == "7"
        assert ("micro-cnn answers" in outcome.err) == (not arguments)
    assert json.loads(cli("predict", "micro-cnn", "--sample", 1, "--json").out)[0]["label"] == "2"
    refused(cli("predict", "micro-cnn", "--sample", 0, "--dataset", "fashion-mnist"), "trained on mnist")
    assert json.loads(cli("inspect", "micro-cnn", "--no-runtimes", "--json").out)["bytes"] == 26_298
    assert cli("export", "micro-cnn", "--for", "c-array", "--out", tmp_path / "array").code == 0
    assert cli("compile", "micro-cnn", "--no-compare", "--out", tmp_path / "c").code == 0
    refused(cli("inspect", "glyph-9k"), "glyph-9k", "micro-cnn")
    refused(cli("run", "--pretrained", "--model", "glyph-9k", "--out", tmp_path / "run"), "glyph-9k", "micro-cnn")
    assert not (tmp_path / "run").exists()


def test_models_say_which_are_shipped(cli: Cli, shipped: Path) -> None:
    listed = {entry["name"]: entry for entry in json.loads(cli("models", "--json").out)}
    assert (listed["micro-cnn"]["weight_bytes"], listed["micro-cnn"]["seeds"]) == (22_000, 2)
    assert listed["micro-cnn"]["validation_accuracy"] == 0.985
    assert listed["mlp"]["weight_bytes"] is None
    table = cli("models").out
    assert "22,000" in table
    assert "Adam" not in table
    recipes = cli("models", "--long").out
    assert recipes.count("Adam") == len(listed)
    assert all(len([line for line in table.splitlines() if line.startswith(f"{name} ")]) == 1 for name in listed)


@pytest.mark.parametrize("inverted", [False, True])
def test_predict_reads_pictures_of_either_polarity(cli: Cli, samples: Path, tmp_path: Path, mnist, inverted: bool) -> None:
    pixels = np.pad(np.kron(mnist.test.images[0, :, :, 0], np.ones((9, 9), np.uint8)), ((40, 90), (200, 10)))
    Image.fromarray(255 - pixels if inverted else pixels).save(tmp_path / "seven.png")
    (prediction,) = json.loads(cli("predict", samples / "model_int8.tflite", tmp_path / "seven.png", "--json").out)
    assert prediction["label"] == "7"
    assert "7" in cli("predict", samples / "model_int8.tflite", tmp_path / "seven.png").out


def test_predict_calibrates_its_certainty_and_refuses_what_is_below_the_least(cli: Cli, samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "model_int8.tflite"
    model.write_bytes((samples / "model_int8.tflite").read_bytes())
    alone = cli("predict", model, "--sample", 0, "--json")
    assert json.loads(alone.out)[0]["certainty"] is None
    assert "not calibrated" in alone.err
    certainty = {"temperature": 1.2, "least_certainty": 0.8, "floor": 1e-4, "images": 5000}
    record = {"sha256": hashlib.sha256(model.read_bytes()).hexdigest(), "certainty": certainty}
    (tmp_path / "results.json").write_text(json.dumps({"artifacts": [record]}))
    outcome = cli("predict", model, "--sample", 0, "--sample", 18, "--json")
    assert "not calibrated" not in outcome.err
    clear, unclear = json.loads(outcome.out)
    assert clear["certainty"] == clear["calibrated"][0][1] < clear["probability"]
    assert (clear["refused"], clear["doubt"]) == (False, None)
    assert unclear["refused"]
    assert "this may not be one single digit" in unclear["doubt"]
    table = cli("predict", model, "--sample", 18).out
    assert f"{unclear['label']}?" in table
    assert "unsure: confidence" in " ".join(table.split())


def test_inspect_shows_the_ops_in_order(cli: Cli, samples: Path, tmp_path: Path) -> None:
    outcome = cli("inspect", samples / "model_int8.tflite", "--graph", tmp_path / "graph.svg", "--json")
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    assert [operator["builtin_code"] for operator in document["operators"]] == [3, 17, 22, 9, 9, 25]
    assert (tmp_path / "graph.svg").read_text().lstrip().startswith("<svg")
    assert "CONV_2D" in cli("inspect", samples / "model_int8.tflite", "--no-runtimes").out


def test_verify_prints_the_matrix_and_exits_zero(cli: Cli, samples: Path) -> None:
    outcome = cli("verify", samples / "model_int8.tflite", "--images", 50, "--runtimes", "litert_builtin,tflm", "--json")
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    rows = {row["runtime"]: row for row in document["verify"]}
    assert all(row["identical"] == 1 and row["largest_difference"] == 0 for row in rows.values())
    assert all(row["images"] == 50 for row in rows.values())


@pytest.mark.slow
def test_evaluate_measures_files_against_keras(cli: Cli, samples: Path) -> None:
    outcome = cli("evaluate", samples / "model.keras", samples / "model_int8.tflite", "--no-latency", "--json")
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    (artifact,) = document["artifacts"]
    assert artifact["accuracy"]["n"] == 10_000
    assert artifact["accuracy"]["low"] < artifact["accuracy"]["value"] < artifact["accuracy"]["high"]
    assert abs(artifact["accuracy"]["value"] - document["keras"][0]["accuracy"]["value"]) < 0.005
    assert artifact["agreement_with_keras"] > 0.98
    assert artifact["runtimes"]["tflm"]["accepts"]


@pytest.mark.slow
def test_compile_and_simulate_print_what_it_costs(cli: Cli, samples: Path, tmp_path: Path) -> None:
    outcome = cli("compile", samples / "model_int8.tflite", "--out", tmp_path / "c", "--name", "digits", "--json")
    assert outcome.code == 0, outcome.err
    costs = json.loads(outcome.out)["trade_offs"]
    assert set(costs) == {"speed", "size", "ram"}
    assert costs["speed"]["instructions"] <= min(each["instructions"] for each in costs.values())
    assert costs["size"]["code_bytes"] <= min(each["code_bytes"] for each in costs.values())
    built = subprocess.run(["make", "-C", tmp_path / "c"], capture_output=True, text=True, check=True, timeout=120)
    assert "class: 7" in built.stdout
    outcome = cli("simulate", tmp_path / "c", "--cpu", "cortex-m4", "--images", 3, "--json")
    assert outcome.code == 0, outcome.err
    (report,) = json.loads(outcome.out)
    assert [image["class"] for image in report["images"]] == [image["expected"] for image in report["images"]] == ["7", "2", "1"]
    assert report["ram_bytes"] <= 1700
    assert report["instructions"] <= 160_000
    assert sum(layer["instructions"] for layer in report["layers"]) <= report["instructions"]


@pytest.mark.slow
def test_export_for_tflm_and_as_an_array(cli: Cli, samples: Path, tmp_path: Path) -> None:
    outcome = cli("export", samples / "model_int8.tflite", "--for", "tflm", "--out", tmp_path / "tflm", "--json")
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    assert document["builtin_codes"] == [3, 17, 22, 9, 9, 25]
    assert document["tflm"]["arena_bytes"] < 10_000
    assert "MicroMutableOpResolver<5>" in (tmp_path / "tflm" / "op_resolver.h").read_text()
    outcome = cli("export", samples / "model_float16.tflite", "--for", "c-array", "--language", "c", "--out", tmp_path / "array")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "array" / "model_data.c").is_file()


# ---- what is broken is refused in one line, and nothing is left behind


def test_a_tflite_of_random_bytes(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "random.tflite"
    file.write_bytes(np.random.default_rng(0).bytes(5000))
    for command in (["inspect"], ["evaluate"], ["verify"], ["predict", "--sample", 0]):
        refused(cli(command[0], file, *command[1:]), "random.tflite")
    for command in (["export", file, "--for", "tflm"], ["compile", file], ["export", file, "--for", "c-array"]):
        refused(cli(*command, "--out", tmp_path / "out"), "random.tflite")
        assert not (tmp_path / "out").exists()
    refused(cli("simulate", file), "random.tflite")


def test_a_missing_file(cli: Cli, tmp_path: Path) -> None:
    for command in ("inspect", "evaluate", "verify", "simulate", "report", "draw"):
        refused(cli(command, tmp_path / "nothing.tflite"), "nothing.tflite")
    refused(cli("convert", tmp_path / "nothing.keras", "--out", tmp_path / "out"), "nothing.keras")
    assert list(tmp_path.iterdir()) == []


def test_a_text_file_as_an_image(cli: Cli, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "seven.png").write_text("seven")
    refused(cli("predict", samples / "model_int8.tflite", tmp_path / "seven.png", "--show", tmp_path / "seen.png"), "seven.png")
    assert not (tmp_path / "seen.png").exists()


@pytest.mark.slow
def test_a_huge_image(cli: Cli, samples: Path, tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "huge.png")
    refused(cli("predict", samples / "model_int8.tflite", tmp_path / "huge.png"), "huge.png")


def test_a_truncated_idx_file(cli: Cli, tmp_path: Path, mnist) -> None:
    folder = idx_folder(tmp_path, mnist)
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-100])
    refused(cli("train", "mlp", "--dataset", folder, "--out", tmp_path / "out"), "train-images-idx3-ubyte")
    assert not (tmp_path / "out").exists()


def test_a_gzip_bomb(cli: Cli, tmp_path: Path, mnist) -> None:
    folder = idx_folder(tmp_path, mnist)
    path = folder / "train-images-idx3-ubyte"
    content = path.read_bytes() + bytes(200_000_000)
    path.unlink()
    path.with_suffix(".gz").write_bytes(gzip.compress(content, 1))
    refused(cli("train", "mlp", "--dataset", folder, "--out", tmp_path / "out"), "train-images-idx3-ubyte.gz")


def test_a_flipped_byte_in_mnist(cli: Cli, tmp_path: Path, mnist) -> None:
    from glyphlite.datasets.idx import write_idx

    images = np.concatenate([mnist.test.images[..., 0]])
    images[5000, 14, 14] ^= 1
    write_idx(tmp_path / "t10k-images-idx3-ubyte", images)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", mnist.test.labels.astype(np.uint8))
    refused(cli("predict", "x.tflite", "--sample", 0, "--data-dir", tmp_path))
    refused(cli("train", "mlp", "--data-dir", tmp_path, "--out", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder(cli: Cli, samples: Path) -> None:
    for folder in ("/proc/glyphlite", "/dev/null/glyphlite"):
        refused(cli("export", samples / "model_int8.tflite", "--for", "c-array", "--out", folder), folder)
        refused(cli("convert", samples / "model.keras", "--to", "float32", "--out", folder), folder)
        refused(cli("run", "--model", "mlp", "--out", folder), folder)


@pytest.mark.slow
def test_a_model_of_another_size_than_asked_for(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import keras\n\n\ndef build():\n    inputs = keras.Input((32, 32, 3))\n"
        "    return keras.Model(inputs, keras.layers.Dense(10, activation='softmax')(keras.layers.Flatten()(inputs)))\n"
    )
    refused(cli("train", f"{tmp_path / 'mine.py'}:build", "--input-size", "28x28", "--out", tmp_path / "out"), "32x32", "28x28")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_variants_that_tflite_micro_does_not_take(cli: Cli, samples: Path, tmp_path: Path) -> None:
    for variant in ("float16", "dynamic"):
        refused(cli("export", samples / f"model_{variant}.tflite", "--for", "tflm", "--out", tmp_path / "out"), "int8")
    refused(cli("compile", samples / "model_float32.tflite", "--out", tmp_path / "out"), "int8")
    assert not (tmp_path / "out").exists()


def test_unknown_names(cli: Cli, samples: Path, tmp_path: Path) -> None:
    refused(cli("train", "mega-cnn", "--out", tmp_path / "out"), "mega-cnn", "micro-cnn")
    refused(cli("train", "mlp", "--dataset", "mnits", "--out", tmp_path / "out"), "mnits", "mnist")
    refused(cli("convert", samples / "model.keras", "--to", "int4", "--out", tmp_path / "out"), "int4", "int8")
    refused(cli("convert", samples / "model.keras", "--batch", "many", "--out", tmp_path / "out"), "many", "dynamic")
    refused(cli("verify", samples / "model_int8.tflite", "--runtimes", "tflm,abacus"), "abacus", "tflm")
    refused(
        cli("export", samples / "model_int8.tflite", "--for", "tflm", "--name", "9 lives", "--out", tmp_path / "out"), "9 lives"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_interrupted_work_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "glyphlite",
            "convert",
            str(Path(__file__).parent / "samples/micro-cnn/model.keras"),
            "--out",
            str(tmp_path / "out"),
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2.5)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.rstrip().split("\n")[-1].startswith("glyphlite: interrupted")
    assert not list(tmp_path.rglob(".*"))


def test_standard_output_stays_clean_in_a_process_of_its_own() -> None:
    done = fresh("models", "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)) >= 5
    assert done.stderr == ""


def idx_folder(tmp_path: Path, mnist) -> Path:
    from glyphlite.datasets.idx import write_idx

    folder = tmp_path / "idx"
    folder.mkdir()
    for prefix, split in (("train", mnist.validation), ("t10k", mnist.test)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte", split.images[:200, :, :, 0])
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", split.labels[:200].astype(np.uint8))
    return folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run --model microcnn", "no model is called 'microcnn' (did you mean micro-cnn?)"),
        ("train Edge_CNN --out x", "(did you mean edge-cnn?)"),
        ("run --model mlp --dataset mnsit", "there is no dataset 'mnsit' (did you mean mnist?)"),
        ("run --model mlp --dataset fashionmnist", "(did you mean fashion-mnist?)"),
        ("simulate model.tflite --cpu cortexm5", "(did you mean cortex-m"),
        ("export model.tflite --out x --for tfml", "(did you mean tflm?)"),
        ("train mlp --epochs 0", "'--epochs' / '-e': expected 1 or more"),
        ("train mlp --seed 1.5", "'--seed' / '-s': expected a whole number"),
        ("verify x.tflite --tolerance a", "'--tolerance': expected a number"),
        ("verify x.tflite --tolerance 2", "'--tolerance': expected 1 or less"),
    ],
)
def test_what_was_mistyped_is_named_in_plain_words(cli: Cli, tmp_path: Path, monkeypatch, arguments: str, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli(*arguments.split())
    refused(outcome, words)
    assert "Input should" not in outcome.err
    assert "Value error" not in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_optimize_says_what_it_did(cli: Cli, samples: Path, tmp_path: Path) -> None:
    artifact, out = samples / "model_int8.tflite", tmp_path / "small.tflite"
    document = json.loads(cli("optimize", artifact, "--out", out, "--strip-names", "--json").out)
    assert document["bytes"] == out.stat().st_size < document["bytes_before"]
    assert document["identical_in"]
    assert document["steps"]
    refused(cli("optimize", artifact, "--out", artifact), "is the file that is read")
