"""The time to read a dataset: Kaggle's table of 42,000 digits, pictures of a folder the first time and from the cache.

    python benchmarks/reading.py

Writes them from MNIST into a temporary folder, measures CPU seconds, and writes benchmarks/results/reading.json and the table of
docs/reference/datasets.md.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
from common.figures import write_pages
from PIL import Image

from glyphlite.console import say
from glyphlite.datasets.registry import load_dataset
from glyphlite.files.single import write_json

RESULT = Path(__file__).parent / "results" / "reading.json"
TABLE, PICTURES, LARGE = 42_000, 10_000, 1_000


def main() -> None:
    """Measure each arrangement."""
    mnist = load_dataset("mnist")
    images, labels = mnist.train.images[..., 0], mnist.train.labels
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        # What is measured as "the first time" must not be in the user's cache.
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        table = root / "train.csv"
        header = ",".join(["label", *(f"pixel{number}" for number in range(784))])
        rows = np.column_stack([labels[:TABLE], images[:TABLE].reshape(TABLE, -1)])
        np.savetxt(table, rows, fmt="%d", delimiter=",", header=header, comments="")
        as_they_are = _save(root / "28x28", images[:PICTURES], labels)
        large = _save(root / "84x84", 255 - images[:LARGE].repeat(3, 1).repeat(3, 2), labels)
        rows = []
        for words, path in (
            (f"CSV of {TABLE:,} digits", table),
            (f"{PICTURES:,} pictures of 28x28", as_they_are),
            ("the same, from the cache", as_they_are),
            (f"{LARGE:,} pictures of 84x84, dark on light", large),
            ("the same, from the cache", large),
        ):
            start = time.process_time()
            load_dataset(str(path))
            rows.append({"data": words, "cpu_seconds": round(time.process_time() - start, 2)})
            say(f"{words}: {rows[-1]['cpu_seconds']:.2f} CPU seconds")
    write_json(RESULT, {"schema": 1, "rows": rows})
    write_pages()


def _save(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    """Writes pictures into class-named folders."""
    for number, image in enumerate(images):
        path = folder / str(labels[number]) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


if __name__ == "__main__":
    main()
