"""Compilation of a file to C99 as a user asks for it: what it is tried with, what it costs, and what is said of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.codegen.c_names import identifier, is_reserved
from glyphlite.compiler.compile import OPTIMIZE, check_name, compile_artifact
from glyphlite.compiler.interface import Sample
from glyphlite.compiler.report import CompilationReport, memory_map
from glyphlite.console import progress_bar, say
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.escaping import shell_word, visible
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.random_inputs import last_random
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.recorded_accuracy import accuracy_words
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.evaluation.simulation import simulate
from glyphlite.evaluation.verification.self_check import check_generated
from glyphlite.files.scratch import temporary_folder
from glyphlite.formatting import channels_left_out
from glyphlite.models.interface.input_convention import CHANNELS_FIRST, InputConvention
from glyphlite.models.interface.purpose import is_picture, is_vector
from glyphlite.models.pretrained import is_named
from glyphlite.pipeline.inputs.conventions import input_convention
from glyphlite.pipeline.inputs.datasets import beside, data_of, groups_beside, image_of, to_remember
from glyphlite.pipeline.inputs.files import artifact_in, integer_graph
from glyphlite.pipeline.inputs.labels import named_labels
from glyphlite.pipeline.inputs.sets import named_set
from glyphlite.records import FirmwareReport
from glyphlite.tflite.graph import Graph

TRADE_OFF_CORE = "cortex-m4"
TRADE_OFF_INPUTS = 32
"""Random inputs of which the last, which is no constant, is counted."""


@dataclass(frozen=True)
class Compiled:
    """The record of what was compiled, for programs and in words."""

    document: dict[str, Any]
    words: str
    trade_offs: dict[str, FirmwareReport]


def compile_file(
    path: Path,
    folder: Path | None,
    *,
    name: str | None,
    optimize: str,
    scores: str,
    dataset: str | None,
    sample: int,
    data_dir: Path | None,
    input_range: str | None = None,
    compare: bool = True,
    overwrite: bool = False,
    check: bool = True,
    inputs: str | None = None,
    labels: str | None = None,
    cpu: str | None = None,
    with_picture: bool = False,
) -> Compiled:
    """Compiles an int8 or int16x8 .tflite file (or a run's) to C99; ``compare`` measures what each ``--optimize`` would cost
    on ``cpu``, by default a Cortex-M4. Where ``cpu`` is named, what was chosen is measured there even without it.

    With ``check``, the C is held to TFLite Micro's bytes before it is written, on what ``inputs`` names, else on random inputs.

    Without ``folder`` it goes into one named after the file, without ``dataset`` the test image is one of the model's own run;
    where no data fits the model, the example holds zeros. All of this is said. ``labels`` names the classes of a model whose
    file does not say that it is a classifier: a file, or names between commas. ``with_picture`` adds the C that prepares
    pictures for it, and what doubts its answers where its certainty was fitted.

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
        DisagreementError: the C differs from TFLite Micro, which is a fault of ours.
        DataError: a dataset that was named, or no such image in it.
        OutputError: the folder cannot be written.
    """
    if name is not None:
        check_name(name)
    named = path
    path = artifact_in(path)
    graph = integer_graph(path)
    folder = _folder_for(named) if folder is None else folder
    name = _name_for(path) if name is None else name
    model = inputs_of(graph)
    given = None if inputs is None else named_set(model, inputs, dataset=dataset)
    data = data_of(path, dataset, data_dir)
    loaded = data.load_fitting(graph) if given is None else None
    if loaded is None and given is None:
        words = "the example holds zeros, and costs are counted on a random input; --inputs FILE or --dataset brings others"
        say(words, lead="No dataset:")
    image, label, names = image_of(loaded, sample) if loaded else (None, None, None)
    if labels is not None:
        names = named_labels(labels)
    convention = input_convention(path, loaded, input_range).convention if loaded or input_range else None
    checked = check_generated(path, optimize=optimize, inputs=given) if check else None
    certainty = certainty_of(path) if with_picture else None
    report = compile_artifact(
        path,
        folder,
        name=name,
        optimize=optimize,
        scores=scores,
        sample=None if image is None else Sample(image, label, f"{loaded.name} test image {sample}" if loaded else ""),
        labels=names,
        convention=convention,
        overwrite=overwrite,
        accuracy=accuracy_words(path),
        with_picture=with_picture,
        certainty=certainty,
        dataset=beside(to_remember(data.name, loaded, None)["named"], folder) if loaded else None,
        group_by=groups_beside(data.group_by, folder) if loaded and data.group_by else None,
    )
    if with_picture and f"{name}_image.c" not in report.files:
        say("the model takes no grey picture of a glyph, so nothing prepares one", lead="No picture:", style="yellow")
    elif with_picture and f"{name}_sure.c" not in report.files:
        kept = "with --scores none there are no scores" if scores == "none" else "its scores tell of no certainty"
        why = "no certainty was fitted for this file" if certainty is None else kept
        say(f"{why}, so {name}_sure is not written; {name}_classify always gives a class", lead="No doubt:", style="yellow")
    costs = {}
    weighed = OPTIMIZE if compare else [optimize] if cpu else []
    if weighed:  # an input may be of a hundred million values
        if image is not None:
            counted = image[np.newaxis]
        else:
            counted = given.chosen(slice(-1, None)) if given else last_random(model, TRADE_OFF_INPUTS)
        costs = _trade_offs(path, weighed, counted, scores, convention, cpu or TRADE_OFF_CORE)
    document = {**_document(report), "trade_offs": {each: cost.model_dump(mode="json") for each, cost in costs.items()}}
    document["check"] = None if checked is None else asdict(checked)
    return Compiled(document, _words(report, folder, graph) + (f"\n{checked.words}" if checked else ""), costs)


def _folder_for(named: Path) -> Path:
    """Returns a folder in the current one, after what the user named: a file, a run's folder, a pretrained model; says so.

    A folder of a pretrained model's very name would be taken for it by the next command.
    """
    name = named.stem if named.suffix.lower() == ".tflite" else named.resolve().name
    folder = Path(f"{name}_c" if named.is_dir() or is_named(name) else name)
    say(f"No --out: writing the folder {folder}")
    return folder


def _name_for(path: Path) -> str:
    """Returns the prefix of symbols and files, after the artifact; says so where its own name is taken."""
    name = identifier(path.stem)
    if is_reserved(path.stem):
        say(f"{path.stem} is a name of C, C++, POSIX, Arduino or a file system: files and symbols are called {name}")
    return name


def _trade_offs(
    path: Path,
    weighed: Sequence[str],
    counted: np.ndarray | InputSet,
    scores: str,
    convention: InputConvention | None,
    cpu: str,
) -> dict[str, FirmwareReport]:
    """Returns what each of some ways to optimize takes on an emulated core.

    Nothing where cross-compiler or emulator are missing or the model does not fit the core: the C is written all the same.
    """
    costs = {}
    try:
        with (
            temporary_folder() as folder,
            progress_bar("Weighing the trade-offs", len(weighed)) as advance,
        ):
            for optimize in weighed:
                generated = folder / optimize
                # A class alone cannot be read out of the emulator; dropping the scores saves what dropping the softmax saves.
                kept = "logits" if scores == "none" else scores
                compile_artifact(path, generated, optimize=optimize, scores=kept, convention=convention)
                costs[optimize] = simulate(generated, cpu, counted).report
                advance()
    except (ToolError, ArtifactError) as error:
        say(str(error), lead="No trade-offs measured:", style="yellow")
    return costs


def _document(report: CompilationReport) -> dict[str, Any]:
    return {**memory_map(report), "folder": str(report.folder), "files": [str(file) for file in report.files]}


def _classify_words(report: CompilationReport) -> str:
    """Returns what ``NAME_classify`` takes beside ``NAME_invoke``."""
    more = report.classify_arena_bytes - max(report.arena_bytes, report.plain_arena_bytes)
    return f"{report.name}_classify takes raw pixels" + (f" and {more:,} bytes more of the arena" if more else "")


def _purpose_words(report: CompilationReport, graph: Graph) -> str:
    """Returns what the model is taken for, and what would make it another."""
    if not report.classifies:
        advice = "; --labels names their classes" if len(report.output_tensors) == 1 and is_vector(graph.output) else ""
        return f"its outputs are values, not classes: {report.purpose}{advice}"
    words = f"a classifier ({report.purpose}), scores: {report.scores}"
    if not report.takes_pictures and is_picture(graph):
        if report.convention.per_channel and report.convention.layout == CHANNELS_FIRST:
            return f"{words}; no {report.name}_classify, as channels that lie one behind the other have a range each"
        words += f"; no {report.name}_classify, as its file does not say how it takes a pixel: --input-range does"
    return words


def _words(report: CompilationReport, folder: Path, graph: Graph) -> str:
    """Returns what was written and what it takes; the cores' figures are ``glyphlite simulate``'s."""
    shown = visible(str(folder))
    word = shell_word(folder)
    lines = [
        f"{shown}: {', '.join(report.files)}",
        f"optimized for {report.optimize}; {report.macs:,} multiply-accumulates",
        *([channels_left_out(report.removed_channels)] if report.removed_channels else []),
        _purpose_words(report, graph),
        *([f"of {graph.subgraphs} models in the file, the first alone, as TFLite Micro runs it"] if graph.others else []),
        f"with the DSP extension: arena {report.arena_bytes:,} bytes, constants {report.constant_bytes:,}; "
        f"without: arena {report.plain_arena_bytes:,} bytes, constants {report.plain_constant_bytes:,}",
        f"input {report.input_bytes:,} bytes, output {report.output_bytes:,}"
        + (f"; {_classify_words(report)}" if report.takes_pictures else ""),
        *(
            [f"state {report.state_bytes:,} bytes, which the caller keeps: {report.name}_reset before the first call"]
            if report.state_bytes
            else []
        ),
        f"Try it: make -C {word}; count it: glyphlite simulate {word} --cpu cortex-m4",
    ]
    return "\n".join(lines)
