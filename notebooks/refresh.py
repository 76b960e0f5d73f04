"""Run the notebooks and store them with what they print and draw, as GitHub shows them: `make notebooks`.

    python notebooks/refresh.py [NOTEBOOK...]

Kept are printed text, tables and pictures (as small PNGs of few colours); progress bars, widgets, execution times, memory
addresses and the home folder's name are not. Each notebook remembers the hash of the code that its outputs came from:
tests/test_notebooks.py fails where the code is newer.
Takes some minutes: the notebooks train with their own settings.
"""

import base64
import hashlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
COLOURS = 32
ANSI = re.compile(r"\x1b\[[0-9;]*m")
"""Colours of a terminal: where they matter, the same output is there as HTML, too."""

ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}(?=>)")
"""Matches the memory address in the words that Python prints for an object without words of its own."""

KEPT = ("text/html", "text/plain", "image/svg+xml", "image/png")
"""Kinds of output that are stored; where there is a picture, only the picture."""


def main() -> None:
    for path in [Path(each) for each in sys.argv[1:]] or sorted(HERE.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": folder}}).execute(env=dict(os.environ))
        tidy(notebook)
        nbformat.write(notebook, path)
        print(path)


def sources_hash(notebook: nbformat.NotebookNode) -> str:
    """Returns the SHA-256 of all code of a notebook."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Leaves of a notebook that ran what is the same wherever it runs, but for the times it measured; in place."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["outputs_of"] = sources_hash(notebook)
    number = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        number += 1
        cell.execution_count = number
        cell.outputs = joined([kept for output in cell.outputs if (kept := tidied(output, number))])


def tidied(output: nbformat.NotebookNode, number: int) -> nbformat.NotebookNode | None:
    """Returns what is kept of one output, None where nothing is: progress goes to standard error."""
    if output.output_type == "stream":
        if output.name != "stdout" or not output.text.strip():
            return None
        return nbformat.v4.new_output("stream", name="stdout", text=ADDRESS.sub("", without_home(output.text)))
    if output.output_type not in ("display_data", "execute_result"):
        return None
    data = {kind: output.data[kind] for kind in KEPT if kind in output.data}
    if "image/png" in data:
        data = {"image/png": small(data["image/png"])}
    elif "image/svg+xml" in data:
        data = {"image/svg+xml": data["image/svg+xml"]}
    for kind in ("text/html", "text/plain"):
        if kind in data:
            data[kind] = ADDRESS.sub("", ANSI.sub("", without_home(data[kind])))
    if not data or not data.get("text/plain", "x").strip() or "application/vnd.jupyter.widget-view+json" in output.data:
        return None
    if output.output_type == "execute_result":
        return nbformat.v4.new_output("execute_result", data, execution_count=number)
    return nbformat.v4.new_output("display_data", data)


def without_home(text: str) -> str:
    """Returns text in which the home folder is ``~``, as people write it."""
    return text.replace(str(Path.home()), "~")


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Returns outputs with streams that follow each other as one: a kernel cuts them as they come."""
    found: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and found and found[-1].output_type == "stream":
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def small(png: str) -> str:
    """Returns a PNG in base64 with a palette of few colours."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    stream = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


if __name__ == "__main__":
    main()
