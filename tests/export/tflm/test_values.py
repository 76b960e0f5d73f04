"""A project of a model that classifies no pictures: its test input, what is expected of it, and its C++ without a warning."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from random_models import draw
from random_models.by_hand import write
from random_models.edges import with_edges
from support.assembled import Assembly
from support.slow import rest_slow

from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.export.tflm.project import export_tflm
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import read_graph

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Wshadow", "-Werror")


def exported(content: bytes, folder: Path) -> tuple[Path, list[np.ndarray], Path]:
    path = folder / "model.tflite"
    path.write_bytes(content)
    samples = [values[-1:] for values in random_set(inputs_of(read_graph(path)), 70).arrays]
    return export_tflm(path, folder / "project", samples=samples, image_source="a random input").folder, samples, path


def numbers(text: str, constant: str) -> np.ndarray:
    found = re.search(rf"{constant}\w*\[\d+\] = \{{(.*?)\}};", text, re.DOTALL)
    assert found is not None
    return np.array([float(each.rstrip("fL")) for each in found[1].replace("\n", " ").split(",") if each.strip()])


@pytest.mark.parametrize("seed", rest_slow([2, 11, 19, 29, 35]))
def test_the_project_holds_an_input_and_what_tflite_micro_gives_for_it(seed: int, stubs: Path, tmp_path: Path):
    content = with_edges(write(draw(seed, for_keras=False)), np.random.default_rng([seed, 1]))
    folder, samples, path = exported(content, tmp_path)
    text = (folder / "test_inputs.h").read_text()
    with get_runtime("tflm").load(path) as model:
        expected = model.run(samples)
    for kind, arrays in (("kTestInput", samples), ("kExpectedOutput", expected)):
        constants = re.findall(rf"\b({kind}\w*)\[", text)
        assert len(constants) == len(arrays)
        for constant, values in zip(constants, arrays, strict=True):
            np.testing.assert_allclose(numbers(text, rf"\b{constant}\b"), values.reshape(-1), rtol=1e-6)
    for defines in ([], ["-DMODEL_LOG_TO_STDOUT"], ["-DMODEL_NO_MAIN"]):
        command = ["g++", "-std=c++17", "-fsyntax-only", *WARNINGS, *defines, "-isystem", str(stubs), "model_inference.cc"]
        subprocess.run(command, check=True, cwd=folder, timeout=120)
    assert "image" not in (folder / "README.md").read_text() + (folder / "model_inference.cc").read_text()


def test_inputs_of_another_model_are_refused(tmp_path: Path):
    path = tmp_path / "model.tflite"
    path.write_bytes(write(draw(3, for_keras=False)))
    with pytest.raises(ArtifactError, match="takes"):
        export_tflm(path, tmp_path / "project", samples=[np.zeros((1, 99), np.int8)])
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("given", [1, 2, 7])
def test_a_file_of_a_fixed_batch_gets_as_many_test_inputs_as_it_takes(given: int, tmp_path: Path):
    assembly = Assembly()
    part = assembly.subgraph()
    inputs, output = [part.tensor((3, 4), None, "float32") for _ in range(2)], part.tensor((3, 4), None, "float32")
    part.op("ADD", inputs, [output], "AddOptions")
    part.edges(inputs, [output])
    path = tmp_path / "model.tflite"
    path.write_bytes(assembly.pack())
    samples = [np.arange(4 * given, dtype=np.float32).reshape(given, 4) + place for place in range(2)]
    export_tflm(path, tmp_path / "project", samples=samples)
    taken = samples[0][np.arange(3) % given].reshape(-1)
    text = (tmp_path / "project" / "test_inputs.h").read_text()
    constants = re.findall(r"\b(k(?:TestInput|ExpectedOutput)\w*)\[", text)
    for constant, values in zip(constants, (taken, taken + 1, 2 * taken + 1), strict=True):
        np.testing.assert_array_equal(numbers(text, rf"\b{constant}\b"), values)
