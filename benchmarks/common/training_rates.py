"""The rate at which each model trains: CPU seconds an epoch and GFLOP/s, beside a tutorial's code and the processor's peak.

CPU seconds hardly change when others run; each figure is the least of several alternating rounds, as a busy machine only adds.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.models.choice import ModelChoice
from glyphlite.training.engine import network, warp
from glyphlite.training.engine.library import TENSORFLOW

ROUNDS = 5
STEPS = 16
"""In a round: one chunk, as the trainer runs them."""

FLOPS_PER_MAC = 6
"""A multiply and an addition, forward; and twice as many backward: for the gradients of the inputs and of the weights."""


def rates_of(choice: ModelChoice, dataset: Dataset, macs: int) -> dict[str, Any]:
    """Returns how fast a model trains: by its own recipe, by the same recipe in TensorFlow alone, and by a tutorial's code."""
    ours, engine = _ours(choice, dataset)
    ways = {"": ours[0], "tutorial_": _tutorial(choice, dataset)}
    if engine != TENSORFLOW:
        with _without_engine():
            ways["tensorflow_"] = _ours(choice, dataset)[0][0]
            ways["tensorflow_"]()
    seconds = _least_seconds(ways)
    row: dict[str, Any] = {"model": choice.name, "macs": macs, "batch": choice.recipe.batch_size, "engine": engine}
    if ours[1] is not None:
        ours[1]()
        seconds |= _least_seconds({"int8_": ours[0]})
    images = STEPS * choice.recipe.batch_size
    for name, taken in seconds.items():
        row[f"{name}epoch_cpu_seconds"] = round(taken * len(dataset.train) / images, 3)
        row[f"{name}gflops"] = round(macs * FLOPS_PER_MAC * images / taken / 1e9, 1)
    row["ratio"] = round(row["tutorial_epoch_cpu_seconds"] / row["epoch_cpu_seconds"], 2)
    if "tensorflow_epoch_cpu_seconds" in row:
        row["tensorflow_ratio"] = round(row["tensorflow_epoch_cpu_seconds"] / row["epoch_cpu_seconds"], 2)
    return row


def peak_gflops() -> float:
    """Returns what one core of this processor multiplies and adds at most: large products of NumPy's matrices in float32."""
    size = 768
    a, b = np.random.default_rng(0).random((2, size, size), np.float32)
    return round(2 * size**3 / _least_seconds({"": lambda: a @ b}, rounds=20)[""] / 1e9, 1)


def processor_name() -> str:
    """Returns the processor's name and what it multiplies vectors with, as Linux says."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    found = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = found.get("flags", "").split()
    kind = next((words for flag, words in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "no AVX2")
    return f"{found.get('model name', 'unknown')}, {kind}, {os.cpu_count()} cores"


def _ours(choice: ModelChoice, dataset: Dataset) -> tuple[tuple[Callable[[], Any], Callable[[], None] | None], str]:
    """Returns a chunk of steps by the recipe, augmentation and teachers' answers included; what turns int8 on; the engine."""
    from glyphlite.training.batches import Batches
    from glyphlite.training.loop import TrainingLoop

    recipe = choice.recipe
    loop = TrainingLoop(choice, dataset.train, dataset.validation, recipe, seed=0)
    batches = Batches(len(dataset.train), dataset.input_shape[:2], recipe.batch_size, 0, recipe.augmentation)
    chunk = next(batches.epoch(0))
    answers = np.zeros((*chunk.order.shape, choice.classes), np.float16) if recipe.distillation else None
    engine = loop.engine.split(",")[0].split()[0]
    return (lambda: loop.run(chunk, np.full(STEPS, 1e-4), answers), loop.quantize if recipe.quantized_epochs else None), engine


@contextmanager
def _without_engine() -> Iterator[None]:
    """Lets TensorFlow train what is built and first run inside the block, as where no C compiler is found."""
    with patch.object(network, "engine_library", return_value=None), patch.object(warp, "engine_library", return_value=None):
        yield


def _tutorial(choice: ModelChoice, dataset: Dataset) -> Callable[[], Any]:
    """Returns as many images in a tutorial's code: float32 arrays, Adam as it comes, labels alone, nothing augmented."""
    model: Any = choice.build()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    count = STEPS * choice.recipe.batch_size
    images, labels = as_float(dataset.train.images[:count]), dataset.train.labels[:count]
    return lambda: model.fit(images, labels, batch_size=choice.recipe.batch_size, verbose=0)


def _least_seconds(ways: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Returns the least CPU seconds of each of several calls, which alternate; the first, which compiles, is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        call()
    for _ in range(rounds):
        for name, call in ways.items():
            start = time.process_time()
            call()
            seconds[name].append(time.process_time() - start)
    return {name: min(taken) for name, taken in seconds.items()}
