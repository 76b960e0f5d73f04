"""One runtime's outputs against the reference's: how many values differ, by how much, and what that means for the classes."""

import numpy as np

from glyphlite.escaping import printable
from glyphlite.evaluation.accuracy import accuracy_of
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.verification.float_source import FloatOutputs
from glyphlite.evaluation.verification.tensor_comparison import LONGEST_NAME, TensorComparison, differences
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.records import OutputDifference, VerifyReport
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import dequantize


def rows_differ(first: tuple[np.ndarray, ...], second: tuple[np.ndarray, ...]) -> np.ndarray:
    """Returns for each sample whether any byte of any output differs, ``(n,)``."""
    differing = np.zeros(len(first[0]), bool)
    for one, other in zip(first, second, strict=True):
        differing |= _bytes_differ(one, other).any(axis=1)
    return differing


def compared(
    artifact: str,
    graph: Graph,
    name: str,
    reference: str,
    outputs: dict[str, tuple[np.ndarray, ...]],
    inputs: InputSet,
    comparison: TensorComparison | None,
    source: FloatOutputs | None,
    *,
    judged: int,
) -> VerifyReport:
    """Returns the record of one runtime. A runtime with fewer outputs, as the float source of a model that keeps state, is held
    against the last of the reference's.

    Args:
        artifact: the file's name.
        graph: the model.
        name: of the runtime.
        reference: the runtime that it is held against.
        outputs: of every runtime, one array ``(n, ...)`` per output of the model.
        inputs: what they were given.
        comparison: of the tensors inside, where the runtime shows them.
        source: what the float source gives.
        judged: how many of the last samples the accuracy counts: each sample once.
    """
    own = outputs[name]
    count = len(own[0])
    expected = tuple(values[-count:] for values in outputs[reference])
    apart = [differences(one, other) for one, other in zip(own, expected, strict=True)]
    tensors = [graph.tensors[index] for index in graph.outputs]
    steps = all(tensor.dtype.kind in "iu" for tensor in tensors)
    differing = comparison.report() if comparison else []
    same_class, accuracy = None, None
    if inputs.labels is not None:
        kind, quantization = outputs_of(graph, artifact), graph.output.quantization
        classes, wanted = (kind.chosen(_rows(dequantize(each[0], quantization))) for each in (own, expected))
        same_class = float((classes == wanted).mean())
        accuracy = accuracy_of(classes[-judged:], inputs.labels[-judged:])
    return VerifyReport(
        artifact=artifact,
        runtime=name,
        reference=reference,
        images=count,
        identical=1 - float(rows_differ(own, expected).mean()),
        largest_difference=max(float(each.max(initial=0.0)) for each in apart),
        same_class=same_class,
        accuracy=accuracy,
        first_difference=differing[0] if differing else None,
        differing_tensors=differing,
        difference_unit="steps" if steps else "probability" if inputs.labels is not None else "value",
        tensor_images=comparison.images if comparison else 0,
        tensors_compared=len(comparison.compared) if comparison else 0,
        unit=inputs.unit,
        values=sum(each.size for each in apart),
        differing_values=sum(int((each > 0).sum()) for each in apart),
        differing_bytes=sum(int(_bytes_differ(one, other).sum()) for one, other in zip(own, expected, strict=True)),
        mean_absolute_error=None if source is None else source.mean_absolute_error(name, own, graph),
        outputs=[
            OutputDifference(
                output=printable(tensor.name, LONGEST_NAME),
                differing_values=int((each > 0).sum()),
                values=each.size,
                largest_difference=float(each.max(initial=0.0)),
            )
            for tensor, each in zip(tensors, apart, strict=True)
            if len(tensors) > 1
        ],
    )


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _bytes_differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns for each sample which bytes of an output differ, ``(n, bytes)``."""
    one, other = (np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1) for values in (first, second))
    return one != other
