"""README and docs hold what was measured last and what the code says: every generated part is compared, none is missing."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from common.figures import FIGURES, GENERATED, MARK, filled, pages, write_pages  # noqa: E402

RECORDED = re.compile(r"<!-- recorded: [^\n]+ -->\n.*?<!-- end of recorded -->", re.DOTALL)
"""What a tool printed that no benchmark here runs: its name and version stand in the mark."""

MEASURED = re.compile(r"\d\.\d+ %|\d+(?:,\d{3})+|\d\.\d+ (?:ms|s|KB|MB)\b")
"""What looks like a measured figure: a share in hundredths, a number of thousands, a time or a size."""

KNOWN = frozenset(
    {"10,000", "55,000", "5,000", "60,000", "1,797", "1,000", "2,000", "50,000"}  # images
    | {"1,023", "4,095", "16,383", "65,535", "33,025"}  # limits of number formats
    | {"1,100"}  # an example's images
    | {"0.1 %"}  # a default
)
"""Numbers of prose that were not measured."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_page_holds_what_was_measured(page: Path) -> None:
    text = page.read_text()
    assert filled(text) == text, "run: python benchmarks/doc_figures.py"


def test_every_figure_is_shown_and_every_mark_is_closed() -> None:
    text = "\n".join(page.read_text() for page in pages())
    assert {match["name"] for match in MARK.finditer(text)} == {*FIGURES, *GENERATED}
    assert text.count("<!-- end of ") == len(MARK.findall(text)) + len(RECORDED.findall(text))


def unmarked_figures(text: str) -> list[str]:
    """Returns what looks measured and stands neither between marks nor in a code block."""
    prose = re.sub(r"^```.*?^```|^    .*?$|`[^`\n]*`", "", RECORDED.sub("", MARK.sub("", text)), flags=re.MULTILINE | re.DOTALL)
    return [found for found in MEASURED.findall(prose) if found not in KNOWN]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_measured_figure_stands_outside_marks(page: Path) -> None:
    assert not unmarked_figures(page.read_text())


def test_figures_outside_marks_are_found() -> None:
    marked = "<!-- accuracy -->\n99.44 %\n<!-- end of accuracy -->\n<!-- recorded: gcc 12 -->\n8,132\n<!-- end of recorded -->\n"
    assert unmarked_figures(marked + "It takes 782,253 instructions, 0.03 ms, on 10,000 images: 99.4 %. `1,234`\n") == [
        "782,253",
        "0.03 ms",
        "9.4 %",
    ]


def test_a_page_is_brought_up_to_date(tmp_path: Path) -> None:
    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    (results / "reading.json").write_text('{"rows": [{"data": "a table", "cpu_seconds": 1.25}]}')
    (tmp_path / "README.md").write_text("before\n<!-- reading -->\nold\n<!-- end of reading -->\nafter\n")
    assert write_pages(tmp_path) == [tmp_path / "README.md"]
    assert "| a table | 1.2 |\n<!-- end of reading -->\nafter" in (tmp_path / "README.md").read_text()
    assert write_pages(tmp_path) == []


def test_unknown_and_unmeasured_figures_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no figure is called 'nothing'"):
        filled("<!-- nothing -->\n<!-- end of nothing -->")
    with pytest.raises(SystemExit, match=r"python benchmarks/reading\.py"):
        filled("<!-- reading -->\n<!-- end of reading -->", tmp_path)
