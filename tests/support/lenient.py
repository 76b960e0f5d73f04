"""Odd but sound .tflite files: what converters and vendors' tools write, and TFLite Micro runs. Each is a sample changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from support.altered import changed, code, operator, quantization, tensor

CONV_WEIGHTS, CONV_BIAS, CONV_OUT, INPUT = 7, 6, 8, 0
"""Tensors of ``micro-cnn/model_int8.tflite``."""


def unused(shape: list[int] | None, **fields: Any) -> Callable[[Any], None]:
    """Adds a tensor that nothing reads or writes."""

    def change(model: Any) -> None:
        added: Any = schema.TensorT()
        added.name, added.shape, added.type = (
            "left over",
            None if shape is None else np.array(shape, np.int32),
            schema.TensorType.INT8,
        )
        for name, value in fields.items():
            setattr(added, name, value)
        model.subgraphs[0].tensors.append(added)

    return change


def scaled(scale: list[float] | None, zero_point: list[int] | None, axis: int = 0) -> Any:
    """Returns quantization parameters as they stand in a file, sound or not."""
    parameters: Any = schema.QuantizationParametersT()
    parameters.scale, parameters.zeroPoint, parameters.quantizedDimension = scale, zero_point, axis
    return parameters


def _codes(**fields: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for index in range(len(model.operatorCodes)):
            code(index, **fields)(model)

    return change


def _every_tensor(**fields: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for index in range(len(model.subgraphs[0].tensors)):
            tensor(index, **fields)(model)

    return change


def _axis_of_single_scales(model: Any) -> None:
    for each in model.subgraphs[0].tensors:
        if each.quantization is not None and each.quantization.scale is not None and len(each.quantization.scale) == 1:
            each.quantization.quantizedDimension = 3


def _bare(model: Any) -> None:
    """Drops everything that tells of a model and computes nothing."""
    model.metadata = model.signatureDefs = model.description = None
    model.subgraphs[0].name = None


def _planned(model: Any) -> None:
    """Adds an offline memory plan that leaves every tensor to TFLite Micro."""
    count = len(model.subgraphs[0].tensors)
    plan: Any = schema.BufferT()
    entry: Any = schema.MetadataT()
    plan.data = np.frombuffer(np.array([1, 0, count] + [-1] * count, np.int32).tobytes(), np.uint8)
    entry.name, entry.buffer = "OfflineMemoryAllocation", len(model.buffers)
    model.buffers.append(plan)
    model.metadata = [*(model.metadata or []), entry]


def _unused_custom_code(model: Any) -> None:
    added: Any = schema.OperatorCodeT()
    added.builtinCode = added.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes.append(added)


def _signatures_free(model: Any) -> None:
    """Leaves every extent free in the signatures that resizing reads, whatever the shapes are."""
    for each in model.subgraphs[0].tensors:
        each.shapeSignature = np.full(len(each.shape), -1, np.int32)


def _reshape_without_shape(model: Any) -> None:
    reshape = model.subgraphs[0].operators[2]
    reshape.inputs, reshape.builtinOptionsType, reshape.builtinOptions = reshape.inputs[:1], 0, None


def _own_empty_buffers(model: Any) -> None:
    for each in model.subgraphs[0].tensors:
        if each.buffer == 0:
            empty: Any = schema.BufferT()
            empty.data = np.zeros(0, np.uint8)
            each.buffer = len(model.buffers)
            model.buffers.append(empty)


def _channel_of_zeros(model: Any) -> None:
    """A channel whose weights are all 0, with the scale 0 that old converters give it."""
    weights = model.subgraphs[0].tensors[CONV_WEIGHTS]
    data = np.array(model.buffers[weights.buffer].data)
    data[:9] = 0
    model.buffers[weights.buffer].data = data
    for index in (CONV_WEIGHTS, CONV_BIAS):
        each = model.subgraphs[0].tensors[index].quantization
        each.scale = np.array([0, *each.scale[1:]], np.float32)


ODDITIES: dict[str, Callable[[Any], None]] = {
    "an unused tensor of extent 0": unused([0], quantization=scaled([0.1], [0])),
    "an unused tensor of extent 0 among others": unused([4, 0, 3]),
    "an unused tensor of free extents": unused([-1, 4]),
    "an unused tensor without a shape": unused(None),
    "an unused tensor of many dimensions": unused([1] * 40),
    "an unused tensor larger than any memory": unused([2**20, 2**12]),
    "an unused tensor with the scale 0": unused([4], quantization=scaled([0.0], [0])),
    "an unused tensor with no number as scale": unused([4], quantization=scaled([float("nan")], [0])),
    "an unused tensor with zero points alone": unused([4], quantization=scaled(None, [0])),
    "an unused tensor with an axis beyond": unused([4], quantization=scaled([0.1, 0.2], [0, 0], 7)),
    "an unused tensor with another number of scales": unused([4], quantization=scaled([0.1] * 3, [0] * 3)),
    "an unused constant of another size": unused([4], buffer=8),
    "an unused variable": unused([4], isVariable=True),
    "an unused sparse tensor": unused([4], sparsity=schema.SparsityParametersT()),
    "builtin codes in the old field alone": _codes(builtinCode=0),
    "builtin codes in the new field alone": _codes(deprecatedBuiltinCode=0),
    "builtin codes that the old field denies": _codes(deprecatedBuiltinCode=-1),
    "ops of version 0": _codes(version=0),
    "ops of versions to come": _codes(version=99),
    "a code that no op uses": _unused_custom_code,
    "tensors without names": _every_tensor(name=None),
    "tensors of one name": _every_tensor(name="x"),
    "nothing but the model": _bare,
    "an offline memory plan": _planned,
    "biases along axis 3": quantization(CONV_BIAS, quantizedDimension=3),
    "biases along an axis below 0": quantization(CONV_BIAS, quantizedDimension=-1),
    "single scales along axis 3": _axis_of_single_scales,
    "biases without zero points": quantization(CONV_BIAS, zeroPoint=None),
    "biases with the scale 0": quantization(CONV_BIAS, scale=[0.0] * 8),
    "biases without scales": tensor(CONV_BIAS, quantization=None),
    "biases with empty parameters": tensor(CONV_BIAS, quantization=scaled([], [])),
    "biases of four dimensions": tensor(CONV_BIAS, shape=[1, 1, 1, 8]),
    "a channel of weights with the scale 0": _channel_of_zeros,
    "one zero point for all channels": quantization(CONV_WEIGHTS, zeroPoint=[0]),
    "smallest and largest values": quantization(CONV_OUT, min=[0.0], max=[1.0]),
    "an op that names a tensor to be changed": operator(0, mutatingVariableInputs=[False] * 3),
    "a reshape that names no shape": _reshape_without_shape,
    "extents of another size in the signature": tensor(INPUT, shapeSignature=[1, 28, 28, 2]),
    "another number of extents in the signature": tensor(INPUT, shapeSignature=[-1]),
    "a constant of free extents in the signature": tensor(CONV_WEIGHTS, shapeSignature=[-1, 3, 3, -1]),
    "every extent free in the signature": _signatures_free,
    "activations with empty buffers of their own": _own_empty_buffers,
}
"""What is odd, and how a sample gets to be so."""

VECTORS_OF_FOUR = "vectors aligned to four"


def odd_files(sample: Path) -> dict[str, bytes]:
    """Returns the odd files by what is odd; all of them compute what the sample computes, but for a channel of zeros."""
    return {**{name: changed(sample, change) for name, change in ODDITIES.items()}, VECTORS_OF_FOUR: aligned_to_four(sample)}


def aligned_to_four(sample: Path) -> bytes:
    """Returns a sample whose vectors of 64-bit integers start on odd multiples of four, as a vendor's tool writes them."""

    class AlignsToFour(flatbuffers.Builder):
        """Prepares no wider vector than one of four bytes, and never by chance one of eight."""

        __slots__ = ()

        def CreateNumpyVector(self, x: np.ndarray) -> int:  # noqa: N802 (the library's name)
            if x.dtype.itemsize <= 4:
                return super().CreateNumpyVector(x)
            halves = np.ascontiguousarray(x).view(np.int32)
            if (self.Offset() + halves.nbytes) % 8 == 0:
                self.PrependInt32(0)
            self.StartVector(4, len(halves), 4)
            self.head -= halves.nbytes
            self.Bytes[self.head : self.head + halves.nbytes] = halves.tobytes()
            self.vectorNumElems = len(x)
            return self.EndVector()

    model: Any = schema.ModelT.InitFromPackedBuf(sample.read_bytes())
    builder = AlignsToFour(1 << 16)
    builder.Prep(8, 0)  # the file's end, from which offsets count, is a multiple of eight
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_scratch_of_a_custom_op(model: Any) -> None:
    """Lets a custom op take memory that no op writes, as Vela does for Ethos-U."""
    unused([64])(model)
    added: Any = schema.OperatorCodeT()
    added.builtinCode = added.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    added.customCode = "ethos-u"
    last = model.subgraphs[0].operators[-1]
    last.opcodeIndex, last.builtinOptionsType, last.builtinOptions = len(model.operatorCodes), 0, None
    last.inputs = [*last.inputs, len(model.subgraphs[0].tensors) - 1]
    model.operatorCodes.append(added)


def with_scalar_output(model: Any) -> None:
    """Leaves one class, and makes a scalar of it by a RESHAPE whose shape is a constant without values."""
    graph = model.subgraphs[0]
    graph.operators = graph.operators[:5]
    for index, count in ((3, 16), (2, 4)):
        kept = graph.tensors[index]
        kept.shape = np.array([1, *kept.shape[1:]], np.int32)
        kept.quantization.scale, kept.quantization.zeroPoint = kept.quantization.scale[:1], kept.quantization.zeroPoint[:1]
        model.buffers[kept.buffer].data = model.buffers[kept.buffer].data[:count]
    graph.tensors[12].shape = np.array([1, 1], np.int32)
    scalar = graph.tensors[13]
    scalar.shape, scalar.shapeSignature, scalar.quantization = np.array([], np.int32), None, graph.tensors[12].quantization
    unused([0], type=schema.TensorType.INT32)(model)
    reshape: Any = schema.OperatorT()
    reshape.opcodeIndex = graph.operators[2].opcodeIndex
    reshape.inputs, reshape.outputs = np.array([12, 14], np.int32), np.array([13], np.int32)
    graph.operators.append(reshape)


def with_one_output_twice(model: Any) -> None:
    """Names the same output two times."""
    model.subgraphs[0].outputs = np.repeat(model.subgraphs[0].outputs, 2)
    model.signatureDefs = None
