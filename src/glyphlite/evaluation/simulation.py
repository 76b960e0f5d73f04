"""``glyphlite simulate``: a compiled model on an emulated core, everything counted and nothing estimated.

Instructions are counted as the core executes them, flash is read from the image, the stack is painted and looked at. Say
"cycles" of AVR alone, whose emulator counts them: how long the other cores take for an instruction is not emulated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.compile import compile_artifact
from glyphlite.cores import SIMULATED_CORES
from glyphlite.emulation.elf import ElfImage
from glyphlite.emulation.machine import Machine, machine_of
from glyphlite.emulation.measurement import Measurement
from glyphlite.emulation.stack import stack_bound
from glyphlite.emulation.toolchain import Target, compile_and_link, target_named
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.input_sets.compiled_inputs import edges_of, memory_map_in, port_of
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.files.scratch import temporary_folder
from glyphlite.models.interface.input_convention import CHANNELS_FIRST, InputConvention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.records import FirmwareReport, InputReport, LayerReport
from glyphlite.runtimes.compiled import FIRMWARE_FLAGS, as_given, as_taken, place_call, place_in_memory
from glyphlite.tflite.quantization import Quantization, dequantize, quantize

"""The cores that can be emulated."""


@dataclass(frozen=True)
class Simulation:
    """The measurement of a simulation, and the model's answers.

    ``instructions`` holds one count per image that was measured; the report's is the largest of them. ``scores`` are the values
    of the first output as stored, ``given`` those of every output as the model's file holds them.
    """

    report: FirmwareReport
    classes: np.ndarray
    scores: np.ndarray
    output_scale: float
    output_zero_point: int
    instructions: np.ndarray
    stack_bound_bytes: int | None
    ram_bytes: int
    labels: tuple[str, ...]
    outputs: OutputKind = OutputKind.LOGITS
    given: tuple[np.ndarray, ...] = ()

    @property
    def real_scores(self) -> np.ndarray:
        """Returns the scores as real numbers, ``(n, classes)``; a single one as the probabilities of two classes."""
        real = (self.scores.astype(np.float32) - self.output_zero_point) * np.float32(self.output_scale)
        return self.outputs.probabilities(real) if self.outputs.is_single else real


def simulate(
    source: Path,
    cpu: str,
    images: np.ndarray | InputSet,
    *,
    convention: InputConvention | None = None,
    optimize: str = "speed",
    measured: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Simulation:
    """Runs images on an emulated core and measures calls of ``NAME_invoke``: stored values in and out.

    It is what benchmarks/cortex_m.py measures, too. ``NAME_classify`` adds what it takes to store pixels (nothing, where the
    input's scale is 1/255 and its zero point -128) and to find the largest score.

    Args:
        source: an int8 .tflite file, or a folder that ``glyphlite compile`` wrote.
        cpu: the name of one of ``cores.SIMULATED_CORES``.
        images: what the inputs of the model's file hold, or stored int8 ``(n, ...)`` for the first of them, or raw uint8 pixels,
            which are stored first as ``NAME_classify`` would. What a model keeps between calls is reset before each of unrelated
            inputs, as pixels of pictures are.
        convention: how the model of a .tflite file takes a raw pixel, by default what it says; a folder was compiled for one.
        optimize: "speed", "size" or "ram", for a .tflite file; a folder keeps what it was compiled with.
        measured: how many of the images, from the first on, are counted instruction by instruction.
        progress: called with the number of images just finished, now and then.

    Raises:
        ArtifactError: the artifact is refused, the folder is none of ours, or an image has another size.
        ToolError: the cross-compiler or the emulator is missing (``pip install glyphlite[firmware]``).
    """
    names = [core.name for core in SIMULATED_CORES]
    if cpu not in names:
        raise ArtifactError(f"there is no emulated core {cpu!r}; choose one of {', '.join(names)}")
    if len(images) == 0:
        raise ArtifactError("there is no image to run; pass at least one")
    source = Path(source)
    with temporary_folder() as folder:
        if source.is_dir():
            generated = source
        else:
            generated = folder / "c"
            compile_artifact(source, generated, convention=convention, optimize=optimize)
        return _simulate(generated, cpu, images, max(1, measured), folder, progress)


def _simulate(
    generated: Path, cpu: str, images: np.ndarray | InputSet, measured: int, folder: Path, progress: Callable[[int], None] | None
) -> Simulation:
    document = memory_map_in(generated)
    name, input_bytes, output_bytes = document["name"], document["input_bytes"], document["output_bytes"]
    inputs, outputs = edges_of(document, "input"), edges_of(document, "output")
    taken = as_taken(images.arrays, inputs) if isinstance(images, InputSet) else _stored(images, document)
    if output_bytes == 0:
        raise ArtifactError(
            f"{generated} was compiled with --scores none; compile it with logits or probabilities to simulate it"
        )
    state_bytes = document.get("state_bytes", 0)  # there is none in what a former version compiled
    target = target_named(cpu)
    arena_bytes = document["arena_bytes"] if target.dsp else document.get("plain_arena_bytes", document["arena_bytes"])
    apart_bytes = arena_bytes + input_bytes + output_bytes
    memory_bytes = document.get("memory_bytes" if target.dsp else "plain_memory_bytes") or apart_bytes
    shares = memory_bytes < apart_bytes
    function = f"{name}_invoke"
    source = generated / f"{name}.c"
    elf = compile_and_link(
        target,
        [source],
        folder / "firmware.elf",
        keep=[function, f"{name}_reset"] if state_bytes else [function],
        optimize=target.optimize,
        flags=FIRMWARE_FLAGS,
    )
    with machine_of(elf, target) as machine:
        at = [edge.memory_offset if target.dsp else edge.plain_memory_offset for edge in (*inputs, *outputs)]
        if shares and len(at) == 2 and (each := [place for place in at if place is not None]) == at:
            places = place_in_memory(machine, each, output_bytes=output_bytes, state_bytes=state_bytes, memory_bytes=memory_bytes)
        else:
            places = place_call(
                machine,
                [edge.bytes for edge in inputs],
                [edge.bytes for edge in outputs],
                state_bytes=state_bytes,
                arena_bytes=arena_bytes,
            )
        unrelated = images.unrelated if isinstance(images, InputSet) else images.dtype == np.uint8
        anew = unrelated and places.state is not None
        measurements: list[Measurement] = []
        results = np.zeros((len(taken), places.output_bytes), np.int8)
        for index, sample in enumerate(taken[:measured]):
            if places.state is not None and (unrelated or index == 0):
                machine.call(f"{name}_reset", places.state)
            machine.write(places.inputs, sample)
            measurements.append(machine.measure(function, *places.arguments))
            results[index] = np.frombuffer(machine.read(places.outputs, places.output_bytes), np.int8)
            if progress:
                progress(1)
        for start in range(measured, len(taken), step := 1 if anew else len(taken)):
            if places.state is not None and anew:
                machine.call(f"{name}_reset", places.state)
            rest = machine.call_batch(
                function,
                places.arguments,
                taken[start : start + step],
                places.inputs,
                places.outputs,
                places.output_bytes,
                progress=progress,
            )
            results[start : start + step] = rest.view(np.int8)
        footprint = machine.image.footprint()
        bound, unbounded = _bound(machine, target, function)
    kind = OutputKind(document.get("outputs", "logits"))
    scores = np.ascontiguousarray(results[:, : outputs[0].bytes]).view(outputs[0].element_type)
    quantization = Quantization((document["output_scale"],), (document["output_zero_point"],))
    most = max(measurements, key=lambda item: item.instructions)
    stack = max(item.stack_bytes for item in measurements)
    ram_bytes = min(memory_bytes, apart_bytes) + state_bytes + stack
    report = FirmwareReport(
        cpu=cpu,
        function=function,
        instructions=most.instructions,
        cycles=most.cycles,
        instructions_per_mac=most.instructions / max(document["macs"], 1),
        code_bytes=footprint.code_bytes,
        constant_bytes=footprint.constant_bytes,
        arena_bytes=arena_bytes,
        state_bytes=state_bytes,
        stack_bytes=stack,
        stack_bound_bytes=bound,
        stack_bound_missing=unbounded,
        ram_bytes=ram_bytes,
        memory_bytes=memory_bytes if shares else None,
        removed_channels=document.get("removed_channels", 0),
        instruction_mix=most.mix,
        layers=[_layer(layer, most, machine.image) for layer in document["layers"]],
    )
    return Simulation(
        report=report,
        classes=kind.chosen(dequantize(scores, quantization)),
        scores=scores,
        output_scale=document["output_scale"],
        output_zero_point=document["output_zero_point"],
        instructions=np.array([item.instructions for item in measurements]),
        stack_bound_bytes=bound,
        ram_bytes=ram_bytes,
        labels=tuple(document["labels"]),
        outputs=kind,
        given=as_given(results, [port_of(edge) for edge in outputs], outputs),
    )


def _bound(machine: Machine, target: Target, function: str) -> tuple[int | None, str | None]:
    """Returns the static bound of the stack, or None and why there is none: the measured figures stand without it."""
    try:
        return stack_bound(machine.image, target, function), None
    except (ArtifactError, ToolError) as error:
        return None, str(error)


def _stored(images: np.ndarray, document: dict[str, Any]) -> np.ndarray:
    """Returns raw pixels as the bytes that the C takes; int8 passes through.

    A model of int8 stores them by the table that ``NAME_classify`` has, one of int16 as its input convention says.

    Raises:
        ArtifactError: they are not as many, or of another type.
    """
    if images.dtype == np.uint8 and images.ndim == 4 and (document.get("input") or {}).get("layout") == CHANNELS_FIRST:
        images = np.moveaxis(images, -1, 1)
    images = np.ascontiguousarray(images.reshape(len(images), -1))
    first = edges_of(document, "input")[0]
    if first.element_type == "int16" and images.dtype == np.uint8 and 2 * images.shape[1] == document["input_bytes"]:
        pixels = InputReport.model_validate(document["input"])
        mean, std = np.asarray(pixels.mean, np.float32), np.asarray(pixels.std, np.float32)
        real = (images.astype(np.float32).reshape(len(images), -1, mean.size) - mean) / std
        stored = quantize(real, Quantization((first.scale,), (0,)), np.dtype(np.int16))
        return stored.reshape(images.shape).view(np.int8)
    if images.shape[1] != document["input_bytes"] or images.dtype not in (np.int8, np.uint8):
        expected, found = f"{document['input_bytes']} bytes per image, int8 or uint8", f"{images.shape[1]} of {images.dtype}"
        raise ArtifactError(f"the model takes {expected}; was given {found}")
    if images.dtype == np.int8:
        return images
    table = document.get("pixel_table")
    if table is None and "pixel_table" not in document:  # compiled by a former version: pixel / 255
        quantization = Quantization((document["input_scale"],), (document["input_zero_point"],))
        return quantize(images.astype(np.float32) / np.float32(255), quantization, np.dtype(np.int8))
    channels = 1 if table is None else len(table) // 256
    place = 256 * (np.arange(images.shape[1]) % channels)
    held = images if table is None else np.asarray(table, np.uint8)[place + images]
    return (held ^ np.uint8(0x80)).view(np.int8)


def _layer(layer: dict[str, Any], measurement: Measurement, image: ElfImage) -> LayerReport:
    function = str(layer["function"])
    if layer.get("table_entry") is not None:
        entry, entries = layer["table_entry"]
        offset = image.symbol(f"{function}_table").size // entries * entry
        functions = [f"{function}+{offset}"]
    else:
        functions = layer.get("functions") or [function + suffix for suffix in ("", "_add_row", "_finish")]  # else: older C
    instructions = sum(measurement.inclusive.get(each, 0) for each in functions)
    cycles = None if measurement.cycles is None else sum(measurement.inclusive_cycles.get(each, 0) for each in functions)
    return LayerReport.model_validate({**layer, "instructions": instructions, "cycles": cycles})
