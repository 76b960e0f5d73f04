"""The notebooks run from top to bottom, say what the library measures, and are kept without outputs but a few pictures."""

import base64
import io
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

MOST_BYTES = 20_000
"""Of a picture that is kept for GitHub to show."""
MOST_PICTURES = 3
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


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


def pictures(notebook: nbformat.NotebookNode, kind: str) -> int:
    return sum(
        kind in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output
    )


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_only_small_pictures_of_tagged_cells_are_committed(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    kept = 0
    for cell in notebook.cells:
        assert cell.get("execution_count") is None
        is_picture = "picture" in cell.metadata.get("tags", [])
        outputs = cell.get("outputs", [])
        assert len(outputs) == is_picture, f"{path.name}: run python notebooks/keep_pictures.py, which keeps no other outputs"
        for output in outputs:
            assert (output.output_type, list(output.data), dict(output.metadata)) == ("display_data", ["image/png"], {})
            content = base64.b64decode(output.data["image/png"], validate=True)
            assert len(content) <= MOST_BYTES
            with Image.open(io.BytesIO(content)) as picture:
                assert picture.format == "PNG"
                assert 300 <= picture.width <= 1200
        kept += is_picture
    assert kept <= MOST_PICTURES
    if path.stem == "handwritten_digits_int8":
        assert kept


def test_there_are_notebooks() -> None:
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} == {
        "handwritten_digits_int8.ipynb",
        "from_keras_to_microcontroller.ipynb",
    }


@pytest.mark.slow
def test_handwritten_digits_int8(tmp_path: Path) -> None:
    notebook, printed = run_notebook("handwritten_digits_int8.ipynb", tmp_path, "EPOCHS = 1")
    assert pictures(notebook, "image/png") >= 6
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
def test_from_keras_to_microcontroller(tmp_path: Path) -> None:
    notebook, printed = run_notebook("from_keras_to_microcontroller.ipynb", tmp_path, "EPOCHS = 1\nVERIFY_IMAGES = 100")
    assert pictures(notebook, "image/svg+xml") == 1
    assert "MicroMutableOpResolver<5>" in printed
    assert "digits_classify" in printed
    assert found_number(r"read (\d+) of 20 test images right", printed) >= 15
