"""Compile a model to C, the C to a program, and run inputs through it: arena full of rubbish, guard bytes around every buffer.

Built with gcc's address and undefined-behaviour sanitizers, without recovery: what they find is an error with their own words.
"""

import atexit
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from glyphlite.compiler import compile_graph
from glyphlite.emulation.toolchain import Compiler, compile_program, host_compiler
from glyphlite.tflite.graph import Graph
from random_models.calls import calling

FLAGS = ("-O0", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
"""Without optimization: it takes half the time, and the sanitizers see at least as much."""
TRAPS = (*FLAGS, "-fsanitize-undefined-trap-on-error", "--param=asan-instrumentation-with-call-threshold=0")
"""Undefined behaviour ends the process without a word, and accesses are checked in the sanitizer's functions: both make the
build shorter. What was stopped is then built again with :data:`FLAGS`, for the words.
"""


def _features() -> frozenset[str]:
    """What this processor has, as Linux names it."""
    description = Path("/proc/cpuinfo")
    return frozenset(description.read_text().split()) if description.exists() else frozenset()


AVX = {
    "avx2": ("avx2",),
    "avx_vnni": ("avx2", "avx_vnni"),
    "avx512_vnni": ("avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni"),
}
"""The builds for x86 with wide vectors, by the features that each needs."""


OPTIMIZE = ("speed", "size", "ram")

# Generated C takes one of its paths by the compiler's macros. All run here: host_acle has the DSP intrinsics in portable C.
ACLE = Path(__file__).parents[1] / "host_acle"
MANY = ("-DNET_MANY=1",)
"""Hosts ask for the function that computes many images at once."""

PATHS: dict[str, tuple[str, ...]] = {
    "plain": ("-DNET_PLAIN=1", *MANY),
    "dsp": ("-D__ARM_FEATURE_DSP=1", "-D__ARM_FEATURE_SIMD32=1", f"-I{ACLE}"),
    "v6m": ("-DNET_PLAIN=1", "-D__ARM_ARCH_6M__=1"),
    **({"sse2": MANY} if platform.machine() in ("x86_64", "AMD64") else {}),
    **{
        name: (*MANY, *(f"-m{feature.replace('_', '')}" for feature in features))
        for name, features in AVX.items()
        if _features().issuperset(features)
    },
}

_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"
enum { GUARD = 64 };
static int damaged(const unsigned char *guard, int value) {
  for (int i = 0; i < GUARD; i++) if (guard[i] != (unsigned char)value) return 1;
  return 0;
}
@CALL@
/* Inputs from standard input, answers to standard output; 0, or 2 when a guard zone or the input was written to. */
int main(void) {
  static struct { unsigned char before[GUARD]; net_arena_t arena; unsigned char after[GUARD]; } ram;
  static _Alignas(4) signed char source[IN_BYTES], input[IN_BYTES], result[OUT_BYTES];
  for (int i = 0; fread(source, 1, IN_BYTES, stdin) == IN_BYTES; i++) {
    memset(&ram, 37 * i + 11, sizeof ram);
    memset(result, 91 * i + 5, sizeof result);
    memcpy(input, source, IN_BYTES);
    call(input, result, &ram.arena);
    fwrite(result, 1, OUT_BYTES, stdout);
    if (damaged(ram.before, 37 * i + 11) || damaged(ram.after, 37 * i + 11) || memcmp(source, input, IN_BYTES)) return 2;
  }
  return 0;
}
"""


class UnsafeError(AssertionError):
    """A sanitizer stopped the generated code, or it wrote outside its arena or into its input."""


def run_generated(
    graph: Graph,
    inputs: np.ndarray,
    folder: Path,
    *,
    optimize: str = "speed",
    path: str = "plain",
    compiler: Compiler | None = None,
    flags: tuple[str, ...] = TRAPS,
) -> np.ndarray:
    """What the generated C of a graph answers.

    Args:
        graph: a validated model.
        inputs: int8 or int16 ``(n, ...)`` as the C takes them, or the bytes of all inputs of the model one after the other.
        folder: an empty one, for the generated files and the program.
        optimize: the compiler's setting.
        path: which of :data:`PATHS`.
        compiler: which C compiler; the host's preferred one when None.
        flags: its flags.

    Returns:
        The bytes that the C gives of all outputs, one after the other: int8 ``(n, bytes)``.

    Raises:
        ArtifactError: glyphlite's compiler refuses the graph.
        ToolError: the C compiler refuses the code.
        UnsafeError: undefined behaviour, or a byte written that is not the generated code's to write.
    """
    compilation = compile_graph(graph, "net", optimize=optimize)
    compilation.write(folder)
    report = compilation.report
    (folder / "main.c").write_text(_MAIN.replace("@CALL@", calling(report, "call")))
    sizes = (f"-DIN_BYTES={report.input_bytes}", f"-DOUT_BYTES={report.output_bytes}")
    compiler = compiler or host_compiler()
    stored = np.ascontiguousarray(inputs, inputs.dtype if inputs.dtype == np.int16 else np.int8).tobytes()

    def finish(flags: tuple[str, ...]) -> "subprocess.CompletedProcess[bytes]":
        whole = (*flags, "-std=c11", *PATHS[path])
        program = compile_program(
            [folder / "net.c", folder / "main.c"],
            folder / "net",
            compiler=compiler,
            flags=(*whole, *sizes, *intrinsics_read(compiler, whole)),
            include=[folder],
        )
        return subprocess.run([program], input=stored, capture_output=True, timeout=300, check=False)

    finished = finish(flags)
    if finished.returncode < 0 and flags is TRAPS:
        finished = finish(FLAGS)
    if finished.returncode:
        words = [line for line in finished.stderr.decode(errors="replace").splitlines() if "error" in line.lower()]
        raise UnsafeError(
            words[0] if words else f"exit status {finished.returncode}: it wrote into its input or beyond its arena"
        )
    return np.frombuffer(finished.stdout, np.int8).reshape(len(inputs), -1)


@cache
def intrinsics_read(compiler: Compiler, flags: tuple[str, ...]) -> tuple[str, ...]:
    """Returns what makes gcc take <immintrin.h> as it was read once: for the builds that include it, reading takes longest."""
    if compiler.name != "gcc" or "-mavx2" not in flags:
        return ()
    folder = Path(tempfile.mkdtemp(prefix="glyphlite-headers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    header = folder / "intrinsics.h"
    header.write_text("#include <immintrin.h>\n")
    compile_program([header], folder / "intrinsics.h.gch", compiler=compiler, flags=flags)
    return ("-include", str(header))
