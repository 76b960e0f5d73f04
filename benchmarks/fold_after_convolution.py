"""Counts how often a MUL or an ADD with a constant per channel could be folded into the convolution before it, no byte changed.

    python benchmarks/fold_after_convolution.py FOLDER

For every .tflite file below a folder: of each such op behind a convolution, and of each MUL with the ADD behind it, the channels
for which one multiplication, one addition and one rounding give the bytes of both steps, over every sum that the convolution can
reach, or over every byte that the op can read. A clamp at either end is free.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.ir import Node, consumers
from glyphlite.compiler.lower import lower
from glyphlite.compiler.ops.elementwise.binary import Binary
from glyphlite.compiler.ops.matrix.convolution import Convolution
from glyphlite.console import say
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import read_graph

BYTES = np.arange(256)


def main() -> None:
    """Prints the counts of a folder's files."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("folder", type=Path)
    found, files = Counter[str](), 0
    for path in sorted(arguments.parse_args().folder.rglob("*.tflite")):
        try:
            counts = Counter(kind for kind in counted(path))
        except ArtifactError:
            continue
        files += bool(counts)
        found += counts
    say(f"{files} files with such ops")
    for kind in ("into the convolution, over its sums", "MUL and ADD, over every byte"):
        say(f"{kind}: {found[kind + ', one step']} of {found[kind]} channels")


def counted(path: Path) -> Iterator[str]:
    """Yields what is tried of each channel of a file, and once more where one step gives the same."""
    program = lower(read_graph(path))
    makers, uses = {node.output.index: node for node in program.nodes}, consumers(program)
    for node in program.nodes:
        before = makers.get(node.inputs[0].index) if node.inputs else None
        if before is None or uses[before.output.index] > 1 or not _is_by_channel(node):
            continue
        answers = _answers(node)
        if isinstance(before, Convolution) and before.table is None:
            kind = "into the convolution, over its sums"
            steps = _sums(before)
            functions = (answers[:, channel % answers.shape[1]] for channel in range(before.output.channels))
            tried = zip(functions, steps, strict=True)
        elif _is_by_channel(before) and before.output.shape == node.output.shape:
            kind = "MUL and ADD, over every byte"
            first = _answers(before)
            both = max(answers.shape[1], first.shape[1])
            tried = (
                (answers[first[:, channel % first.shape[1]], channel % answers.shape[1]], BYTES[:, np.newaxis].repeat(2, 1))
                for channel in range(both)
            )
        else:
            continue
        for function, ends in tried:
            yield kind
            if is_one_step(function, ends):
                yield f"{kind}, one step"


def _is_by_channel(node: Node | None) -> bool:
    """Returns whether it is an op with a constant for each channel."""
    return isinstance(node, Binary) and node.constant is not None and node.constant.shape[:2] == (1, 1) and node.table is None


def _answers(node: Node) -> np.ndarray:
    """Returns what an op makes of every byte, uint8 ``(256, constants)``."""
    assert isinstance(node, Binary)
    assert node.constant is not None
    pair = BYTES[:, np.newaxis], node.constant.reshape(1, -1)
    return node.result(*(pair[::-1] if node.constant_first else pair))


def _sums(node: Convolution) -> Iterator[np.ndarray]:
    """Yields of each channel the least and the largest sum that is scaled to each byte, int64 ``(256, 2)``; (1, 0) of none."""
    scaling = node.requantization
    zero_point = node.inputs[0].zero_point
    for channel, weights in enumerate(node.weights.astype(np.int64).reshape(node.output.channels, -1)):
        multiplier, shift = (values[channel % len(values)] for values in (scaling.output_multipliers, scaling.output_shifts))
        products = np.stack([weights * -zero_point, weights * (255 - zero_point)])
        low, high = (int(edge.sum() + node.bias[channel]) for edge in (products.min(axis=0), products.max(axis=0)))
        least, beyond = np.full(256, low), np.full(256, high + 1)
        while (least < beyond).any():  # the first sum whose byte is no less, by halves
            middle = (least + beyond) // 2
            scaled = arithmetic.multiply_by_quantized_multiplier(middle, multiplier, shift) + scaling.output_offset
            reached = np.clip(scaled, scaling.activation_min, scaling.activation_max) >= BYTES
            least, beyond = np.where(reached | (least == beyond), least, middle + 1), np.where(reached, middle, beyond)
        yield np.stack([least, np.append(least[1:], high + 1) - 1], axis=1)


def is_one_step(answers: np.ndarray, ends: np.ndarray) -> bool:
    """Returns whether ``floor(a * x + b)`` with a clamp gives the answers.

    Args:
        answers: by byte.
        ends: the first and the last x of each byte; none where the first is the larger.
    """
    there = ends[:, 0] <= ends[:, 1]
    values, first, last = answers[there].astype(float), ends[there, 0].astype(float), ends[there, 1].astype(float)
    if len(values) < 3 or values[0] > values[-1]:
        values, first, last = values[::-1], -last[::-1], -first[::-1]
    if (np.diff(values) < 0).any():
        return False
    low, high = values.min(), values.max()
    above, below = values > low, values < high  # where the line must not be under the answer, or over it

    def room(slope: float) -> float:
        """Returns how much the line of a slope may be moved; below 0 where it fits nowhere."""
        starts = values[above] - slope * first[above]
        limits = values[below] + 1 - slope * last[below]
        return float(limits.min(initial=np.inf) - starts.max(initial=-np.inf))

    inner = above & below
    if inner.sum() < 2:
        return True
    left, right = 0.0, 4 * (float(np.ptp(values[inner])) + 1) / max(last[inner][-1] - first[inner][0], 1.0)
    for _ in range(200):  # it is concave in the slope
        one, other = left + (right - left) / 3, right - (right - left) / 3
        if room(one) < room(other):
            left = one
        else:
            right = other
    return room((left + right) / 2) > 0


if __name__ == "__main__":
    main()
