"""The record of a classifier of images for programs that run without glyphlite: its classes, how a pixel enters it, what its
outputs mean, and the calibration of its confidence.

Knows files and graphs; writes nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from glyphlite import __version__
from glyphlite.datasets.dataset import SMALLEST_SIDE, image_shape_of
from glyphlite.errors import ArtifactError
from glyphlite.escaping import name_of
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.export.model_name import model_name
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.models.interface.purpose import check_one_in_and_out, is_vector
from glyphlite.tflite.graph import Graph, Tensor
from glyphlite.tflite.quantization import Quantization


def picture_record(
    artifact: Path, content: bytes, graph: Graph, labels: Sequence[str], convention: InputConvention
) -> dict[str, Any]:
    """Returns what a program knows of the model.

    Raises:
        ArtifactError: it classifies no images, or knows another number of classes.
    """
    shape = picture_shape(graph, artifact.name)
    kind = outputs_of(graph, artifact.name)
    if kind.classes(graph.output.elements) != len(labels):
        raise ArtifactError(f"{artifact.name} knows {kind.classes(graph.output.elements)} classes, but has {len(labels)} labels")
    known = certainty_of(artifact)
    fitted = ("temperature", "least_certainty", "floor", "independent", "twin")
    return {
        "name": model_name(artifact, content),
        "file": name_of(artifact.name),
        "sha256": sha256(content).hexdigest(),
        "labels": list(labels),
        "image": {"height": shape[0], "width": shape[1], "channels": shape[2]},
        "input": {
            "range": convention.title,
            "mean": list(convention.mean),
            "std": list(convention.std),
            "layout": convention.layout,
            "quantization": _quantization(graph.input.quantization),
        },
        "output": {"kind": str(kind), "quantization": _quantization(graph.output.quantization)},
        "certainty": None if known is None else {name: getattr(known, name) for name in fitted},
        "made_by": f"glyphlite {__version__}",
    }


def picture_shape(graph: Graph, name: str) -> tuple[int, int, int]:
    """Returns height, width and channels of the picture that a classifier takes.

    Raises:
        ArtifactError: naming the file, what it takes and gives instead of one picture and a number for each class.
    """
    check_one_in_and_out(graph, name)
    if not is_vector(graph.output):
        raise ArtifactError(f"{name} gives a map of {_shape(graph.output)}; expected the scores of a picture's classes")
    shape = image_shape_of(graph.input.shape[1:])
    if shape is None or min(shape[:2]) < SMALLEST_SIDE:
        raise ArtifactError(
            f"{name} takes inputs of shape {_shape(graph.input)}, not one picture; expected height x width x 1 or 3, "
            f"{SMALLEST_SIDE} rows and columns or more"
        )
    return shape


def _shape(tensor: Tensor) -> str:
    """Returns a shape, its free extents as question marks."""
    return "x".join("?" if extent < 0 else str(extent) for extent in tensor.shape)


def _quantization(quantization: Quantization | None) -> dict[str, Any] | None:
    """Returns scale and zero point as the record holds them; None for a tensor of floats."""
    return None if quantization is None else asdict(quantization)
