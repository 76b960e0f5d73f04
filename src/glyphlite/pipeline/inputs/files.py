"""Translation of what a user names on the command line into what the packages below accept. Reads and checks; writes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glyphlite.console import say
from glyphlite.errors import ArtifactError, ModelError
from glyphlite.evaluation.variant import variant_of
from glyphlite.extras import has_extra, how_to_install, require_extra
from glyphlite.files.untrusted import open_input
from glyphlite.models.interface.image_shape import image_shape
from glyphlite.models.loading import is_saved_model, load_keras_model, missing_code
from glyphlite.models.pretrained import (
    PretrainedCard,
    best_pretrained,
    is_named,
    keras_of_shipped,
    pretrained_artifact,
    pretrained_card,
    retired_names,
    retired_words,
    shipped_words,
)
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph

KERAS_SUFFIXES = (".keras", ".h5")
MODEL_SUFFIXES = (".tflite", *KERAS_SUFFIXES)
_OF_A_RUN = "model_int8.tflite"

COMPILED = ("int8", "int16x8")
"""The variants that C is made from."""


def existing_file(path: Path, what: str) -> Path:
    """Returns the path itself, when it is a readable file.

    Raises:
        ArtifactError: there is no such file.
    """
    if path.is_dir():
        raise ArtifactError(f"{path} is a folder; name {what} in it")
    if path.suffix == ".toml" and path.exists():
        raise ArtifactError(f"{path} defines a model without weights; train it first: glyphlite run --model {path}")
    if path.exists():
        open_input(path, what, ArtifactError).close()
    else:
        names = (
            f", or a model that comes with glyphlite ({shipped_words()})" if path.name == str(path) and not path.suffix else ""
        )
        raise ArtifactError(f"there is no file {path}; name {what}{names}")
    return path


def is_keras(path: Path) -> bool:
    """Returns whether a path names a Keras model rather than a .tflite file."""
    return path.suffix.lower() in KERAS_SUFFIXES or is_saved_model(path)


def host_runtime(path: Path, engine: str) -> str:
    """Returns the name of the runtime that an engine of this host, "litert" or "c", stands for.

    Raises:
        ArtifactError: it takes no Keras models.
    """
    if not is_keras(path):
        return "generated_c" if engine == "c" else "litert"
    if engine == "c":
        raise ArtifactError(f"{path} is a Keras model; --engine c takes int8 and int16x8 .tflite files")
    return "keras"


def own_image_shape(path: Path) -> tuple[int, int, int] | None:
    """Returns height, width, channels of the images that a .keras, SavedModel or .tflite file takes; None where it fixes none.

    Raises:
        ModelError: the Keras model cannot be loaded.
        ArtifactError: the .tflite file is malformed.
    """
    if not is_keras(path):
        graph = read_graph(path)
        return image_shape(graph.input.shape[1:]) if graph.inputs else None
    return keras_image_shape(load_keras_model(path))


def keras_image_shape(model: Any) -> tuple[int, int, int] | None:
    """Returns height, width, channels of the images that a Keras model takes; None where it fixes none."""
    inputs = getattr(model, "inputs", None)
    return image_shape(inputs[0].shape[1:]) if inputs else None


def keras_beside(artifact: Path, explicit: Path | None) -> Path | None:
    """Returns the float source of an artifact: the file named with ``--keras``, else the run's own or the pretrained model.keras,
    else none.

    One that was found beside the artifact and needs code of its own, or Keras where that is missing, is left out, which is said.

    Raises:
        ModelError: the named file is not there.
        ToolError: it is named, and Keras is not installed.
    """
    if explicit is not None:
        require_extra("train", "--keras")
        if not explicit.exists():
            raise ModelError(f"there is no file {explicit}; --keras takes the .keras file that the artifact was converted from")
        return explicit
    beside = artifact.parent / "model.keras"
    found = beside if beside.is_file() else keras_of_shipped(artifact)
    if found is not None and not has_extra("train"):
        say(f"which is not installed: {how_to_install('train')}", lead="Not compared with Keras,", style="yellow")
        return None
    if found != beside:
        return found
    if reason := missing_code(beside):
        say(reason, lead="Not compared with Keras:", style="yellow")
        return None
    return beside


def shipped_name(path: Path) -> str | None:
    """Returns the model that comes with glyphlite and that a path names; None where it names something on disk, or nothing known.

    What a user has on disk goes first: a folder ``glyph-4k`` of one's own is meant where it is there.
    """
    return str(path) if not path.exists() and is_named(str(path)) else None


def artifact_in(path: Path) -> Path:
    """Returns a .tflite file: the path itself, the int8 artifact of a run's folder, or that of a model that comes with glyphlite.

    Raises:
        ArtifactError: none of them.
        ModelError: the shipped file was altered.
    """
    if name := shipped_name(path):
        if name in retired_names():
            say(retired_words(name))
        return pretrained_artifact(name)
    if path.is_dir():
        int8 = path / _OF_A_RUN
        if not int8.is_file():
            raise ArtifactError(f"{path} holds no {_OF_A_RUN}; name a .tflite file or the folder of a run")
        return int8
    return existing_file(path, "a .tflite file")


def model_file(path: Path) -> Path:
    """Returns a .keras or .tflite file: the path itself, or what :func:`artifact_in` finds for a folder or a name.

    Raises:
        ArtifactError: none of them.
        ModelError: the shipped file was altered.
    """
    if is_saved_model(path):
        return path
    if path.is_dir() or shipped_name(path):
        return artifact_in(path)
    return existing_file(path, "a .tflite or .keras file")


def model_and_pictures(named: Sequence[Path], model: Path | None) -> tuple[Path, list[Path]]:
    """Returns what ``glyphlite predict`` was given, told apart: the model, and the pictures.

    The model is the one named with ``--model``, else the first of the rest if it is one by its looks (a .tflite or .keras file, a
    run's folder, the name of a pretrained model), else the shipped one that is right most often on validation images.

    Raises:
        ArtifactError: there is no such model.
        ModelError: no model is pretrained, or a released file was altered.
    """
    if model is not None:
        return model_file(model), list(named)
    if named and _is_model(named[0]):
        if named[0].is_dir() and not is_saved_model(named[0]) and not (named[0] / _OF_A_RUN).is_file():
            raise ArtifactError(f"{named[0]} is a folder without {_OF_A_RUN}; name the pictures in it as files: {named[0]}/*")
        return model_file(named[0]), list(named[1:])
    return default_artifact(), list(named)


def default_artifact(at_most: int | None = None) -> Path:
    """Returns the int8 file of the pretrained model that is right most often on validation images; says aloud which that is.

    Args:
        at_most: bytes of weights that it may have.

    Raises:
        ModelError: no model is pretrained, or the file was altered.
    """
    name = best_pretrained(at_most)
    card = pretrained_card(name)
    say(f"{name} answers: {card.best.weight_bytes:,} bytes of weights, {card.validation_words}")
    return pretrained_artifact(name)


def integer_graph(path: Path) -> Graph:
    """Returns the graph of an int8 or int16x8 artifact.

    Raises:
        ArtifactError: the file is malformed, or is another variant.
    """
    graph = read_graph(path)
    variant = variant_of(graph)
    if variant not in COMPILED:
        made = " and ".join(COMPILED)
        raise ArtifactError(
            f"{path} is a {variant} file; generated C is made from {made}: glyphlite convert MODEL.keras --to int8"
        )
    return graph


def trained_on(path: Path) -> str | None:
    """Returns the dataset that a pretrained artifact was trained on; None for a user's own, of which it is not known."""
    card = shipped_card(path)
    return card.dataset if card else None


def shipped_card(path: Path) -> PretrainedCard | None:
    """Returns the card of a pretrained artifact, of any of its seeds; None of a user's own."""
    name = path.parent.parent.name
    card = pretrained_card(name) if is_named(name) else None
    return card if card and any(path == pretrained_artifact(name, each.seed) for each in card.seeds) else None


def _is_model(path: Path) -> bool:
    return path.suffix.lower() in MODEL_SUFFIXES or path.is_dir() or shipped_name(path) is not None
