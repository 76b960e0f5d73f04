"""Describes and builds image classifiers: which there are, how each is trained, what goes in and out, what each costs.

Architecture and recipe are data; Keras is imported only where a model is built.
"""

DEFAULT_MODEL = "edge-cnn"
"""The model that ``glyphlite run`` uses by default: about a minute and a half of training on two cores, for any data.

Its recipe asks no teacher, and it has room for more classes and harder images. The glyph family is smaller and more accurate, but
takes hours to train; it comes trained.
"""
