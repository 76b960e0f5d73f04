"""``inspect`` on a terminal: the records of one file as tables for people. Text from the file is shown, never interpreted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from glyphlite.escaping import printable
from glyphlite.evaluation.inspection import Inspection
from glyphlite.formatting import things
from glyphlite.report.op_labels import describe_options, describe_quantization, describe_shape, title_of
from glyphlite.tflite.description import OperatorInfo, TensorInfo

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

MOST_LABELS = 20
MOST_OPS = 500


def render_inspection(inspection: Inspection) -> "RenderableType":
    """Returns the tables of one file: what it is, its ops in order, who takes it.

    Args:
        inspection: the records; every string in them may be hostile.

    Returns:
        A rich renderable, readable from 80 columns on.
    """
    from rich.console import Group

    parts: list[RenderableType] = [_summary(inspection), _operators(inspection)]
    if inspection.runtimes:
        parts.append(_runtimes(inspection))
    return Group(*parts)


def _table(title: str) -> "Table":
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


def _summary(inspection: Inspection) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in _facts(inspection):
        table.add_row(Text(label), Text(value))
    return table


def _facts(inspection: Inspection) -> Iterator[tuple[str, str]]:
    yield "file", f"{printable(inspection.path, 200)}, {inspection.bytes:,} bytes"
    yield "SHA-256", inspection.sha256
    if inspection.name:
        yield "model", printable(f"{inspection.name} {inspection.version}".strip(), 200)
    if inspection.description:
        yield "description", printable(inspection.description, 200)
    if inspection.input is not None:
        yield "pixels", printable(f"as {inspection.input.range} ({inspection.input.source})", 200)
    if inspection.labels:
        shown = ", ".join(printable(label) for label in inspection.labels[:MOST_LABELS])
        more = f", ... ({len(inspection.labels)})" if len(inspection.labels) > MOST_LABELS else ""
        yield "labels", shown + more
    if inspection.signatures:
        yield "signatures", ", ".join(printable(name) for name in inspection.signatures[:MOST_LABELS])
    if inspection.metadata:
        yield "metadata", ", ".join(printable(name) for name in inspection.metadata[:MOST_LABELS])
    for tensor in inspection.inputs[:MOST_LABELS]:
        yield "input", _port(tensor)
    for tensor in inspection.outputs[:MOST_LABELS]:
        yield "output", _port(tensor)
    for tensor in inspection.state[:MOST_LABELS]:
        yield "state", f"{_port(tensor)}, {tensor.bytes:,} bytes"
    if inspection.other_signatures:
        names = ", ".join(printable(name) for name in inspection.other_signatures[:MOST_LABELS])
        yield (
            "subgraphs",
            f"{inspection.subgraphs}: the first is the model; not looked at are those of {names}",
        )
    elif inspection.subgraphs > 1:
        yield "subgraphs", f"{inspection.subgraphs}: the model and its initializers"
    yield (
        "in all",
        f"{things(inspection.macs, 'multiply-accumulate')}, {things(inspection.parameters, 'parameter')} in "
        f"{things(inspection.weight_bytes, 'byte')}",
    )
    yield "takes and gives", _purpose(inspection)
    where = f" (at op {inspection.live_op})" if inspection.live_op is not None else ""
    yield "activations", f"{inspection.activation_bytes:,} bytes, {inspection.live_bytes:,} of them at one time{where}"
    for kind, names in (("TensorFlow ops", inspection.select_tf_ops), ("custom ops", inspection.custom_ops)):
        if names:
            yield kind, ", ".join(printable(name) for name in names[:MOST_LABELS])


def _purpose(inspection: Inspection) -> str:
    """Returns what the model is for: an image classifier, or values in and out, and what keeps it from being one."""
    if inspection.is_image_classifier:
        return "an image and the scores of its classes: an image classifier"
    reason = (inspection.no_image_classifier_because or "").removesuffix("; not an image classifier")
    taken, given = (
        ", ".join(describe_shape(each) for each in ports[:MOST_LABELS]) for ports in (inspection.inputs, inspection.outputs)
    )
    return f"values: {taken} in, {given} out; they are not the classes of an image: {reason}"


def _port(tensor: TensorInfo) -> str:
    return _with_scale(f"{printable(tensor.name)}: ", tensor)


def _operators(inspection: Inspection) -> "Table":
    from rich.text import Text

    total = len(inspection.operators)
    shown = f", the first {MOST_OPS} of {total:,} (--json gives all)" if total > MOST_OPS else ""
    table = _table(f"Ops in order{shown}")
    table.add_column("#", justify="right", style="dim")
    table.add_column("op", overflow="fold", max_width=24)
    table.add_column("output and weights", overflow="fold")
    for heading in ("params", "bytes", "MACs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for operator in inspection.operators[:MOST_OPS]:
        how = describe_options(operator)
        table.add_row(
            Text(str(operator.index)),
            Text(title_of(operator)).append(f"\n{how}" if how else "", "dim"),
            Text("\n".join(_tensors(operator))),
            *(Text(f"{count:,}" if count else "") for count in (operator.parameters, operator.parameter_bytes, operator.macs)),
        )
    return table


def _tensors(operator: OperatorInfo) -> Iterator[str]:
    for tensor in operator.outputs[:MOST_LABELS]:
        yield _with_scale("", tensor)
    for tensor in operator.constants[:1] if operator.parameters else ():
        yield _with_scale("weights ", tensor)


def _with_scale(what: str, tensor: TensorInfo) -> str:
    return ", ".join(filter(None, (what + describe_shape(tensor), describe_quantization(tensor))))


def _runtimes(inspection: Inspection) -> "Table":
    from rich.text import Text

    from glyphlite.runtimes.registry import runtime_title

    table = _table("Which runtimes run it")
    table.add_column("runtime", no_wrap=True)
    table.add_column("runs it")
    table.add_column("as an image classifier")
    table.add_column("what it says", overflow="fold")
    for name, report in inspection.runtimes.items():
        arena = f"{report.arena_bytes:,} bytes of arena" if report.arena_bytes else ""
        if report.recommended_arena_bytes:
            arena += f" on this host, {report.recommended_arena_bytes:,} to be safe on a target"
        runs = report.accepts if report.runs is None else report.runs
        is_known = runs and report.reason == inspection.no_image_classifier_because  # what the model is for, as said above
        said = printable(report.reason, 300) if report.reason and not is_known else arena
        table.add_row(runtime_title(name), _verdict(runs), _verdict(report.accepts), Text(said))
    return table


def _verdict(yes: bool) -> "Text":
    from rich.text import Text

    return Text("yes", "green") if yes else Text("no", "red")
