"""glyphlite: handwritten-glyph classifiers, from Keras to TensorFlow Lite to bare metal, every number measured.

Importing this package is cheap: TensorFlow, Keras and the runtimes are imported by the functions that need them, and its own
version is looked up when it is asked for (`importlib.metadata` alone is a tenth of what `glyphlite --help` takes).
"""

__version__: str

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("glyphlite")
    except PackageNotFoundError:  # a source tree that was never installed
        found = "0+unknown"
    globals()[name] = found
    return found
