"""A dataset's images brought to the size and the channels that a model takes; says so."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.errors import DataError

RGB = 3


def fit_images(dataset: Dataset, input_shape: tuple[int, int, int]) -> Dataset:
    """Returns the dataset with images of another size or number of channels.

    Sizes change by bilinear interpolation, grey is repeated for the three channels of an RGB model. Pictures of a folder need
    none of the first: :func:`~glyphlite.datasets.registry.load_dataset` brings them to any size by itself.

    Args:
        dataset: what was loaded.
        input_shape: height, width, channels that the model takes.

    Raises:
        DataError: the images are in colour, the model takes grey.
    """
    if dataset.input_shape == input_shape:
        return dataset
    *size, channels = dataset.input_shape
    if channels != input_shape[2] and (channels, input_shape[2]) != (1, RGB):
        raise DataError(
            f"the images of {dataset.name} have {channels} channels, the model takes {input_shape[2]}; convert the images first"
        )
    if tuple(size) != input_shape[:2]:
        say(f"{dataset.name}: images of {_by(size)} are resized to {_by(input_shape[:2])}, which the model takes")
    if channels != input_shape[2]:
        say(f"{dataset.name}: grey is repeated in the model's {input_shape[2]} channels")
    fitted = {name: _fit(getattr(dataset, name), input_shape) for name in ("train", "validation", "test")}
    return replace(dataset, **fitted)


def _fit(split: Split, input_shape: tuple[int, int, int]) -> Split:
    height, width, channels = input_shape
    images = split.images
    if images.shape[1:3] != (height, width):
        resized = np.empty((len(images), height, width, images.shape[3]), np.uint8)
        for number, image in enumerate(images):
            for channel in range(images.shape[3]):
                picture = Image.fromarray(image[..., channel]).resize((width, height), Image.Resampling.BILINEAR)
                resized[number, ..., channel] = np.asarray(picture)
        images = resized
    if images.shape[3] != channels:
        images = np.repeat(images, channels, axis=3)
    return replace(split, images=images)


def _by(size: Sequence[int]) -> str:
    return "x".join(map(str, size))
