"""Rewrites that leave every byte of the result as it is: fewer nodes, smaller maps, less arithmetic.

Knows nodes only. Each pass says why it is exact.
"""

from dataclasses import replace

import numpy as np

from glyphlite.compiler.codegen.c_names import copy_name
from glyphlite.compiler.ir import Edge, Node, Program, consumers
from glyphlite.compiler.ops.elementwise.binary import Binary
from glyphlite.compiler.ops.elementwise.lookup import EVERY_BYTE, Lookup
from glyphlite.compiler.ops.int16.convolution import Int16Convolution
from glyphlite.compiler.ops.layout.concatenation import WIDTH, Concatenation
from glyphlite.compiler.ops.layout.move import Move
from glyphlite.compiler.ops.layout.pad import Pad
from glyphlite.compiler.ops.matrix.convolution import Convolution
from glyphlite.compiler.ops.matrix.weighted import Filtered
from glyphlite.compiler.ops.reduction.pool import Pool
from glyphlite.compiler.values import Value

_INPUT_COPY, _OUTPUT_COPY = -1_000_000, -2_000_000  # the indices of values that the file does not have, and less


def optimize(program: Program) -> Program:
    """Runs every pass, in the order in which one makes room for the next."""
    for rewrite in (
        drop_unused,
        drop_identities,
        copy_outputs,
        fold_padding,
        fuse_tables,
        pool_first,
        fuse_pools,
        fuse_tables,
        view_parts,
        copy_input,
        assign_directly,
    ):
        program = rewrite(program)
    return program


def drop_unused(program: Program) -> Program:
    """Drops what no output and no variable depends on."""
    needed = program.given | program.kept
    nodes: list[Node] = []
    for node in reversed(program.nodes):
        if node.output.index in needed:
            nodes.insert(0, node)
            needed |= _read(node)
    return replace(program, nodes=tuple(nodes))


def drop_identities(program: Program) -> Program:
    """Drops tables that answer each byte with itself; an output that is an input, or another output, needs the copy."""
    renamed: dict[int, int] = {}
    nodes: list[Node] = []
    for node in program.nodes:
        inputs = tuple(replace(value, index=renamed.get(value.index, value.index)) for value in node.inputs)
        node = replace(node, inputs=inputs)
        is_copy = node.output.index in program.given and inputs[0].index in program.read | program.given
        is_copy |= inputs[0].index in program.remembered  # which another value takes the place of
        if isinstance(node, Lookup) and node.is_identity and not is_copy:
            renamed[node.output.index] = inputs[0].index
        else:
            nodes.append(node)
    outputs = tuple(_at(edge, renamed.get(edge.index, edge.index)) for edge in program.outputs)
    return replace(program, nodes=tuple(nodes), outputs=outputs)


def copy_outputs(program: Program) -> Program:
    """Copies an output that is an input, or an output before it: the caller gets each where he asks for it."""
    seen, nodes, outputs = set(program.read | program.remembered), list(program.nodes), list[Edge]()
    for position, edge in enumerate(program.outputs):
        if edge.index in seen:
            copied = _at(edge, _OUTPUT_COPY - position)
            what = "an input" if edge.index in program.read else "state" if edge.index in program.remembered else "another output"
            why = f"a copy for the output: it is {what}, too"
            nodes.append(_copy(copy_name(edge.name), edge.value, copied.value, why))
            edge = copied
        seen.add(edge.index)
        outputs.append(edge)
    return replace(program, nodes=tuple(nodes), outputs=tuple(outputs))


def fold_padding(program: Program) -> Program:
    """Makes a PAD before a filter the filter's own padding: both add nothing, as the fill is the zero point."""
    counts = consumers(program)
    pads = {node.output.index: node for node in program.nodes if isinstance(node, Pad) and counts[node.output.index] == 1}
    nodes: list[Node] = []
    for node in program.nodes:
        pad = pads.get(node.inputs[0].index)
        if pad is None or not isinstance(node, Filtered) or not _can_fold(pad, node):
            nodes.append(node)
            continue
        window = node.filter_window
        window = replace(window, pad_top=window.pad_top + pad.paddings[0][0], pad_left=window.pad_left + pad.paddings[1][0])
        nodes.remove(pad)
        nodes.append(replace(node, inputs=pad.inputs, filter_window=window, sources=pad.sources + node.sources))
    return replace(program, nodes=tuple(nodes))


def _can_fold(pad: Pad, node: Filtered) -> bool:
    """Returns whether the filter sees the padded map as it is, channels unpadded, in the scale of what was padded."""
    seen = node.inputs[0]
    return (
        pad.paddings[2] == (0, 0)
        and pad.inputs[0].quantization == seen.quantization
        and pad.fill == seen.zero_point
        and (seen.height, seen.width) == (pad.output.height, pad.output.width)
    )


def fuse_tables(program: Program) -> Program:
    """Looks an element-wise op up while its input is stored; one that only clamps becomes a clamp."""
    counts = consumers(program)
    nodes: list[Node] = []
    for node in program.nodes:
        producer = next((other for other in nodes if node.inputs and other.output.index == node.inputs[0].index), None)
        fused = None
        if isinstance(node, Lookup) and producer is not None and counts[producer.output.index] == 1:
            fused = _with_table(producer, node)
        if fused is None or producer is None:
            nodes.append(node)
        else:
            nodes[nodes.index(producer)] = fused
    return replace(program, nodes=tuple(nodes))


def _with_table(producer: Node, node: Lookup) -> Node | None:
    """Returns the producer with the table applied to its results; None where it takes none."""
    output = replace(producer.output, index=node.output.index, name=node.output.name, quantization=node.output.quantization)
    fused = replace(producer, output=output, sources=producer.sources + node.sources)
    if isinstance(fused, Lookup):
        return replace(fused, answers=node.answers[fused.answers])
    if not fused.takes_table:
        return None
    if fused.table is not None:
        return replace(fused, table=node.answers[fused.table])
    clamp = node.as_clamp
    clamped = fused.clamped(*clamp) if clamp is not None else None
    return replace(fused, table=node.answers) if clamped is None else clamped


def pool_first(program: Program) -> Program:
    """Takes a maximum over windows before what is computed with a constant for each channel, where that never falls.

    The largest value then gives the largest result: what follows a convolution as MUL and ADD, a normalization that was not
    folded, is computed for one value of each window, and the maximum may join the convolution.
    """
    while (swapped := _with_pool_ahead(program)) is not None:
        program = swapped
    return program


def _with_pool_ahead(program: Program) -> Program | None:
    """Returns the program with one maximum ahead of the node before it; None where there is none left."""
    counts = consumers(program)
    producers = {node.output.index: place for place, node in enumerate(program.nodes)}
    for place, pool in enumerate(program.nodes):
        before = producers.get(pool.inputs[0].index) if pool.inputs else None
        if before is None or not isinstance(pool, Pool) or pool.kind != "max":
            continue
        node = program.nodes[before]
        source = node.inputs[0]
        if (
            not isinstance(node, Binary)
            or counts[node.output.index] > 1
            or pool.inputs[0].shape != source.shape
            or pool.output.elements >= source.elements
            or not node.never_falls
        ):
            continue
        size = {"height": pool.output.height, "width": pool.output.width}
        pooled = replace(source, index=node.output.index, name=pool.output.name, offset=0, **size)
        nodes = list(program.nodes)
        nodes[place] = replace(_then(node, pool), inputs=(pooled,), output=pool.output)
        nodes[before] = replace(pool, inputs=(source,), output=pooled, activation_min=0, activation_max=255, table=None)
        return replace(program, nodes=tuple(nodes))
    return None


def _then(node: Binary, pool: Pool) -> Binary:
    """Returns the node with the pool's clamp and table behind it."""
    limits = pool.activation_min, pool.activation_max
    if node.table is None:
        return replace(node.clamped(*limits), table=pool.table)
    table = np.clip(node.table, *limits)
    return replace(node, table=table if pool.table is None else pool.table[table])


def fuse_pools(program: Program) -> Program:
    """Takes a 2x2 maximum over a convolution's sums: scaling by a positive factor, clamping and rounding keep their order.

    So does a table that never falls; a sum that may wrap as it is scaled does not. Three quarters of the requantizations, and
    the full-size map, are gone.
    """
    counts = consumers(program)
    nodes: list[Node] = []
    for node in program.nodes:
        producer = next((other for other in nodes if node.inputs and other.output.index == node.inputs[0].index), None)
        fused = None
        if (
            isinstance(node, Pool)
            and node.is_plain_2x2_max
            and producer is not None
            and counts[producer.output.index] == 1
            and (producer.output.height, producer.output.width) == (node.inputs[0].height, node.inputs[0].width)
        ):
            fused = _with_maximum(producer, node)
        if fused is None or producer is None:
            nodes.append(node)
        else:
            nodes[nodes.index(producer)] = fused
    return replace(program, nodes=tuple(nodes))


def _with_maximum(producer: Node, pool: Pool) -> Node | None:
    """Returns the producer with the pool's maximum over its sums; None where that could give another output."""
    if isinstance(producer, Int16Convolution):
        return _pooled_int16(producer, pool) if producer.takes_maximum else None
    if not isinstance(producer, Convolution) or producer.pooled or not _keeps_order(producer):
        return None
    rises = producer.table is None or bool(np.all(np.diff(producer.table.astype(int)) >= 0))
    return _pooled(producer, pool) if rises else None


def _pooled_int16(producer: Int16Convolution, pool: Pool) -> Int16Convolution:
    scaling = producer.scaling.clamped(pool.activation_min, pool.activation_max)
    return replace(producer, output=pool.output, pooled=True, scaling=scaling, sources=producer.sources + pool.sources)


def _keeps_order(node: Convolution) -> bool:
    """Tells whether no sum leaves 32 bits when it is shifted to the left: a larger sum then never gives a smaller output."""
    sums = np.abs(node.weights.astype(np.int64)).reshape(len(node.weights), -1).sum(axis=1) * 255 + np.abs(node.bias)
    shifts = np.maximum(node.requantization.output_shifts, 0)
    return all(int(bound) << int(shift) < 2**31 for bound, shift in np.broadcast(sums, shifts))


def _pooled(producer: Convolution, pool: Pool) -> Convolution:
    """Returns the convolution with the pool's maximum and clamp; the pool's table comes after the maximum, so it may fall."""
    table, requantization = producer.table, producer.requantization
    if table is not None:
        table = np.clip(table, pool.activation_min, pool.activation_max)
    else:
        requantization = requantization.clamped(pool.activation_min, pool.activation_max)
    if pool.table is not None:
        table = pool.table if table is None else pool.table[table]
    sources = producer.sources + pool.sources
    return replace(producer, output=pool.output, pooled=True, table=table, requantization=requantization, sources=sources)


def view_parts(program: Program) -> Program:
    """Reads a part that lies in one piece where it is, instead of copying it.

    A copy stays where it is the model's output, where it takes a table, and where its input comes row by row for it alone:
    then its input never exists whole.
    """
    counts, producers = consumers(program), {node.output.index: node for node in program.nodes}
    parts: dict[int, Value] = {}
    nodes: list[Node] = []
    for node in program.nodes:
        node = replace(node, inputs=tuple(_within(value, parts) for value in node.inputs))
        source = node.inputs[0]
        producer = producers.get(source.index)
        if (
            not isinstance(node, Move)
            or not node.walk.is_contiguous
            or node.table is not None
            or node.output.index in program.given
            or (producer is None and source.index not in program.read)
            or (producer is not None and producer.streams and node.streams and source.height > 1 and counts[source.index] == 1)
        ):
            nodes.append(node)
        else:
            parts[node.output.index] = replace(source, offset=source.offset + node.walk.start)
    return replace(program, nodes=tuple(nodes))


def _within(value: Value, parts: dict[int, Value]) -> Value:
    """Returns a value, if it is a part of another one, at its place in that one."""
    whole = parts.get(value.index)
    return value if whole is None else replace(value, index=whole.index, offset=value.offset + whole.offset)


def copy_input(program: Program) -> Program:
    """Copies the caller's inputs, int8 or raw pixels, for the kernels that cannot tell these apart."""
    copies: dict[int, int] = {}
    nodes: list[Node] = []
    for position, edge in enumerate(program.inputs):
        if edge.value.element_type == "int8" and any(
            edge.index in _read(node) and not node.reads_model_input for node in program.nodes
        ):
            copies[edge.index] = _INPUT_COPY - position
            target = replace(edge.value, index=copies[edge.index])
            nodes.append(_copy(edge.name, edge.value, target, "a copy of the model's input: stored + 128"))
    for node in program.nodes:
        inputs = tuple(replace(value, index=copies.get(value.index, value.index)) for value in node.inputs)
        nodes.append(replace(node, inputs=inputs))
    return replace(program, nodes=tuple(nodes))


def assign_directly(program: Program) -> Program:
    """Lets the node that computes what a variable is assigned write it there, once nothing needs the value before.

    The readers of that value come before the node, and the scheduler keeps them so; whoever reads the result finds it in the
    variable, which nothing else writes. What cannot be computed there is copied as soon as it can be.
    """
    for variable in program.variables:
        if variable.after == variable.before.index:
            continue
        nodes = list(program.nodes)
        copy = nodes.pop(next(place for place, node in enumerate(nodes) if node.output.index == variable.after))
        assigned = copy.inputs[0]
        computed = next((at for at, node in enumerate(nodes) if node.output.index == assigned.index), -1)
        last_read = max((at for at, node in enumerate(nodes) if variable.before.index in _read(node)), default=-1)
        is_whole = computed >= 0 and assigned.bytes == nodes[computed].output.bytes
        if is_whole and last_read < computed and assigned.index not in program.given | program.kept:
            nodes[computed] = replace(nodes[computed], output=replace(nodes[computed].output, index=variable.after))
            nodes = [_reading(node, assigned.index, variable.after) for node in nodes]
        else:
            nodes.insert(max(computed, last_read) + 1, copy)
        program = replace(program, nodes=tuple(nodes))
    return program


def _reading(node: Node, before: int, after: int) -> Node:
    """Returns a node that reads a value under another index."""
    if before not in _read(node):
        return node
    inputs = tuple(replace(value, index=after) if value.index == before else value for value in node.inputs)
    return replace(node, inputs=inputs)


def _copy(name: str, source: Value, target: Value, why: str) -> Node:
    if source.element_type != "int8":
        inputs = (replace(target, index=source.index),)
        return Concatenation(name=name, op="CONCATENATION", inputs=inputs, output=target, sources=(why,), axis=WIDTH)
    return Lookup(
        name=name,
        op="QUANTIZE",
        inputs=(replace(target, index=source.index),),
        output=target,
        sources=(why,),
        answers=EVERY_BYTE.astype(np.uint8),
    )


def _at(edge: Edge, index: int) -> Edge:
    """Returns an edge whose value has another index."""
    return replace(edge, value=replace(edge.value, index=index))


def _read(node: Node) -> set[int]:
    return {value.index for value in node.inputs}
