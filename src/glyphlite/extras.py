"""The optional parts of an installation: which packages come with which extra, and the line that says which one is missing."""

from importlib.util import find_spec

from glyphlite.errors import ToolError

PACKAGES = {
    "train": ("keras", "tensorflow", "h5py"),
    "search": ("optuna", "sqlalchemy"),
    "heic": ("pillow_heif",),
    "mlflow": ("mlflow",),
    "wandb": ("wandb",),
    "ray": ("ray",),
}
"""Packages that are imported, by the extra that brings them."""

APART = ("mlflow", "wandb", "ray")
"""Extras that ``all`` and requirements.lock leave out: they bring a hundred megabytes each, and few want more than one."""


def has_extra(extra: str) -> bool:
    """Returns whether the packages of an extra are installed; imports none of them."""
    return all(find_spec(package) is not None for package in PACKAGES[extra])


def require_extra(extra: str, task: str) -> None:
    """Refuses a task whose extra is not installed, before anything is read or written.

    Args:
        extra: one of ``PACKAGES``.
        task: what needs it, as the beginning of a sentence: "training".

    Raises:
        ToolError: says how to install it.
    """
    if not has_extra(extra):
        raise ToolError(f"{task} needs {_words(extra)}")


def missing_extra(error: ImportError) -> ToolError | None:
    """Returns the error for an import that a missing extra would bring; None where it is another package."""
    package = (error.name or "").partition(".")[0]
    extra = next((name for name, packages in PACKAGES.items() if package in packages), None)
    return None if extra is None or has_extra(extra) else ToolError(f"this needs {_words(extra)}")


def how_to_install(extra: str) -> str:
    """Returns the command that installs an extra."""
    return f"pip install 'glyphlite[{extra}]'"


def _words(extra: str) -> str:
    packages = {
        "train": "TensorFlow and Keras, which are not installed",
        "search": "Optuna, which is not installed",
        "heic": "pillow-heif, which is not installed",
        "mlflow": "MLflow, which is not installed",
        "wandb": "Weights & Biases, which is not installed",
        "ray": "Ray, which is not installed",
    }
    return f"{packages[extra]}: {how_to_install(extra)}"
