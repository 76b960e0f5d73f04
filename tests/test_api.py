"""The public API: lazy, complete, typed, documented, and it does what the commands do."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import glyphlite
from glyphlite import api
from glyphlite.datasets.dataset import Dataset

NAMES = sorted(set(vars(glyphlite)["__all__"]) - {"__version__"})


def test_every_place_has_the_same_names() -> None:
    stub = (Path(glyphlite.__file__).with_suffix(".pyi")).read_text()
    assert sorted(re.findall(r"^from glyphlite\.api import (\w+) as \1\b", stub, re.MULTILINE)) == NAMES
    assert sorted(api.__all__) == NAMES
    assert set(NAMES) <= set(dir(glyphlite))
    assert 10 <= len(NAMES) <= 16
    for name in NAMES:
        assert getattr(glyphlite, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = glyphlite.trian  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_documented(name: str) -> None:
    described = getattr(glyphlite, name)
    assert len(inspect.getdoc(described) or "") > 20
    if inspect.isfunction(described):
        assert "Raises:" in (inspect.getdoc(described) or "")


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import sys, json, glyphlite; dir(glyphlite); print(json.dumps(sorted(m for m in sys.modules if 'glyphlite' in m)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["glyphlite"]


@pytest.mark.slow
def test_from_a_file_to_firmware(samples: Path, mnist: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = samples / "model_int8.tflite"
    assert glyphlite.inspect(path, runtimes=False).operators
    assert len(glyphlite.read_graph(path).operators) > 3
    report = glyphlite.compile(path, tmp_path / "c", name="digits", labels=mnist.labels)
    assert report.name == "digits"
    images = mnist.test.images[:20]
    simulation = glyphlite.simulate(tmp_path / "c", "cortex-m0", images)
    assert (simulation.classes == mnist.test.labels[:20]).mean() > 0.8
    assert glyphlite.verify(path, mnist, images=20).agrees
    assert glyphlite.draw_graph(path).startswith("<svg")
    glyphlite.show(glyphlite.inspect(path, runtimes=False), simulation)
    shown = capsys.readouterr().out
    assert "CONV_2D" in shown
    assert "cortex-m0" in shown.lower()
    with pytest.raises(glyphlite.GlyphliteError, match="cannot show a str"):
        glyphlite.show("x")  # pyright: ignore[reportArgumentType]
    with glyphlite.load_model(path) as model:
        assert model.input.shape == (28, 28, 1)


USER = """
from pathlib import Path
import numpy as np
from typing_extensions import assert_type
import glyphlite
from glyphlite.compiler import CompilationReport

dataset = glyphlite.load_dataset("mnist")
assert_type(dataset, glyphlite.Dataset)
trained = glyphlite.train("micro-cnn", dataset, "runs/first", epochs=3)
converted = glyphlite.convert(trained.model, Path("runs/first"), ["int8"], dataset=dataset)
report = glyphlite.compile(converted[0].path, "firmware")
assert_type(report, CompilationReport)
assert_type(glyphlite.Results.load(Path("results.json")).seed, int)
assert_type(glyphlite.__version__, str)
"""

WRONG = {
    "glyphlite.load_dataset(3)": "reportArgumentType",
    "glyphlite.trian": "reportAttributeAccessIssue",
    "glyphlite.simulate('c', 'cortex-m4')": "reportCallIssue",
    "glyphlite.verify('c', glyphlite.load_dataset('mnist')).verdicts": "reportAttributeAccessIssue",
}


@pytest.mark.slow
def test_a_users_program_is_checked_by_its_types(tmp_path: Path) -> None:
    """Beside py.typed: what is right passes, every mistake is found."""
    (tmp_path / "right.py").write_text(USER)
    for index, line in enumerate(WRONG):
        (tmp_path / f"wrong{index}.py").write_text(f"import glyphlite\n{line}\n")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    found = {
        (Path(each["file"]).name, each.get("rule"))
        for each in json.loads(done.stdout)["generalDiagnostics"]
        if each["severity"] == "error"
    }
    assert found == {(f"wrong{index}.py", rule) for index, rule in enumerate(WRONG.values())}
