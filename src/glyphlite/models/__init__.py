"""Image classifiers: which there are, how each is trained, what each costs."""

_DEFAULTS = {"mnist": "glyph-4k"}
_DEFAULT_ELSEWHERE = "edge-cnn"
"""Its recipe asks no teacher, and it has room for more classes and harder images."""


def default_model(dataset: str) -> str:
    """What ``glyphlite run`` takes for a dataset when no model is named."""
    return _DEFAULTS.get(dataset, _DEFAULT_ELSEWHERE)
