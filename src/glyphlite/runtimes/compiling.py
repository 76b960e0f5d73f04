"""Compilation of an artifact for a runtime that runs generated C, into a folder that lives as long as the model."""

import weakref
from contextlib import ExitStack
from pathlib import Path

from glyphlite.compiler.compile import compile_artifact
from glyphlite.errors import ArtifactError
from glyphlite.files.scratch import temporary_folder
from glyphlite.runtimes import ports
from glyphlite.runtimes.compiled import NAME, Compiled
from glyphlite.runtimes.refusals import RefusedError
from glyphlite.tflite.reader import read_graph


def compile_for(runtime: str, artifact: Path, *, optimize: str = "speed") -> Compiled:
    """Compiles an artifact into a temporary folder.

    Raises:
        ArtifactError: the file is malformed, or the compiler cannot express it.
    """
    artifact = Path(artifact)
    graph = read_graph(artifact)
    try:
        taken = ports.of_graph(graph)
        lifetime = ExitStack()
        folder = lifetime.enter_context(temporary_folder())
        report = compile_artifact(artifact, folder / "c", name=NAME, optimize=optimize)
    except ArtifactError as error:
        raise RefusedError(artifact.name, runtime, str(error)) from None
    compiled = Compiled(folder, lifetime.close, report, taken)
    weakref.finalize(compiled, lifetime.close)
    return compiled
