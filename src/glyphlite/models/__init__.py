"""Describes and builds image classifiers: which there are, how each is trained, what goes in and out, what each costs.

Architecture and recipe are data; Keras is imported only where a model is built.
"""

DEFAULT_MODEL, DEFAULT_EPOCHS = "glyph-4k", 32
"""What ``glyphlite run`` trains on MNIST where no model is named, and for how long: a minute or two on two cores.

The recipe has more epochs; all of them bring the model to the accuracy that is published.
"""

DEFAULT_ELSEWHERE = "edge-cnn"
"""What it trains on other data: its recipe asks no teacher, and it has room for more classes and harder images."""


def default_model(dataset: str) -> str:
    """Returns the model that ``glyphlite run`` takes for a dataset when none is named."""
    return DEFAULT_MODEL if dataset == "mnist" else DEFAULT_ELSEWHERE


def default_epochs(dataset: str) -> int | None:
    """Returns how long that model is trained when nothing is said; None: as its recipe says."""
    return DEFAULT_EPOCHS if dataset == "mnist" else None
