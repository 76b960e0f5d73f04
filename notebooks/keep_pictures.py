"""Run the notebooks and keep, of all outputs, the pictures of the cells tagged `picture`: those that GitHub shows.

    python notebooks/keep_pictures.py [EXECUTED_FOLDER]

Each is stored as a small PNG of few colours. With a folder, the notebooks with all their outputs are written there too.
tests/test_notebooks.py checks that nothing else is kept. Takes some minutes: the notebooks train with their own settings.
"""

import base64
import io
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
COLOURS = 32


def main() -> None:
    for path in sorted(HERE.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if not any("picture" in cell.metadata.get("tags", []) for cell in notebook.cells):
            continue
        with tempfile.TemporaryDirectory() as folder:
            NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": folder}}).execute(env=dict(os.environ))
        for executed in sys.argv[1:]:
            nbformat.write(notebook, Path(executed) / path.name)
        keep_pictures(notebook)
        nbformat.write(notebook, path)


def keep_pictures(notebook: nbformat.NotebookNode) -> None:
    """Clear what running left behind but the pictures of tagged cells, in place."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        wanted = "picture" in cell.metadata.get("tags", [])
        shown = [output.data["image/png"] for output in cell.outputs if wanted and "image/png" in output.get("data", {})]
        cell.execution_count = None
        cell.outputs = [nbformat.v4.new_output("display_data", {"image/png": small(picture)}) for picture in shown]


def small(png: str) -> str:
    """A PNG in base64 with a palette of few colours."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    stream = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


if __name__ == "__main__":
    main()
