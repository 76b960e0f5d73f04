"""A small piece of the true MNIST, and trainings in child processes that can be killed."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from glyphlite.data.records import Dataset, Split


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
def folder(tmp_path) -> Path:
    return tmp_path / "run"
