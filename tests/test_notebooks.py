"""The notebooks run from top to bottom, say what the library measures, and are stored with what their present code printed."""

import base64
import importlib.util
import io
import os
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

import glyphlite

MOST_BYTES = 40_000
"""Largest size of a picture that is stored for GitHub to show."""
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
MACHINE_PATHS = re.compile(r"/(?:root|home|tmp|work|Users|usr|opt|var)/|[A-Z]:\\\\")


@pytest.fixture(scope="module")
def refresh() -> ModuleType:
    """The script that stores the notebooks."""
    spec = importlib.util.spec_from_file_location("refresh", NOTEBOOKS / "refresh.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kinds(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """Lists the kinds of each cell's outputs, each kind once, because the number of lines that a training prints varies."""
    found = [
        [kind for output in cell.get("outputs", []) for kind in (output.get("data") or [output.output_type])]
        for cell in notebook.cells
    ]
    return [list(dict.fromkeys(each)) for each in found]


def run_notebook(name: str, folder: Path, parameters: str) -> tuple[nbformat.NotebookNode, str]:
    """Run every cell of a notebook with other parameters; returns it and all that it printed."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    cell.source += f"\n{parameters}"
    NotebookClient(notebook, timeout=400, resources={"metadata": {"path": str(folder)}}).execute(env=dict(os.environ))
    return notebook, "\n".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    )


def found_number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    assert match, f"nothing printed matches {pattern}"
    return float(match[1])


def check_kinds(name: str, ran: nbformat.NotebookNode, refresh: ModuleType) -> None:
    """Checks that a notebook's present outputs are of the stored kinds."""
    refresh.tidy(ran)
    assert kinds(ran) == kinds(nbformat.read(NOTEBOOKS / name, as_version=4)), "the outputs are stale: make notebooks"


def pictures(notebook: nbformat.NotebookNode, kind: str) -> int:
    return sum(
        kind in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output
    )


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_outputs_are_stored_and_those_of_the_present_code(path: Path, refresh: ModuleType) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata["outputs_of"] == refresh.sources_hash(notebook), (
        f"{path.name} is newer than its outputs: make notebooks"
    )
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert all(output.name == "stdout" for output in outputs if output.output_type == "stream")
    printing = [cell for cell in code if re.search(r"\b(print|show)\(", cell.source) and "subprocess" not in cell.source]
    assert len(printing) >= 6
    assert all(cell.outputs for cell in printing)
    assert not MACHINE_PATHS.search("".join(output.get("text", "") + str(output.get("data", "")) for output in outputs))
    pngs = [base64.b64decode(output.data["image/png"]) for output in outputs if "image/png" in output.get("data", {})]
    for content in pngs:
        assert len(content) <= MOST_BYTES
        with Image.open(io.BytesIO(content)) as picture:
            assert 300 <= picture.width <= 1200
    assert path.stat().st_size < 400_000


def test_progress_and_widgets_are_not_stored(refresh: ModuleType) -> None:
    new = nbformat.v4.new_output
    picture = io.BytesIO()
    Image.new("RGB", (30, 20)).save(picture, "PNG")
    png = base64.b64encode(picture.getvalue()).decode()
    cell = nbformat.v4.new_code_cell(
        "print(1)",
        outputs=[
            new("stream", name="stderr", text="a warning"),
            new("display_data", {"text/plain": f"\x1b[1mfrom {Path.home()}/.cache\x1b[0m"}),
            new("stream", name="stdout", text="a\n"),
            new("stream", name="stdout", text="b\n"),
            new("display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Output()"}),
            new("display_data", {"image/png": png, "text/plain": "<Figure size 640x480>"}),
        ],
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("words"), cell])
    refresh.tidy(notebook)
    assert kinds(notebook) == [[], ["text/plain", "stream", "image/png"]]
    assert cell.outputs[0].data["text/plain"] == "from ~/.cache"
    assert cell.outputs[1].text == "a\nb\n"
    assert (cell.execution_count, len(notebook.metadata["outputs_of"])) == (1, 64)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_use_the_public_names_alone(path: Path) -> None:
    code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    assert re.findall(r"^ *(?:from|import) glyphlite.*$", code, re.MULTILINE) == ["import glyphlite"]
    used = set(re.findall(r"\bglyphlite\.(\w+)", code))
    assert len(used) >= 5
    assert used <= set(vars(glyphlite)["__all__"])


def test_there_are_notebooks() -> None:
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} == {
        "handwritten_digits_int8.ipynb",
        "from_keras_to_microcontroller.ipynb",
    }


@pytest.mark.slow
def test_handwritten_digits_int8(tmp_path: Path, refresh: ModuleType) -> None:
    notebook, printed = run_notebook("handwritten_digits_int8.ipynb", tmp_path, "EPOCHS = 1")
    assert pictures(notebook, "image/png") >= 6
    check_kinds("handwritten_digits_int8.ipynb", notebook, refresh)
    accuracies = {
        match[1]: float(match[2]) for match in re.finditer(r"^(\w+) +\d+ +([\d.]+)% +[\d.]+% to", printed, re.MULTILINE)
    }
    assert set(accuracies) == {"float32", "float16", "dynamic", "int8", "int16x8"}
    assert accuracies["float32"] > 90
    assert abs(accuracies["int8"] - accuracies["float32"]) < 1
    ratio = found_number(r"int8 is ([\d.]+) times smaller than float32", printed)
    assert 3 < ratio < 4
    assert "predicted 7 - the label is 7" in printed
    assert re.search(r"stored +round\(1\.000000 / 0\.003922\) \+ \(-128\) = 127", printed)


@pytest.mark.slow
def test_from_keras_to_microcontroller(tmp_path: Path, refresh: ModuleType) -> None:
    notebook, printed = run_notebook("from_keras_to_microcontroller.ipynb", tmp_path, "EPOCHS = 1\nVERIFY_IMAGES = 100")
    assert pictures(notebook, "image/svg+xml") == 1
    check_kinds("from_keras_to_microcontroller.ipynb", notebook, refresh)
    assert "MicroMutableOpResolver<5>" in printed
    assert "digits_classify" in printed
    assert found_number(r"read (\d+) of 20 test images right", printed) >= 15
