"""Latency of one inference on this host: the median of many, after a warm-up, by a monotonic nanosecond clock.

A figure of this machine and this moment, unlike every other in a report. Timed is the inference alone: the input is in place.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.runtimes.base import LoadedModel, stored_images

LEAST_REPEATS = 31
MOST_REPEATS = 200_000
WARM_UP_SECONDS = 0.05


@dataclass(frozen=True)
class Latency:
    """Median and quartiles of one inference, in microseconds, over ``repeats`` timed ones."""

    median_us: float
    lower_quartile_us: float
    upper_quartile_us: float
    repeats: int


def latency_of(durations_us: Sequence[float] | np.ndarray) -> Latency:
    """Summarizes durations in microseconds; the median, since a burst of other work on the machine barely moves it."""
    lower, median, upper = (float(each) for each in np.percentile(durations_us, [25, 50, 75]))
    return Latency(median, lower, upper, len(durations_us))


def measure_latency(
    invoke: Callable[[], object], *, seconds: float = 0.5, clock: Callable[[], int] = time.perf_counter_ns
) -> Latency:
    """Times a call in this process again and again.

    Args:
        invoke: one inference.
        seconds: for how long to repeat it, at least 31 times in any case.
        clock: monotonic nanoseconds.
    """
    warm_until = clock() + int(WARM_UP_SECONDS * 1e9)
    invoke()
    while clock() < warm_until:
        invoke()
    durations: list[int] = []
    end = clock()
    until = end + int(seconds * 1e9)
    while end < until or len(durations) < LEAST_REPEATS:
        start = clock()
        invoke()
        end = clock()
        durations.append(end - start)
    return latency_of(np.asarray(durations) / 1e3)


def runtime_latency(model: LoadedModel, image: np.ndarray, convention: InputConvention, *, seconds: float = 0.5) -> Latency:
    """Times a loaded model's inference of one image where the model runs, be that a process of its own.

    Args:
        model: a model loaded in any runtime.
        image: uint8 ``(height, width, channels)``: a real image, since blank ones can be quicker.
        convention: how the model takes a pixel.
        seconds: about how long to repeat it, at least 31 times in any case.
    """
    stored = stored_images(image[np.newaxis], convention, model.input)[0]
    warm_up = model.time_inferences(stored, LEAST_REPEATS)
    repeats = int(seconds / max(float(np.median(warm_up)), 1e-7))
    return latency_of(np.asarray(model.time_inferences(stored, min(max(repeats, LEAST_REPEATS), MOST_REPEATS))) * 1e6)


def keras_latency(model: Any, image: np.ndarray, *, seconds: float = 0.5) -> Latency:
    """Times one call of a Keras model on one image, traced with ``tf.function``: the quickest plain way to call it from Python.

    TensorFlow uses the threads it likes: it cannot be held to one after it has started.

    Args:
        model: a Keras model.
        image: one image as the model takes it, without the batch.
        seconds: for how long to repeat it.
    """
    import tensorflow as tf

    traced = tf.function(lambda batch: model(batch, training=False))
    batch = tf.constant(image[np.newaxis])
    return measure_latency(lambda: traced(batch), seconds=seconds)
