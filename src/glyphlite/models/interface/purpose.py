"""The purpose of a .tflite model, as far as its source says: whether its outputs are classes, and whether it takes pictures.

A classifier is a model whose source says so: labels, or a softmax or sigmoids at the end. All else has outputs: values of a
regression, a map, an autoencoder. Knows a validated graph; runs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from glyphlite.datasets.dataset import SMALLEST_SIDE, image_shape_of
from glyphlite.errors import ArtifactError
from glyphlite.formatting import in_and_out
from glyphlite.models.interface.input_convention import CHANNELS_FIRST, InputConvention, layout_of
from glyphlite.models.interface.output_kind import OutputKind, output_kind
from glyphlite.tflite.graph import Graph, Tensor, last_activation

MOST_CLASSES = 10_000
"""Classes without names at most; more outputs are values."""

_CLASSES = {"softmax": "a softmax", "log_softmax": "a log softmax", "sigmoid": "sigmoids"}
"""Activations that classifiers end in."""


@dataclass(frozen=True)
class Purpose:
    """The purpose of a model.

    Attributes:
        outputs: what the scores of a classifier mean; None where outputs are no classes.
        takes_pictures: whether its input is a picture whose pixels it is known how to take.
        labels: the names of the classes where they are known, else numbers; none where outputs are no classes.
        names_classes: whether the names are known.
        words: how this is known, in a line.
    """

    outputs: OutputKind | None
    takes_pictures: bool
    labels: tuple[str, ...]
    names_classes: bool
    words: str

    @property
    def classifies_pictures(self) -> bool:
        """Returns whether it gives the class of a picture."""
        return self.outputs is not None and self.takes_pictures


def purpose_of(graph: Graph, labels: Sequence[str] = (), *, pixels_known: bool) -> Purpose:
    """Returns what a model is for.

    Args:
        graph: of its file.
        labels: names of classes that the user, or the data that fit, give it; by default the file's own.
        pixels_known: whether it is known how the model takes a pixel, should its input be a picture.
    """
    pictures = pixels_known and is_picture(graph)
    kind, words = _outputs(graph, labels, pictures=pictures)
    if kind is None:
        return Purpose(None, pictures, (), names_classes=False, words=words)
    known = tuple(labels or graph.labels)
    fits = len(known) == kind.classes(graph.output.elements)
    names = known if labels or fits else tuple(str(index) for index in range(kind.classes(graph.output.elements)))
    return Purpose(kind, pictures, names, names_classes=bool(labels) or fits, words=words)


def check_one_in_and_out(graph: Graph, name: str) -> None:
    """Refuses a model of several inputs or outputs, which is no classifier of pictures whatever their shapes are.

    Raises:
        ArtifactError: naming the file and how many there are.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        found = in_and_out(len(graph.inputs), len(graph.outputs))
        raise ArtifactError(f"{name} has {found}; expected one picture in and the scores of its classes out")


def is_picture(graph: Graph) -> bool:
    """Returns whether a model's only input has the shape of a picture, of eight rows and columns or more."""
    if len(graph.inputs) != 1 or len(graph.input.shape) < 2:
        return False
    extents = [abs(extent) for extent in graph.input.shape[1:]]
    if len(extents) == 3 and extents[0] in (1, 3) and extents[2] > 3:
        extents = [*extents[1:], extents[0]]
    shape = image_shape_of(extents)
    return shape is not None and min(shape[:2]) >= SMALLEST_SIDE


def is_channels_first(graph: Graph) -> bool:
    """Returns whether a model's only input is a picture whose channels lie one behind the other."""
    return is_picture(graph) and layout_of(graph.input.shape[1:]) == CHANNELS_FIRST


def range_is_known(convention: InputConvention | None, *, has_data: bool) -> bool:
    """Returns whether it is known how a model takes a pixel: its file or the user says so, or there are pictures that fit."""
    return has_data or (convention is not None and not convention.assumed)


def _outputs(graph: Graph, labels: Sequence[str], *, pictures: bool) -> tuple[OutputKind | None, str]:
    """Returns what the outputs mean as classes, and how that is known."""
    if len(graph.outputs) != 1:
        return None, f"it has {len(graph.outputs)} outputs"
    values, activation = graph.output.elements, last_activation(graph)
    kind = output_kind(activation, values) or OutputKind.LOGITS
    if not is_vector(graph.output):
        return None, "its output is a map"
    for names, whose in ((labels, "labels name"), (graph.labels, "the file's labels name")):
        if names and (names is labels or len(names) == kind.classes(values)):
            if kind is OutputKind.LOGIT and len(names) != 2:
                kind = OutputKind.LOGITS
            return kind, f"{whose} its classes"
    if values > MOST_CLASSES:
        return None, f"{values:,} outputs without labels are too many to be classes"
    mirrored = len(graph.inputs) == 1 and values == graph.input.elements
    if activation in _CLASSES and (values > 1 or (activation == "sigmoid" and pictures)):
        if activation == "sigmoid" and mirrored:
            return None, "it has as many outputs as inputs"
        return kind, f"it ends in {'a sigmoid' if values == 1 else _CLASSES[activation]}"
    if activation == "sigmoid" and values == 1:
        return None, "its one output ends in a sigmoid, which may be a share as well as one of two classes"
    return None, "neither labels nor a softmax or sigmoids at its end say that they are classes"


def is_vector(tensor: Tensor) -> bool:
    """Returns whether a tensor is one row of numbers a sample, not a map of them."""
    return all(abs(extent) == 1 for extent in tensor.shape[:-1])
