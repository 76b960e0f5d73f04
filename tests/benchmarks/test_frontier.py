"""The frontier's figures: what is computed from accuracies, and one shipped stand-in measured through on few images."""

import importlib
import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.files.single import write_json

PNG = b"\x89PNG"


@pytest.fixture
def frontier(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("frontier")


@pytest.fixture
def few(mnist: Dataset, frontier: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """MNIST with 200 test images, wherever the script loads it."""
    test = Split(mnist.test.images[:200], mnist.test.labels[:200])
    dataset = Dataset(mnist.name, mnist.labels, mnist.train, mnist.validation, test, mnist.source)
    monkeypatch.setattr(frontier, "load_dataset", lambda _name: dataset)
    return dataset


def test_spread_and_where_one_more_seed_lands(frontier: ModuleType) -> None:
    spread = frontier.spread_of([0.99, 0.992, 0.994])
    assert (spread.mean, spread.worst) == (pytest.approx(0.992), 0.99)
    assert spread.deviation == pytest.approx(0.002)
    assert frontier.spread_of([0.99]).deviation is None
    low, high = frontier.prediction_interval([0.99, 0.992, 0.994])
    assert high - 0.992 == pytest.approx(4.303 * 0.002 * np.sqrt(4 / 3))
    assert low + high == pytest.approx(2 * 0.992)
    with pytest.raises(SystemExit, match="one seed alone"):
        frontier.prediction_interval([0.99])


def test_one_more_seed_lands_in_the_interval_95_times_in_100(frontier: ModuleType) -> None:
    draws = np.random.default_rng(0).normal(0.99, 0.001, (2000, 6))
    landed = [low <= row[5] <= high for row in draws for low, high in [frontier.prediction_interval(row[:5])]]
    assert abs(np.mean(landed) - 0.95) < 0.015


def test_the_published_are_held_against_what_has_no_more_bytes(frontier: ModuleType) -> None:
    assert frontier.held_against(697).bytes == 697
    assert frontier.held_against(698).bytes == 1_936
    assert frontier.held_against(10**6) is None
    assert frontier.held_against(50_000, "macs").name == "BitNetMCU CNN-64"
    assert frontier.held_against(10**7, "macs") is None
    assert [each.macs for each in frontier.ahead_of_us(10**6, 0.994, "macs")] == [236_000]
    assert [each.bytes for each in frontier.ahead_of_us(2_000, 0.9905)] == [1_936]
    published = frontier.held_against(1_936)
    members = [
        {"model": "worse", "weight_bytes": 1_000, "mean": 0.9909},
        {"model": "larger", "weight_bytes": 1_937, "mean": 0.999},
        {"model": "equal", "weight_bytes": 1_936, "mean": 0.991},
        {"model": "smaller", "weight_bytes": 1_500, "mean": 0.991},
    ]
    assert frontier.published_row(published, members)["met_by"] == "smaller"
    assert frontier.published_row(published, members[:2])["met_by"] is None


def test_a_track_takes_the_most_accurate_model_of_which_one_build_keeps_to_every_limit(frontier: ModuleType) -> None:
    deployed = importlib.import_module("common.deployed")
    track = deployed.Track("small", {"cortex-m0": {"ram": 2_000, "flash": 9_000}}, 0.99)

    def member(name: str, mean: float, size: tuple[int, int], speed: tuple[int, int]) -> dict[str, object]:
        figures = {"size": size, "speed": speed}
        costs = {
            f"{core} {goal}": {"ram": ram, "flash": flash, "instructions": 1_000 if goal == "speed" else 2_000}
            for core in ("cortex-m0", "cortex-m4")
            for goal, (ram, flash) in figures.items()
        }
        return {"model": name, "mean": mean, "weight_bytes": 500, "deployed": costs}

    fits = member("fits", 0.991, (1_900, 8_900), (2_500, 12_000))
    split = member("no build keeps to both", 0.995, (2_100, 8_000), (1_900, 9_500))
    better = member("better", 0.993, (1_500, 8_000), (1_900, 8_900))
    assert track.best([fits, split]) is fits
    assert track.best([fits, split, better]) is better
    assert track.builds(better["deployed"]) == ["cortex-m0 size"], "the one with the most to spare"
    assert track.best([split]) is None
    assert deployed.dominated([fits, split, better]) == {"fits": "better"}


def test_rows_of_models_measured_before_stay_and_those_no_longer_shipped_go(
    frontier: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "pretrained_names", lambda: ("a", "b"))
    rows = {name: {"model": name, "weight_bytes": 1_000, "mean": 0.992, "at": "before"} for name in ("a", "c")}
    before = {"members": list(rows.values()), "others": [{"model": "micro-cnn"}]}
    now = {"members": [{"model": "b", "weight_bytes": 900, "mean": 0.993}], "others": [], "images": 10}
    merged = frontier.merged(before, now)
    assert [each["model"] for each in merged["members"]] == ["a", "b"]
    assert merged["others"] == before["others"]
    assert merged["images"] == 10


@pytest.mark.slow
@pytest.mark.no_cover  # what it runs is traced in the tests of each of its parts
def test_a_shipped_model_is_measured_and_its_row_and_pictures_come_out(
    frontier: ModuleType, few: Dataset, shipped: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "CORRUPTIONS", frontier.CORRUPTIONS[-2:])
    monkeypatch.setattr(frontier, "load_digits", lambda: (few.test.images[:50], few.test.labels[:50]))
    document = frontier.measure(Namespace(models=["micro-cnn"], runs=[], all_images=False, no_robustness=False))
    document = json.loads(json.dumps(document))
    (member,) = document["members"]
    assert (member["weight_bytes"], member["bytes"], member["macs"], member["chosen"]) == (22_000, 26_298, 70_464, 3)
    assert [each["seed"] for each in member["seeds"]] == [0, 3]
    assert member["mean"] == member["worst"] == member["accuracy"]["value"] > 0.97
    assert member["deviation"] == 0
    assert abs(member["keras"]["int8_minus_keras"]) < 0.02
    assert member["keras"]["simulated"] is None, "this one was not trained for int8"
    assert member["runtimes"]["images"] == 200
    assert member["runtimes"]["generated_c"]["identical"] == member["runtimes"]["litert_builtin"]["identical"] == 1
    assert list(member["robustness"]["corruptions"]) == ["contrast", "stripes"]
    assert abs(member["generated_c"]["mean"] - member["mean"]) < 0.006, "another rounding, not another model"
    assert member["robustness"]["worst"]["accuracy"] <= member["robustness"]["mean"] < 1
    assert member["goal"] is None
    assert member["against"]["bytes"] == 327_000
    deployed = member["deployed"]
    assert deployed["cortex-m0 size"]["flash"] < deployed["cortex-m0 speed"]["flash"]
    assert deployed["cortex-m4 speed"]["instructions"] < deployed["cortex-m0 speed"]["instructions"]
    assert all(22_000 < cost["flash"] < 30_000 and 784 < cost["ram"] < 2_048 for cost in deployed.values())
    assert f"| micro-cnn | {member['mean'] * 100:.2f} | {deployed['cortex-m0 size']['flash']:,} |" in frontier.costs_table(
        document
    )
    tracks = frontier.tracks_table(document)
    assert "| 2 KB of RAM and 32 KB of flash, as an Arduino Uno has | micro-cnn |" in tracks
    assert "| 16 KB of flash, Cortex-M0 | |" in tracks, "its flash is more than that"
    table = frontier.family_table(document)
    assert "| micro-cnn | 22,000 | 26,298 | 70,464 |" in table
    assert "99.64 with 327,000 bytes (MNIST-CNN-99.75)" in table
    assert "60,000" not in table
    marked = frontier.family_table({**document, "members": [{**each, "all_images": True} for each in document["members"]]})
    assert "| micro-cnn¹ |" in marked
    assert marked.endswith("¹ trained on all 60,000 training images, after every choice was made without 5,000 of them")
    assert "| micro-cnn | 8 | 2 |" in frontier.family_in_full(document)
    assert any(
        "TFLite Micro's bytes on 200 images in litert_builtin and generated_c" in line for line in frontier.sentences(document)
    )

    measuring = tmp_path / "docs" / "explanation" / "measuring.md"
    measuring.parent.mkdir(parents=True)
    for name, mark in (("README.md", "frontier"), ("docs/explanation/measuring.md", "robustness")):
        (tmp_path / name).write_text(f"before\n<!-- {mark} -->\n<!-- end of {mark} -->\nafter\n")
    write_json(tmp_path / "benchmarks" / "results" / "frontier.json", document)
    monkeypatch.setattr(frontier, "ROOT", tmp_path)
    monkeypatch.setattr(frontier, "PICTURES", tmp_path)
    frontier.write_everything(document)
    assert table in (tmp_path / "README.md").read_text()
    assert "| Model | Clean | contrast | stripes | Mean | load_digits |" in measuring.read_text()
    for name in ("frontier.png", "corruptions.png", "costs-light.png", "costs-dark.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)


def test_a_retraining_says_whether_it_lands(
    frontier: ModuleType, few: Dataset, shipped: Path, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    commands = []

    def do(command: list[str], *, check: bool) -> None:
        """Instead of training: the sample, where the second command would have put its file."""
        commands.append(command[3:])
        if command[3] == "convert":
            Path(command[4]).with_name("model_int8.tflite").write_bytes((samples / "model_int8.tflite").read_bytes())
        else:
            Path(command[command.index("--out") + 1]).mkdir(parents=True, exist_ok=True)

    def refuse(command: list[str], *, check: bool) -> None:
        raise subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(frontier.subprocess, "run", do)
    monkeypatch.setattr(frontier, "ROOT", tmp_path)
    assert frontier.retrain("micro-cnn", 7) == 0
    assert commands[0][:6] == ["train", "micro-cnn", "--dataset", "mnist", "--seed", "7"]
    assert "19 times in 20: it does" in capsys.readouterr().out
    monkeypatch.setattr(frontier, "prediction_interval", lambda _: (0.1, 0.2))
    assert frontier.retrain("micro-cnn", 7) == 1
    assert "it does NOT" in capsys.readouterr().out
    monkeypatch.setattr(frontier.subprocess, "run", refuse)
    with pytest.raises(SystemExit, match="glyphlite train ended with exit code 2, as it says above"):
        frontier.retrain("micro-cnn", 7)
    with pytest.raises(SystemExit, match="seed 3 of micro-cnn is shipped"):
        frontier.retrain("micro-cnn", 3)


def test_a_missing_document_is_one_line(frontier: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["frontier.py", "--from-json", "--json", str(tmp_path / "nothing.json")])
    with pytest.raises(SystemExit, match=r"there is no .*nothing\.json; measure first"):
        frontier.main()
