"""A notebook's sections as a page: what README's picture of it shows."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_page import page_of


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "notebook.ipynb"
    drawn = new_output("display_data", data={"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"})
    printed = new_output("stream", name="stdout", text="1 < 2\n")
    cells = [
        new_markdown_cell("## 1. Before"),
        new_markdown_cell("## 2. *Here*\n\nSee [the docs](docs.md) of `show`."),
        new_code_cell("show(1 < 2)", execution_count=3, outputs=[printed, drawn]),
        new_markdown_cell("## 3. After"),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_a_page_holds_the_sections_asked_for_with_their_outputs(notebook: Path) -> None:
    page = page_of(notebook, "## 2.", "## 2.")
    assert "<h2>2. <i>Here</i></h2><p>See the docs of <code>show</code>.</p>" in page
    assert "In [3]:" in page
    assert "<pre>1 &lt; 2\n</pre>" in page
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page
    assert "<Figure>" not in page
    assert "Before" not in page
    assert "After" not in page
    assert "After" in page_of(notebook, "## 2.", "## 3.")


def test_a_heading_that_is_not_there_is_named(notebook: Path) -> None:
    with pytest.raises(ValueError, match=r"no cell of notebook\.ipynb begins with '## 9'"):
        page_of(notebook, "## 2.", "## 9")
