"""glyphlite: handwritten-glyph classifiers, from Keras to TensorFlow Lite to bare metal, every number measured.

Importing this package is cheap: TensorFlow, Keras and the runtimes are imported by the functions that need them.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("glyphlite")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
