"""The Python program: run in an environment of nothing but LiteRT, NumPy and Pillow, it answers as ``predict`` does."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.environments import NoEnvironmentError, environment

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, OutputError
from glyphlite.export.python.folder import NEEDED
from glyphlite.pipeline.export import export_file
from glyphlite.pipeline.predict import predict_pictures


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return environment("python-export", tuple(f"{name}=={version(name)}" for name in NEEDED))
    except NoEnvironmentError as error:
        pytest.skip(str(error))


def exported(artifact: Path | str, folder: Path) -> Path:
    export_file(Path(artifact), "python", folder, name="model", language="cc", dataset=None, sample=0, data_dir=None)
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported("glyph-1k", tmp_path_factory.mktemp("python") / "reader")


def run(python: Path, program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-E", str(program / "predict.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def page(mnist: Dataset, indices: list[int], path: Path) -> Path:
    """Puts test images on grey paper, one beside the other."""
    paper = np.full((160, 150 * len(indices) + 40), 225, np.uint8)
    for column, index in enumerate(indices):
        digit = np.kron(mnist.test.images[index, ..., 0], np.ones((4, 4), int))
        left = 30 + 150 * column
        paper[24:136, left : left + 112] = 225 - digit * 190 // 255
    Image.fromarray(paper).save(path)
    return path


def answers_of(model: Path | str, pictures: list[Path], every: bool) -> list[dict[str, Any]]:
    found = predict_pictures(pictures, model_path=Path(model), samples=[], show=None, every=every, dataset=None, data_dir=None)
    return json.loads(json.dumps(found.document()))


def assert_same(own: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert len(own) == len(expected)
    for mine, theirs in zip(own, expected, strict=True):
        for key in ("picture", "label", "probability", "certainty", "refused", "glyphs", "line"):
            assert mine[key] == theirs[key], key
        assert mine["top"] == (theirs["calibrated"] or theirs["top"])
        assert bool(mine["doubt"]) == bool(theirs["doubt"])
        if theirs["box"]:
            assert mine["box"] == theirs["box"]


@pytest.mark.parametrize("every", [False, True])
def test_it_answers_as_predict_does(python: Path, program: Path, mnist: Dataset, tmp_path: Path, every: bool) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (80, 90), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    pictures = [page(mnist, [index], tmp_path / f"{index}.png") for index in range(12)]
    pictures += [page(mnist, [21, 22, 23], tmp_path / "page.png"), tmp_path / "noise.png"]
    done = run(python, program, "--json", *(["--all"] if every else []), *pictures)
    assert done.returncode == 0, done.stderr
    assert_same(json.loads(done.stdout), answers_of("glyph-1k", pictures, every))


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic", "int16x8"])
def test_every_variant_is_taken(python: Path, samples: Path, mnist: Dataset, tmp_path: Path, variant: str) -> None:
    artifact = samples / f"model_{variant}.tflite"
    pictures = [page(mnist, [index], tmp_path / f"{index}.png") for index in (3, 4)]
    done = run(python, exported(artifact, tmp_path / "reader"), "--json", *pictures)
    assert done.returncode == 0, done.stderr
    assert_same(json.loads(done.stdout), answers_of(artifact, pictures, every=False))


def test_words_for_people_and_one_line_for_each_bad_picture(python: Path, program: Path, mnist: Dataset, tmp_path: Path) -> None:
    good = page(mnist, [0], tmp_path / "seven\x1b[2J.png")
    Image.new("L", (60, 60), 200).save(tmp_path / "blank.png")
    done = run(python, program, tmp_path / "blank.png", good, tmp_path / "missing.png")
    assert done.returncode == 2
    assert r"seven\x1b[2J.png: 7 " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "blank.png is blank" in done.stderr
    assert "cannot read" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_model_in_its_place_is_refused(python: Path, samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    folder = exported("glyph-1k", tmp_path / "reader")
    (folder / "model.tflite").write_bytes((samples / "model_int8.tflite").read_bytes())
    done = run(python, folder, page(mnist, [0], tmp_path / "0.png"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not the file that model.json describes" in done.stderr
    with pytest.raises(OutputError, match=r"model\.tflite \(changed since\)"):
        exported("glyph-1k", folder)


def test_what_is_no_classifier_of_pictures_is_refused(tmp_path: Path) -> None:
    from support.streaming import running_sum

    model = tmp_path / "stream.tflite"
    model.write_bytes(running_sum())
    with pytest.raises(ArtifactError, match="not one picture"):
        exported(model, tmp_path / "reader")
    assert not (tmp_path / "reader").exists()
