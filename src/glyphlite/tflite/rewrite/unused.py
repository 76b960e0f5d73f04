"""Leftovers of a file, dropped: tensors that nothing reads or writes, buffers of no tensor, codes of no op.

In place, on the object model. What runtimes find by its index stays: a file with an offline memory plan, which counts tensors,
keeps all of its own.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from glyphlite.tflite.writer import text_of

_MEMORY_PLAN = "OfflineMemoryAllocation"
"""The metadata entry by which TFLite Micro is told where each tensor lies. Source: micro/micro_allocation_info.h."""


def drop_unused_tensors(model: Any) -> int:
    """Drops what no op, port, signature or intermediate of an op names; returns how many tensors went."""
    if any(text_of(entry.name) == _MEMORY_PLAN for entry in model.metadata or []):
        return 0
    dropped = 0
    for place, graph in enumerate(model.subgraphs):
        signatures = [each for each in model.signatureDefs or [] if each.subgraphIndex == place]
        used = _used(graph, signatures)
        dropped += len(graph.tensors) - len(used)
        number = {old: new for new, old in enumerate(sorted(used))}
        graph.tensors = [graph.tensors[old] for old in sorted(used)]
        graph.inputs, graph.outputs = _renumbered(graph.inputs, number), _renumbered(graph.outputs, number)
        for operator in graph.operators:
            operator.inputs, operator.outputs = (_renumbered(each, number) for each in (operator.inputs, operator.outputs))
            if operator.intermediates is not None:
                operator.intermediates = _renumbered(operator.intermediates, number)
        for port in _ports(signatures):
            port.tensorIndex = number[port.tensorIndex]
    return dropped


def _used(graph: Any, signatures: Iterable[Any]) -> set[int]:
    lists = [graph.inputs, graph.outputs, [port.tensorIndex for port in _ports(signatures)]]
    for operator in graph.operators:
        lists += [operator.inputs, operator.outputs, operator.intermediates]
    return {int(index) for each in lists if each is not None for index in each if index >= 0}


def _ports(signatures: Iterable[Any]) -> list[Any]:
    return [port for each in signatures for port in (*(each.inputs or []), *(each.outputs or []))]


def _renumbered(indices: Sequence[int] | None, number: dict[int, int]) -> np.ndarray:
    return np.array([number.get(int(index), -1) for index in (() if indices is None else indices)], np.int32)


def drop_unused_buffers(model: Any) -> int:
    """Drops buffers that neither a tensor nor the metadata name, and empty ones but for the first, which stands for none.

    Returns:
        How many buffers went.
    """
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    for tensor in tensors:
        if _is_empty(model.buffers[tensor.buffer]) and _is_empty(model.buffers[0]):
            tensor.buffer = 0
    named = [entry.buffer for entry in model.metadata or []]
    listed = [] if model.metadataBuffer is None else [int(index) for index in model.metadataBuffer]
    used = {0, *(tensor.buffer for tensor in tensors), *named, *listed}
    number = {old: new for new, old in enumerate(sorted(used))}
    dropped = len(model.buffers) - len(used)
    model.buffers = [model.buffers[old] for old in sorted(used)]
    for holder in (*tensors, *(model.metadata or [])):
        holder.buffer = number[holder.buffer]
    if model.metadataBuffer is not None:
        model.metadataBuffer = np.array([number[index] for index in listed], np.int32)
    return dropped


def _is_empty(buffer: Any) -> bool:
    return (buffer.data is None or not len(buffer.data)) and not buffer.offset
