"""Tables on a terminal: readable at 80 columns, aligned, and plain text when piped.

Each function turns records into something that a rich console prints. Whatever comes from outside is shown as text, never as
markup, and its control characters never reach the terminal.
"""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from glyphlite.cores import core_title
from glyphlite.escaping import visible
from glyphlite.evaluation.accuracy import macro_of
from glyphlite.formatting import confidence, count, difference, microseconds, p_value, percent, tensor_words, things, times
from glyphlite.records import Accuracy, ArtifactReport, FirmwareReport, KerasReport, TensorDifference, VerifyReport
from glyphlite.report.findings.emulated_cores import ram_bytes
from glyphlite.report.findings.obstacles import obstacles
from glyphlite.report.findings.recommendation import accepting, recommend, refusing, variant_named
from glyphlite.report.findings.targets import Target, choose_targets
from glyphlite.results import Results
from glyphlite.runtimes.registry import runtime_title, runtime_words

if TYPE_CHECKING:
    from glyphlite.datasets.registry import DatasetInfo
    from glyphlite.models.registry import ModelSummary

PIPED_WIDTH = 120

ACCURACY = "Accuracy, % (95 %)"
MOST_CLASSES = 26
"""A confusion matrix of more classes than this fits no terminal; its commonest mistakes are listed instead."""

MOST_INPUTS = 10
"""Inputs of a simulation that are listed."""

SHORT_LABEL = 4
"""Longer class names are numbered, and the confusion matrix's columns headed by their numbers."""

SHORT_RUNTIMES = {
    "litert": "XNNPACK",
    "litert_builtin": "built-in",
    "litert_reference": "reference",
    "tflm": "TFLite Micro",
    "generated_c": "C",
}


def stdout_console() -> Console:
    """Returns a console on standard output: as wide as the terminal, 120 columns and no colour when piped."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def plain(text: str) -> Text:
    """Makes text from outside a cell or a line of its own: no markup, and what a terminal would obey is written out."""
    return Text(visible(text))


def summary(results: Results) -> RenderableType:
    """Shows the end of a run: the files side by side, and which to ship for which target, or what to do first."""
    parts: list[RenderableType] = [variants_table(results)]
    waiting, targets = obstacles(results), choose_targets(results)
    if waiting:
        parts += [Text(""), Text("Not ready for use", "bold red")]
        for each in waiting:
            parts += [_indented(f"{each.title}."), _indented(each.advice)]
    if targets:
        parts += [Text(""), Text("As they stand" if waiting else "Ship", "bold"), targets_table(targets)]
    return Group(*parts)


def targets_table(targets: Sequence[Target]) -> RenderableType:
    """Shows for each target its file with the figures there, and below it why this one, or what to do where none will do."""
    table = new_table("For a", "File", "Figures")
    for each in targets:
        figures = ", ".join(figure.text if figure.name == "file" else f"{figure.text} {figure.name}" for figure in each.figures)
        _row(table, each.name, each.artifact.path if each.artifact else "none", figures)
    return Group(_folding(table, -1), Text(""), *(_indented(f"{each.title}: {each.reason}") for each in targets))


def variants_table(results: Results) -> Table:
    """Returns each file: bytes, how many times smaller than float32, accuracy with interval, agreement, p, latency, runtimes."""
    table = new_table("File", "Bytes", "Ratio", ACCURACY, "Agree %", "p", "Time", "Runs")
    right_align(table, 1, 2, 3, 4, 5, 6)
    recommendation, float32 = recommend(results), variant_named(results, "float32")
    _row(
        table,
        "Keras",
        count(results.keras.bytes),
        "",
        _accuracy(results.keras.accuracy),
        "",
        "",
        _latency(results.keras.latency_us),
    )
    for artifact in results.artifacts:
        is_chosen = recommendation is not None and artifact is recommendation.artifact
        _row(
            table,
            artifact.variant,
            count(artifact.bytes),
            times(float32.bytes / artifact.bytes) if float32 else "",
            _accuracy(artifact.accuracy),
            *_against_keras(artifact),
            _latency(artifact.latency_us),
            f"{len(accepting(artifact))} of {len(artifact.runtimes)}" if artifact.runtimes else "",
            style="bold green" if is_chosen else None,
        )
    for artifact in results.unverified:
        _row(table, artifact.variant, count(artifact.bytes), "", "not verified here", "", "", "", "none")
    return table


def evaluation_table(reports: Sequence[ArtifactReport], keras: Mapping[str, KerasReport] | None = None) -> RenderableType:
    """Artifacts that need not belong to one run: what each recognizes, then what each weighs.

    Args:
        reports: the artifacts; ``path`` names each, ``keras_path`` and ``float32_path`` what its size is held against.
        keras: the Keras models by their paths.
    """
    quality = new_table("File", ACCURACY, "Agree %", "p", "Time", "Confidence")
    right_align(quality, 1, 2, 3, 4, 5)
    weight = new_table("File", "Variant", "Bytes", "Weights", "vs .keras", "vs float32")
    right_align(weight, 2, 3, 4, 5)
    known, paths = keras or {}, {report.path: report for report in reports}
    for path, source in known.items():
        name = "Keras" if len(known) == 1 else path
        _row(quality, name, _accuracy(source.accuracy), "", "", _latency(source.latency_us), _certainty(source))
        _row(weight, name, "float", count(source.bytes), "", "", "")
    for report in reports:
        source, float32 = known.get(report.keras_path or ""), paths.get(report.float32_path or "")
        _row(
            quality,
            report.path,
            _accuracy(report.accuracy),
            *_against_keras(report),
            _latency(report.latency_us),
            _certainty(report),
        )
        _row(
            weight,
            report.path,
            _variant(report),
            count(report.bytes),
            count(report.weight_bytes),
            times(source.bytes / report.bytes) if source else "",
            times(float32.bytes / report.bytes) if float32 else "",
        )
    return Group(_folding(quality, 0), Text(""), _folding(weight, 0)) if reports else quality


def runtimes_table(artifacts: Sequence[ArtifactReport], *, by_path: bool = False) -> RenderableType:
    """Makes the table of which runtime accepts which file, and below it the reason where one refuses.

    Args:
        artifacts: the files.
        by_path: name each by its path, as those of several runs must be, instead of by its variant.
    """
    names = list(dict.fromkeys(name for each in artifacts for name in each.runtimes))
    table = new_table("File", *(SHORT_RUNTIMES.get(name, runtime_title(name)) for name in names), "TFLite Micro arena, bytes")
    right_align(table, -1)
    named = {id(artifact): artifact.path if by_path else artifact.variant for artifact in artifacts}
    for artifact in artifacts:
        taken = accepting(artifact)
        refused = refusing(artifact)
        verdicts = [
            Text("runs", "green") if name in taken else Text("refuses", "red") if name in refused else Text("") for name in names
        ]
        arena = artifact.runtimes["tflm"].arena_bytes if "tflm" in artifact.runtimes else None
        _row(table, named[id(artifact)], *verdicts, count(arena) if arena else "")
    why = [
        plain(f"{named[id(artifact)]} on {runtime_words(name)}: {artifact.runtimes[name].reason or 'no reason given'}")
        for artifact in artifacts
        for name in refusing(artifact)
    ]
    return Group(_folding(table, 0), *([Text(""), *why] if why else []))


def per_class_table(report: ArtifactReport | KerasReport, labels: Sequence[str]) -> Table:
    """Returns each class: its images, the share recognized with its interval, precision and F1; the means below."""
    table = new_table("Class", "Images", "Recall, % (95 %)", "Precision", "F1")
    right_align(table, *range(1, len(table.columns)))
    macro = macro_of(report.confusion)
    for number, (accuracy, figures) in enumerate(zip(report.per_class, macro.classes, strict=True)):
        shown = (
            (_accuracy(accuracy), percent(figures.precision), percent(figures.f1))
            if accuracy.measured
            else ("not measured", "", "")
        )
        _row(table, _label(labels, number), count(accuracy.n), *shown)
    table.add_section()
    _row(table, "mean", "", _hundredths(macro.recall), percent(macro.precision), percent(macro.f1))
    return table


def confusion_table(report: ArtifactReport | KerasReport, labels: Sequence[str]) -> Table:
    """Makes the confusion matrix: true classes down, predicted across; above 26 classes a list of the commonest confusions."""
    from glyphlite.report.findings.interpretation import commonest_mistakes

    if len(report.confusion) > MOST_CLASSES:
        table = new_table("True class", "Read as", "Times")
        right_align(table, -1)
        for number, true, guess in commonest_mistakes(report.confusion, most=20):
            _row(table, _label(labels, true), _label(labels, guess), count(number))
        return table
    names = [_label(labels, each) for each in range(len(report.confusion))]
    are_short = all(len(name) <= SHORT_LABEL for name in names)
    table = new_table("True", *(name if are_short else str(each) for each, name in enumerate(names)))
    right_align(table, *range(1, len(table.columns)))
    table.title = "Confusion matrix: true classes down, predicted across"
    if not are_short:
        names = [Text.assemble(f"{each} ", name) for each, name in enumerate(names)]
    for true, row in enumerate(report.confusion):
        cells = [
            Text(str(number) if number else "·", "green" if true == guess else "red" if number else "dim")
            for guess, number in enumerate(row)
        ]
        _row(table, names[true], *cells)
    return table


def verify_table(records: Sequence[VerifyReport]) -> RenderableType:
    """Returns the same inputs through every runtime: outputs, differences, classes, accuracy; first ops that differ."""
    if not records:
        return Text("nothing was compared")
    labelled = any(record.accuracy is not None for record in records)
    against_source = any(record.mean_absolute_error is not None for record in records) and not labelled
    columns = ["Agreement", ACCURACY] if labelled else ["Differing", *(["Mean abs. error"] if against_source else [])]
    table = new_table("Runtime", "Identical", "Max. diff.", *columns)
    right_align(table, *range(1, len(table.columns)))
    for record in records:
        _row(
            table,
            runtime_title(record.runtime),
            Text(percent(record.identical), "green" if record.identical == 1 else ""),
            difference(record.largest_difference, record.difference_unit),
            *(_of_classes(record) if labelled else _of_values(record, against_source=against_source)),
        )
    against = runtime_words(records[0].reference)
    over = things(records[-1].images, records[-1].unit)  # the float source, which comes first, may have fewer
    table.title = Text.assemble(plain(records[0].artifact), f": {over}, compared with {against}")
    firsts = [plain(_first_words(record, record.first_difference)) for record in records if record.first_difference]
    return Group(table, *([Text(""), *firsts] if firsts else []))


def _first_words(record: VerifyReport, first: TensorDifference) -> str:
    """Returns where a runtime first differs, and by how much."""
    apart = difference(first.largest_difference, first.difference_unit)
    return (
        f"{runtime_words(record.runtime)} first differs in op {first.op_index}, {first.op} ({tensor_words(first.tensor)}), "
        f"by at most {apart}, on {things(first.differing_images, record.unit)}"
    )


def _of_classes(record: VerifyReport) -> tuple[str | Text, ...]:
    """Returns the cells of a classifier on images whose classes are known."""
    same = record.same_class or 0.0
    accuracy = "" if record.accuracy is None else _accuracy(record.accuracy)
    return Text(percent(same), "green" if same == 1 else "yellow"), accuracy


def _of_values(record: VerifyReport, *, against_source: bool) -> tuple[str | Text, ...]:
    """Returns the cells of a model on inputs without classes: the share of output values that differ, and how far from float."""
    error = record.mean_absolute_error
    shown = () if not against_source else ("" if error is None else f"{error:.3g}",)
    return Text(percent(record.differing_values / max(record.values, 1))), *shown


def firmware_table(records: Sequence[FirmwareReport]) -> Table:
    """Returns a table of generated C on emulated cores: instructions, flash, code, constants, arena, stack and total RAM."""
    counted = any(record.cycles is not None for record in records)
    cycles = ("Cycles",) if counted else ()
    table = new_table("Core", "Instructions", *cycles, "per MAC", "Code", "Constants", "Flash", "Arena", "Stack", "RAM")
    right_align(table, *range(1, len(table.columns)))
    for record in records:
        _row(
            table,
            core_title(record.cpu),
            count(record.instructions),
            *((_counted(record.cycles),) if counted else ()),
            f"{record.instructions_per_mac:.2f}" if not record.layers or any(layer.macs for layer in record.layers) else "",
            count(record.code_bytes),
            count(record.constant_bytes),
            count(record.code_bytes + record.constant_bytes),
            count(record.arena_bytes),
            count(record.stack_bytes),
            count(ram_bytes(record)),
        )
    if measured := list(dict.fromkeys(record.function for record in records if record.function)):
        kept = max((record.state_bytes for record in records), default=0)
        state = f"; RAM holds {kept:,} bytes of state, too" if kept else ""
        lies = any(record.memory_bytes for record in records)
        shared = "; in RAM input and output lie in the arena, as in NAME_memory_t" if lies else ""
        table.caption = plain(f"Measured: one call of {', '.join(measured)}, stored values in and out{state}{shared}")
    return table


def _counted(cycles: int | None) -> str:
    """Returns cycles, which some emulators count."""
    return "-" if cycles is None else count(cycles)


def layers_table(record: FirmwareReport) -> Table:
    """Returns where one core's instructions go, layer by layer."""
    counted = record.cycles is not None
    table = new_table("Layer", "Op", "MACs", "Instructions", *(("Cycles",) if counted else ()), "Share", "Constants")
    right_align(table, *range(2, len(table.columns)))
    for layer in record.layers:
        share = layer.instructions / record.instructions if record.instructions else 0.0
        _row(
            table,
            layer.name,
            layer.op,
            count(layer.macs),
            count(layer.instructions),
            *((_counted(layer.cycles),) if counted else ()),
            percent(share, 1),
            count(layer.constant_bytes),
        )
    table.title = plain(core_title(record.cpu))
    return _folding(table, 0, 1)


def models_table(rows: "Iterable[ModelSummary]", *, recipes: bool = False) -> RenderableType:
    """Lists the models, one line each; with ``recipes`` also how each is trained.

    The columns: parameters, multiply-accumulates, the weights and the accuracy of the pretrained int8 file, the description.
    """
    rows = list(rows)
    pretrained = ("Weights", "Accuracy") if any(row.seeds for row in rows) else ()
    table = new_table("Model", "Parameters", "MACs", *pretrained, "Made for")
    right_align(table, 1, 2, *range(3, 3 + len(pretrained)))
    for row in rows:
        figures = ("", "")
        if row.weight_bytes is not None and row.validation_accuracy is not None:
            figures = (count(row.weight_bytes), f"{row.validation_accuracy * 100:.2f}")
        _row(table, row.name, count(row.parameters), count(row.macs), *figures[: len(pretrained)], row.description)
    parts: list[RenderableType] = [_folding(table, -1), Text("")]
    if pretrained:
        parts.append(plain("Weights (bytes) and accuracy (%, validation images) of the pretrained int8 file."))
        if joined := [row.name for row in rows if row.all_images]:
            parts.append(plain(f"{', '.join(joined)}: accuracy before the training on all images."))
    if recipes:
        for row in rows:
            parts += [Text(""), Text.assemble((row.name, "bold")), _indented(row.recipe)]
    else:
        parts.append(plain("--long adds how each model is trained."))
    return Group(*parts)


def datasets_table(rows: "Iterable[DatasetInfo]") -> Table:
    """Returns the datasets there are: name, sizes, whether they lie on this machine, and what they show."""
    table = new_table("Dataset", "Here", "What it is", "Sizes")
    for row in rows:
        _row(table, row.name, "yes" if row.available else "no", row.title, row.sizes)
    return _folding(table, -2, -1)


def predictions_table(rows: Iterable[tuple[str, Sequence[tuple[str, float]]]], doubted: Collection[int] = ()) -> Table:
    """Returns what pictures show: for each (picture, best classes with probabilities, best first); a question mark where
    ``doubted``.
    """
    table = new_table("Picture", "Read as", "Confidence", "Or")
    right_align(table, 2)
    for number, (name, top) in enumerate(rows):
        (best, certainty), rest = top[0], top[1:]
        others = Text(", ").join([Text.assemble(plain(other), f" {confidence(share)}") for other, share in rest])
        shown = plain(f"{best}?" if number in doubted else best)
        shown.stylize("yellow" if number in doubted else "bold green")
        _row(table, name, shown, confidence(certainty), others)
    return _folding(table)


def outputs_table(rows: Iterable[tuple[str, int, str]]) -> Table:
    """Returns what inputs without classes give: for each (input, instructions, first output values as stored)."""
    table = new_table("Input", "Instructions", "Outputs, as stored")
    right_align(table, 1)
    listed = list(rows)
    for name, instructions, values in listed[:MOST_INPUTS]:
        _row(table, name, count(instructions), values)
    if len(listed) > MOST_INPUTS:
        _row(table, f"and {len(listed) - MOST_INPUTS} more", "", "")
    return table


def new_table(*columns: str | Text) -> Table:
    """Returns a table whose columns keep their figures whole: two spaces between them, no frame."""
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        title_justify="left",
        title_style="bold",
    )
    for column in columns:
        table.add_column(column if isinstance(column, Text) else plain(column), no_wrap=True)
    return table


def _row(table: Table, *cells: str | Text, style: str | None = None) -> None:
    """Adds a row whose cells are text, never markup."""
    table.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in cells), style=style)


def right_align(table: Table, *places: int) -> None:
    """Aligns these columns to the right."""
    for place in places:
        table.columns[place].justify = "right"


def _folding(table: Table, *places: int) -> Table:
    """Lets columns of words, by default the last, break their lines so that the figures stay whole."""
    for place in places or (-1,):
        table.columns[place].no_wrap = False
        table.columns[place].overflow = "fold"
    return table


def _indented(sentence: str) -> RenderableType:
    return Padding(plain(sentence), (0, 0, 0, 2))


def _variant(report: ArtifactReport) -> str:
    """Returns the variant, with the element types of the ports where they are not what the variant says."""
    usual = {"int8": "int8", "uint8": "uint8", "int16x8": "int16"}.get(report.variant, "float32")
    ports = [each for each in (report.input_type, report.output_type) if each]
    return report.variant if set(ports) <= {usual} else f"{report.variant}, {' to '.join(ports)}"


def _accuracy(accuracy: Accuracy) -> str:
    return f"{_hundredths(accuracy.value)} ({_hundredths(accuracy.low)}-{_hundredths(accuracy.high)})"


def _hundredths(fraction: float) -> str:
    """Writes a share as a percentage where the column says so already: 100.00 for all of them alone."""
    return percent(fraction).removesuffix(" %")


def _against_keras(report: ArtifactReport) -> tuple[str, str]:
    same = "" if report.agreement_with_keras is None else _hundredths(report.agreement_with_keras)
    p = "" if report.mcnemar_p is None else p_value(report.mcnemar_p).removeprefix("p = ").removeprefix("p ")
    return same, p


def _certainty(report: ArtifactReport | KerasReport) -> str:
    return "" if report.mean_certainty is None else confidence(report.mean_certainty, 2)


def _latency(latency_us: float | None) -> str:
    return microseconds(latency_us) if latency_us else ""


def _label(labels: Sequence[str], number: int) -> Text:
    return plain(labels[number]) if number < len(labels) else Text(str(number))
