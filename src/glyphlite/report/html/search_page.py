"""A search as a page: what won, the front as a plot and a table, every trial. Written beside ``search.json``, from it alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from glyphlite import __version__
from glyphlite.escaping import visible
from glyphlite.files.owned import write_owned
from glyphlite.report.html.templating import chart, environment
from glyphlite.search.report import SearchReport

if TYPE_CHECKING:
    from markupsafe import Markup

SEARCH_FILE = "search.json"
SEARCH_PAGE = "search.html"


def write_search(report: SearchReport, folder: Path) -> Path:
    """Writes ``search.json`` and ``search.html`` into a search's folder.

    Returns:
        The page's path.

    Raises:
        OutputError: they cannot be written.
    """
    write_owned(folder / SEARCH_FILE, report.model_dump_json(indent=2) + "\n")
    return write_owned(folder / SEARCH_PAGE, visible(render_search(report), keep="\n\t"))


def render_search(report: SearchReport) -> str:
    """Returns the page as HTML."""
    front = [report.trial(number) for number in report.front]
    budget = report.settings["budget"]
    limits = (
        ("flash", "flash_bytes", "bytes of flash"),
        ("RAM", "ram_bytes", "bytes of RAM"),
        ("time", "instructions", "instructions"),
    )
    context = {
        "report": report,
        "front": front,
        "winner": report.winner,
        "budget": [f"{budget[key]:,} {unit}" for _, key, unit in limits if budget.get(key) is not None],
        "place": budget.get("board") or budget["core"],
        "others": [each for each in report.trials if each.number not in report.front and each.validation_accuracy is not None],
        "chart": _chart(report) if front else None,
        "version": __version__,
    }
    return environment().get_template("search.html.j2").render(context)


def _chart(report: SearchReport) -> "Markup":
    from glyphlite.report.figures.plots import search_figure

    trained = [each for each in report.trials if each.outcome == "trained" and each.flash_bytes and each.validation_accuracy]
    points = [(each.flash_bytes or 0, each.validation_accuracy or 0.0, each.number in report.front) for each in trained]
    winner = report.winner
    won = None if winner is None or winner.flash_bytes is None else (winner.flash_bytes, winner.validation_accuracy)
    return chart(search_figure(points, won), "front", "Validation accuracy of the trained networks over the flash that they take")
