"""The report on screens and paper, in a real browser: nothing is cut, whatever the width and the number of classes."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.made_up import crowded

from glyphlite.report.figures.samples import SampleSheet
from glyphlite.report.html.files import compare_report, write_report
from glyphlite.results import Results

pytestmark = pytest.mark.slow

A4_WIDTH = 703
"""CSS pixels between margins of 12 mm."""

CUT = """() => [...document.querySelectorAll("body *")].filter((element) => {
    const scroller = element.closest(".scroll");
    const scrolls = scroller && getComputedStyle(scroller).overflowX !== "visible";
    return !scrolls && element.getBoundingClientRect().right > innerWidth + 1;
}).map((element) => `${element.tagName} ${element.className}`)"""
"""Script that lists the elements beyond the right edge that can't be scrolled to within their own box."""


@pytest.mark.parametrize("classes", [10, 26, 62, 1000])
def test_nothing_is_cut_on_screens_and_paper(
    browser: Browser, results: Results, sheet: SampleSheet, tmp_path: Path, classes: int
) -> None:
    shown = results if classes == 10 else crowded(results, classes)
    address = write_report(shown, tmp_path, samples=sheet if classes == 10 else None).as_uri()
    page = browser.new_page()
    for width in (360, 740, 1280):
        page.set_viewport_size({"width": width, "height": 360 if width == 740 else 800})
        page.goto(address)
        assert page.evaluate(CUT) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": A4_WIDTH, "height": 900})
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert page.evaluate(CUT) == []
    page.close()


def test_runs_side_by_side_are_not_cut(browser: Browser, results: Results, tmp_path: Path) -> None:
    for name in ("first", "second"):
        results.save(tmp_path / name / "results.json")
    address = compare_report([tmp_path / "first", tmp_path / "second"], tmp_path / "compare.html").as_uri()
    page = browser.new_page()
    for width in (360, 740, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address)
        assert page.evaluate(CUT) == [], width
    page.close()
