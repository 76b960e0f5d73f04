"""Common parts of the runtimes of generated C: an artifact compiled into a folder, and its edges as the artifact's own types.

Knows the compiler and arrays; how the C is built and run is the runtimes' affair.
"""

import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite.compiler import CompilationReport, compile_artifact
from glyphlite.errors import ArtifactError
from glyphlite.files import temporary_folder
from glyphlite.runtimes import ports
from glyphlite.runtimes.base import Samples
from glyphlite.runtimes.ports import Ports
from glyphlite.runtimes.refusals import RefusedError
from glyphlite.tflite.quantization import Quantization, dequantize, quantize
from glyphlite.tflite.reader import read_graph

NAME = "network"
"""The name that a model is compiled under when only we read it."""

FIRMWARE_OPTIMIZE = "-O2"
FIRMWARE_FLAGS = ("-fno-unroll-loops",)
"""How generated C is built for a core: its hot loops carry pragmas that unroll them, the others stay small."""


@dataclass(frozen=True)
class Compiled:
    """Generated C in a folder of its own, which goes with it, and the ports of the artifact that it came from."""

    folder: Path
    close: Callable[[], object]
    report: CompilationReport
    ports: Ports

    @property
    def source(self) -> Path:
        """Returns the C file of the model."""
        return self.folder / "c" / f"{self.report.name}.c"

    def path(self, name: str) -> Path:
        """Returns a place in the folder for what is built from the C."""
        return self.folder / name

    def stored(self, samples: Samples) -> np.ndarray:
        """Returns what the artifact's input holds as the int8 that the C takes, ``(n, input_bytes)``."""
        [batch] = ports.check_batches(samples, self.ports.inputs)
        if self.report.input_kind == "uint8":
            batch = (batch.astype(np.int16) - 128).astype(np.int8)
        elif self.report.input_kind == "float32":
            quantization = Quantization((self.report.input_scale,), (self.report.input_zero_point,))
            batch = quantize(batch, quantization, np.dtype(np.int8))
        return np.ascontiguousarray(batch.reshape(len(batch), -1))

    def restored(self, results: np.ndarray) -> np.ndarray:
        """Returns the int8 that the C gives as what the artifact's output holds."""
        results = results.reshape(len(results), *self.ports.outputs[0].shape)
        if self.report.output_kind == "uint8":
            return (results.astype(np.int16) + 128).astype(np.uint8)
        if self.report.output_kind == "float32":
            return dequantize(results, Quantization((self.report.output_scale,), (self.report.output_zero_point,)))
        return results


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
