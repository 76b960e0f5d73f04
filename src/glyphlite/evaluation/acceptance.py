"""The interpreters' acceptance of a file, asked of each; inspect, evaluate and run all get it from here."""

from contextlib import suppress
from pathlib import Path

from glyphlite.errors import ArtifactError, ToolError
from glyphlite.records import RuntimeReport


def ask_runtimes(path: Path, *, arena: bool = True) -> dict[str, RuntimeReport]:
    """Asks each interpreter for a file, by trying it in child processes.

    Args:
        path: the file; it is not trusted, and whatever it does to a runtime is that runtime's answer, never an exception.
        arena: also search the smallest arena that TFLite Micro accepts, where it runs the file; about a second.

    Returns:
        A report per runtime, by name.

    Raises:
        ToolError: no child process starts, so that nothing is known.
    """
    from glyphlite.runtimes.registry import INTERPRETERS, accepts

    reports = {}
    for name in INTERPRETERS:
        answer = accepts(name, path)
        report = RuntimeReport(accepts=answer.accepts, runs=answer.runs, reason=answer.reason, arena_bytes=answer.arena_bytes)
        reports[name] = _with_arena(report, path) if arena and name == "tflm" and report.runs else report
    return reports


def _with_arena(report: RuntimeReport, path: Path) -> RuntimeReport:
    """Adds what the search for TFLite Micro's arena finds; what it cannot find in its time stays unknown."""
    from glyphlite.runtimes.tflm_arena import measure_arena

    with suppress(ArtifactError, ToolError):
        found = measure_arena(path).report()
        return found.model_copy(update={"accepts": report.accepts, "runs": report.runs, "reason": report.reason})
    return report
