"""Many images through one artifact: on one processor where that takes a moment, on all of them where it takes long.

A runtime computes on one thread, as a microcontroller would; the images of a test split do not wait for each other.
"""

import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.runtimes.base import LoadedModel, predict_probabilities
from glyphlite.runtimes.registry import get_runtime

LONG_SECONDS = 2.0
"""Work of fewer seconds than this does not pay for loading the artifact once more."""

SAMPLE_IMAGES = 8
MOST_PROCESSORS = 8


def predict_split(
    model: LoadedModel,
    path: Path,
    images: np.ndarray,
    convention: InputConvention,
    *,
    runtime: str = "litert",
    progress: Callable[[int], None] | None = None,
    long_seconds: float = LONG_SECONDS,
    processors: int | None = None,
) -> np.ndarray:
    """Runs images through a loaded artifact, and through copies of it on the other processors if that would take long.

    Args:
        model: the artifact, loaded in ``runtime``.
        path: the artifact, to be loaded again.
        images: uint8 ``(n, height, width, channels)``.
        convention: how the model takes a pixel.
        runtime: where copies are loaded; one whose models compute in a process of their own.
        progress: called with the number of images just finished, from several threads if need be.
        long_seconds: how long the work may take before it is shared.
        processors: how many to share it among; by default those that this process may use, eight at most.

    Returns:
        float32 probabilities ``(n, classes)``, in the order of the images.

    Raises:
        ArtifactError: the artifact does not survive the work.
    """
    started = time.perf_counter()
    first = predict_probabilities(model, images[:SAMPLE_IMAGES], convention, progress)
    rest = images[SAMPLE_IMAGES:]
    expected_seconds = (time.perf_counter() - started) / max(len(first), 1) * len(rest)
    shares = min(processors or _usable_processors(), len(rest)) if expected_seconds > long_seconds else 1
    if shares <= 1:
        found = [predict_probabilities(model, rest, convention, progress)] if len(rest) else []
        return np.concatenate([first, *found])
    with ExitStack() as stack:
        copies = [stack.enter_context(get_runtime(runtime).load(path)) for _ in range(shares - 1)]
        pool = stack.enter_context(ThreadPoolExecutor(shares))
        found = pool.map(
            predict_probabilities,
            [model, *copies],
            np.array_split(rest, shares),
            itertools.repeat(convention),
            itertools.repeat(progress),
        )
        return np.concatenate([first, *found])


def _usable_processors() -> int:
    """Returns the processors that this process may use, at most eight."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_PROCESSORS)
