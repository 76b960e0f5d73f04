"""The meaning of the outputs of a .tflite file: which kind they are, and how many classes they tell apart. Knows graphs."""

from glyphlite.errors import ArtifactError
from glyphlite.models.interface.output_kind import OutputKind, output_kind
from glyphlite.tflite.graph import Graph, last_activation


def outputs_of(graph: Graph, name: str) -> OutputKind:
    """Returns what the outputs of a .tflite file mean.

    Args:
        graph: of the file.
        name: what messages call it.

    Raises:
        ArtifactError: no class can be read from its single output.
    """
    values, activation = abs(max(graph.output.shape[-1:], default=1)), last_activation(graph)
    kind = output_kind(activation, values)
    if kind is None:
        raise ArtifactError(f"{name} {single_output_words(activation)}")
    return kind


def class_count(graph: Graph) -> int:
    """Returns how many classes the outputs of a .tflite file tell apart."""
    values = abs(max(graph.output.shape[-1:], default=1))
    return (output_kind(last_activation(graph), values) or OutputKind.LOGITS).classes(values)


def single_output_words(activation: str | None) -> str:
    """Returns why no class can be read from one output, and what to do."""
    reason = "which is 1 for every image" if activation == "softmax" else "which is no probability"
    return f"has one output, a {activation}, {reason}; end the model with Dense(1, 'sigmoid') or Dense(2, 'softmax')"
