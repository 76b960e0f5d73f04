"""One .tflite file, whatever it is for, through everything: the reader, every runtime, generated C on every path and two cores.

Nothing is expected of the file: what a stage refuses, crashes on or differs in is written down, and the next stage goes on.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from glyphlite.compiler.ops import OPS
from glyphlite.errors import ArtifactError, GlyphliteError
from glyphlite.runtimes.compiled import Compiled
from glyphlite.runtimes.compiling import compile_for
from glyphlite.runtimes.ports import Port, Ports
from glyphlite.runtimes.refusals import RefusedError
from glyphlite.runtimes.registry import get_runtime
from glyphlite.runtimes.tflm_arena import measure_arena
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import dequantize
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.folding import COMPUTED_AHEAD
from random_models import guarded
from random_models.differential import FAULTS, examine_on_paths
from random_models.equal_before import EqualBefore
from random_models.harness import PATHS
from random_models.inputs import draw_inputs, edges_of

REFERENCE = "tflm"
COMPILED = ("generated_c", "cortex_m0", "cortex_m4")
"""Runtimes of generated C, which must give the reference's bytes."""
COMPARED = ("litert_builtin", "litert", *COMPILED)
STAGE_SECONDS, WALL_SECONDS = 120.0, 1800.0
SAME_C: dict[str, Any] = {"same_c": True}
"""Ends the stages of a file of which the same C is made as before."""


def try_file(
    content: bytes, *, inputs: int = 12, earlier: Mapping[str, Any] | None = None, before: EqualBefore | None = None
) -> dict[str, Any]:
    """Returns what became of a file.

    Args:
        content: the file; it is not trusted.
        inputs: how many random ones it gets.
        earlier: what became of it under other sources of ours, without a fault: taken where the same C is made of it.
        before: C that was found equal before; it grows.

    Returns:
        ``sha256``, ``bytes``, ``faults`` in words, and as far as it got: ``reads`` (true, or why not), ``int8``, ``ops``,
        ``unsupported``, ``compiles``, ``c_bytes``, ``c_sha256``, ``c_arena_bytes``, ``tflm_arena_bytes``, ``runtimes`` by name
        (bytes that differ from TFLite Micro's and the largest difference, or why it does not run), ``paths`` (an outcome by path
        of the C).
    """
    found: dict[str, Any] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "faults": []}
    [stages] = guarded.each(lambda each: _stages(each, inputs, earlier), [content], memory_bytes=None)
    if earlier is not None and stages and stages[-1] == SAME_C:
        return dict(earlier)
    for stage in stages:
        if isinstance(stage, guarded.Ended):
            found["faults"].append(f"died: {stage.reason}")
        else:
            _merge(found, stage)
    if found.get("compiles") is True:
        verdicts = examine_on_paths([content], PATHS, inputs=inputs, before=before)
        found["paths"] = {path: each.outcome for path, [each] in verdicts.items()}
        found["faults"] += [f"{path}: {outcome}" for path, outcome in found["paths"].items() if outcome in FAULTS]
    return found


def _merge(found: dict[str, Any], stage: Mapping[str, Any]) -> None:
    for key, value in stage.items():
        if key == "faults":
            found["faults"] += value
        elif key == "runtimes":
            found.setdefault("runtimes", {}).update(value)
        else:
            found[key] = value


def _stages(content: bytes, inputs: int, earlier: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yields what each stage finds, in a child that may die of it."""
    guarded.alarm(STAGE_SECONDS, WALL_SECONDS)
    try:
        graph = parse_graph(content, "the file")
    except Exception as error:  # anything but a refusal in one line is a fault
        yield {"reads": str(error), **_fault("reader", error)}
        graph = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        compiled = None
        if graph is not None:
            yield {"reads": True, "int8": is_quantized(graph), **_ops(graph)}
            compiled, words = _compiled(path)
            yield words
            if earlier is not None and words.get("c_sha256", "") == earlier.get("c_sha256"):
                yield SAME_C
                return
        yield from _through_runtimes(path, graph, inputs, compiled)


def is_quantized(graph: Graph) -> bool:
    """Returns whether any activation is int8 or int16 with a scale: the models that generated C is for."""
    activations = (graph.tensors[index] for index in graph.activations)
    return any(tensor.dtype.name in ("int8", "int16") and tensor.quantization is not None for tensor in activations)


def _ops(graph: Graph) -> dict[str, Any]:
    names = {operator.custom_code or operator.name for operator in graph.operators}
    return {"ops": sorted(names), "unsupported": sorted(names - OPS.keys() - COMPUTED_AHEAD)}


def _compiled(path: Path) -> tuple[Compiled | None, dict[str, Any]]:
    """Returns the C of a file in a folder of its own, and words on it."""
    try:
        compiled = compile_for(COMPILED[0], path)
    except RefusedError as error:
        return None, {"compiles": error.reason}
    except Exception as error:
        return None, {"compiles": str(error), **_fault("compiler", error)}
    texts = [each.read_bytes() for each in sorted(compiled.source.parent.glob("*.[ch]"))]
    digest = hashlib.sha256(b"\0".join(texts)).hexdigest()
    sizes = {"c_bytes": sum(map(len, texts)), "c_arena_bytes": compiled.report.arena_bytes}
    return compiled, {"compiles": True, "c_sha256": digest, **sizes}


@contextmanager
def _compiled_once(compiled: Compiled | None) -> Iterator[None]:
    """Lets every runtime of generated C take what was compiled already."""
    if compiled is None:
        yield
        return
    shared = replace(compiled, close=lambda: None)
    with ExitStack() as patches:
        for module in ("generated_c", "emulated_core"):
            patches.enter_context(mock.patch(f"glyphlite.runtimes.{module}.compile_for", return_value=shared))
        yield


def _fault(stage: str, error: Exception) -> dict[str, Any]:
    return {} if isinstance(error, ArtifactError) else {"faults": [f"{stage}: {type(error).__name__}: {error}"]}


def _through_runtimes(path: Path, graph: Graph | None, inputs: int, compiled: Compiled | None) -> Iterator[dict[str, Any]]:
    expected: tuple[np.ndarray, ...] | None = None
    samples: list[np.ndarray] = []
    for name in (REFERENCE, *COMPARED):
        guarded.alarm(STAGE_SECONDS, WALL_SECONDS)
        if compiled is None and name in COMPILED:
            continue
        try:
            with _compiled_once(compiled), get_runtime(name).load(path) as model:
                samples = samples or draw_samples(model.ports, graph, inputs)
                answers = model.run(samples)
        except GlyphliteError as error:
            yield {"runtimes": {name: {"runs": False, "reason": str(error)}}}
        except Exception as error:
            yield {"runtimes": {name: {"runs": False, "reason": str(error)}}, **_fault(name, error)}
        else:
            expected = answers if name == REFERENCE else expected
            found = {"runs": True, **({} if expected is None or name == REFERENCE else difference(expected, answers))}
            differs = name in COMPILED and found.get("differing_bytes")
            yield {
                "runtimes": {name: found},
                **({"faults": [f"{name}: {found['differing_bytes']} bytes differ"]} if differs else {}),
            }
        if name == REFERENCE and expected is not None:
            yield _arena(path)


def _arena(path: Path) -> dict[str, Any]:
    try:
        return {"tflm_arena_bytes": measure_arena(path).host_bytes}
    except GlyphliteError:
        return {}


def draw_samples(ports: Ports, graph: Graph | None, count: int) -> list[np.ndarray]:
    """Returns stored inputs over the whole range of each, extremes first; real ones are what the int8 behind them stands for."""
    inside = edges_of(graph)[0] if graph is not None else [None] * len(ports.inputs)
    return [_drawn(port, count, place, inside[place]) for place, port in enumerate(ports.inputs)]


def _drawn(port: Port, count: int, place: int, inside: Any) -> np.ndarray:
    zero_point = inside.zero_point if inside is not None else 0
    bytes_drawn = draw_inputs(place, count, port.shape, max(-128, min(zero_point, 127)))
    if port.dtype == np.int8:
        return bytes_drawn
    if port.dtype == np.uint8:
        return (bytes_drawn.astype(np.int16) + 128).astype(np.uint8)
    if port.dtype.kind == "f":
        return (dequantize(bytes_drawn, inside) if inside is not None else bytes_drawn / 127).astype(port.dtype)
    if port.dtype.kind == "b":
        return bytes_drawn > 0
    return (bytes_drawn.astype(np.int64) * (257 if port.dtype.itemsize > 1 else 1)).astype(port.dtype)


def difference(expected: tuple[np.ndarray, ...], answers: tuple[np.ndarray, ...]) -> dict[str, Any]:
    """Returns in how many bytes two runtimes differ, of how many, and by how much at most, as stored."""
    pairs = list(zip(expected, answers, strict=True))
    if any(one.shape != other.shape or one.dtype != other.dtype for one, other in pairs):
        return {"output_bytes": 0, "differing_bytes": -1, "largest_difference": None}
    with np.errstate(invalid="ignore", over="ignore"):
        apart = [np.abs(one.astype(np.float64) - other.astype(np.float64)) for one, other in pairs]
    differing = sum(int((one.view(np.uint8) != other.view(np.uint8)).sum()) for one, other in map(_contiguous, pairs))
    return {
        "output_bytes": sum(one.nbytes for one, _ in pairs),
        "differing_bytes": differing,
        "largest_difference": float(max(each.max(initial=0) for each in apart)) if differing else 0.0,
    }


def _contiguous(pair: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(pair[0]), np.ascontiguousarray(pair[1])
