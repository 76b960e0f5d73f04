"""The tables of README and docs, as Markdown, from the JSON files in benchmarks/results. Nothing is measured here."""

from collections.abc import Iterable, Sequence


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """Returns a Markdown table whose first ``words`` columns are text and whose others are numbers, to the right."""
    rule = "---|" * words + "--:|" * (len(columns) - words)
    lines = [f"| {' | '.join(columns)} |", f"|{rule}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(line.replace("|  |", "| |") for line in lines)


def percent(share: float, digits: int = 2) -> str:
    """Returns a share as ``99.45 %``."""
    return f"{share * 100:.{digits}f} %"


def core_name(core: str) -> str:
    """Returns a core as its maker writes it: ``Cortex-M4``, ``RV32IMC``."""
    return core.replace("cortex-m", "Cortex-M") if core.startswith("cortex") else core.upper()


def interval(accuracy: dict[str, float]) -> str:
    """Returns the ends of an accuracy's interval, in percent: ``99.28 to 99.58``."""
    return f"{accuracy['low'] * 100:.2f} to {accuracy['high'] * 100:.2f}"
