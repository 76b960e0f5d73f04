"""Every link of README, CONTRIBUTING, CHANGELOG and docs leads to a file that is there, and to a heading that it has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("experiments/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def without_code(text: str) -> str:
    """Returns a page without its fenced blocks and code spans, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def links_of(page: Path) -> list[str]:
    """Returns the targets of a page's links and pictures."""
    return [match[1] or match[2] for match in LINK.finditer(without_code(page.read_text()))]


def anchors_of(page: Path) -> set[str]:
    """Returns the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ +(.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Returns the links of a page that lead nowhere in the repository; addresses on the web are not asked."""
    broken = []
    for target in links_of(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors_of(found)):
            broken.append(target)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert not broken_links(page)


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '# A b\n[x](#a-b) [y](#c) [z](nothing.md) `[code](nowhere.md)`\n```\n[f](fence.md)\n```\n<img src="no.png">\n'
    )
    assert broken_links(page) == ["#c", "nothing.md", "no.png"]


def test_index_names_every_page() -> None:
    docs = ROOT / "docs"
    named = {(docs / target.partition("#")[0]).resolve() for target in links_of(docs / "index.md")}
    assert set(docs.glob("*/*.md")) <= named
