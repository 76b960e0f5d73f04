"""Generated C against LiteRT (XNNPACK, one thread) on this host: one image at a time, and a whole test split.

    python benchmarks/host_inference.py

One image at a time: a call of the generated function through ctypes against ``Interpreter.invoke`` on a file with batch 1;
copying the image in and the scores out is left out on both sides. The test split: calls of ``NAME_invoke_many`` against LiteRT
on the same weights with a free batch, each with as many images a call as is fastest for it, copies left out too; and what
``--engine c`` calls for 2,048 images against LiteRT's batch of 256. They take turns, block by block, and least processor times
are compared, so that a busy machine changes little. The C is built by gcc, once for this very processor (-O3 -march=native),
once with AVX2 alone, and once as a distribution would (-O2). Beside them stands the peak: what a small loop in registers
reaches in multiply-accumulates of bytes. Writes benchmarks/results/host_inference.json.
"""

import argparse
import ctypes
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common.artifacts import REFERENCE, SEPARABLE, artifact_of, cache_folder
from rich.console import Console
from rich.table import Table

from glyphlite.compiler import compile_artifact
from glyphlite.console import quiet_tensorflow, say
from glyphlite.datasets.registry import load_dataset
from glyphlite.emulation.toolchain import compile_shared, host_compiler
from glyphlite.files.single import write_json
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.runtimes.generated_c import GeneratedC

BUILDS = {"native": ("-O3", "-march=native"), "avx2": ("-O3", "-mavx2"), "plain": ("-O2",)}
PRETRAINED = ("glyph-4kflash", "glyph-4k", "glyph-16kflash", "glyph-64k", "glyph-50kmac")
BATCHES = (32, 256, 2048)
ENGINE_IMAGES = 2048
BLOCK_S = 0.004

_PEAK = """
#include <stdint.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif
#define KEPT(value) "+v"(value)
#if defined(__AVX512VNNI__)
#define BYTES 64
typedef __m512i vector;
#define ADD(sums, a, b) _mm512_dpbusd_epi32(sums, a, b)
#define SAME(byte) _mm512_set1_epi8(byte)
#elif defined(__AVX2__)
#define BYTES 16
typedef __m256i vector;
#define ADD(sums, a, b) _mm256_add_epi32(sums, _mm256_madd_epi16(a, b))
#define SAME(byte) _mm256_set1_epi16(byte)
#elif defined(__SSE2__)
#include <emmintrin.h>
#define BYTES 8
typedef __m128i vector;
#define ADD(sums, a, b) _mm_add_epi32(sums, _mm_madd_epi16(a, b))
#define SAME(byte) _mm_set1_epi16(byte)
#undef KEPT
#define KEPT(value) "+x"(value)
#else
#define BYTES 1
#undef KEPT
#define KEPT(value) "+r"(value)
typedef int32_t vector;
#define ADD(sums, a, b) ((sums) + (a) * (b))
#define SAME(byte) (byte)
#endif
/* The multiply-accumulates of `rounds` rounds, none of which waits for another. */
int64_t peak(int32_t rounds, int8_t first, int8_t second, void *result) {
  vector sums[8], a = SAME(first), b = SAME(second);
  for (int i = 0; i < 8; i++) sums[i] = SAME(0);
  for (int32_t round = 0; round < rounds; round++) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      sums[i] = ADD(sums[i], a, b);
      __asm__ volatile("" : KEPT(a), KEPT(b));
    }
  }
  for (int i = 0; i < 8; i++) ((vector *)result)[i] = sums[i];
  return (int64_t)rounds * 8 * BYTES;
}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="*", default=[*REFERENCE, SEPARABLE, *PRETRAINED])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "host_inference.json")
    options = parser.parse_args()
    quiet_tensorflow()
    images = load_dataset("mnist").test.images
    rows = []
    for model in options.models:
        say(model)
        rows.append(_measure(model, images, options.rounds))
    peak = _peak()
    _print(rows, peak)
    versions = {"compiler": host_compiler().version(), "litert": _litert_version(), "processor": _processor()}
    means = {kind: _mean(rows, kind) for kind in ("one", "split")}
    document = {"images": len(images), "versions": versions, "peak_gmacs": peak, "geometric_mean": means, "rows": rows}
    write_json(options.output, {"schema": 1, **document})
    return 0


def _measure(model: str, images: np.ndarray, rounds: int) -> dict[str, Any]:
    stored = np.ascontiguousarray((images.astype(np.int16) - 128).astype(np.int8).reshape(len(images), -1))
    with tempfile.TemporaryDirectory() as folder:
        artifact, free = (_pretrained(model), _pretrained(model)) if model in PRETRAINED else (artifact_of(model), None)
        ours = {name: _Generated(artifact, Path(folder) / name, flags) for name, flags in BUILDS.items()}
        single = _LiteRT(artifact, 1, stored)
        batched = {size: _LiteRT(free or artifact_of(model, batch=None), size, stored) for size in BATCHES}
        classes = {name: build.run(stored).argmax(axis=1) for name, build in ours.items()}
        for name, found in classes.items():  # XNNPACK rounds otherwise, but a class that differs would be a wrong benchmark
            agreeing = float(np.mean(found[:500] == single.classes(stored[:500])))
            if agreeing < 0.99:
                raise SystemExit(f"{model}: {name} and LiteRT agree on {agreeing:.1%} of the images only")
        one = {"litert": single.invoke, **{name: build.caller(stored[0]) for name, build in ours.items()}}
        singles = _interleaved(one, rounds)
        calls: dict[Any, Callable[[], object]] = {("litert", size): each.invoke for size, each in batched.items()}
        calls |= {(name, size): build.batch_caller(stored[:size]) for name, build in ours.items() for size in BATCHES}
        with GeneratedC().load(artifact) as engine:
            calls["engine", ENGINE_IMAGES] = lambda: engine.compute(stored[:ENGINE_IMAGES])
            each = {key: seconds / key[1] for key, seconds in _interleaved(calls, max(5, rounds // 3)).items()}
    wholes = {name: min(each[name, size] for size in BATCHES) for name in ("litert", *ours)}
    best = min(BATCHES, key=lambda size: each["litert", size])
    row: dict[str, Any] = {
        "model": model,
        "macs": ours["native"].macs,
        "litert_batch": best,
        "many_bytes": ours["native"].many_bytes,
    }
    for kind, times, theirs in (("one_us", singles, singles["litert"]), ("split_us", wholes, wholes["litert"])):
        row[kind] = {"litert": theirs * 1e6, **{name: times[name] * 1e6 for name in BUILDS}}
        row[kind.replace("_us", "_ratio")] = {name: theirs / times[name] for name in BUILDS}
    row["engine_us"] = each["engine", ENGINE_IMAGES] * 1e6
    row["engine_ratio"] = each["litert", 256] / each["engine", ENGINE_IMAGES]
    return row


def _interleaved(calls: dict[Any, Callable[[], object]], rounds: int) -> dict[Any, float]:
    """The least seconds of processor time of a call of each, block after block in turn."""
    repeats = {}
    for name, call in calls.items():
        call()
        start = time.thread_time()
        call()
        repeats[name] = max(1, round(BLOCK_S / max(time.thread_time() - start, 1e-7)))
    times: dict[Any, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            count = repeats[name]
            start = time.thread_time()
            for _ in range(count):
                call()
            times[name].append((time.thread_time() - start) / count)
    return {name: min(found) for name, found in times.items()}


def _pretrained(model: str) -> Path:
    """The int8 file of a pretrained model; LiteRT takes many images of it by resizing its input."""
    return pretrained_artifact(model)


def _mean(rows: list[dict[str, Any]], kind: str) -> float:
    """The geometric mean of the models' ratios."""
    return math.exp(sum(math.log(row[f"{kind}_ratio"]["native"]) for row in rows) / len(rows))


def _peak() -> dict[str, float]:
    """Thousand millions of multiply-accumulates of bytes a second, of each build: the most that its instructions give."""
    found = {}
    folder = cache_folder("benchmark-peak")
    (folder / "peak.c").write_text(_PEAK)
    for name, flags in BUILDS.items():
        library = ctypes.CDLL(str(compile_shared([folder / "peak.c"], folder / f"peak_{name}.so", flags=flags)))
        library.peak.restype = ctypes.c_int64
        result = ctypes.create_string_buffer(8 * 64 + 64)
        aligned = ctypes.c_void_p(-(-ctypes.addressof(result) // 64) * 64)
        rates = []
        for _ in range(9):
            start = time.thread_time()
            macs = library.peak(ctypes.c_int32(1_000_000), ctypes.c_int8(3), ctypes.c_int8(5), aligned)
            rates.append(macs / (time.thread_time() - start) / 1e9)
        found[name] = max(rates)
    return found


class _Generated:
    """Generated C in a library, called through ctypes."""

    def __init__(self, artifact: Path, folder: Path, flags: tuple[str, ...]) -> None:
        report = compile_artifact(artifact, folder, name="net")
        library = compile_shared([folder / "net.c"], folder / "net.so", flags=(*flags, "-DNET_MANY=1"), include=[folder])
        self._library = ctypes.CDLL(str(library))
        self._output_bytes = report.output_bytes
        self.macs = report.macs
        self.many_bytes = report.many_bytes
        self._arena = np.zeros(report.many_bytes // 4, np.uint32)  # enough for one image, too

    def caller(self, image: np.ndarray) -> Callable[[], object]:
        """A call of one inference."""
        source, result = ctypes.create_string_buffer(image.tobytes(), image.size), ctypes.create_string_buffer(self._output_bytes)
        function, arena = self._library.net_invoke, ctypes.c_void_p(self._arena.ctypes.data)
        return lambda: function(source, result, arena)

    def batch_caller(self, images: np.ndarray) -> Callable[[], object]:
        """A call that runs them all."""
        results = np.zeros((len(images), self._output_bytes), np.int8)
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (images, results))
        source, result = pointers
        function, arena = self._library.net_invoke_many, ctypes.c_void_p(self._arena.ctypes.data)
        return lambda: (function(source, result, ctypes.c_int32(len(images)), arena), results)

    def run(self, images: np.ndarray) -> np.ndarray:
        """The scores of images, int8."""
        results = np.zeros((len(images), self._output_bytes), np.int8)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (images, results)]
        self._library.net_invoke_many(*pointers, ctypes.c_int32(len(images)), ctypes.c_void_p(self._arena.ctypes.data))
        return results


class _LiteRT:
    """LiteRT with its default delegate (XNNPACK) on one thread."""

    def __init__(self, artifact: Path, batch: int, stored: np.ndarray) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_path=str(artifact), num_threads=1)
        self._port = self._interpreter.get_input_details()[0]
        shape = tuple(int(extent) for extent in self._port["shape"][1:])
        if batch > 1:
            self._interpreter.resize_tensor_input(self._port["index"], (batch, *shape))
        self._interpreter.allocate_tensors()
        self._shape = shape
        self._interpreter.set_tensor(self._port["index"], stored[:batch].reshape(batch, *shape))
        self.invoke = self._interpreter.invoke

    def classes(self, images: np.ndarray) -> np.ndarray:
        """The class of each image, one at a time."""
        found, output = [], self._interpreter.get_output_details()[0]["index"]
        for image in images:
            self._interpreter.set_tensor(self._port["index"], image.reshape(1, *self._shape))
            self._interpreter.invoke()
            found.append(int(self._interpreter.get_tensor(output).argmax()))
        return np.array(found)


def _print(rows: list[dict[str, Any]], peak: dict[str, float]) -> None:
    table = Table(title="Microseconds an image, and how many times faster generated C is")
    each = ("C native", "times", "C AVX2", "times", "C -O2", "times")
    headings = ("model", "LiteRT", *each, "LiteRT split", *each)
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for row in rows:
        cells = [row["model"]]
        for kind in ("one", "split"):
            times, ratios = row[f"{kind}_us"], row[f"{kind}_ratio"]
            cells += [f"{times['litert']:.2f}"]
            for build in BUILDS:
                cells += [f"{times[build]:.2f}", f"{ratios[build]:.2f}"]
        table.add_row(*cells)
    Console(width=170).print(table)
    for kind, words in (("one", "one image at a time"), ("split", "the whole test split")):
        ratios = [row[f"{kind}_ratio"]["native"] for row in rows]
        mean = _mean(rows, kind)
        print(f"{words}: {min(ratios):.2f} to {max(ratios):.2f} times as fast as LiteRT, {mean:.2f} in the geometric mean")
    engine = ", ".join(f"{row['model']} {row['engine_ratio']:.2f}" for row in rows)
    print(f"--engine c on 2,048 images, times as fast as LiteRT's batch of 256: {engine}")
    best = max(row["macs"] / row["split_us"]["native"] / 1000 for row in rows)
    peaks = ", ".join(f"{name} {value:.0f}" for name, value in peak.items())
    print(f"peak of int8 in 1e9 multiply-accumulates a second: {peaks}; reached: {best:.0f}")


def _litert_version() -> str:
    from importlib.metadata import version

    return version("ai-edge-litert")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main())
