"""Image classifiers: which there are, how each is trained, what each costs."""

DEFAULT_MODELS = {"mnist": "glyph-8k"}
"""What ``glyphlite run`` takes when no model is named: on MNIST about as accurate as edge-cnn, in a tenth of its bytes."""

DEFAULT_MODEL = "edge-cnn"
"""What it takes on any other dataset: one with room for more classes and harder images."""


def default_model(dataset: str) -> str:
    """The model for a dataset when none is named."""
    return DEFAULT_MODELS.get(dataset, DEFAULT_MODEL)
