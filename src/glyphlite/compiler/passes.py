"""Rewrites that leave every byte of the result as it is: fewer nodes, smaller maps, less arithmetic.

Knows nodes only. Each pass says why it is exact.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from glyphlite.compiler.ir import (
    Binary,
    Concatenation,
    Convolution,
    Dense,
    Depthwise,
    Mean,
    Node,
    Pad,
    Pool,
    Program,
    Table,
    Value,
    Window,
)

_WITH_TABLE = (Convolution, Depthwise, Dense, Pool, Mean, Binary)
_EVERY_BYTE = np.arange(256)
_COPY = -2  # the index of a value that the file does not have


def optimize(program: Program) -> Program:
    """Run every pass, in the order in which one makes room for the next."""
    for rewrite in (drop_unused, drop_identities, fold_padding, fuse_tables, fuse_pools, fuse_tables, copy_input):
        program = rewrite(program)
    return program


def consumers(program: Program) -> Counter[int]:
    """How often each value is read; the model's output counts as read once more."""
    counts = Counter(value.index for node in program.nodes for value in node.inputs)
    counts[program.output.index] += 1
    return counts


def drop_unused(program: Program) -> Program:
    """What the output does not depend on is not computed; an output that is the input is a copy of it."""
    needed = {program.output.index}
    nodes: list[Node] = []
    for node in reversed(program.nodes):
        if node.output.index in needed:
            nodes.insert(0, node)
            needed |= _read(node)
    if not nodes:
        copied = replace(program.output, index=_COPY)
        return replace(program, output=copied, nodes=(_copy(program.input, copied, "the output is the input"),))
    return replace(program, nodes=tuple(nodes))


def drop_identities(program: Program) -> Program:
    """A table that maps every byte to itself only renames its input."""
    renamed: dict[int, int] = {}
    nodes = []
    for node in program.nodes:
        inputs = tuple(replace(value, index=renamed.get(value.index, value.index)) for value in node.inputs)
        node = replace(node, inputs=inputs)
        is_identity = isinstance(node, Table) and np.array_equal(node.table, _EVERY_BYTE)
        is_model = inputs[0].index == program.input.index and node.output.index == program.output.index
        if is_identity and not is_model:
            renamed[node.output.index] = inputs[0].index
        else:
            nodes.append(node)
    output = replace(program.output, index=renamed.get(program.output.index, program.output.index))
    return replace(program, nodes=tuple(nodes), output=output)


def fold_padding(program: Program) -> Program:
    """A PAD before a convolution becomes the convolution's own padding: both add nothing, as the fill is the zero point."""
    counts = consumers(program)
    pads = {node.output.index: node for node in program.nodes if isinstance(node, Pad) and counts[node.output.index] == 1}
    nodes: list[Node] = []
    for node in program.nodes:
        pad = pads.get(node.inputs[0].index) if isinstance(node, (Convolution, Depthwise)) else None
        if pad is None or pad.paddings[2] != (0, 0) or pad.inputs[0].quantization != node.inputs[0].quantization:
            nodes.append(node)
            continue
        assert isinstance(node, (Convolution, Depthwise))
        if pad.output.zero_point != node.inputs[0].zero_point or (node.inputs[0].height, node.inputs[0].width) != (
            pad.output.height,
            pad.output.width,
        ):
            nodes.append(node)
            continue
        window = node.filter_window
        window = replace(window, pad_top=window.pad_top + pad.paddings[0][0], pad_left=window.pad_left + pad.paddings[1][0])
        nodes.remove(pad)
        nodes.append(replace(node, inputs=pad.inputs, filter_window=window, sources=pad.sources + node.sources))
    return replace(program, nodes=tuple(nodes))


def fuse_tables(program: Program) -> Program:
    """An element-wise op is looked up while its input is stored; one that only clamps becomes a clamp."""
    counts = consumers(program)
    nodes: list[Node] = []
    for node in program.nodes:
        producer = next((other for other in nodes if node.inputs and other.output.index == node.inputs[0].index), None)
        if not isinstance(node, Table) or producer is None or counts[producer.output.index] != 1:
            nodes.append(node)
            continue
        fused = _with_table(producer, node)
        if fused is None:
            nodes.append(node)
        else:
            nodes[nodes.index(producer)] = fused
    return replace(program, nodes=tuple(nodes))


def _with_table(producer: Node, node: Table) -> Node | None:
    output = replace(producer.output, index=node.output.index, name=node.output.name, quantization=node.output.quantization)
    common = {"output": output, "sources": producer.sources + node.sources}
    if isinstance(producer, Table):
        return replace(producer, table=node.table[producer.table], **common)
    if not isinstance(producer, _WITH_TABLE):
        return None
    if producer.table is not None:
        return replace(producer, table=node.table[producer.table], **common)
    clamp = _as_clamp(node.table)
    if clamp is not None and isinstance(producer, (Convolution, Depthwise, Dense, Binary)):
        requantization = producer.requantization
        low = min(max(requantization.low, clamp[0]), clamp[1])
        high = max(min(requantization.high, clamp[1]), clamp[0])
        return replace(producer, requantization=replace(requantization, low=low, high=high), **common)
    return replace(producer, table=node.table, **common)


def _as_clamp(table: np.ndarray) -> tuple[int, int] | None:
    low, high = int(table[0]), int(table[255])
    return (low, high) if low <= high and np.array_equal(table, np.clip(_EVERY_BYTE, low, high)) else None


def fuse_pools(program: Program) -> Program:
    """A 2x2 maximum is taken over a convolution's sums: scaling by a positive factor, clamping and rounding keep their order.

    So does a table that never falls. Three quarters of the requantizations, and the full-size map, are gone.
    """
    counts = consumers(program)
    nodes: list[Node] = []
    for node in program.nodes:
        producer = next((other for other in nodes if node.inputs and other.output.index == node.inputs[0].index), None)
        if (
            isinstance(node, Pool)
            and isinstance(producer, Convolution)
            and counts[producer.output.index] == 1
            and _is_plain_2x2(node)
            and not producer.pooled
            and (producer.output.height, producer.output.width) == (node.inputs[0].height, node.inputs[0].width)
            and (producer.table is None or bool(np.all(np.diff(producer.table.astype(int)) >= 0)))
        ):
            nodes[nodes.index(producer)] = _pooled(producer, node)
        else:
            nodes.append(node)
    return replace(program, nodes=tuple(nodes))


def _is_plain_2x2(pool: Pool) -> bool:
    inside = pool.output.height * 2 <= pool.inputs[0].height and pool.output.width * 2 <= pool.inputs[0].width
    return pool.kind == "max" and pool.pool_window == Window(2, 2, 2, 2) and inside


def _pooled(producer: Convolution, pool: Pool) -> Convolution:
    table = producer.table
    requantization = producer.requantization
    if table is not None:
        table = np.clip(table, pool.low, pool.high)
    else:
        requantization = replace(
            requantization,
            low=min(max(requantization.low, pool.low), pool.high),
            high=max(min(requantization.high, pool.high), pool.low),
        )
    if pool.table is not None:  # looked up after the maximum, so it may fall
        table = pool.table if table is None else pool.table[table]
    return replace(
        producer,
        output=pool.output,
        pooled=True,
        table=table,
        requantization=requantization,
        sources=producer.sources + pool.sources,
    )


def copy_input(program: Program) -> Program:
    """The caller's input is int8 or raw pixels, which only kernels of one input can tell: others read a copy."""
    index = program.input.index
    if not any(isinstance(node, (Binary, Concatenation)) and index in _read(node) for node in program.nodes):
        return program
    node = _copy(program.input, replace(program.input, index=_COPY), "stored + 128")
    nodes = [
        replace(other, inputs=tuple(replace(value, index=_COPY) if value.index == index else value for value in other.inputs))
        for other in program.nodes
    ]
    return replace(program, nodes=(node, *nodes))


def _copy(source: Value, target: Value, why: str) -> Table:
    return Table(
        name="input",
        op="QUANTIZE",
        inputs=(replace(target, index=source.index),),
        output=target,
        sources=(f"a copy of the model's input: {why}",),
        table=_EVERY_BYTE.astype(np.uint8),
    )


def _read(node: Node) -> set[int]:
    return {value.index for value in node.inputs}
