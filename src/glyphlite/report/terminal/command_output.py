"""Views, one per command: the tables of ``terminal``, put together. Nothing is measured here."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from glyphlite.cores import core_title
from glyphlite.formatting import count, difference, tensor_words, things
from glyphlite.records import ArtifactReport, BoardReport, FirmwareReport, KerasReport, OptimizeReport, PictureReport
from glyphlite.report.findings.conclusion import evaluation_conclusion
from glyphlite.report.findings.unequal_classes import unequal_classes
from glyphlite.report.terminal.tables import (
    confusion_table,
    evaluation_table,
    firmware_table,
    layers_table,
    new_table,
    per_class_table,
    plain,
    predictions_table,
    right_align,
    runtimes_table,
    summary,
    verify_table,
)
from glyphlite.results import Results
from glyphlite.runtimes.registry import runtime_title, runtime_words

if TYPE_CHECKING:
    from glyphlite.conversion.calibration import CalibrationEffect
    from glyphlite.conversion.folder import ConvertedArtifact
    from glyphlite.evaluation.verification.agreement import Verification


def run_view(results: Results) -> RenderableType:
    """Returns the end of ``glyphlite run``: the files, which to ship, where each runs, whether they agree, what firmware
    costs.
    """
    parts: list[RenderableType] = [Text(""), summary(results), Text(""), runtimes_table(results.artifacts)]
    measured = [("the float Keras model", results.keras), *((each.path, each) for each in results.artifacts)]
    if unequal := [words for name, each in measured if (words := unequal_classes(name, each, results.labels))]:
        parts += [Text(""), *map(plain, unequal)]
    if results.verify:
        parts += [Text(""), verify_table(results.verify)]
    if results.firmware:
        parts += [Text(""), firmware_table(results.firmware)]
    return Group(*parts)


def evaluation_view(
    keras: Mapping[str, KerasReport], artifacts: Mapping[str, ArtifactReport], labels: Sequence[str], *, per_class: bool
) -> RenderableType:
    """Shows the files of ``glyphlite evaluate``: a conclusion, figures, runtimes; with ``per_class`` each file's classes."""
    reports = [report.model_copy(update={"path": path}) for path, report in artifacts.items()]
    parts: list[RenderableType] = [plain(sentence) for sentence in evaluation_conclusion(keras, reports, labels)]
    if not per_class:
        parts.append(plain("--per-class shows the figures of each class and the confusion matrix of each file."))
    parts += [Text(""), evaluation_table(reports, keras)]
    if reports:
        parts += [Text(""), runtimes_table(reports, by_path=True)]
    if per_class:
        for path, report in (*keras.items(), *artifacts.items()):
            parts += [Text(""), plain(path), per_class_table(report, labels), Text(""), confusion_table(report, labels)]
    return Group(*parts)


def verification_view(verification: "Verification") -> RenderableType:
    """Returns the matrix of ``glyphlite verify``, who refused and why, every tensor that differs, and the verdict."""
    parts: list[RenderableType] = [verify_table(verification.records)]
    for name, reason in verification.refused.items():
        parts.append(plain(f"Refused by {runtime_words(name)}: {reason}"))
    for record in verification.records:
        if record.differing_tensors:
            against = runtime_words(record.reference)
            table = new_table("Op", "", "Tensor", "Max. diff.", f"On {record.unit}s")
            right_align(table, 0, 3, 4)
            for each in record.differing_tensors:
                table.add_row(
                    str(each.op_index),
                    plain(each.op),
                    plain(tensor_words(each.tensor)),
                    difference(each.largest_difference, each.difference_unit),
                    count(each.differing_images),
                )
            table.title = plain(f"{runtime_title(record.runtime)}: the tensors that differ from {against}")
            parts += [Text(""), table]
    words = [f"Inputs: {verification.inputs}."] if verification.inputs else []
    words += [verification.verdict, *(each.words for each in verification.coverage)]
    if verification.board is not None:
        words.append(_board_words(verification.board))
    return Group(*parts, Text(""), *map(plain, words))


def _board_words(timing: BoardReport) -> str:
    """Returns how long a board took, and how often its line failed."""
    words = "The board counts no time."
    if timing.median_ms is not None and timing.slowest_ms is not None:
        clock = f"{count(timing.median_ticks)} ticks of its clock of {count(timing.ticks_per_second)} Hz"
        words = (
            f"The board: {timing.median_ms:,.3f} ms per inference (median of {count(timing.inferences)}; {clock}), "
            f"{timing.slowest_ms:,.3f} ms at most."
        )
    words += _emulated_words(timing)
    return words + (f" {things(timing.repeats, 'request')} had to be repeated: the line is noisy." if timing.repeats else "")


def _emulated_words(timing: BoardReport) -> str:
    """Returns the cycles that a board took, and what its core takes where it is emulated, as far as they are known."""
    if timing.core is None:
        return " Its firmware says no core that can be emulated."
    title, measured = core_title(timing.core), ""
    if timing.median_cycles is not None and timing.hertz is not None:
        measured = f" That is {count(timing.median_cycles)} cycles at {timing.hertz / 1e6:g} MHz."
    elif timing.median_ms is not None:
        measured = " Its cycles are not known: the firmware does not say its core's clock."
    if timing.emulated_instructions is None:
        return f"{measured} Its firmware is built for the instructions of a {title}."
    cycles = f", {count(timing.emulated_cycles)} cycles" if timing.emulated_cycles is not None else ""
    emulated = f"{count(timing.emulated_instructions)} instructions{cycles}"
    return f"{measured} On an emulated {title}, which has its firmware's instructions: {emulated}."


def predictions_view(
    rows: Sequence[tuple[str, Sequence[tuple[str, float]], str | None, str | None]], readings: Mapping[str, Sequence[str]]
) -> RenderableType:
    """Returns the view of predictions: a table of rows (name, best classes, doubt, note), doubtful answers, the text of pages."""
    doubted = {number for number, (_, _, doubt, _) in enumerate(rows) if doubt}
    parts: list[RenderableType] = [predictions_table([(name, top) for name, top, _, _ in rows], doubted)]
    words = [plain(f"{name}: unsure: {doubt}") for name, _, doubt, _ in rows if doubt]
    words += [plain(f"{name}: {note}") for name, _, _, note in rows if note]
    for name, lines in readings.items():
        title = "reads: " if len(readings) == 1 else f"{name} reads: "
        words += [plain((title if number == 0 else " " * len(title)) + line) for number, line in enumerate(lines)]
    return Group(*parts, *([Text(""), *words] if words else []))


def trade_offs_table(costs: Mapping[str, FirmwareReport], chosen: str) -> RenderableType:
    """Returns what each ``--optimize`` of ``glyphlite compile`` takes, the chosen one marked."""
    table = new_table("Optimized for", "Instructions", "Code", "Constants", "Arena", "Total RAM")
    right_align(table, *range(1, 6))
    for name, cost in costs.items():
        figures = (cost.instructions, cost.code_bytes, cost.constant_bytes, cost.arena_bytes, cost.ram_bytes or 0)
        table.add_row(name, *map(count, figures), style="bold green" if name == chosen else None)
    table.title = "On an emulated " + ", ".join(dict.fromkeys(core_title(cost.cpu) for cost in costs.values()))
    return table


def firmware_view(reports: Sequence[FirmwareReport]) -> RenderableType:
    """Returns what generated C costs on each core, then layer by layer."""
    parts: list[RenderableType] = [firmware_table(reports)]
    parts += [
        plain(f"{core_title(report.cpu)}: {report.stack_bound_missing}; the stack above was measured")
        for report in reports
        if report.stack_bound_missing
    ]
    for report in reports:
        if report.layers:
            parts += [Text(""), layers_table(report)]
    return Group(*parts)


def pictures_table(reports: Sequence[PictureReport]) -> RenderableType:
    """Returns what the preparation of pictures costs on each core."""
    table = new_table(
        "Picture prepared (width x height)", "Core", "Instructions", "Cycles", "Code", "Picture", "Work", "Stack", "RAM in all"
    )
    right_align(table, *range(2, 9))
    for report in reports:
        memory = (report.picture_bytes, report.work_bytes, report.stack_bytes)
        cycles = "" if report.cycles is None else count(report.cycles)
        table.add_row(
            f"{report.kind} of {report.width}x{report.height}",
            core_title(report.cpu),
            count(report.instructions),
            cycles,
            *map(count, (report.code_bytes, *memory, sum(memory))),
        )
    return table


def conversion_table(artifacts: "Sequence[ConvertedArtifact]") -> RenderableType:
    """Returns what ``glyphlite convert`` wrote."""
    table = new_table("File", "Variant", "Bytes", "Seconds", "Verified by")
    right_align(table, 2, 3)
    for artifact in artifacts:
        verified = "no runtime here: " + ", ".join(artifact.select_tf_ops) if artifact.select_tf_ops else "glyphlite evaluate"
        table.add_row(
            plain(str(artifact.path)), artifact.variant, f"{artifact.bytes:,}", f"{artifact.seconds:.1f}", plain(verified)
        )
    return table


def calibration_table(effects: "Sequence[CalibrationEffect]") -> RenderableType:
    """Returns what the number of calibration samples brings, measured on validation images."""
    table = new_table("Calibrated with", "Accuracy, %", "Keras", "Agree %", "Mean logit diff.", "Max. diff.")
    right_align(table, *range(6))
    for effect in effects:
        table.add_row(
            f"{effect.samples:,} images",
            f"{effect.accuracy * 100:.2f}",
            f"{effect.keras_accuracy * 100:.2f}",
            f"{effect.agreement * 100:.2f}",
            f"{effect.mean_logit_error:.3f}",
            f"{effect.largest_logit_error:.3f}",
        )
    table.title = f"int8 on {effects[0].images:,} validation images" if effects else None
    return table


def optimization_words(report: OptimizeReport) -> str:
    """Returns what ``glyphlite optimize`` did, a line each, and what it brought."""
    steps = [f"- {step}" for step in report.steps] or ["- nothing: there is nothing that the file does not need"]
    saved = 1 - report.bytes / report.bytes_before
    lines = [*steps, f"{count(report.bytes_before)} bytes before, {count(report.bytes)} after ({saved:.1%} less): {report.path}"]
    if report.arena_bytes is not None and report.arena_bytes_before is not None:
        before, after = count(report.arena_bytes_before), count(report.arena_bytes)
        lines.append(f"arena in TensorFlow Lite Micro: {before} bytes before, {after} after")
    runtimes = ", ".join(runtime_words(name) for name in report.identical_in)
    of_each = f" of each of its {report.models} models" if report.models > 1 else ""
    return "\n".join([*lines, f"Every output byte{of_each} is the same on {count(report.inputs)} random inputs in {runtimes}."])
