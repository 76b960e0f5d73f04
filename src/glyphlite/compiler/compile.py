"""``glyphlite compile``: an int8 .tflite file in, a folder of C99 out, whole or not at all, with a report of what it costs.

Composes reader, lowering, passes, schedule and emission; knows no runtime.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.codegen.c_names import identifier, objection
from glyphlite.compiler.emit import emit
from glyphlite.compiler.interface import LARGEST_GLYPH, About, Sample
from glyphlite.compiler.ir import Node, Program
from glyphlite.compiler.lower import lower
from glyphlite.compiler.ops.elementwise.softmax import Softmax
from glyphlite.compiler.ops.int16.softmax import Int16Softmax
from glyphlite.compiler.passes import optimize
from glyphlite.compiler.picture.sources import LEAST_SIDE, Scores, certainty_sources, picture_sources
from glyphlite.compiler.planning import planned
from glyphlite.compiler.report import CompilationReport, memory_map, report_of
from glyphlite.compiler.values import Optimize
from glyphlite.errors import ArtifactError
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.models.interface.certainty import FittedCertainty
from glyphlite.models.interface.input_convention import CHANNELS_FIRST, InputConvention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.purpose import Purpose, is_channels_first, purpose_of, range_is_known
from glyphlite.models.interface.stated_convention import convention_of_graph
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.metadata import read_metadata
from glyphlite.tflite.quantization import quantize
from glyphlite.tflite.reader import parse_graph, read_content
from glyphlite.tflite.rewrite.constant_channels import without_constant_channels
from glyphlite.tflite.rewrite.folding import fold_constants, of_one_image

OPTIMIZE: tuple[Optimize, ...] = get_args(Optimize)
SCORES = ("probabilities", "logits", "none")
NOWHERE = About()


@dataclass(frozen=True)
class Compilation:
    """Generated files by their path in the folder, and the report; nothing is written yet."""

    files: dict[str, str]
    report: CompilationReport

    def write(self, folder: Path) -> None:
        """Writes the files into a folder that exists."""
        for file, content in self.files.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(content, "utf-8")


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
    group_by: str | None = None,
    pictures: bool = False,
    with_picture: bool = False,
    certainty: FittedCertainty | None = None,
    example: bool = True,
) -> CompilationReport:
    """Compiles an int8 artifact into a folder of C99.

    Args:
        artifact: the .tflite file.
        folder: where the files go; created, or replaced as a whole where it holds what was compiled before and nothing else, and
            only once all of them are written.
        name: a C identifier for files and functions; by default made from the artifact's name.
        optimize: "speed", "size" or "ram".
        scores: what ``NAME_invoke`` gives: "probabilities", "logits" (the softmax dropped) or "none" (only the class).
        sample: an image, uint8 (height, width, channels), and its class, for ``example/example.c``; a blank image by default.
        labels: class labels, which make a model a classifier; by default the artifact's own, else numbers.
        convention: how the model takes a pixel, for ``NAME_classify``; by default what the file says, else pixel / 255.
        overwrite: also replace files of an earlier compilation that were changed, and keep the user's own.
        accuracy: what was measured on this very file, in words, for the header.
        pictures: an input of a picture's shape is one, even if it can only be assumed how the model takes a pixel.
        with_picture: also write what prepares grey pictures, ``NAME_image`` and ``NAME_stroke``, where the model takes such.
        certainty: what was fitted for this very file: also write ``NAME_sure``, where the scores are probabilities.
        example: whether the header names the example; False where the C goes elsewhere without it.
        dataset: what the model goes with, for the memory map, so that ``simulate`` finds it again: a name, or a path from
            ``folder``.
        group_by: how that data's splits are told its groups, kept beside its name; None for none.

    Returns:
        What the compiled model takes in memory, and layer by layer.

    Raises:
        ArtifactError: the file is malformed, or holds what generated code cannot express.
        OutputError: the folder holds other files or cannot be written.
    """
    artifact, folder = Path(artifact), Path(folder)
    require_own(folder, overwrite=overwrite)
    content = read_content(artifact)
    graph = parse_graph(content, str(artifact))
    about = About(read_metadata(content).name, artifact.name, hashlib.sha256(content).hexdigest(), accuracy, example)
    compilation = compile_graph(
        graph,
        name or identifier(artifact.stem),
        optimize=optimize,
        scores=scores,
        sample=sample,
        labels=labels,
        convention=convention,
        about=about,
        pictures=pictures,
        with_picture=with_picture,
        certainty=certainty,
    )
    report = compilation.report
    with owned_folder(folder, overwrite=overwrite, built=("example/example",)) as temporary:
        compilation.write(temporary)
        data = {"dataset": dataset, **({"group_by": group_by} if group_by else {})}
        document = {"artifact": artifact.name, "sha256": about.sha256, **data, **memory_map(report)}
        (temporary / f"{report.name}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
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
    pictures: bool = False,
    with_picture: bool = False,
    certainty: FittedCertainty | None = None,
) -> Compilation:
    """Compiles a graph in memory. Arguments and errors as those of :func:`compile_artifact`."""
    aim = _aim(optimize)
    if scores not in SCORES:
        raise ArtifactError(f"unknown scores {scores}; choose one of {', '.join(SCORES)}")
    check_name(name)
    convention = convention or convention_of_graph(graph)
    if is_channels_first(graph):
        convention = replace(convention, layout=CHANNELS_FIRST)
    narrow, removed = without_constant_channels(fold_constants(of_one_image(graph)), int4=True)
    lowered = lower(narrow)
    program = optimize_program(lowered, scores)
    known = range_is_known(convention, has_data=pictures or sample is not None)
    purpose = purpose_of(graph, labels or (), pixels_known=known)
    if not program.has_int8_edges:
        if scores == "none":
            raise ArtifactError("--scores none gives the class of int8 scores, but the model has int16 edges; leave it out")
        purpose = replace(purpose, takes_pictures=False)  # NAME_classify stores pixels as int8
    if convention.layout == CHANNELS_FIRST and convention.per_channel:
        purpose = replace(purpose, takes_pictures=False)  # NAME_classify knows a channel by its place in a pixel
    if purpose.outputs is None and labels:
        raise ArtifactError(f"the model has no classes to give {len(labels)} labels: {purpose.words}; leave them out")
    if purpose.outputs is None and scores == "none":
        raise ArtifactError(f"--scores none gives a class, but the model's outputs are no classes: {purpose.words}; leave it out")
    if purpose.outputs and _drops_softmax(lowered, scores):
        purpose = replace(purpose, outputs=OutputKind.LOGITS)
    classes = purpose.outputs.classes(program.output.elements) if purpose.outputs else 0
    if len(purpose.labels) != classes:
        raise ArtifactError(f"{len(purpose.labels)} labels for a model of {classes} classes; pass one label per class")
    pixel_table = _pixel_table(program, convention) if purpose.classifies_pictures else None
    segments, arena, tabled = planned(program, aim, keeps_result=scores == "none", takes_pixels=pixel_table is not None)
    emitted = emit(
        program,
        segments,
        arena,
        tabled,
        name,
        scores=scores,
        purpose=purpose,
        optimize=aim,
        sample=_sample(program, sample, classes, convention),
        convention=convention,
        pixel_table=pixel_table,
        about=about,
    )
    beside = _beside_model(
        program,
        purpose,
        name,
        scores=scores,
        softmax_dropped=_drops_softmax(lowered, scores),
        with_picture=with_picture,
        certainty=certainty,
    )
    emitted = replace(emitted, files={**emitted.files, **beside})
    report = report_of(program, segments, emitted, name, optimize, scores, purpose)
    table = None if pixel_table is None else tuple(pixel_table.ravel().tolist())
    return Compilation(emitted.files, replace(report, pixel_table=table, convention=convention, removed_channels=removed))


def _beside_model(
    program: Program,
    purpose: Purpose,
    name: str,
    *,
    scores: str,
    softmax_dropped: bool,
    with_picture: bool,
    certainty: FittedCertainty | None,
) -> dict[str, str]:
    """Returns the files that prepare the model's pictures and doubt its answers, as far as it takes and gives such."""
    banner = f"Generated by glyphlite {__version__}."
    field, output = program.input, program.output
    files: dict[str, str] = {}
    if with_picture and prepares_pictures(program, purpose):
        files |= picture_sources(name, field.height, field.width, banner)
    if certainty and purpose.classifies_pictures and purpose.outputs and scores != "none" and not program.states:
        zero_point = int(np.ravel(output.quantization.zero_point)[0])
        classes = purpose.outputs.classes(output.elements)
        given = Scores(purpose.outputs, classes, output.scale, zero_point, softmax_dropped)
        files |= certainty_sources(name, certainty, given, banner)
    return files


def prepares_pictures(program: Program, purpose: Purpose) -> bool:
    """Returns whether a model's input is a small grey picture of a glyph, which `picture_sources` can prepare."""
    sides = program.input.height, program.input.width
    is_grey_and_small = program.input.channels == 1 and min(sides) >= LEAST_SIDE and max(sides) <= LARGEST_GLYPH
    return purpose.classifies_pictures and is_grey_and_small


def _aim(optimize: str) -> Optimize:
    for each in OPTIMIZE:
        if each == optimize:
            return each
    raise ArtifactError(f"cannot optimize for {optimize}; choose one of {', '.join(OPTIMIZE)}")


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
    """Runs the passes; without probabilities a softmax at the end goes first: it keeps the order of the logits."""
    if scores != "probabilities":
        makers = _softmaxes(program)
        outputs = [
            replace(edge, value=makers[edge.index].inputs[0]) if edge.index in makers else edge for edge in program.outputs
        ]
        if len(program.nodes) == 1 and makers:
            raise ArtifactError("the model is a softmax alone; without it nothing is left to compile")
        program = replace(program, outputs=tuple(outputs))
    return optimize(program)


def _softmaxes(program: Program) -> dict[int, Node]:
    """Returns the softmaxes by the index of what they write."""
    return {node.output.index: node for node in program.nodes if isinstance(node, Softmax | Int16Softmax)}


def _drops_softmax(lowered: Program, scores: str) -> bool:
    """Returns whether :func:`optimize_program` drops the softmax at the first output."""
    return scores != "probabilities" and lowered.output.index in _softmaxes(lowered)


def _sample(
    program: Program, sample: Sample | tuple[np.ndarray, int | None] | None, classes: int, convention: InputConvention
) -> Sample:
    """Returns the sample's pixels in the order in which the model takes them."""
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
    return Sample(convention.laid_out(image[np.newaxis]).reshape(-1), label, sample.source)


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
