"""Labels of a user's inputs held against the model that is to tell those classes apart."""

from dataclasses import replace

from glyphlite.errors import ArtifactError, DataError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.runtimes.ports import as_classes, of_graph
from glyphlite.tflite.graph import Graph


def named_labels(inputs: InputSet, graph: Graph, name: str) -> InputSet:
    """Returns inputs whose labels have names: those of the file, else numbers; inputs without labels as they are.

    Raises:
        DataError: the model tells no classes apart, or fewer than the labels speak of.
    """
    if inputs.labels is None or inputs.class_names:
        return inputs
    try:
        port = as_classes(of_graph(graph).outputs)
        classes = outputs_of(graph, name).classes(port.elements)
    except ArtifactError as error:
        raise DataError(f"{inputs.source} have labels, but {name} gives no classes ({error}); leave them out") from None
    if (largest := int(inputs.labels.max(initial=0))) >= classes:
        raise DataError(f"{inputs.source} have the label {largest}, but {name} tells {classes} classes apart, 0 to {classes - 1}")
    names = graph.labels if len(graph.labels) == classes else tuple(str(each) for each in range(classes))
    return replace(inputs, class_names=names)
