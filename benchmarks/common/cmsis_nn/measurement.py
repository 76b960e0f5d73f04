"""A model on CMSIS-NN on one emulated core: built, run on every input, counted on some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.cmsis_nn.harness import Harness
from common.cmsis_nn.kernels import Kernels
from glyphlite.emulation.elf import Footprint
from glyphlite.emulation.machine import Machine, machine_of
from glyphlite.emulation.measurement import Measurement
from glyphlite.emulation.toolchain import Target, compile_and_link
from glyphlite.tflite.graph import Graph

_STRANGE_CORE = {
    "arm_acle.h": "#pragma once\n",
    "cmsis_compiler.h": (
        "#pragma once\n"
        "#define __ASM __asm\n"
        "#define __INLINE inline\n"
        "#define __STATIC_INLINE static inline\n"
        "#define __STATIC_FORCEINLINE __attribute__((always_inline)) static inline\n"
        "#define __RESTRICT __restrict\n"
        "#define __CLZ(x) ((x) ? (unsigned)__builtin_clz(x) : 32u)\n"
    ),
}
"""Headers in place of Arm's for a core that is none of theirs: the kernels' portable C needs no more of them."""


@dataclass(frozen=True)
class Competitor:
    """A measured model.

    Attributes:
        measurements: one for each input that was counted.
        footprint: of the image.
        arena_bytes: activations, input and output among them, and scratch, as they share one arena.
        scratch_bytes: the largest scratch of a layer.
        plain_instructions: what of the first measurement's instructions plain C took, for want of a kernel; by function.
        outputs: of every input, int8 ``(n, bytes)``.
    """

    measurements: tuple[Measurement, ...]
    footprint: Footprint
    arena_bytes: int
    scratch_bytes: int
    plain_instructions: dict[str, int]
    outputs: np.ndarray

    @property
    def instructions(self) -> int:
        """Returns the mean of what was counted."""
        return round(float(np.mean([each.instructions for each in self.measurements])))

    @property
    def memory(self) -> dict[str, int]:
        """Returns what it takes of flash and RAM, under the names that result files have."""
        return {
            "code_bytes": self.footprint.code_bytes,
            "constant_bytes": self.footprint.constant_bytes,
            "arena_bytes": self.arena_bytes,
            "scratch_bytes": self.scratch_bytes,
            "stack_bytes": self.stack_bytes,
            "ram_bytes": self.ram_bytes,
        }

    @property
    def stack_bytes(self) -> int:
        """Returns the deepest stack that was measured."""
        return max(each.stack_bytes for each in self.measurements)

    @property
    def ram_bytes(self) -> int:
        """Returns all that must be writable: the arena and the stack."""
        return self.arena_bytes + self.stack_bytes


def measure(graph: Graph, inputs: np.ndarray, target: Target, folder: Path, kernels: Kernels, *, measured: int = 1) -> Competitor:
    """Builds a model's layers on CMSIS-NN for a core, at -O3, runs it on every input and counts some.

    Args:
        graph: of ops that the harness has a call for.
        inputs: int8 ``(n, ...)``, each the model's input.
        target: the core.
        folder: where to build.
        kernels: the version of CMSIS-NN.
        measured: how many of the inputs, from the first on, are counted.

    Raises:
        RuntimeError: an op has no call here, or CMSIS-NN refuses a layer.
    """
    harness = Harness(graph, kernels)
    (folder / "math.h").write_text("#pragma once\n")  # included there, never used by these kernels
    if target.architecture != "arm":
        for name, text in _STRANGE_CORE.items():
            (folder / name).write_text(text)
    with _build(harness.source(None), ["scratch_needed"], target, folder, kernels) as machine:
        scratch = [max(0, machine.call("scratch_needed", layer)) for layer in range(harness.layers)]
    layout = harness.plan(scratch)
    with _build(harness.source(layout), ["run", "arena"], target, folder, kernels) as machine:
        arena = machine.image.symbol("arena").address
        if target.architecture == "avr":
            arena &= 0xFFFF  # above it the image says which memory
        measurements, outputs = [], []
        for index, values in enumerate(inputs):
            machine.write(arena + layout.input_offset, values.astype(np.int8))
            if index < measured:
                measurements.append(machine.measure("run"))
                result = measurements[-1].result
            else:
                result = machine.call("run")
            if result != 0:
                raise RuntimeError(f"CMSIS-NN refused layer {result - 1}")
            outputs.append(np.frombuffer(machine.read(arena + layout.output_offset, layout.output_bytes), np.int8))
        plain = {name: measurements[0].inclusive.get(name, 0) for name in harness.plain_functions}
        return Competitor(
            tuple(measurements), machine.image.footprint(), layout.arena_bytes, max(scratch, default=0), plain, np.array(outputs)
        )


def _build(source: str, keep: Sequence[str], target: Target, folder: Path, kernels: Kernels) -> Machine:
    path = folder / "harness.c"
    path.write_text(source)
    image = compile_and_link(
        target,
        [path, *kernels.files],
        folder / f"{target.name}.elf",
        keep=list(keep),
        optimize=target.optimize if target.architecture == "avr" else "-O3",
        flags=("-w",),
        include=[folder, *kernels.include],
        timeout_s=600,
    )
    return machine_of(image, target)
