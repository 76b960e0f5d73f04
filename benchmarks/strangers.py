"""Other people's models, data and pictures: a table of kinds, each with a generated example, its expected and its measured value.

    python benchmarks/strangers.py --only data/

Every row makes its example, runs the commands as a user would and says whether the result is right; no command may end in a
traceback or a signal. Writes benchmarks/results/strangers.json and exits with 1 when a row is wrong. `make test` runs the rows
that are marked small.
"""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from common.strangers.harness import Outcome, try_row
from common.strangers.known import KNOWN
from common.strangers.table import rows
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from glyphlite.console import progress_bar, quiet_tensorflow
from glyphlite.files.single import write_json

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = ROOT / "benchmarks" / "results" / "strangers.json"
VERSIONS = ("glyphlite", "keras", "tensorflow-cpu", "ai-edge-litert", "tflite-micro", "numpy", "pillow")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="SECTION/KIND", help="rows whose name begins so: models/, data/csv")
    parser.add_argument("--small", action="store_true", help="only the rows that `make test` runs")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--out", type=Path, default=DEFAULT)
    arguments = parser.parse_args()
    quiet_tensorflow()
    chosen = [each for each in rows() if each.small or not arguments.small]
    chosen = [each for each in chosen if each.name.startswith(arguments.only or "")]
    if arguments.list:
        print("\n".join(f"{each.name}{'  (small)' if each.small else ''}" for each in chosen))
        return 0
    if not chosen:
        parser.error(f"no row's name begins with {arguments.only}")
    outcomes: list[Outcome] = []
    shared: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, progress_bar("strangers", len(chosen)) as advance:
        for each in chosen:
            outcomes.append(try_row(each, Path(folder), shared))
            advance()
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table_of(outcomes))
    document = document_of(outcomes, " --small" if arguments.small else "")
    console.print(words_of(document["counts"]))
    if arguments.only is None or arguments.out != DEFAULT:
        write_json(arguments.out, document)
    return 0 if all(outcome.right for outcome in outcomes) else 1


def table_of(outcomes: list[Outcome]) -> Table:
    table = Table(title="What strangers bring", title_justify="left")
    for name in ("kind", "example", "expected", "measured", ""):
        table.add_column(name, overflow="fold")
    for outcome in outcomes:
        measured = "\n".join([outcome.measured, *outcome.crashes])
        reason = KNOWN.get(outcome.row.name)
        if not outcome.right and reason:
            measured += f"\nknown to fail: {reason}"
        mark = "[green]right[/]" if outcome.right else "[yellow]known[/]" if reason else "[red]WRONG[/]"
        table.add_row(outcome.row.name, escape(outcome.row.example), escape(outcome.row.expected), escape(measured), mark)
    return table


def document_of(outcomes: list[Outcome], options: str) -> dict[str, Any]:
    """Returns the document to keep: counts, versions and each row's expected and measured value."""
    wrong = [outcome for outcome in outcomes if not outcome.right]
    return {
        "command": f"python benchmarks/strangers.py{options}",
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {name: _version(name) for name in VERSIONS},
        "counts": {
            "rows": len(outcomes),
            "right": len(outcomes) - len(wrong),
            "wrong": len(wrong),
            "known_to_fail": sum(outcome.row.name in KNOWN for outcome in wrong),
            "crashes": sum(len(outcome.crashes) for outcome in outcomes),
        },
        "cpu_seconds": round(sum(outcome.cpu_seconds for outcome in outcomes), 1),
        "rows": [
            {
                "section": outcome.row.section,
                "kind": outcome.row.kind,
                "example": outcome.row.example,
                "expected": outcome.row.expected,
                "measured": outcome.measured,
                "right": outcome.right,
                "crashes": list(outcome.crashes),
                "known_to_fail": None if outcome.right else KNOWN.get(outcome.row.name),
                "small": outcome.row.small,
                "cpu_seconds": round(outcome.cpu_seconds, 2),
            }
            for outcome in outcomes
        ],
    }


def words_of(counts: dict[str, int]) -> str:
    """The counts in one line."""
    return (
        f"{counts['right']} of {counts['rows']} kinds right, {counts['known_to_fail']} known to fail,"
        f" {counts['wrong'] - counts['known_to_fail']} wrong; {counts['crashes']} commands ended in a traceback or a signal"
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except ModuleNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
