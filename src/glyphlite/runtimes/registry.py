"""The runtimes by name, and the question every table asks of each: does it take this file?

Imports a runtime only when it is asked for.
"""

from pathlib import Path

import numpy as np

from glyphlite.errors import ArtifactError, GlyphliteError, ToolError, did_you_mean
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.runtimes.base import Acceptance, Runtime, predict_probabilities
from glyphlite.runtimes.ports import check_image
from glyphlite.runtimes.refusals import NoClassifierError, RefusedError

INTERPRETERS = ("litert", "litert_builtin", "litert_reference", "tflm")
"""Those that read a .tflite file at run time."""

CORES = ("cortex_m0", "cortex_m3", "cortex_m4", "cortex_m7", "cortex_m33", "rv32imc")
"""Emulated cores that run the generated C."""

RUNTIME_NAMES = ("keras", *INTERPRETERS, "generated_c", *CORES)
"""Every runtime, the float source first, the bare metal last."""

TITLES = {
    "keras": "Keras (float)",
    "litert": "LiteRT, XNNPACK",
    "litert_builtin": "LiteRT, built-in kernels",
    "litert_reference": "LiteRT, reference kernels",
    "tflm": "TFLite Micro",
    "generated_c": "generated C",
    "cortex_m0": "generated C on Cortex-M0",
    "cortex_m3": "generated C on Cortex-M3",
    "cortex_m4": "generated C on Cortex-M4",
    "cortex_m7": "generated C on Cortex-M7",
    "cortex_m33": "generated C on Cortex-M33",
    "rv32imc": "generated C on RV32IMC",
}
"""What a table calls each runtime."""


def runtime_title(name: str) -> str:
    """Returns a runtime's name in a table; an unknown one is itself."""
    return TITLES.get(name, name)


def runtime_words(name: str) -> str:
    """Returns a runtime's name in a sentence: without a comma, since names stand in lists."""
    return runtime_title(name).replace(", ", " with ")


def cpu_title(cpu: str) -> str:
    """Returns a core's name for people: ``cortex-m4`` is ``Cortex-M4``; an unknown one is itself."""
    return TITLES.get(cpu.replace("-", "_"), cpu).removeprefix("generated C on ")


def get_runtime(name: str, *, isolated: bool = True) -> Runtime:
    """Returns the runtime of that name.

    Args:
        name: one of ``RUNTIME_NAMES``.
        isolated: run the interpreters in a child process, where a hostile file can do no harm;
            False only for files of our own making.

    Raises:
        ToolError: there is no such runtime.
    """
    if name in INTERPRETERS and isolated:
        from glyphlite.runtimes.isolation.parent import Isolated

        return Isolated(name)
    if name == "tflm":
        from glyphlite.runtimes.tflm import TFLiteMicro

        return TFLiteMicro()
    if name in INTERPRETERS:
        from glyphlite.runtimes.litert import LiteRT

        return LiteRT(name)
    if name == "keras":
        from glyphlite.runtimes.keras import Keras

        return Keras()
    if name == "generated_c":
        from glyphlite.runtimes.generated_c import GeneratedC

        return GeneratedC()
    if name in CORES:
        from glyphlite.runtimes.emulated_core import CortexM

        return CortexM(name)
    raise ToolError(f"there is no runtime {name!r}{did_you_mean(name, RUNTIME_NAMES)}; choose one of {', '.join(RUNTIME_NAMES)}")


def accepts(name: str, path: Path, *, isolated: bool = True) -> Acceptance:
    """Returns whether a runtime takes a file, found by loading it and running a blank image.

    Args:
        name: one of ``RUNTIME_NAMES``.
        path: the artifact; a bad or hostile file is a refusal with its reason, never an exception.
        isolated: as for :func:`get_runtime`.

    Raises:
        ToolError: there is no such runtime.
    """
    runtime = get_runtime(name, isolated=isolated)
    runs = False
    try:
        with runtime.load(Path(path)) as model:
            model.predict(np.zeros((1, *model.input.shape), model.input.dtype))
            runs = True
            check_image(model.input)
            return Acceptance(True, runs=True)
    except NoClassifierError as error:
        return Acceptance(False, error.reason, runs=True)
    except RefusedError as error:
        return Acceptance(False, error.reason)
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
