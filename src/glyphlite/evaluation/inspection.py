"""``inspect``: everything one .tflite file says of itself and every runtime of it, as records that become JSON.

Never trusts the file: what it shows went through the reader's checks first. Draws and prints nothing.
"""

import hashlib
from pathlib import Path

from pydantic import Field

from glyphlite.compiler.compile import compile_graph
from glyphlite.errors import GlyphliteError
from glyphlite.evaluation.acceptance import ask_runtimes
from glyphlite.models.interface.stated_convention import convention_of_graph
from glyphlite.records import InputReport, Record, RuntimeReport
from glyphlite.runtimes import ports
from glyphlite.tflite import cost
from glyphlite.tflite.description import OperatorInfo, TensorInfo, describe_tensor, operator_record
from glyphlite.tflite.graph import Graph, Tensor, state_tensors
from glyphlite.tflite.metadata import read_metadata
from glyphlite.tflite.reader import parse_graph, read_content

FLEX_PREFIX = "Flex"
"""What SELECT_TF_OPS puts before the name of a TensorFlow op."""


class Inspection(Record):
    """A whole file; ``name``, ``version`` and ``description`` are what it says of itself.

    ``live_bytes`` is the most that activations take at one time, by lifetime alone; ``live_op`` is where. ``input`` is how a
    pixel enters an image classifier, by the file alone.
    """

    path: str
    bytes: int
    sha256: str
    schema_version: int
    name: str = ""
    version: str = ""
    description: str = ""
    signatures: list[str] = Field(default_factory=list)
    labels: list[str] = Field(default_factory=list)
    metadata: list[str] = Field(default_factory=list)
    inputs: list[TensorInfo] = Field(default_factory=list)
    outputs: list[TensorInfo] = Field(default_factory=list)
    operators: list[OperatorInfo] = Field(default_factory=list)
    macs: int
    parameters: int
    weight_bytes: int
    activation_bytes: int
    live_bytes: int
    live_op: int | None = None
    input: InputReport | None = None
    select_tf_ops: list[str] = Field(default_factory=list)
    custom_ops: list[str] = Field(default_factory=list)
    is_image_classifier: bool = True
    no_image_classifier_because: str | None = None
    runtimes: dict[str, RuntimeReport] = Field(default_factory=dict)
    subgraphs: int = 1
    other_signatures: list[str] = Field(default_factory=list)
    """Those that run further subgraphs, each by itself; nothing else here is of these."""
    state: list[TensorInfo] = Field(default_factory=list)
    """What a call leaves behind for the next one."""


def inspect_artifact(path: Path, *, runtimes: bool = True, arena: bool = False) -> Inspection:
    """Returns everything there is to know of a .tflite file without running data through it.

    Args:
        path: the file; it is not trusted.
        runtimes: also ask each runtime whether it takes the file, the interpreters in child processes that may die of it.
        arena: also search the smallest arena that TFLite Micro accepts, where it takes the file; about a second.

    Raises:
        ArtifactError: the file cannot be read or is malformed; one line says how.
    """
    path = Path(path)
    content = read_content(path)
    graph = parse_graph(content, str(path))
    inspection = describe(graph, content, str(path))
    if not runtimes:
        return inspection
    answers = {**ask_runtimes(path, arena=arena), "generated_c": ask_compiler(graph)}
    return inspection.model_copy(update={"runtimes": answers})


def describe(graph: Graph, content: bytes, name: str) -> Inspection:
    """Returns the records of a graph that the reader has checked, and of the file it came from. Asks no runtime."""
    live_bytes, live_op = _most_live(graph)
    objection = ports.objection_to(graph)
    about = read_metadata(content)
    tensors = [describe_tensor(tensor) for tensor in graph.tensors]
    custom = {operator.custom_code for operator in graph.operators if operator.custom_code}
    return Inspection(
        path=name,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        schema_version=graph.schema_version,
        name=about.name,
        version=about.version,
        description=about.description or graph.description,
        signatures=list(graph.signatures),
        labels=list(graph.labels),
        metadata=list(graph.metadata),
        inputs=[tensors[index] for index in graph.inputs],
        outputs=[tensors[index] for index in graph.outputs],
        operators=[operator_record(graph, operator, tensors) for operator in graph.operators],
        macs=cost.total_macs(graph),
        parameters=cost.total_parameters(graph),
        weight_bytes=cost.weight_bytes(graph),
        activation_bytes=sum(tensor.bytes for tensor in _activations(graph)),
        live_bytes=live_bytes,
        live_op=live_op,
        input=convention_of_graph(graph).report() if objection is None else None,
        select_tf_ops=sorted(code for code in custom if code.startswith(FLEX_PREFIX)),
        custom_ops=sorted(code for code in custom if not code.startswith(FLEX_PREFIX)),
        is_image_classifier=objection is None,
        no_image_classifier_because=objection,
        subgraphs=graph.subgraphs,
        other_signatures=[other.signature or f"subgraph {index}" for index, other in enumerate(graph.others, 1)],
        state=[describe_tensor(tensor) for tensor in state_tensors(graph)],
    )


def _activations(graph: Graph) -> list[Tensor]:
    used = set(graph.inputs).union(*(operator.outputs for operator in graph.operators))
    return [graph.tensors[index] for index in sorted(used)]


def _most_live(graph: Graph) -> tuple[int, int | None]:
    """Returns the most bytes of activations alive at once, each from the op that writes it to the last that reads it; and at
    which op.
    """
    end = len(graph.operators)
    last_use = dict.fromkeys(graph.outputs, end)
    for operator in graph.operators:
        for index in operator.inputs:
            last_use[index] = max(last_use.get(index, 0), operator.index)
    alive = {index for index in graph.inputs if index in last_use}
    freed: dict[int, list[int]] = {}
    for index in alive:
        freed.setdefault(last_use[index], []).append(index)
    total = sum(graph.tensors[index].bytes for index in alive)
    most, where = total, None
    for operator in graph.operators:
        for index in operator.outputs:
            total += graph.tensors[index].bytes
            freed.setdefault(last_use.get(index, operator.index), []).append(index)
        if total > most:
            most, where = total, operator.index
        total -= sum(graph.tensors[index].bytes for index in freed.pop(operator.index, ()))
    return most, where


def ask_compiler(graph: Graph) -> RuntimeReport:
    """Asks the compiler for a graph, by compiling it to C; what is no classifier of images runs, and is not accepted."""
    try:
        compilation = compile_graph(graph, "network")
    except GlyphliteError as error:
        return RuntimeReport(accepts=False, runs=False, reason=str(error))
    reason = ports.objection_to(graph)
    return RuntimeReport(accepts=reason is None, runs=True, reason=reason, arena_bytes=compilation.report.arena_bytes)
