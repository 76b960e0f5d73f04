"""Image classifiers: which there are, how each is trained, what each costs."""

DEFAULT_MODEL = "edge-cnn"
"""What ``glyphlite run`` takes when no model is named."""
