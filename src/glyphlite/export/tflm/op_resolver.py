"""The ops that TFLite Micro has, and the resolver call that registers each. Knows op names, nothing of files or templates.

Source: ``tensorflow/lite/micro/micro_mutable_op_resolver.h`` (every ``Add`` method and the operator or custom name it registers),
TFLite Micro at revision 90b983c2b3f1 of 2026-08-20.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from glyphlite.errors import ArtifactError
from glyphlite.escaping import printable
from glyphlite.tflite.graph import Graph, Operator
from glyphlite.tflite.ops import code_of

_BUILTIN = """
    ABS Abs, ADD Add, ADD_N AddN, ARG_MAX ArgMax, ARG_MIN ArgMin, ASSIGN_VARIABLE AssignVariable, AVERAGE_POOL_2D AveragePool2D,
    BATCH_MATMUL BatchMatMul, BATCH_TO_SPACE_ND BatchToSpaceNd, BROADCAST_ARGS BroadcastArgs, BROADCAST_TO BroadcastTo,
    CALL_ONCE CallOnce, CAST Cast, CEIL Ceil, CONCATENATION Concatenation, CONV_2D Conv2D, COS Cos, CUMSUM CumSum,
    DEPTH_TO_SPACE DepthToSpace, DEPTHWISE_CONV_2D DepthwiseConv2D, DEQUANTIZE Dequantize, DIV Div,
    DYNAMIC_UPDATE_SLICE DynamicUpdateSlice, ELU Elu, EMBEDDING_LOOKUP EmbeddingLookup, EQUAL Equal, EXP Exp,
    EXPAND_DIMS ExpandDims, FILL Fill, FLOOR Floor, FLOOR_DIV FloorDiv, FLOOR_MOD FloorMod, FULLY_CONNECTED FullyConnected,
    GATHER Gather, GATHER_ND GatherNd, GREATER Greater, GREATER_EQUAL GreaterEqual, HARD_SWISH HardSwish, IF If,
    L2_NORMALIZATION L2Normalization, L2_POOL_2D L2Pool2D, LEAKY_RELU LeakyRelu, LESS Less, LESS_EQUAL LessEqual, LOG Log,
    LOG_SOFTMAX LogSoftmax, LOGICAL_AND LogicalAnd, LOGICAL_NOT LogicalNot, LOGICAL_OR LogicalOr, LOGISTIC Logistic,
    MAX_POOL_2D MaxPool2D, MAXIMUM Maximum, MEAN Mean, MINIMUM Minimum, MIRROR_PAD MirrorPad, MUL Mul, NEG Neg,
    NOT_EQUAL NotEqual, PACK Pack, PAD Pad, PADV2 PadV2, PRELU Prelu, QUANTIZE Quantize, READ_VARIABLE ReadVariable,
    REDUCE_ALL ReduceAll, REDUCE_MAX ReduceMax, REDUCE_MIN ReduceMin, RELU Relu, RELU6 Relu6, RESHAPE Reshape,
    RESIZE_BILINEAR ResizeBilinear, RESIZE_NEAREST_NEIGHBOR ResizeNearestNeighbor, REVERSE_V2 ReverseV2, ROUND Round,
    RSQRT Rsqrt, SELECT_V2 SelectV2, SHAPE Shape, SIN Sin, SLICE Slice, SOFTMAX Softmax, SPACE_TO_BATCH_ND SpaceToBatchNd,
    SPACE_TO_DEPTH SpaceToDepth, SPLIT Split, SPLIT_V SplitV, SQRT Sqrt, SQUARE Square, SQUARED_DIFFERENCE SquaredDifference,
    SQUEEZE Squeeze, STRIDED_SLICE StridedSlice, SUB Sub, SUM Sum, SVDF Svdf, TANH Tanh, TRANSPOSE Transpose,
    TRANSPOSE_CONV TransposeConv, UNIDIRECTIONAL_SEQUENCE_LSTM UnidirectionalSequenceLSTM, UNPACK Unpack, VAR_HANDLE VarHandle,
    WHILE While, ZEROS_LIKE ZerosLike
"""

_CUSTOM = """
    CIRCULAR_BUFFER CircularBuffer, TFLM_DECODE Decode, SignalDelay Delay, TFLite_Detection_PostProcess DetectionPostprocess,
    SignalEnergy Energy, ethos-u EthosU, SignalFftAutoScale FftAutoScale, SignalFilterBank FilterBank,
    SignalFilterBankLog FilterBankLog, SignalFilterBankSpectralSubtraction FilterBankSpectralSubtraction,
    SignalFilterBankSquareRoot FilterBankSquareRoot, SignalFramer Framer, SignalIrfft Irfft, SignalOverlapAdd OverlapAdd,
    SignalPCAN PCAN, SignalRfft Rfft, SignalStacker Stacker, SignalWindow Window
"""


def _table(text: str) -> Mapping[str, str]:
    """Maps op names to the resolver's methods, from lines of ``NAME Method`` pairs."""
    pairs = (entry.split() for entry in text.split(","))
    return MappingProxyType({name: f"Add{method}" for name, method in pairs})


TFLM_OPS: Mapping[str, str] = _table(_BUILTIN)
"""Builtin op by the schema's name to the method of ``MicroMutableOpResolver`` that registers it."""

TFLM_CUSTOM_OPS: Mapping[str, str] = _table(_CUSTOM)
"""Custom op by the name in the file to the method that registers TFLite Micro's own kernel of that name."""


MOST_NAMED = 8
"""Ops that a refusal names."""


@dataclass(frozen=True)
class ResolverEntry:
    """One op that a model uses: its builtin code and name in the file, and the resolver's method."""

    builtin_code: int
    name: str
    method: str


def resolver_entries(graph: Graph, name: str) -> tuple[ResolverEntry, ...]:
    """Returns exactly the ops a graph uses, each once, in the order of first use.

    Args:
        graph: the model.
        name: what messages call it.

    Raises:
        ArtifactError: TFLite Micro lacks some of the ops; all of them are named.
    """
    used: dict[tuple[int, str], ResolverEntry] = {}
    missing: dict[str, None] = {}
    for operator in (*graph.operators, *(each for other in graph.others for each in other.operators)):
        label = _name_in_file(operator)
        method = _method(operator)
        if method is None:
            missing[label] = None
        else:
            used.setdefault((operator.builtin_code, label), ResolverEntry(operator.builtin_code, label, method))
    for label in ("VAR_HANDLE", "ASSIGN_VARIABLE") if graph.subgraphs > 1 and not graph.others else ():  # of the initializers
        used.setdefault((code_of(label), label), ResolverEntry(code_of(label), label, TFLM_OPS[label]))
    if missing:
        named = ", ".join(list(missing)[:MOST_NAMED]) + (" and others" if len(missing) > MOST_NAMED else "")
        raise ArtifactError(
            f"{name} cannot become a TFLite Micro program: TFLite Micro has no {named}; "
            "build the model from layers that convert to other ops (glyphlite inspect lists them)"
        )
    return tuple(used.values())


def _method(operator: Operator) -> str | None:
    if operator.custom_code is not None:
        return TFLM_CUSTOM_OPS.get(operator.custom_code)
    return TFLM_OPS.get(operator.name)


def _name_in_file(operator: Operator) -> str:
    """Returns the op's schema name; a custom op's own name, made safe to print."""
    if operator.custom_code is None:
        return operator.name
    return f"custom op '{printable(operator.custom_code)}'"
