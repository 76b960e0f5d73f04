"""A part of a stored notebook as a page, as Jupyter would show it: for the picture of README. Runs nothing."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_STYLE = """
body { font: 15px/1.5 "DejaVu Sans", sans-serif; color: #212121; background: #fff; margin: 0 24px 0 96px; width: 860px; }
pre { font: 13px/1.35 "DejaVu Sans Mono", monospace; margin: 0; white-space: pre-wrap; }
code { font: 13px "DejaVu Sans Mono", monospace; background: #eee; }
.cell { position: relative; margin: 14px 0; }
.cell > .number { position: absolute; left: -90px; width: 80px; text-align: right; color: #8a8a8a; font: 13px monospace; }
.code { background: #f5f5f5; border: 1px solid #ddd; padding: 6px; }
.output { padding: 8px 0 0 6px; }
.output img { max-width: 100%; }
h1, h2, h3 { font-weight: normal; }
"""


def page_of(notebook: Path, first: str, last: str) -> str:
    """Returns the page of some sections, from one that begins with ``first`` to the end of one that begins with ``last``.

    Raises:
        ValueError: no cell begins so.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    begin, other = (_place(cells, heading, notebook.name) for heading in (first, last))
    end = next((place for place in range(other + 1, len(cells)) if _is_section(cells[place])), len(cells))
    style = _STYLE + HtmlFormatter(style="default").get_style_defs(".code")
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{''.join(map(_cell, cells[begin:end]))}"


def _place(cells: Sequence[Any], heading: str, name: str) -> int:
    for place, cell in enumerate(cells):
        if cell.source.startswith(heading):
            return place
    raise ValueError(f"no cell of {name} begins with {heading!r}")


def _is_section(cell: Any) -> bool:
    return cell.cell_type == "markdown" and cell.source.startswith("## ")


def _cell(cell: Any) -> str:
    if cell.cell_type == "markdown":
        paragraphs = "".join(map(_paragraph, re.split(r"\n{2,}", cell.source)))
        return f"<div class=cell>{paragraphs}</div>"
    number = cell.execution_count or " "
    code = highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True))
    outputs = "".join(f"<div class=output>{_output(each)}</div>" for each in cell.outputs)
    return f"<div class=cell><span class=number>In [{number}]:</span><div class=code><pre>{code}</pre></div>{outputs}</div>"


def _paragraph(text: str) -> str:
    """Returns a heading or a paragraph with its code and emphasis; links become their words."""
    level = len(text) - len(text.lstrip("#"))
    words = html.escape(" ".join(text.lstrip("#").split()))
    words = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", words)
    words = re.sub(r"`([^`]+)`", r"<code>\1</code>", words)
    words = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", words)
    words = re.sub(r"\*([^*]+)\*", r"<i>\1</i>", words)
    return f"<h{level}>{words}</h{level}>" if level else f"<p>{words}</p>"


def _output(output: Any) -> str:
    """Returns what a cell printed or drew, the richest form that is stored."""
    if output.output_type == "stream":
        return f"<pre>{html.escape(output.text)}</pre>"
    data = output.get("data", {})
    if "image/png" in data:
        return f'<img src="data:image/png;base64,{data["image/png"].strip()}">'
    for kind in ("image/svg+xml", "text/html"):
        if kind in data:
            return data[kind]
    return f"<pre>{html.escape(data.get('text/plain', ''))}</pre>"
