"""``glyphlite compile``: an int8 .tflite file in, a folder of C99 out, whole or not at all, with a report of what it costs.

Composes reader, lowering, passes, schedule and emission; knows no runtime.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.codegen.c_names import identifier, objection
from glyphlite.compiler.codegen.packing import PATHS
from glyphlite.compiler.emit import About, Emitted, Sample, emit
from glyphlite.compiler.ir import Program, Softmax
from glyphlite.compiler.lower import lower
from glyphlite.compiler.passes import optimize
from glyphlite.compiler.schedule import Segment, schedule
from glyphlite.data.convention import OURS, InputConvention
from glyphlite.data.outputs import OutputKind, output_kind
from glyphlite.data.stated_convention import convention_of_graph
from glyphlite.errors import ArtifactError, DataError
from glyphlite.files import owned_folder, parsing, read_input, require_own, sha256_of
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.metadata import read_metadata
from glyphlite.tflite.outputs import last_activation
from glyphlite.tflite.quantization import quantize
from glyphlite.tflite.reader import read_graph

OPTIMIZE = ("speed", "size", "ram")
SCORES = ("probabilities", "logits", "none")
NOWHERE = About()


@dataclass(frozen=True)
class LayerPlan:
    """One layer of generated C: its function, its work, its constants on either path."""

    name: str
    op: str
    function: str
    macs: int
    constant_bytes: int


@dataclass(frozen=True)
class BufferPlan:
    """One buffer of the arena: alive from step ``first`` to step ``last``."""

    name: str
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class CompilationReport:
    """What a compiled model takes. Constants are those of cores with the DSP extension, and those of the others.

    ``pixel_table`` holds what ``NAME_classify`` makes of each raw pixel, as the stored int8 + 128, channel after channel where
    these differ; None where it is the pixel.
    ``input_kind`` and ``output_kind`` are the element types of the file's own input and output; generated C takes and gives
    int8 of the scales and zero points here. ``outputs`` is the :class:`OutputKind` of the scores.
    """

    name: str
    folder: Path | None
    files: tuple[str, ...]
    optimize: str
    scores: str
    input_kind: str
    output_kind: str
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    input_bytes: int
    output_bytes: int
    arena_bytes: int
    constant_bytes: int
    plain_constant_bytes: int
    macs: int
    labels: tuple[str, ...]
    pixel_table: tuple[int, ...] | None
    layers: tuple[LayerPlan, ...]
    buffers: tuple[BufferPlan, ...]
    convention: InputConvention = OURS
    outputs: str = "logits"


@dataclass(frozen=True)
class Compilation:
    """Generated files by their path in the folder, and the report; nothing is written yet."""

    files: dict[str, str]
    report: CompilationReport

    def write(self, folder: Path) -> None:
        """Writes the files into a folder that exists."""
        for file, content in self.files.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(content)


def compile_artifact(
    artifact: Path,
    folder: Path,
    *,
    name: str | None = None,
    optimize: str = "speed",
    scores: str = "probabilities",
    sample: Sample | tuple[np.ndarray, int | None] | None = None,
    labels: Sequence[str] | None = None,
    convention: InputConvention | None = None,
    overwrite: bool = False,
    accuracy: str = "",
    dataset: str | None = None,
) -> CompilationReport:
    """Compile an int8 artifact into a folder of C99.

    Args:
        artifact: the .tflite file.
        folder: where the files go; created, or replaced as a whole where it holds what was compiled before and nothing else, and
            only once all of them are written.
        name: a C identifier for files and functions; by default made from the artifact's name.
        optimize: "speed", "size" or "ram".
        scores: what ``NAME_invoke`` gives: "probabilities", "logits" (the softmax dropped) or "none" (only the class).
        sample: an image, uint8 (height, width, channels), and its class, for ``example/example.c``; a blank image by default.
        labels: class labels; by default the artifact's own, else numbers.
        convention: how the model takes a pixel, for ``NAME_classify``; by default what the file says, else pixel / 255.
        overwrite: also replace files of an earlier compilation that were changed, and keep the user's own.
        accuracy: what was measured on this very file, in words, for the header.
        dataset: what the model goes with, for the memory map, so that ``simulate`` finds it again: a name, or a path from
            ``folder``.

    Returns:
        What the compiled model takes in memory, and layer by layer.

    Raises:
        ArtifactError: the file is malformed, or holds what generated code cannot express.
        OutputError: the folder holds other files or cannot be written.
    """
    artifact, folder = Path(artifact), Path(folder)
    require_own(folder, overwrite=overwrite)
    graph = read_graph(artifact)
    about = About(read_metadata(artifact.read_bytes()).name, artifact.name, sha256_of(artifact), accuracy)
    compilation = compile_graph(
        graph,
        name or identifier(artifact.stem),
        optimize=optimize,
        scores=scores,
        sample=sample,
        labels=labels,
        convention=convention,
        about=about,
    )
    report = compilation.report
    with owned_folder(folder, overwrite=overwrite, built=("example/example",)) as temporary:
        compilation.write(temporary)
        document = {"artifact": artifact.name, "sha256": about.sha256, "dataset": dataset, **memory_map(report)}
        (temporary / f"{report.name}.json").write_text(json.dumps(document, indent=2) + "\n")
    return replace(report, folder=folder, files=(*report.files, f"{report.name}.json"))


def compile_graph(
    graph: Graph,
    name: str,
    *,
    optimize: str = "speed",
    scores: str = "probabilities",
    sample: Sample | tuple[np.ndarray, int | None] | None = None,
    labels: Sequence[str] | None = None,
    convention: InputConvention | None = None,
    about: About = NOWHERE,
) -> Compilation:
    """Compile a graph in memory. Arguments and errors as those of :func:`compile_artifact`."""
    if optimize not in OPTIMIZE:
        raise ArtifactError(f"cannot optimize for {optimize}; choose one of {', '.join(OPTIMIZE)}")
    if scores not in SCORES:
        raise ArtifactError(f"unknown scores {scores}; choose one of {', '.join(SCORES)}")
    check_name(name)
    convention = convention or convention_of_graph(graph)
    lowered = lower(graph)
    program = optimize_program(lowered, scores)
    segments = schedule(program)
    outputs = _outputs(graph, labels or graph.labels, softmax_dropped=program.output.index != lowered.output.index)
    classes = outputs.classes(program.output.elements)
    names = tuple(labels or graph.labels) or tuple(str(index) for index in range(classes))
    if len(names) != classes:
        raise ArtifactError(f"{len(names)} labels for a model of {classes} classes; pass one label a class")
    pixel_table = _pixel_table(program, convention)
    emitted = emit(
        program,
        segments,
        name,
        scores=scores,
        outputs=outputs,
        optimize=optimize,
        labels=names,
        sample=_sample(program, sample, classes),
        convention=convention,
        pixel_table=pixel_table,
        about=about,
    )
    report = _report(program, segments, emitted, name, optimize, scores, names)
    table = None if pixel_table is None else tuple(pixel_table.ravel().tolist())
    return Compilation(emitted.files, replace(report, pixel_table=table, convention=convention, outputs=outputs.value))


def _outputs(graph: Graph, labels: Sequence[str], *, softmax_dropped: bool) -> OutputKind:
    """Returns the meaning of the scores. A single one that is no sigmoid decides between classes only if there are two labels."""
    kind = output_kind(last_activation(graph), graph.output.elements) or OutputKind.LOGITS
    if kind is OutputKind.LOGIT and len(labels) != 2:
        return OutputKind.LOGITS
    return OutputKind.LOGITS if softmax_dropped else kind


def check_name(name: str) -> None:
    """Refuses a name that files and symbols of generated C cannot have, or that is somebody else's.

    Raises:
        ArtifactError: saying which name is free.
    """
    if words := objection(name):
        raise ArtifactError(f"--name {words}")
    if name != name.lower():
        raise ArtifactError(f"--name {name}: files and symbols of generated C are in lower case; use --name {name.lower()}")


def optimize_program(program: Program, scores: str) -> Program:
    """Run the passes; without probabilities the softmax at the end goes first: it keeps the order of the logits."""
    last = program.nodes[-1] if program.nodes else None
    if scores != "probabilities" and isinstance(last, Softmax) and last.output.index == program.output.index:
        if len(program.nodes) == 1:
            raise ArtifactError("the model is a softmax alone; without it nothing is left to compile")
        program = replace(program, nodes=program.nodes[:-1], output=last.inputs[0])
    return optimize(program)


def _sample(program: Program, sample: Sample | tuple[np.ndarray, int | None] | None, classes: int) -> Sample:
    value = program.input
    if sample is None:
        return Sample(np.zeros(value.elements, np.uint8), None, "a blank image")
    if not isinstance(sample, Sample):
        sample = Sample(*sample)
    image, label = np.asarray(sample.image), sample.label
    if image.dtype != np.uint8 or image.size != value.elements:
        raise ArtifactError(
            f"the sample image has {image.size} {image.dtype} values, the model takes {value.elements} pixels of uint8"
        )
    if label is not None and not 0 <= label < classes:
        raise ArtifactError(f"the sample's class {label} is not one of the model's {classes}")
    return Sample(image.reshape(-1), label, sample.source)


def _pixel_table(program: Program, convention: InputConvention) -> np.ndarray | None:
    """Returns each raw pixel as the network holds it, uint8 ``(channels, 256)``; None where that is the pixel itself.

    Raises:
        ArtifactError: the convention tells apart another number of channels than the input has.
    """
    if program.input.elements % convention.channels:
        raise ArtifactError(
            f"the input range is given for {convention.channels} channels, the model takes {program.input.elements} values; "
            "give one mean and std with --input-range"
        )
    real = np.stack([convention.table(channel) for channel in range(convention.channels)])
    table = (quantize(real, program.input.quantization, np.dtype(np.int8)).astype(np.int16) + 128).astype(np.uint8)
    return None if (table == np.arange(256)).all() else table


def _report(
    program: Program,
    segments: Sequence[Segment],
    emitted: Emitted,
    name: str,
    optimize: str,
    scores: str,
    labels: tuple[str, ...],
) -> CompilationReport:
    def constant_bytes(path: str) -> int:
        arrays = (array for arrays in emitted.constants.values() for array in arrays)
        return sum(array.bytes for array in arrays if array.path in PATHS[path])

    layers = tuple(
        LayerPlan(
            name=node.name,
            op=node.op,
            function=f"{name}_{node.name}",
            macs=node.macs,
            constant_bytes=sum(array.bytes for array in emitted.constants.get(node.name, ()) if array.path in PATHS["dsp"]),
        )
        for segment in segments
        for node in segment.nodes
    )
    buffers = tuple(
        BufferPlan(item.buffer.name, item.offset, item.buffer.size, item.buffer.first, item.buffer.last)
        for item in emitted.buffers
    )
    return CompilationReport(
        name=name,
        folder=None,
        files=tuple(emitted.files),
        optimize=optimize,
        scores=scores,
        input_kind=program.input_kind,
        output_kind=program.output_kind,
        input_scale=program.input.scale,
        input_zero_point=program.input.quantization.zero_point,
        output_scale=program.output.scale,
        output_zero_point=program.output.quantization.zero_point,
        input_bytes=program.input.elements,
        output_bytes=program.output.elements if scores != "none" else 0,
        arena_bytes=emitted.arena_bytes,
        constant_bytes=constant_bytes("dsp"),
        plain_constant_bytes=constant_bytes("plain"),
        macs=sum(node.macs for node in program.nodes),
        labels=labels,
        pixel_table=None,
        layers=layers,
        buffers=buffers,
    )


def memory_map(report: CompilationReport) -> dict[str, object]:
    """The report as the document of ``NAME.json``."""
    document = asdict(report)
    document.pop("folder")
    document.pop("convention")
    document["input"] = report.convention.report().model_dump(mode="json")
    return document


def memory_maps(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The documents that lie beside generated C in a folder, by path; other JSON files are passed over."""
    for path in sorted(folder.glob("*.json")):
        try:
            content = read_input(path, "a JSON document")
            with parsing(f"{path} is no JSON document"):
                document = json.loads(content)
        except DataError:
            continue
        if isinstance(document, dict) and {"name", "files", "layers", "arena_bytes", "optimize", "labels"} <= set(document):
            yield path, document
