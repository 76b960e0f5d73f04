"""The C of one model on CMSIS-NN: its constants, and one call a layer into an arena that is planned over lifetimes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.cmsis_nn.kernels import Kernels
from glyphlite.compiler.arithmetic import activation_range, input_radius, mean_multiplier, quantize_multiplier
from glyphlite.compiler.memory_plan import Buffer, align, plan
from glyphlite.tflite.graph import Graph, Operator, Tensor

_VIEWS = ("RESHAPE", "SQUEEZE")
"""Ops that only name the same bytes again; TensorFlow Lite Micro copies them."""

_PLAIN_FUNCTIONS = {"ADD": "arm_elementwise_add_s8", "SOFTMAX": "arm_softmax_s8", "MEAN": "plain_mean_s8"}
_ADD_LEFT_SHIFT = 20


@dataclass(frozen=True)
class Layout:
    """Offsets in the arena, in bytes: of every tensor's bytes by its root, and of every layer's scratch."""

    tensors: dict[int, int]
    scratch: tuple[int, ...]
    scratch_bytes: tuple[int, ...]
    arena_bytes: int
    input_offset: int
    output_offset: int
    output_bytes: int


class Harness:
    """The C of one model of one input and one output, whatever way its maps take between."""

    def __init__(self, graph: Graph, kernels: Kernels) -> None:
        self._graph = replace(graph, tensors=tuple(_single(tensor) for tensor in graph.tensors))
        self._kernels = kernels
        self._constants: list[str] = []
        self._calls: list[str] = []
        self._needs: dict[int, str] = {}
        self._roots: dict[int, int] = {}
        self._operators: list[Operator] = []
        for operator in self._graph.operators:
            if operator.name in _VIEWS:
                self._roots[operator.outputs[0]] = self._root(operator.inputs[0])
            else:
                self._operators.append(operator)
        for index, layer in enumerate(self._operators):
            emit = getattr(self, f"_{layer.name.lower()}", None)
            if emit is None:
                raise RuntimeError(f"there is no call of CMSIS-NN for {layer.name}")
            emit(index, layer, self._graph.tensors[layer.inputs[0]], self._graph.tensors[layer.outputs[0]])

    @property
    def layers(self) -> int:
        """Returns the number of calls."""
        return len(self._operators)

    @property
    def plain_functions(self) -> tuple[str, ...]:
        """Returns the functions of plain C that this model calls for want of a kernel."""
        names = {operator.name for operator in self._operators}
        return tuple(_PLAIN_FUNCTIONS[name] for name in self._kernels.plain if name in names)

    def plan(self, scratch: Sequence[int]) -> Layout:
        """Returns where everything lies: whole maps and each layer's scratch, over their lifetimes."""
        graph = self._graph
        spans = {self._root(graph.inputs[0]): [0, 0]}
        for step, operator in enumerate(self._operators):
            for index in operator.inputs:
                if index >= 0 and not graph.tensors[index].is_constant:
                    spans[self._root(index)][1] = step
            spans[self._root(operator.outputs[0])] = [step, step]
        spans[self._root(graph.outputs[0])][1] = self.layers
        roots = list(spans)
        buffers = [Buffer(str(root), graph.tensors[root].bytes, spans[root][0], spans[root][1]) for root in roots]
        buffers += [Buffer(f"scratch {step}", size, step, step) for step, size in enumerate(scratch)]
        placed = plan(buffers)
        tensors = dict(zip(roots, placed.offsets, strict=False))
        output = self._root(graph.outputs[0])
        return Layout(
            tensors=tensors,
            scratch=placed.offsets[len(roots) :],
            scratch_bytes=tuple(scratch),
            arena_bytes=align(placed.size),
            input_offset=tensors[self._root(graph.inputs[0])],
            output_offset=tensors[output],
            output_bytes=graph.tensors[output].bytes,
        )

    def source(self, layout: Layout | None) -> str:
        """Returns the whole file; without a layout only what tells each layer's scratch."""
        needs = [f"  if (layer == {index}) return {need};" for index, need in self._needs.items()]
        lines = ['#include "arm_nnfunctions.h"', *self._constants, "int scratch_needed(int layer) {", *needs, "  return 0;", "}"]
        if layout is not None:
            lines += [
                "void plain_mean_s8(const int8_t *, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int8_t *);",
                f"_Alignas(8) int8_t arena[{layout.arena_bytes}];",
                "int run(void) {",
                *(self._placed(index, call, layout) for index, call in enumerate(self._calls)),
                "  return 0;",
                "}",
            ]
        return "\n".join([*lines, ""])

    def _placed(self, index: int, call: str, layout: Layout) -> str:
        """Returns a call with the places of its maps and its scratch."""
        operator, size = self._operators[index], layout.scratch_bytes[index]
        names = [*(("INPUT", "OTHER")[: len(operator.inputs)]), "OUTPUT"]
        tensors = [*operator.inputs[: len(names) - 1], operator.outputs[0]]
        for name, tensor in zip(names, tensors, strict=True):
            call = call.replace(name, f"arena + {layout.tensors.get(self._root(tensor), 0)}")
        context = f"  const cmsis_nn_context c{index} = {{{f'arena + {layout.scratch[index]}' if size else 'NULL'}, {size}}};\n"
        return (context if f"&c{index}" in call else "") + call

    def _root(self, tensor: int) -> int:
        """Returns the tensor whose bytes a tensor has."""
        return self._roots.get(tensor, tensor)

    def _array(self, name: str, kind: str, values: np.ndarray) -> str:
        self._constants.append(
            f"static const {kind} {name}[] = {{{', '.join(str(int(value)) for value in values.reshape(-1))}}};"
        )
        return name

    def _quantization(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> tuple[list[int], list[int], str]:
        weights = self._graph.tensors[layer.inputs[1]]
        assert source.quantization is not None
        assert result.quantization is not None
        assert weights.quantization is not None
        channels = result.shape[-1]
        scales = weights.quantization.scales if len(weights.quantization.scales) > 1 else weights.quantization.scales * channels
        pairs = [quantize_multiplier(source.quantization.scale * scale / result.quantization.scale) for scale in scales]
        low, high = activation_range(layer.options["activation"], result.quantization.scale, result.quantization.zero_point)
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs], f"{{{low}, {high}}}"

    def _weighted(self, index: int, layer: Operator) -> None:
        weights, bias = self._graph.tensors[layer.inputs[1]], layer.inputs[2] if len(layer.inputs) > 2 else -1
        assert weights.data is not None
        self._array(f"w{index}", "int8_t", weights.data)
        values = self._graph.tensors[bias].data if bias >= 0 else np.zeros(self._graph.tensors[layer.outputs[0]].shape[-1])
        assert values is not None
        self._array(f"b{index}", "int32_t", values)

    def _offsets(self, source: Tensor, result: Tensor) -> tuple[int, int]:
        assert source.quantization is not None
        assert result.quantization is not None
        return -source.quantization.zero_point, result.quantization.zero_point

    def _convolution(
        self, index: int, layer: Operator, source: Tensor, result: Tensor, extra: str, filter_dims: str, kind: str
    ) -> None:
        multipliers, shifts, clamp = self._quantization(index, layer, source, result)
        self._weighted(index, layer)
        self._array(f"m{index}", "int32_t", np.array(multipliers))
        self._array(f"s{index}", "int32_t", np.array(shifts))
        before, after = self._offsets(source, result)
        options = layer.options
        height, width = _window(self._graph.tensors[layer.inputs[1]], layer)
        stride, dilation = options.get("strides", (1, 1)), options.get("dilations", (1, 1))
        top = _padding(source.shape, result.shape, height, stride, dilation, options, 0)
        left = _padding(source.shape, result.shape, width, stride, dilation, options, 1)
        self._constants.append(
            f"static const cmsis_nn_{kind}_params p{index} = {{{before}, {after}, {extra}{{{stride[1]}, {stride[0]}}}, "
            f"{{{left}, {top}}}, {{{dilation[1]}, {dilation[0]}}}, {clamp}}};\n"
            f"static const cmsis_nn_per_channel_quant_params q{index} = {{(int32_t *)m{index}, (int32_t *)s{index}}};\n"
            f"static const cmsis_nn_dims i{index} = {_dims(source.shape)}, f{index} = {filter_dims}, "
            f"o{index} = {_dims(result.shape)};"
        )

    def _call(self, index: int, function: str, arguments: str) -> None:
        self._calls.append(f"  if ({function}({arguments}) != ARM_CMSIS_NN_SUCCESS) return {index + 1};")

    def _weighted_call(self, index: int, function: str) -> None:
        """Adds a call of a layer with weights: all of them take the same arguments."""
        layer = f"&c{index}, &p{index}, &q{index}, &i{index}, INPUT, &f{index}, w{index}, NULL, b{index}, &o{index}, OUTPUT"
        self._call(index, function, layer)

    def _conv_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        weights = self._graph.tensors[layer.inputs[1]]
        count, height, width, depth = weights.shape
        self._convolution(index, layer, source, result, "", f"{{{count}, {height}, {width}, {depth}}}", "conv")
        self._needs[index] = f"arm_convolve_wrapper_s8_get_buffer_size(&p{index}, &i{index}, &f{index}, &o{index})"
        self._weighted_call(index, "arm_convolve_wrapper_s8")

    def _depthwise_conv_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        weights = self._graph.tensors[layer.inputs[1]]
        _, height, width, depth = weights.shape
        multiplier = f"{layer.options['depth_multiplier']}, "
        self._convolution(index, layer, source, result, multiplier, f"{{1, {height}, {width}, {depth}}}", "dw_conv")
        self._needs[index] = f"arm_depthwise_conv_wrapper_s8_get_buffer_size(&p{index}, &i{index}, &f{index}, &o{index})"
        self._weighted_call(index, "arm_depthwise_conv_wrapper_s8")

    def _fully_connected(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        weights = self._graph.tensors[layer.inputs[1]]
        assert weights.quantization is not None
        units, depth = weights.shape
        per_channel = len(weights.quantization.scales) > 1
        if per_channel and not self._kernels.per_channel_dense:
            flat_source, flat_result = _flat(source, depth), _flat(result, units)
            self._convolution(index, layer, flat_source, flat_result, "", f"{{{units}, 1, 1, {depth}}}", "conv")
            self._needs[index] = f"arm_convolve_wrapper_s8_get_buffer_size(&p{index}, &i{index}, &f{index}, &o{index})"
            self._weighted_call(index, "arm_convolve_wrapper_s8")
            return
        multipliers, shifts, clamp = self._quantization(index, layer, source, result)
        self._weighted(index, layer)
        before, after = self._offsets(source, result)
        if per_channel:
            scaling = f"{{(int32_t *){self._array(f'm{index}', 'int32_t', np.array(multipliers))}, "
            scaling += f"(int32_t *){self._array(f's{index}', 'int32_t', np.array(shifts))}}}"
        else:
            scaling = f"{{{multipliers[0]}, {shifts[0]}}}"
        kind = "per_channel" if per_channel else "per_tensor"
        self._constants.append(
            f"static const cmsis_nn_fc_params p{index} = {{{before}, 0, {after}, {clamp}}};\n"
            f"static const cmsis_nn_{kind}_quant_params q{index} = {scaling};\n"
            f"static const cmsis_nn_dims i{index} = {{1, 1, 1, {depth}}}, f{index} = {{{depth}, 1, 1, {units}}}, "
            f"o{index} = {{1, 1, 1, {units}}};"
        )
        self._needs[index] = f"arm_fully_connected_s8_get_buffer_size(&f{index})"
        self._weighted_call(index, f"arm_fully_connected{'_per_channel' if per_channel else ''}_s8")

    def _pool(self, index: int, layer: Operator, source: Tensor, result: Tensor, function: str) -> None:
        assert result.quantization is not None
        height, width = layer.options["window"]
        stride = layer.options["strides"]
        top = _padding(source.shape, result.shape, height, stride, (1, 1), layer.options, 0)
        left = _padding(source.shape, result.shape, width, stride, (1, 1), layer.options, 1)
        low, high = activation_range(layer.options["activation"], result.quantization.scale, result.quantization.zero_point)
        self._constants.append(
            f"static const cmsis_nn_pool_params p{index} = "
            f"{{{{{stride[1]}, {stride[0]}}}, {{{left}, {top}}}, {{{low}, {high}}}}};\n"
            f"static const cmsis_nn_dims i{index} = {_dims(source.shape)}, f{index} = {{1, {height}, {width}, 1}}, "
            f"o{index} = {_dims(result.shape)};"
        )
        self._call(index, function, f"&c{index}, &p{index}, &i{index}, INPUT, &f{index}, &o{index}, OUTPUT")

    def _max_pool_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        self._pool(index, layer, source, result, "arm_max_pool_s8")

    def _average_pool_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        self._pool(index, layer, source, result, "arm_avgpool_s8")
        self._needs[index] = f"arm_avgpool_s8_get_buffer_size({result.shape[2]}, {source.shape[3]})"

    def _add(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        """Source: ``CalculateOpData``, micro/kernels/add_common.cc."""
        other = self._graph.tensors[layer.inputs[1]]
        if other.is_constant or other.shape != source.shape:
            raise RuntimeError("CMSIS-NN adds two maps of one shape")
        assert source.quantization is not None
        assert other.quantization is not None
        assert result.quantization is not None
        twice_max = 2.0 * max(source.quantization.scale, other.quantization.scale)
        sides = []
        for tensor in (source, other):
            assert tensor.quantization is not None
            multiplier, shift = quantize_multiplier(tensor.quantization.scale / twice_max)
            sides.append(f"{-tensor.quantization.zero_point}, {multiplier}, {shift}")
        multiplier, shift = quantize_multiplier(twice_max / (2.0**_ADD_LEFT_SHIFT * result.quantization.scale))
        scale, zero_point = result.quantization.scale, result.quantization.zero_point
        low, high = activation_range(layer.options["activation"], scale, zero_point)
        self._call(
            index,
            "arm_elementwise_add_s8",
            f"INPUT, OTHER, {sides[0]}, {sides[1]}, {_ADD_LEFT_SHIFT}, OUTPUT, {zero_point}, {multiplier}, {shift}, "
            f"{low}, {high}, {result.elements}",
        )

    def _softmax(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        """Source: ``CalculateSoftmaxParams``, micro/kernels/softmax_common.cc."""
        assert source.quantization is not None
        real = min(layer.options.get("beta", 1.0) * source.quantization.scale * 2.0**26, 2.0**31 - 1.0)
        multiplier, shift = quantize_multiplier(real)
        depth = source.shape[-1]
        arguments = f"INPUT, {source.elements // depth}, {depth}, {multiplier}, {shift}, {-input_radius(5, shift)}, OUTPUT"
        self._calls.append(f"  arm_softmax_s8({arguments});")

    def _mean(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        """Source: ``QuantizedMeanOrSum``, kernels/internal/reference/reduce.h."""
        assert source.quantization is not None
        assert result.quantization is not None
        if sorted(axis % 4 for axis in layer.options["axes"]) != [1, 2]:
            raise RuntimeError("plain C has a MEAN over height and width alone")
        positions, channels = source.elements // source.shape[-1], source.shape[-1]
        multiplier, shift = mean_multiplier(source.quantization.scale, result.quantization.scale, positions)
        before, after = self._offsets(source, result)
        self._calls.append(f"  plain_mean_s8(INPUT, {positions}, {channels}, {before}, {after}, {multiplier}, {shift}, OUTPUT);")


def _single(tensor: Tensor) -> Tensor:
    """Returns the tensor with a free batch taken as one."""
    return replace(tensor, shape=tuple(abs(extent) for extent in tensor.shape))


def _flat(tensor: Tensor, extent: int) -> Tensor:
    return Tensor(tensor.index, tensor.name, (1, 1, 1, extent), tensor.dtype, tensor.quantization)


def _dims(shape: tuple[int, ...]) -> str:
    return f"{{{', '.join(str(extent) for extent in shape)}}}"


def _window(weights: Tensor, layer: Operator) -> tuple[int, int]:
    return (1, 1) if layer.name == "FULLY_CONNECTED" else (weights.shape[1], weights.shape[2])


def _padding(
    source: tuple[int, ...],
    result: tuple[int, ...],
    extent: int,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    options: dict[str, object],
    axis: int,
) -> int:
    """Rows above or columns left of the input (``tensorflow/lite/kernels/padding.h``)."""
    if options.get("padding") != "same":
        return 0
    reach = (extent - 1) * dilation[axis] + 1
    return max(0, (result[1 + axis] - 1) * stride[axis] + reach - source[1 + axis]) // 2
