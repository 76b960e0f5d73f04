"""One model through TFLite Micro and through generated C, whatever the model: equal, refused by one, or different.

TFLite Micro runs in a forked child, as it may die of a model that its own checks let pass.
"""

import os
import signal
import tempfile
from pathlib import Path

import numpy as np

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph
from random_models.harness import UnsafeError, run_generated
from random_models.inputs import draw_inputs, edge_of, from_model, to_model
from random_models.oracle import Oracle, RefusedError, undefined

SECONDS = 20
SOUND = ("equal", "not read", "not compiled", "not defined", "refused by TFLite Micro", "fatal in TFLite Micro")
FAULTS = ("different", "unsafe")
"""Possible outcomes of a model: "not defined" means that TFLite Micro accepts it but leaves its result to chance; faults are
those of the generated C."""
_REFUSED = 3


def compare(content: bytes, *, inputs: int = 24, seed: int = 0, optimize: str = "speed", path: str = "plain") -> tuple[str, str]:
    """Compare both on the same inputs.

    Args:
        content: a .tflite file.
        inputs: how many.
        seed: draws them.
        optimize: as the compiler's.
        path: as :func:`random_models.harness.run_generated`.

    Returns:
        One of :data:`SOUND` or :data:`FAULTS`, and words on it.
    """
    try:
        graph = parse_graph(content, "model")
    except ArtifactError as error:
        return "not read", str(error)
    if reason := undefined(graph):
        return "not defined", reason
    with tempfile.TemporaryDirectory() as folder:
        try:
            compile_graph(graph, "net", optimize=optimize)  # before the inputs: they need scales that a refused model may lack
            stored = draw_inputs(seed, inputs, graph.input.shape[1:], edge_of(graph)[0].zero_point)
            got = run_generated(graph, stored, Path(folder), optimize=optimize, path=path)
        except ArtifactError as error:
            return "not compiled", str(error)
        except UnsafeError as error:
            return "unsafe", str(error)
    expected = _ask(content, graph, stored)
    if isinstance(expected, str):
        return expected, ""
    if np.array_equal(got, expected):
        return "equal", ""
    return "different", f"{(got != expected).mean():.0%} of {got.size} bytes"


def _ask(content: bytes, graph: Graph, stored: np.ndarray) -> np.ndarray | str:
    """TFLite Micro's answers as generated C gives them, or why there are none."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            signal.alarm(SECONDS)
            with os.fdopen(writing, "wb") as stream:
                stream.write(from_model(graph, Oracle(content).run(to_model(graph, stored))).astype(np.int8).tobytes())
            os._exit(0)
        except RefusedError:
            os._exit(_REFUSED)
        except BaseException:  # a child of a test never returns into it
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answers = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == _REFUSED:
        return "refused by TFLite Micro"
    if code or len(answers) != len(stored) * graph.output.elements:
        return "fatal in TFLite Micro"
    return np.frombuffer(answers, np.int8).reshape(len(stored), -1)
