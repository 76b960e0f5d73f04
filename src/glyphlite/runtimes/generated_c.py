"""Generated C on this host: compiled with the compiler that is here, loaded, a whole batch in one call.

The C comes from a validated graph, is free of undefined behaviour (the tests build it with sanitizers) and works in an arena
that it is given; it runs in this process.
"""

import _ctypes
import ctypes
from pathlib import Path

import numpy as np

from glyphlite.emulation.toolchain import compile_shared, host_compiler
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples
from glyphlite.runtimes.compiled import NAME, Compiled, offsets, room_of
from glyphlite.runtimes.compiling import compile_for

FLAGS = ("-O3", "-march=native")
"""Vectorized for this machine: the library never leaves it."""

PIECE = 1024
"""Images a call: enough that its overhead vanishes, little enough for progress."""

_BATCH = f"""#include "{NAME}.h"

void {NAME}_batch(const int8_t *inputs, int8_t *outputs, int32_t count, {NAME}_arena_t *arena, void *state);

void {NAME}_batch(const int8_t *inputs, int8_t *outputs, int32_t count, {NAME}_arena_t *arena, void *state) {{
    (void)state;
    for (int32_t i = 0; i < count; ++i) {{
        {NAME}_invoke(ARGUMENTS, MEMORY);
        inputs += INPUT_BYTES;
        outputs += OUTPUT_BYTES;
    }}
}}
"""


_MANY = f"""#include "{NAME}.h"

#include <string.h>

void {NAME}_batch(const int8_t *inputs, int8_t *outputs, int32_t count, {NAME}_many_t *memory, void *state);

/* Outputs are written side by side, then moved to where they belong, the last first. */
void {NAME}_batch(const int8_t *inputs, int8_t *outputs, int32_t count, {NAME}_many_t *memory, void *state) {{
    (void)state;
    {NAME}_invoke_many((const void *)inputs, (void *)outputs, count, memory);
    for (int32_t i = count - 1; i > 0; --i) {{
        memmove(outputs + OUTPUT_BYTES * i, outputs + OWN_BYTES * i, OWN_BYTES);
    }}
}}
"""


class GeneratedC(Runtime):
    """Generated C on this host.

    Args:
        compiler: "gcc", "clang" or "zig"; by default the first that is here.
        flags: options for it.
        optimize: what the C is optimized for, "speed", "size" or "ram".
    """

    name = "generated_c"

    def __init__(self, compiler: str | None = None, flags: tuple[str, ...] = FLAGS, optimize: str = "speed") -> None:
        self._compiler, self._flags, self._optimize = compiler, flags, optimize

    def load(self, artifact: Path) -> "GeneratedCModel":
        """Compiles an artifact to C, the C to a library, and loads it.

        Raises:
            ArtifactError: the file is malformed, or the compiler cannot express it.
            ToolError: no C compiler is here (``pip install glyphlite[firmware]`` brings one).
        """
        compiler = host_compiler(self._compiler)
        compiled = compile_for(self.name, artifact, optimize=self._optimize)
        batch = compiled.path("batch.c")
        batch.write_text(_batch(compiled))
        library = compile_shared(
            [compiled.source, batch],
            compiled.path("network.so"),
            compiler=compiler,
            flags=(*self._flags, f"-D{NAME.upper()}_MANY=1"),
            include=[compiled.source.parent],
        )
        return GeneratedCModel(compiled, library)


def _batch(compiled: Compiled) -> str:
    """Returns the C of a call for a batch, whose inputs and outputs lie one after the other: at once where that can be."""
    inputs, outputs = compiled.call_parts
    if compiled.report.many_bytes and len(inputs) == len(outputs) == 1 and room_of(inputs) == inputs[0]:
        return _MANY.replace("OUTPUT_BYTES", str(room_of(outputs))).replace("OWN_BYTES", str(outputs[0]))
    arguments = [f"(const void *)(inputs + {at})" for at in offsets(inputs)]
    arguments += [f"(void *)(outputs + {at})" for at in offsets(outputs)]
    memory = f"({NAME}_state_t *)state, arena" if compiled.report.state_bytes else "arena"
    sizes = {
        "ARGUMENTS": ", ".join(arguments),
        "MEMORY": memory,
        "INPUT_BYTES": str(room_of(inputs)),
        "OUTPUT_BYTES": str(room_of(outputs)),
    }
    text = _BATCH
    for word, value in sizes.items():
        text = text.replace(word, value)
    return text


class GeneratedCModel(LoadedModel):
    """A compiled model in this process."""

    def __init__(self, compiled: Compiled, library: Path) -> None:
        self.ports = compiled.ports
        self._compiled = compiled
        self._library: ctypes.CDLL | None = ctypes.CDLL(str(library))
        self._batch = self._library[f"{NAME}_batch"]
        self._batch.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p]
        self._batch.restype = None
        self._state = np.zeros(compiled.report.state_bytes // 4 + 1, np.uint32)
        self._reset = self._library[f"{NAME}_reset"] if compiled.report.state_bytes else None
        if self._reset is not None:
            self._reset.argtypes, self._reset.restype = [ctypes.c_void_p], None
        memory = max(compiled.report.plain_arena_bytes, compiled.report.many_bytes)
        self._arena = np.zeros(memory // 4 + 1, np.uint32)

    @property
    def arena_bytes(self) -> int:
        """Returns the bytes  of working memory that the model is given."""
        return self._compiled.report.plain_arena_bytes

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs stored samples; see :meth:`LoadedModel.run`."""
        stored = self._compiled.stored(samples)
        if self._reset is not None and not resume:
            self._reset(self._state.ctypes.data)
        return self._compiled.restored(self.compute(stored, progress), samples)

    def compute(self, stored: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Runs inputs as the C takes them, int8 ``(n, bytes)``; returns outputs as it gives them, int8 ``(n, bytes)``."""
        results = np.zeros((len(stored), room_of(self._compiled.call_parts[1])), np.int8)
        for start in range(0, len(stored), PIECE):
            piece, target = stored[start : start + PIECE], results[start : start + PIECE]
            self._batch(piece.ctypes.data, target.ctypes.data, len(piece), self._arena.ctypes.data, self._state.ctypes.data)
            if progress:
                progress(len(piece))
        return results

    def close(self) -> None:
        """Unloads the library and removes its folder."""
        library, self._library = self._library, None
        if library is not None:
            _ctypes.dlclose(library._handle)
            self._compiled.close()
