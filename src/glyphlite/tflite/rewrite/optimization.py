"""A file made smaller without another byte in its answers: what glyphlite does for its own files, for any.

Constant ops are computed ahead, channels that hold one value whatever comes in are folded into the next layer, equal constants
are stored once, and what nothing uses is dropped. Metadata, labels and signatures stay. Whether the answers stay too is not asked
here: whoever writes the result runs both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphlite.errors import ArtifactError
from glyphlite.formatting import things
from glyphlite.tflite.checked_op import FREE
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.archive import with_files_of
from glyphlite.tflite.rewrite.constant_channels import without_constant_channels
from glyphlite.tflite.rewrite.declarations import drop_unused_codes
from glyphlite.tflite.rewrite.folding import folded_values, is_computed, of_one_image
from glyphlite.tflite.rewrite.shared_buffers import share_constants
from glyphlite.tflite.rewrite.unused import drop_unused_buffers, drop_unused_tensors
from glyphlite.tflite.rewrite.written_back import write_back
from glyphlite.tflite.writer import pack_model, unpack_model


@dataclass(frozen=True)
class Optimized:
    """The smaller file, and what was done to it, a line each; the very same file and no lines where nothing was to be done."""

    content: bytes
    steps: tuple[str, ...]


def optimize_file(content: bytes, name: str, *, strip_names: bool = False) -> Optimized:
    """Returns a file without what it does not need.

    Args:
        content: a .tflite file; it is not trusted.
        name: what messages call it.
        strip_names: also drop the names of all tensors but inputs and outputs, which no runtime needs.

    Raises:
        ArtifactError: the file is damaged, or keeps its constants where they cannot be moved.
    """
    graph = parse_graph(content, name)
    if any(tensor.is_behind for tensor in graph.tensors):
        raise ArtifactError(f"{name} keeps constants behind the FlatBuffer, where optimize leaves them; convert the model again")
    model = unpack_model(content)
    steps = list(_fold(model, graph))
    if steps:
        model, graph = _again(model, name)
    narrow, count = without_constant_channels(graph, int4=False) if graph.subgraphs == 1 else (graph, 0)
    if count:
        write_back(model, of_one_image(graph), narrow)
        steps.append(f"removed {things(count, 'channel')} that no answer depends on")
    steps += _leftovers(model, strip_names=strip_names)
    packed = with_files_of(pack_model(model), content, name)
    if not steps and len(packed) >= len(content):
        return Optimized(content, ())
    if not steps:
        steps = ["stored equal scales, zero points and shapes once"]
    parse_graph(packed, name)
    return Optimized(packed, tuple(steps))


def _again(model: Any, name: str) -> tuple[Any, Graph]:
    """Returns a changed object model and its graph, as they are in the file that it makes."""
    packed = pack_model(model)
    return unpack_model(packed), parse_graph(packed, name)


def _leftovers(model: Any, *, strip_names: bool) -> Iterator[str]:
    """Drops what nothing uses and yields a line for each kind of it."""
    if count := share_constants(model):
        yield f"stored equal constants once: {things(count, 'buffer')} less"
    if count := drop_unused_tensors(model):
        yield f"dropped {things(count, 'tensor')} that nothing reads or writes"
    if count := drop_unused_buffers(model):
        yield f"dropped {things(count, 'buffer')} that {'holds' if count == 1 else 'hold'} nothing or that nothing names"
    codes = len(model.operatorCodes)
    drop_unused_codes(model)
    if count := codes - len(model.operatorCodes):
        yield f"dropped {things(count, 'operator code')} of no op"
    if strip_names and (count := _strip_names(model)):
        yield f"dropped the names of {things(count, 'tensor')}; inputs, outputs and signatures keep theirs"


def _fold(model: Any, graph: Graph) -> Iterator[str]:
    """Puts constants in the place of what ops compute from constants and shapes alone."""
    from ai_edge_litert import schema_py_generated as schema

    values = folded_values(of_one_image(graph))
    if not values:
        return
    part = model.subgraphs[0]
    for index, value in values.items():
        buffer: Any = schema.BufferT()
        buffer.data = np.frombuffer(value.tobytes(), np.uint8)
        part.tensors[index].buffer = len(model.buffers)
        model.buffers.append(buffer)
    before = len(part.operators)
    part.operators = [each for each in part.operators if not is_computed(each.outputs, values)]
    free = any(FREE in tensor.shape for tensor in graph.tensors)
    if free:
        for tensor in part.tensors:
            tensor.shapeSignature = None
    yield f"computed {things(before - len(part.operators), 'op')} ahead" + (
        ", for a batch of 1 instead of a free one" if free else ""
    )


def _strip_names(model: Any) -> int:
    """Drops names of tensors that are no port; returns how many had one."""
    count = 0
    for graph in model.subgraphs:
        ports = {int(index) for each in (graph.inputs, graph.outputs) for index in each}
        for index, tensor in enumerate(graph.tensors):
            if index not in ports and tensor.name:
                tensor.name, count = None, count + 1
    return count
