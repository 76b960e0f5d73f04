"""A dataset's test images as the inputs of a classifier of such images."""

import math

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.models.interface.purpose import check_one_in_and_out
from glyphlite.runtimes.base import stored_images
from glyphlite.runtimes.ports import as_image, of_graph
from glyphlite.tflite.graph import Graph


def image_set(
    dataset: Dataset,
    graph: Graph,
    convention: InputConvention,
    *,
    count: int | None = None,
    seed: int = 0,
    source_convention: InputConvention | None = None,
) -> InputSet:
    """Returns test images as a model's input holds them, with their classes.

    Args:
        dataset: its test split is used.
        graph: a classifier of its images.
        convention: how the model takes a pixel.
        count: how many, drawn with the seed and in their order; all of them when None.
        seed: of that draw.
        source_convention: how the model's float source takes a pixel; as the model when None.
    """
    everything = InputSet((dataset.test.images,), "", labels=dataset.test.labels).drawn(count, seed)
    [pixels], labels = everything.arrays, everything.labels
    port = as_image(of_graph(graph).inputs)
    return InputSet(
        (stored_images(pixels, convention, port),),
        f"{len(pixels):,} test image{'s' if len(pixels) != 1 else ''} of {dataset.name}",
        unit="image",
        reals=((source_convention or convention).real(pixels),),
        labels=labels,
        class_names=dataset.labels,
        unrelated=True,
    )


def check_fit(graph: Graph, dataset: Dataset, name: str) -> None:
    """Refuses a model that does not take this dataset's images, before any runtime loads it.

    Raises:
        ArtifactError: what does not fit.
    """
    check_one_in_and_out(graph, name)
    pixels, classes = math.prod(graph.input.shape[1:]), math.prod(graph.output.shape[1:])
    if pixels != (available := math.prod(dataset.input_shape)):
        raise ArtifactError(
            f"{name} takes {pixels} values per image, {dataset.name} has {available}; name its dataset with --dataset"
        )
    if outputs_of(graph, name).classes(classes) != dataset.classes:
        raise ArtifactError(
            f"{name} knows {classes} classes, {dataset.name} has {dataset.classes}; name its dataset with --dataset"
        )
    for kind, tensor in (("input", graph.input), ("output", graph.output)):
        if tensor.dtype.kind not in "iuf" or (tensor.dtype.kind != "f" and tensor.quantization is None):
            raise ArtifactError(
                f"{name}: its {kind} is {tensor.dtype} without scale and zero point; expected a quantized or a float tensor"
            )
