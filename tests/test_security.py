"""SECURITY.md: its limits are the code's, its tests exist, and what is in data is not run."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets import idx
from glyphlite.datasets.own import archives, layout, tables
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError
from glyphlite.export.web import server
from glyphlite.files import untrusted
from glyphlite.models import hdf5, stored
from glyphlite.models.definition import reading
from glyphlite.preprocessing import pictures
from glyphlite.runtimes.device import frames
from glyphlite.runtimes.isolation import parent, worker
from glyphlite.tflite import reader

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text()
UNITS = {"s": 1, "MiB": 1 << 20, "GiB": 1 << 30, "": 1}

LIMITS = {
    "a .tflite file": reader.MAX_FILE_BYTES,
    "a .keras or .h5 file; its configuration; its layers": (stored.LARGEST_FILE, stored.LARGEST_CONFIG, stored.MOST_LAYERS),
    "reading the weights of a small one: processor time; memory (more with its size)": (hdf5.SECONDS, hdf5.MEMORY_BYTES),
    "a JSON or TOML document; a model's TOML file": (untrusted.LARGEST_DOCUMENT, reading.LARGEST_FILE),
    "a frame from a serial port": frames.LARGEST,
    "what a compressed file unpacks to": (untrusted.LARGEST_RATIO, untrusted.UNFOLDED_FREE),
    "memory of an interpreter's process": worker.MEMORY_BYTES,
    "processor time of one piece of work in an interpreter": parent.CPU_SECONDS,
    "a picture's file": pictures.MAX_FILE_BYTES,
    "a picture's pixels": pictures.MAX_PIXELS,
    "the arrays of an .npz": archives.MAX_BYTES,
    "the content of an IDX file": idx.MAX_BYTES,
    "the text of a table": tables.MAX_CONTENT,
    "pictures in a folder": layout.MAX_PICTURES,
    "a request to `glyphlite draw`": server._REQUEST_SECONDS,
}


def test_the_limits_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (.+?) \| (\d.*?) \|$", PAGE, re.MULTILINE)
    said = {
        name: [
            float(number.replace(",", "")) * UNITS[unit] for number, unit in re.findall(r"(\d[\d,.]*) ?(MiB|GiB|s\b|)", values)
        ]
        for name, values in rows
    }
    assert said == {name: list(limit) if isinstance(limit, tuple) else [limit] for name, limit in LIMITS.items()}


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`((?:tests|campaigns)/[\w/.]*)`", PAGE)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("name", ["data.npz", "data.pkl", "x_train.npy"])
def test_a_pickle_in_a_data_set_is_refused_and_not_run(name: str, tmp_path: Path) -> None:
    canary, folder = tmp_path / "canary", tmp_path / "data"
    folder.mkdir()
    bombs = np.array([Bomb(canary)] * 4, dtype=object)
    labels = np.arange(4)
    if name.endswith(".npz"):
        np.savez(folder / name, allow_pickle=True, x_train=bombs, y_train=labels, x_test=bombs, y_test=labels)
    elif name.endswith(".npy"):
        np.save(folder / name, bombs, allow_pickle=True)
        np.save(folder / "y_train.npy", labels)
    else:
        (folder / name).write_bytes(pickle.dumps(Bomb(canary)))
    with pytest.raises(DataError):
        load_dataset(str(folder if name.endswith(".npy") else folder / name))
    assert not canary.exists()
    pickle.loads(pickle.dumps(Bomb(canary)))
    assert canary.exists(), "whoever unpickles it runs it"
