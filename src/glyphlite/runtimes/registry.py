"""The runtimes by name, and the question every table asks of each: does it take this file?

One record per runtime; each is imported only when it is asked for.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.cores import CORES
from glyphlite.errors import ArtifactError, GlyphliteError, OutputError, ToolError, did_you_mean
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.runtimes.base import Acceptance, Runtime, predict_probabilities
from glyphlite.runtimes.ports import classifier
from glyphlite.runtimes.refusals import NotStartedError, RefusedError


@dataclass(frozen=True)
class RuntimeRecord:
    """A runtime: what it is called, and where its class is.

    Attributes:
        name: on the command line and in results.
        title: in a table.
        place: ``module:class``, imported when the runtime is asked for. The class takes the name where ``takes_name``.
        interprets: it reads a .tflite file at run time, in a child process unless told otherwise.
    """

    name: str
    title: str
    place: str
    takes_name: bool = False
    interprets: bool = False

    def create(self, **options: Any) -> Runtime:
        """Returns a runtime of this kind, in this process; ``options`` are its class's own."""
        module, _, kind = self.place.partition(":")
        create = getattr(import_module(module), kind)
        return create(*([self.name] if self.takes_name else []), **options)


def _litert(name: str, kernels: str) -> RuntimeRecord:
    return RuntimeRecord(name, f"LiteRT, {kernels}", "glyphlite.runtimes.litert:LiteRT", takes_name=True, interprets=True)


RUNTIMES = {
    record.name: record
    for record in (
        RuntimeRecord("keras", "Keras (float)", "glyphlite.runtimes.keras:Keras"),
        _litert("litert", "XNNPACK"),
        _litert("litert_builtin", "built-in kernels"),
        _litert("litert_reference", "reference kernels"),
        RuntimeRecord("tflm", "TFLite Micro", "glyphlite.runtimes.tflm:TFLiteMicro", interprets=True),
        RuntimeRecord("generated_c", "generated C", "glyphlite.runtimes.generated_c:GeneratedC"),
        *(
            RuntimeRecord(
                core.runtime, f"generated C on {core.title}", "glyphlite.runtimes.emulated_core:EmulatedCore", takes_name=True
            )
            for core in CORES
        ),
    )
}
"""Every runtime by name, the float source first, the bare metal last: a new one is a new record and its file."""

RUNTIME_NAMES = tuple(RUNTIMES)

INTERPRETERS = tuple(record.name for record in RUNTIMES.values() if record.interprets)
"""Those that read a .tflite file at run time."""


FLOAT_TFLITE = "float_tflite"
"""What a record calls a float .tflite file that an artifact is held against; it runs on LiteRT's built-in kernels."""

FLOAT_SOURCES = ("keras", FLOAT_TFLITE)
"""What an artifact was converted from, as records call it."""

BOARD = RuntimeRecord("device", "the board", "glyphlite.runtimes.device.board:Board")
"""A board on a serial port: none of those above, since it needs a port and holds one file's firmware."""

GENERATED = (*(name for name in RUNTIMES if name == "generated_c" or name in {core.runtime for core in CORES}), BOARD.name)
"""Those that run generated C, whose outputs are TFLite Micro's byte for byte."""


def runtime_title(name: str) -> str:
    """Returns a runtime's name in a table; an unknown one is itself."""
    if name == FLOAT_TFLITE:
        return "float .tflite"
    if name == BOARD.name:
        return BOARD.title
    return RUNTIMES[name].title if name in RUNTIMES else name


def runtime_words(name: str) -> str:
    """Returns a runtime's name in a sentence: without a comma, since names stand in lists."""
    return runtime_title(name).replace(", ", " with ")


def get_runtime(name: str, *, isolated: bool = True) -> Runtime:
    """Returns the runtime of that name.

    Args:
        name: one of ``RUNTIME_NAMES``.
        isolated: run the interpreters in a child process, where a hostile file can do no harm;
            False only for files of our own making.

    Raises:
        ToolError: there is no such runtime.
    """
    if name not in RUNTIMES:
        known = ", ".join(RUNTIMES)
        raise ToolError(f"there is no runtime {name!r}{did_you_mean(name, RUNTIMES)}; choose one of {known}")
    if isolated and RUNTIMES[name].interprets:
        from glyphlite.runtimes.isolation.parent import Isolated

        return Isolated(name)
    return RUNTIMES[name].create()


def accepts(name: str, path: Path, *, isolated: bool = True) -> Acceptance:
    """Returns whether a runtime takes a file, found by loading it and running a blank image.

    Args:
        name: one of ``RUNTIME_NAMES``.
        path: the artifact; a bad or hostile file is a refusal with its reason, never an exception.
        isolated: as for :func:`get_runtime`.

    Raises:
        ToolError: there is no such runtime, or no child process starts.
    """
    return acceptance_of(get_runtime(name, isolated=isolated), Path(path))


def acceptance_of(runtime: Runtime, path: Path) -> Acceptance:
    """Returns whether a runtime takes a file; see :func:`accepts`."""
    runs = False
    try:
        with runtime.load(path) as model:
            model.run([np.zeros((1, *port.shape), port.dtype) for port in model.inputs])
            runs = True
            if runtime.name == "tflm" and model.ports.batch != 1:
                reason = f"its batch is fixed to {model.ports.batch}, expected 1 on TFLite Micro; convert it with --batch 1"
                return Acceptance(False, reason, runs=True)
            classifier(model.ports)
            return Acceptance(True, runs=True)
    except RefusedError as error:
        return Acceptance(False, error.reason)
    except (OutputError, NotStartedError):  # the disk's or the machine's, not the runtime's
        raise
    except GlyphliteError as error:
        return Acceptance(False, str(error), runs=runs)


def probabilities_of(path: Path, images: np.ndarray, convention: InputConvention, runtime: str = "litert") -> np.ndarray:
    """Runs uint8 images ``(n, ...)`` through an artifact on a runtime; returns probabilities, float32 ``(n, classes)``.

    Raises:
        ArtifactError: the runtime refuses the file.
    """
    with get_runtime(runtime).load(Path(path)) as model:
        if int(np.prod(model.input.shape)) != int(np.prod(images.shape[1:])):
            raise ArtifactError(f"{path} takes images of shape {list(model.input.shape)}, the data has {list(images.shape[1:])}")
        return predict_probabilities(model, images, convention)
