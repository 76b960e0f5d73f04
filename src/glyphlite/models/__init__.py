"""Image classifiers: which there are, how each is trained, what each costs."""

DEFAULT_MODEL = "glyph-4k"
"""What ``glyphlite run`` takes when no model is named."""
