"""Measurement of the memory that TFLite Micro needs for a model: found by trying, broken down as its own allocator reports it.

The search runs in a child process, since TFLite Micro trusts the file and crashes in an arena too small for its first records.
"""

import contextlib
import importlib.util
import json
import math
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from glyphlite.errors import ArtifactError, ToolError
from glyphlite.files.scratch import temporary_folder
from glyphlite.records import ArenaPart, RuntimeReport
from glyphlite.runtimes.refusals import RefusedError, reason_for
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph, read_artifact

LARGEST_ARENA = 1 << 28
"""Bytes tried at most."""

ALIGNMENT = 16
"""Bytes: ``MicroArenaBufferAlignment()`` of ``tensorflow/lite/micro/micro_arena_constants.h``."""

_SECTION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_KIND = re.compile(r"\] '([^']+)' used (\d+) bytes with alignment overhead \(requested \d+ bytes for (\d+)")


@dataclass(frozen=True)
class ArenaMeasurement:
    """The arena of one model.

    Attributes:
        host_bytes: the smallest arena that TFLite Micro accepted on this 64-bit host, and ran an image in.
        margin_bytes: what a target may need more than that; see :func:`target_margin`.
        head_bytes: activations and scratch buffers, which share memory over time.
        tail_bytes: TFLite Micro's own records, which live as long as the interpreter.
        parts: the tail by kind, as ``RecordingMicroAllocator`` prints it.
    """

    host_bytes: int
    margin_bytes: int
    head_bytes: int
    tail_bytes: int
    parts: tuple[ArenaPart, ...]

    @property
    def recommended_bytes(self) -> int:
        """Returns what to give the model on a target: measured on the host, and its margin."""
        return self.host_bytes + self.margin_bytes

    def report(self) -> RuntimeReport:
        """Returns the record for ``results.json``."""
        head = ArenaPart(name="activations and scratch buffers", bytes=self.head_bytes)
        return RuntimeReport(
            accepts=True,
            arena_bytes=self.host_bytes,
            recommended_arena_bytes=self.recommended_bytes,
            arena_breakdown=[head, *self.parts],
        )


def measure_arena(artifact: Path, *, timeout_s: float = 180.0) -> ArenaMeasurement:
    """Finds the smallest arena that TFLite Micro accepts for a file, to its alignment of 16 bytes.

    Args:
        artifact: the .tflite file.
        timeout_s: seconds by the clock for the whole search, which takes about one on an idle machine; each attempt has a limit
            of processor time of its own.

    Raises:
        ArtifactError: the file is malformed, TFLite Micro refuses it in any arena, or the search took too long.
        ToolError: the tflite-micro wheel is not installed (there is one for Linux on x86-64 only).
    """
    artifact = Path(artifact)
    content = read_artifact(artifact)
    graph = parse_graph(content, artifact.name)
    if importlib.util.find_spec("tflite_micro") is None:
        raise ToolError("TFLite Micro's Python wheel is not installed (Linux on x86-64 only): pip install tflite-micro")
    with temporary_folder() as scratch:
        copy = scratch / "model.tflite"  # the bytes that were checked, whatever happens to the file meanwhile
        copy.write_bytes(content)
        answer, printed = _search(copy, artifact.name, timeout_s)
    if answer is None:
        raise RefusedError(artifact.name, "tflm", reason_for(printed, f"more than {LARGEST_ARENA:,} bytes of arena"))
    return _parse(answer, printed, target_margin(graph))


def target_margin(graph: Graph) -> int:
    """Returns the bytes  that a target may need beyond the host's measurement.

    The pointer size asks for none: TFLite Micro's records hold pointers, which on a 32-bit target are half as wide, so that the
    same records only shrink. What a target adds is 16 bytes where the arena is not aligned, and the scratch buffers of kernels
    optimized for it: for CMSIS-NN up to four im2col columns of the largest convolution, each rounded up to 16 elements
    (``arm_convolve_s8_get_buffer_size_mve``; ``arm_convolve_s8_get_buffer_size`` and the DSP paths of depthwise convolution and
    average pooling take less).
    """
    scratch = [4 * _round_up(column, 16) * itemsize for column, itemsize in _columns(graph)]
    return ALIGNMENT + _round_up(max(scratch, default=0), ALIGNMENT)


def _columns(graph: Graph) -> list[tuple[int, int]]:
    """Elements of the input patch behind one output pixel, and bytes of an element, for every op that gathers patches."""
    columns = []
    for operator in graph.operators:
        source = graph.tensors[operator.inputs[0]] if operator.inputs and operator.inputs[0] >= 0 else None
        if source is None or source.dtype.kind != "i":
            continue
        if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            filters = graph.tensors[operator.inputs[1]].shape
            columns.append((math.prod(filters[1:]), source.dtype.itemsize))
        elif operator.name == "AVERAGE_POOL_2D":
            columns.append((source.shape[-1], source.dtype.itemsize))
    return columns


def _search(path: Path, name: str, timeout_s: float) -> tuple[int | None, str]:
    """Returns the child's answer and what TFLite Micro printed in it; the child and all it forked are gone afterwards."""
    command = [sys.executable, "-m", "glyphlite.runtimes.isolation.tflm_arena_child", str(path), str(LARGEST_ARENA)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as child:
        try:
            output, printed = child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise ArtifactError(
                f"{name}: the search for its arena took longer than {timeout_s:g} s; TFLite Micro hangs on it"
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
    words = printed.decode("utf-8", "replace")
    if child.returncode != 0:
        raise RefusedError(name, "tflm", "it crashes TFLite Micro")
    answer = json.loads(output)
    if "too_slow" in answer:
        raise RefusedError(name, "tflm", "a single inference was still computing after 2 s")
    return answer["arena_bytes"], words


def _parse(arena_bytes: int, printed: str, margin: int) -> ArenaMeasurement:
    """Returns the measurement, from what the recording allocator printed in the smallest arena."""
    sections = {name: int(size) for name, size in _SECTION.findall(printed)}
    parts = [ArenaPart(name=name, bytes=int(size), count=int(count)) for name, size, count in _KIND.findall(printed)]
    head, tail = sections.get("head", 0), sections.get("tail", 0)
    rest = tail - sum(part.bytes for part in parts)
    if rest > 0:
        parts.append(ArenaPart(name="TFLite Micro's allocators and memory planner", bytes=rest))
    return ArenaMeasurement(arena_bytes, margin, head, tail, tuple(parts))


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
