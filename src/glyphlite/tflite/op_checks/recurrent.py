"""Checks of the recurrent ops: which tensors there are, that their shapes fit together, and that what is kept may be kept.

Shapes follow ``CheckInputTensorDimensions`` in ``tensorflow/lite/kernels/unidirectional_sequence_lstm.cc``.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from glyphlite.tflite.checked_op import FREE, Site, differ
from glyphlite.tflite.graph import Tensor

_SVDF_INPUTS = 5
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES = range(1, 5), range(5, 9), range(12, 16)
_REQUIRED = (0, *range(2, 5), *range(6, 9), *range(13, 16), 18, 19)
"""The others belong to variants: the input gate may be left out, peepholes, projections and layer normalization added."""


def _sequence_lstm(site: Site) -> None:
    """Checks UNIDIRECTIONAL_SEQUENCE_LSTM."""
    operator = site.operator
    if len(operator.inputs) not in (20, 24) or len(operator.outputs) != 1:
        site.refuse(f"has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs instead of 24 and 1")
    if any(operator.inputs[place] == -1 for place in _REQUIRED):
        site.refuse("lacks an input that it cannot do without")
    source, output = site.input(0), site.output
    site.rank(source, 3, "an input")
    weights, recurrent = site.input(2), site.input(6)
    site.rank(weights, 2, "weights")
    site.rank(recurrent, 2, "weights")
    units, width = abs(weights.shape[0]), abs(recurrent.shape[1])
    _all_of_shape(site, _INPUT_WEIGHTS, (units, abs(source.shape[2])))
    _all_of_shape(site, _RECURRENT_WEIGHTS, (units, width))
    _all_of_shape(site, _BIASES, (units,))
    if site.optional(16) is None and width != units:
        site.refuse(f"has {units} units whose hidden state has {width} values, and no projection")
    batch = source.shape[1 if operator.options["time_major"] else 0]
    for place, values in ((18, width), (19, units)):
        _keeps(site, site.input(place), FREE if batch == FREE else batch * values)
    site.quantized(source, output, site.input(18), site.input(19))
    site.shape((source.shape[0], source.shape[1], width))
    if source.dtype != output.dtype or site.input(18).dtype != source.dtype:
        site.refuse(f"mixes {source.dtype.name}, {site.input(18).dtype.name} and {output.dtype.name}")


def _svdf(site: Site) -> None:
    """Checks SVDF. Shapes follow ``PrepareSvdf`` in ``tensorflow/lite/micro/kernels/svdf_common.cc``."""
    operator = site.operator
    if (
        len(operator.inputs) != _SVDF_INPUTS
        or len(operator.outputs) != 1
        or any(operator.inputs[place] == -1 for place in (0, 1, 2, 4))
    ):
        site.refuse(f"has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs instead of 5 and 1, or lacks one")
    source, features, times = site.input(0), site.input(1), site.input(2)
    for tensor, what in ((source, "an input"), (features, "weights"), (times, "weights over time")):
        site.rank(tensor, 2, what)
    filters, rank = abs(features.shape[0]), operator.options["rank"]
    if rank < 1 or filters % rank:
        site.refuse(f"has {filters} filters of the rank {rank}")
    if differ(source.shape[1], features.shape[1]) or differ(times.shape[0], filters):
        site.refuse(f"has weights of shape {list(features.shape)} and {list(times.shape)} for an input of {list(source.shape)}")
    _all_of_shape(site, range(3, 4), (filters // rank,))
    _keeps(site, site.input(4), FREE if source.shape[0] == FREE else source.shape[0] * filters * abs(times.shape[1]))
    site.quantized(source, features, times, site.input(4), site.output)
    site.shape((source.shape[0], filters // rank))


def _all_of_shape(site: Site, places: range, shape: tuple[int, ...]) -> None:
    """Refuses inputs that are there and have another shape."""
    for place in places:
        tensor = site.optional(place)
        if tensor is not None and tensor.shape != shape:
            site.refuse(f"takes input {place} of shape {list(shape)}, not {list(tensor.shape)}")


def _keeps(site: Site, tensor: Tensor, elements: int) -> None:
    """Refuses state that is no variable, or of another size."""
    if not tensor.is_variable:
        site.refuse(f"keeps its state in tensor {tensor.index}, which is no variable")
    if FREE not in tensor.shape and differ(tensor.elements, elements):
        site.refuse(f"keeps {elements} values, but tensor {tensor.index} has the shape {list(tensor.shape)}")


RECURRENT: Mapping[str, Callable[[Site], None]] = MappingProxyType(
    {"UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm, "SVDF": _svdf}
)
"""The check of each op of this module."""
