"""The runtimes' acceptance of a file, asked of each runtime; inspect, evaluate and run all get it from here."""

from contextlib import suppress
from pathlib import Path

from glyphlite.errors import ArtifactError, GlyphliteError, ToolError
from glyphlite.records import RuntimeReport
from glyphlite.tflite.graph import Graph


def ask_runtimes(path: Path, *, arena: bool = True, graph: Graph | None = None) -> dict[str, RuntimeReport]:
    """Asks each runtime for a file: the interpreters by trying it in child processes, the compiler by compiling it to C.

    Args:
        path: the file; it is not trusted, and whatever it does to a runtime is that runtime's answer, never an exception.
        arena: also search the smallest arena that TFLite Micro accepts, where it runs the file; about a second.
        graph: what the reader made of the file; the compiler is asked only where it is given.

    Returns:
        A report per runtime, by name.
    """
    from glyphlite.runtimes.registry import INTERPRETERS, accepts

    reports = {}
    for name in INTERPRETERS:
        answer = accepts(name, path)
        report = RuntimeReport(accepts=answer.accepts, runs=answer.runs, reason=answer.reason, arena_bytes=answer.arena_bytes)
        reports[name] = _with_arena(report, path) if arena and name == "tflm" and report.runs else report
    if graph is not None:
        reports["generated_c"] = _ask_compiler(graph)
    return reports


def objection_to(graph: Graph) -> str | None:
    """Returns why a file is no image classifier, told from its inputs and outputs; None where it is one."""
    from glyphlite.runtimes import ports

    try:
        ports.classifier(ports.of_graph(graph))
    except ArtifactError as error:
        return str(error)
    return None


def _with_arena(report: RuntimeReport, path: Path) -> RuntimeReport:
    """Adds what the search for TFLite Micro's arena finds; what it cannot find in its time stays unknown."""
    from glyphlite.runtimes.tflm_arena import measure_arena

    with suppress(ArtifactError, ToolError):
        found = measure_arena(path).report()
        return found.model_copy(update={"accepts": report.accepts, "runs": report.runs, "reason": report.reason})
    return report


def _ask_compiler(graph: Graph) -> RuntimeReport:
    from glyphlite.compiler.compile import compile_graph

    try:
        compilation = compile_graph(graph, "network")
    except GlyphliteError as error:
        return RuntimeReport(accepts=False, runs=False, reason=str(error))
    reason = objection_to(graph)
    return RuntimeReport(accepts=reason is None, runs=True, reason=reason, arena_bytes=compilation.report.arena_bytes)
