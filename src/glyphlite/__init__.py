"""glyphlite: handwritten-glyph classifiers, from Keras to TensorFlow Lite to bare metal, every number measured.

    import glyphlite

    dataset = glyphlite.load_dataset("mnist")
    trained = glyphlite.train("micro-cnn", dataset, "runs/first", epochs=3)
    converted = glyphlite.convert(trained.model, "runs/first", ["int8"], dataset=dataset)
    print(glyphlite.verify(converted[0].path, dataset, images=100).verdict)

Importing this package is cheap: what it offers is imported when it is first asked for (:mod:`glyphlite.api`), TensorFlow, Keras
and the runtimes by the functions that need them, and the version is looked up when it is wanted (`importlib.metadata` alone is a
tenth of what `glyphlite --help` takes). Types are in ``__init__.pyi``.
"""

# pyright: reportUnsupportedDunderAll=false

from typing import Any

_API = "glyphlite.api"

__all__ = [
    "Dataset",
    "GlyphliteError",
    "Results",
    "__version__",
    "compile",
    "convert",
    "draw_graph",
    "evaluate",
    "export_tflm",
    "inspect",
    "load_dataset",
    "load_model",
    "read_graph",
    "show",
    "simulate",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in __all__:
        from importlib import import_module

        value = getattr(import_module(_API), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("glyphlite")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
