"""A competitor built as well as we can: a model's layers called one after another in Arm's CMSIS-NN, as firmware would.

Convolution, depthwise convolution, dense and pooling kernels of CMSIS-NN 4.0.0, whose sources come inside the ``bakenn`` wheel.
The wrappers choose the fastest kernel for a layer (``arm_convolve_wrapper_s8``, ``arm_depthwise_conv_wrapper_s8``), scratch
buffers have the size that its own functions ask for, activations share one arena from both ends, parameters are constants. A
dense layer whose weights are quantized per channel, which version 4.0.0 has no kernel for, runs as the 1x1 convolution it is.
"""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from common.artifacts import cache_folder
from glyphlite.compiler.arithmetic import activation_range, quantize_multiplier
from glyphlite.emulation.elf import Footprint
from glyphlite.emulation.emulator import Emulator, Measurement
from glyphlite.emulation.toolchain import Target, compile_and_link
from glyphlite.tflite.graph import Graph, Operator, Tensor

WHEEL, VERSION = "bakenn", "1.0.0"
_NO_WORK = ("RESHAPE", "SQUEEZE", "SOFTMAX")


@dataclass(frozen=True)
class Competitor:
    """A measured harness: one inference's count, what the image takes, its activations (with input and output) and scratch."""

    measurement: Measurement
    footprint: Footprint
    activation_bytes: int
    scratch_bytes: int
    output: np.ndarray

    @property
    def ram_bytes(self) -> int:
        """All that must be writable: activations, scratch, stack."""
        return self.activation_bytes + self.scratch_bytes + self.measurement.stack_bytes


def sources() -> Path:
    """The folder of CMSIS-NN's ``Include`` and ``Source``, fetched with pip on the first call."""
    folder = cache_folder(f"cmsis-nn-of-{WHEEL}-{VERSION}")
    root = folder / "bakenn" / "backend" / "cmsis_nn" / "vendor"
    if not root.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"{WHEEL}=={VERSION}", "--dest", str(folder)]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if "/cmsis_nn/" in name])
    return root


def measure(graph: Graph, image: np.ndarray, target: Target, folder: Path) -> Competitor:
    """Build a model's layers on CMSIS-NN for a core and count one inference, up to the logits.

    Args:
        graph: a chain of convolutions, dense layers and pools.
        image: int8, the model's input.
        target: the core.
        folder: where to build.
    """
    root = sources()
    harness = _Harness(graph)
    (folder / "math.h").write_text("#pragma once\n")  # included there, never used by these kernels
    source = folder / "harness.c"
    source.write_text(harness.source())
    files = [path for path in sorted((root / "cmsis_nn" / "Source").rglob("*.c")) if not path.name.startswith("bakenn")]
    include = [folder, root / "cmsis_nn" / "Include", root / "cmsis_core" / "Include"]

    def build(scratch: int) -> Emulator:
        image_path = compile_and_link(
            target,
            [source, *files],
            folder / f"{target.name}.elf",
            keep=["run", "scratch_needed", "input", "output"],
            flags=("-w", f"-DSCRATCH={scratch}"),
            include=include,
        )
        return Emulator(image_path, target)

    with build(1 << 16) as machine:
        scratch = machine.call("scratch_needed")
    with build(scratch) as machine:
        symbol = machine.image.symbol
        machine.write(symbol("arena").address + harness.input_offset, image.astype(np.int8))
        measurement = machine.measure("run")
        if measurement.result != 0:
            raise RuntimeError(f"CMSIS-NN refused a layer ({measurement.result})")
        output = np.frombuffer(machine.read(symbol("arena").address + harness.output_offset, harness.output_bytes), np.int8)
        return Competitor(measurement, machine.image.footprint(), harness.arena_bytes, scratch, output)


class _Harness:
    """The C of one model: constants, then one call a layer."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._constants: list[str] = []
        self._calls: list[str] = []
        self._needs: list[str] = []
        layers = [operator for operator in graph.operators if operator.name not in _NO_WORK]
        sizes = [graph.input.bytes, *(graph.tensors[layer.outputs[0]].bytes for layer in layers)]
        rounded = [-(-size // 4) * 4 for size in sizes]
        self.arena_bytes = max(first + second for first, second in pairwise(rounded))
        self._places = [0 if index % 2 == 0 else self.arena_bytes - size for index, size in enumerate(rounded)]
        self.input_offset, self.output_offset, self.output_bytes = self._places[0], self._places[-1], sizes[-1]
        for index, layer in enumerate(layers):
            emit = getattr(self, f"_{layer.name.lower()}", None)
            if emit is None:
                raise RuntimeError(f"the wheel's CMSIS-NN has no {layer.name}")
            emit(index, layer, graph.tensors[layer.inputs[0]], graph.tensors[layer.outputs[0]])

    def source(self) -> str:
        """The whole file."""
        return "\n".join(
            [
                '#include "arm_nnfunctions.h"',
                f"_Alignas(8) int8_t arena[{self.arena_bytes}];",
                "_Alignas(8) static int8_t scratch[SCRATCH > 0 ? SCRATCH : 1];",
                *self._constants,
                "int scratch_needed(void) {",
                "  int most = 0, bytes;",
                *(f"  bytes = {need}; most = bytes > most ? bytes : most;" for need in self._needs),
                "  return most;",
                "}",
                "int run(void) {",
                "  const cmsis_nn_context ctx = {SCRATCH > 0 ? scratch : NULL, SCRATCH};",
                *self._calls,
                "  return 0;",
                "}",
                "",
            ]
        )

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
        source, result = self._places[index], self._places[index + 1]
        arguments = arguments.replace("INPUT", f"arena + {source}").replace("OUTPUT", f"arena + {result}")
        self._calls.append(f"  if ({function}({arguments}) != ARM_CMSIS_NN_SUCCESS) return {index + 1};")

    def _conv_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        weights = self._graph.tensors[layer.inputs[1]]
        count, height, width, depth = weights.shape
        self._convolution(index, layer, source, result, "", f"{{{count}, {height}, {width}, {depth}}}", "conv")
        self._needs.append(f"arm_convolve_wrapper_s8_get_buffer_size(&p{index}, &i{index}, &f{index}, &o{index})")
        dims = f"&ctx, &p{index}, &q{index}, &i{index}, INPUT, &f{index}, w{index}, NULL, b{index}, &o{index}, OUTPUT"
        self._call(index, "arm_convolve_wrapper_s8", dims)

    def _depthwise_conv_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        weights = self._graph.tensors[layer.inputs[1]]
        _, height, width, depth = weights.shape
        multiplier = f"{layer.options['depth_multiplier']}, "
        self._convolution(index, layer, source, result, multiplier, f"{{1, {height}, {width}, {depth}}}", "dw_conv")
        self._needs.append(f"arm_depthwise_conv_wrapper_s8_get_buffer_size(&p{index}, &i{index}, &f{index}, &o{index})")
        dims = f"&ctx, &p{index}, &q{index}, &i{index}, INPUT, &f{index}, w{index}, NULL, b{index}, &o{index}, OUTPUT"
        self._call(index, "arm_depthwise_conv_wrapper_s8", dims)

    def _fully_connected(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        weights = self._graph.tensors[layer.inputs[1]]
        assert weights.quantization is not None
        units, depth = weights.shape
        if len(weights.quantization.scales) > 1:
            flat_source, flat_result = _flat(source, depth), _flat(result, units)
            self._convolution(index, layer, flat_source, flat_result, "", f"{{{units}, 1, 1, {depth}}}", "conv")
            self._needs.append(f"arm_convolve_wrapper_s8_get_buffer_size(&p{index}, &i{index}, &f{index}, &o{index})")
            dims = f"&ctx, &p{index}, &q{index}, &i{index}, INPUT, &f{index}, w{index}, NULL, b{index}, &o{index}, OUTPUT"
            self._call(index, "arm_convolve_wrapper_s8", dims)
            return
        self._weighted(index, layer)
        before, after = self._offsets(source, result)
        assert source.quantization is not None
        assert result.quantization is not None
        multiplier, shift = quantize_multiplier(
            source.quantization.scale * weights.quantization.scale / result.quantization.scale
        )
        low, high = activation_range(layer.options["activation"], result.quantization.scale, result.quantization.zero_point)
        self._constants.append(
            f"static const cmsis_nn_fc_params p{index} = {{{before}, 0, {after}, {{{low}, {high}}}}};\n"
            f"static const cmsis_nn_per_tensor_quant_params q{index} = {{{multiplier}, {shift}}};\n"
            f"static const cmsis_nn_dims i{index} = {{1, 1, 1, {depth}}}, f{index} = {{{depth}, 1, 1, {units}}}, "
            f"o{index} = {{1, 1, 1, {units}}};"
        )
        self._needs.append(f"arm_fully_connected_s8_get_buffer_size(&f{index})")
        dims = f"&ctx, &p{index}, &q{index}, &i{index}, INPUT, &f{index}, w{index}, NULL, b{index}, &o{index}, OUTPUT"
        self._call(index, "arm_fully_connected_s8", dims)

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
        self._call(index, function, f"&ctx, &p{index}, &i{index}, INPUT, &f{index}, &o{index}, OUTPUT")

    def _max_pool_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        self._pool(index, layer, source, result, "arm_max_pool_s8")

    def _average_pool_2d(self, index: int, layer: Operator, source: Tensor, result: Tensor) -> None:
        self._pool(index, layer, source, result, "arm_avgpool_s8")
        self._needs.append(f"arm_avgpool_s8_get_buffer_size({result.shape[2]}, {source.shape[3]})")


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
