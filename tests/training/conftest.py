"""A small piece of the true MNIST, and trainings in child processes that can be killed."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.training import trainer


def _first(split: Split, count: int) -> Split:
    return Split(split.images[:count], split.labels[:count])


@pytest.fixture(scope="session")
def few(mnist) -> Dataset:
    """4,100 training images: two whole chunks of batches of 128 and a last, smaller batch; 600 to validate on."""
    return replace(mnist, train=_first(mnist.train, 4_100), validation=_first(mnist.validation, 600), test=_first(mnist.test, 10))


@pytest.fixture(scope="session")
def child():
    """Start a function in a process of its own, TensorFlow already imported there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow", "keras"])

    def start(function, *arguments):
        process = context.Process(target=function, args=arguments)
        process.start()
        return process

    return start


@pytest.fixture
def stopped(monkeypatch):
    """Within ``stopped(calls)``, the chunk of a training in this process after so many raises KeyboardInterrupt.

    Every chunk leaves a checkpoint, there and for the rest of the test.
    """
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)

    @contextmanager
    def stopped(calls: int) -> Iterator[None]:
        run, left = trainer.TrainingLoop.run, [calls]

        def limited(self, *arguments):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return run(self, *arguments)

        with monkeypatch.context() as context:
            context.setattr(trainer.TrainingLoop, "run", limited)
            yield

    return stopped


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "run"
