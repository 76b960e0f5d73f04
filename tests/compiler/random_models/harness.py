"""Compile a model to C, the C to a library, and run inputs through it: arena full of rubbish, guard bytes around every buffer.

Undefined behaviour stops the process (UBSan's traps need no runtime library), so who goes on after a failure runs this in a
child.
"""

import ctypes
from pathlib import Path

import numpy as np

from glyphlite.compiler import compile_graph
from glyphlite.runtimes.toolchain import Compiler, compile_shared
from glyphlite.tflite.graph import Graph

FLAGS = ("-O1", "-w", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error", "-fno-sanitize-recover=all")
OPTIMIZE = ("speed", "size", "ram")

# Generated C takes one of three paths by the core's macros. All three run here: host_acle has the DSP intrinsics in portable C.
ACLE = Path(__file__).parents[1] / "host_acle"
PATHS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "dsp": ("-D__ARM_FEATURE_DSP=1", "-D__ARM_FEATURE_SIMD32=1", f"-I{ACLE}"),
    "v6m": ("-D__ARM_ARCH_6M__=1",),
}

_BATCH = """\
#include <string.h>
#include "net.h"
enum { GUARD = 64 };
static int damaged(const unsigned char *guard, int value) {
  for (int i = 0; i < GUARD; i++) if (guard[i] != (unsigned char)value) return 1;
  return 0;
}
/* 0, or the number of the first call after which a guard zone differs. */
int batch(const signed char *in, signed char *out, int calls) {
  static struct { unsigned char before[GUARD]; net_arena_t arena; unsigned char after[GUARD]; } ram;
  static signed char source[IN_BYTES], result[OUT_BYTES + GUARD];
  for (int i = 0; i < calls; i++) {
    memset(&ram, 37 * i + 11, sizeof ram);
    memset(result, 91 * i + 5, sizeof result);
    memcpy(source, in + (long)i * IN_BYTES, IN_BYTES);
    net_invoke(source, result, &ram.arena);
    memcpy(out + (long)i * OUT_BYTES, result, OUT_BYTES);
    if (damaged(ram.before, 37 * i + 11) || damaged(ram.after, 37 * i + 11)) return i + 1;
    if (damaged((unsigned char *)result + OUT_BYTES, 91 * i + 5)) return i + 1;
    if (memcmp(source, in + (long)i * IN_BYTES, IN_BYTES)) return i + 1;
  }
  return 0;
}
"""


class GuardError(AssertionError):
    """Generated code wrote outside its arena or output, or into its input."""


def run_generated(
    graph: Graph,
    inputs: np.ndarray,
    folder: Path,
    *,
    optimize: str = "speed",
    path: str = "plain",
    compiler: Compiler | None = None,
    flags: tuple[str, ...] = FLAGS,
) -> np.ndarray:
    """What the generated C of a graph answers.

    Args:
        graph: a validated model.
        inputs: int8 ``(n, ...)``.
        folder: an empty one, for the generated files and the library.
        optimize: the compiler's setting.
        path: which of :data:`PATHS`.
        compiler: which C compiler; the host's preferred one when None.
        flags: its flags.

    Returns:
        int8 ``(n, elements)``.

    Raises:
        ArtifactError: glyphlite's compiler refuses the graph.
        ToolError: the C compiler refuses the code.
        GuardError: a byte was written that is not the generated code's to write.
    """
    for name, content in compile_graph(graph, "net", optimize=optimize).files.items():
        (folder / name).write_text(content)
    (folder / "batch.c").write_text(_BATCH)
    taken, given = graph.input.elements, graph.output.elements
    sizes = (f"-DIN_BYTES={taken}", f"-DOUT_BYTES={given}")
    library = compile_shared(
        [folder / "net.c", folder / "batch.c"],
        folder / "net.so",
        compiler=compiler,
        flags=(*flags, "-std=c11", *sizes, *PATHS[path]),
        include=[folder],
    )
    batch = ctypes.CDLL(str(library)).batch
    stored = np.ascontiguousarray(inputs, np.int8)
    answers = np.zeros((len(stored), given), np.int8)
    call = batch(stored.ctypes.data_as(ctypes.c_void_p), answers.ctypes.data_as(ctypes.c_void_p), len(stored))
    if call:
        raise GuardError(f"call {call - 1} wrote outside its arena or output, or into its input")
    return answers
