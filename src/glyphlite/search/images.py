"""The images of a search: a dataset at the size that a network takes, without its test split."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.datasets.registry import load_dataset
from glyphlite.datasets.resizing import fit_images
from glyphlite.datasets.splits import balanced_order
from glyphlite.search.settings import SearchSettings


def read_images(settings: SearchSettings, side: int, dataset: str | None = None, data_dir: Path | None = None) -> Dataset:
    """Returns the images at so many rows and columns; of the test split one, which nothing looks at.

    Args:
        settings: of the search.
        side: rows and columns.
        dataset: where the data is here, if not where the settings say.
        data_dir: its folder, if the user named one.

    Raises:
        DataError: the dataset cannot be had.
    """
    name = dataset or settings.dataset
    loaded = load_dataset(name, data_dir=data_dir, seed=settings.seed, size=(side, side), group_by=settings.group_by)
    nothing = Split(loaded.test.images[:1], loaded.test.labels[:1])
    loaded = replace(loaded, train=_first(loaded.train, settings.images, settings.seed), test=nothing)
    return fit_images(loaded, (side, side, settings.channels))


def _first(split: Split, images: int | None, seed: int) -> Split:
    """Returns at most so many images, as many of each class as there can be."""
    if images is None or images >= len(split):
        return split
    chosen = np.sort(balanced_order(split.labels, seed)[:images])
    return Split(split.images[chosen], split.labels[chosen])
