"""What a user names on the command line, brought to what the packages below take. Reads and checks; writes nothing."""

from pathlib import Path

from glyphlite.errors import ArtifactError, ModelError

KERAS_SUFFIXES = (".keras", ".h5")


def existing_file(path: Path, what: str) -> Path:
    """The path itself, when it is a readable file.

    Raises:
        ArtifactError: there is no such file.
    """
    if path.is_dir():
        raise ArtifactError(f"{path} is a folder; name {what} in it")
    if not path.is_file():
        raise ArtifactError(f"there is no file {path}; name {what}")
    return path


def is_keras(path: Path) -> bool:
    """Whether a path names a Keras model rather than a .tflite file."""
    return path.suffix.lower() in KERAS_SUFFIXES


def keras_beside(artifact: Path, explicit: Path | None) -> Path | None:
    """The float source of an artifact: the file named with ``--keras``, else the run's own model.keras, else none.

    Raises:
        ModelError: the named file is not there.
    """
    if explicit is not None:
        if not explicit.is_file():
            raise ModelError(f"there is no file {explicit}; --keras takes the .keras file that the artifact was converted from")
        return explicit
    beside = artifact.parent / "model.keras"
    return beside if beside.is_file() else None


def artifact_in(path: Path) -> Path:
    """A .tflite file: the path itself, or the int8 artifact of a run's folder.

    Raises:
        ArtifactError: neither.
    """
    if path.is_dir():
        int8 = path / "model_int8.tflite"
        if not int8.is_file():
            raise ArtifactError(f"{path} holds no model_int8.tflite; name a .tflite file or the folder of a run")
        return int8
    return existing_file(path, "a .tflite file")
