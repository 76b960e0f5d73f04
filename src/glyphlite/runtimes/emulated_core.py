"""Generated C on an emulated core: cross-compiled for it, run instruction by instruction.

The cores are those of :mod:`glyphlite.cores`; what is counted there is :mod:`glyphlite.evaluation.simulation`'s affair.
"""

from pathlib import Path

import numpy as np

from glyphlite.emulation.machine import machine_of
from glyphlite.emulation.toolchain import Target, compile_and_link, target_named
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples
from glyphlite.runtimes.compiled import FIRMWARE_FLAGS, NAME, Compiled, place_call
from glyphlite.runtimes.compiling import compile_for


class EmulatedCore(Runtime):
    """Generated C on one emulated core.

    Args:
        name: of the runtime, such as cortex_m4: the ``runtime`` of a record of :mod:`glyphlite.cores`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._target = target_named(name)

    def load(self, artifact: Path) -> "EmulatedCoreModel":
        """Compiles an artifact to C and the C to an image of the core's flash.

        Raises:
            ArtifactError: the file is malformed, or the compiler cannot express it.
            ToolError: cross-compiler or emulator are missing (``pip install glyphlite[firmware]``).
        """
        compiled = compile_for(self.name, artifact)
        return EmulatedCoreModel(compiled, self._target)


class EmulatedCoreModel(LoadedModel):
    """A compiled model in the flash of an emulated core."""

    def __init__(self, compiled: Compiled, target: Target) -> None:
        self.ports = compiled.ports
        self._compiled = compiled
        report = compiled.report
        function = f"{NAME}_invoke"
        image = compile_and_link(
            target,
            [compiled.source],
            compiled.path("network.elf"),
            keep=[function, f"{NAME}_reset"] if report.state_bytes else [function],
            optimize=target.optimize,
            flags=FIRMWARE_FLAGS,
        )
        self._function = function
        self._machine = machine_of(image, target)
        self._places = place_call(
            self._machine,
            *compiled.call_parts,
            state_bytes=report.state_bytes,
            arena_bytes=report.arena_bytes if target.dsp else report.plain_arena_bytes,
        )

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs stored samples; see :meth:`LoadedModel.run`."""
        places = self._places
        if places.state is not None and not resume:
            self._machine.call(f"{NAME}_reset", places.state)
        results = self._machine.call_batch(
            self._function,
            places.arguments,
            self._compiled.stored(samples),
            places.inputs,
            places.outputs,
            places.output_bytes,
            progress=progress,
        )
        return self._compiled.restored(results.view(np.int8), samples)

    def close(self) -> None:
        """Releases the emulator and its image."""
        self._machine.close()
        self._compiled.close()
