"""Translation of segments to C: every node's kernel, every buffer placed, and the files that come out of the templates.

Knows nodes by their traits and kernels by their templates; nothing of the file that the model came from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.arena import Arena
from glyphlite.compiler.codegen.c_text import c_lines, render
from glyphlite.compiler.codegen.constants import Array, Constants
from glyphlite.compiler.codegen.filter_table import Chain, FilterTable, Named, chained, lay_down
from glyphlite.compiler.codegen.helpers import helpers_called, macro_names, written_once
from glyphlite.compiler.codegen.kernel import Kernel, Layer, Place, Rows, Site, whole_map
from glyphlite.compiler.codegen.layout import tidy
from glyphlite.compiler.interface import About, Sample, facts, input_sides, parameter_of, threshold
from glyphlite.compiler.ir import Program
from glyphlite.compiler.memory_plan import Buffer
from glyphlite.compiler.ops.tabled import Tabled
from glyphlite.compiler.schedule import Segment
from glyphlite.compiler.values import Optimize
from glyphlite.escaping import c_comment, c_string
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.purpose import Purpose


@dataclass(frozen=True)
class Placed:
    """A buffer of the arena with its offset, for the memory map, alive from step ``first`` to step ``last``."""

    buffer: Buffer
    offset: int
    first: int
    last: int


IMAGES_AT_ONCE = 12
"""Images whose sums of 32 outputs fit in the registers of a host with the widest vectors."""


@dataclass(frozen=True)
class Many:
    """The way in which hosts compute many images with one call.

    Attributes:
        kernels: in their order, each on several images before the next; none where whole images follow each other.
        maps: where each leaves its output in the caller's memory, as a first byte; the last writes to the caller's output.
        bytes: of the caller's memory.
    """

    kernels: tuple[Kernel, ...]
    maps: tuple[int, ...]
    bytes: int

    @property
    def images(self) -> int:
        """Returns how many images each kernel computes before the next; 0 where whole images follow each other."""
        return IMAGES_AT_ONCE if self.kernels else 0


@dataclass(frozen=True)
class Functions:
    """The C function that a layer is called after, and those that the model's run calls.

    Attributes:
        entry: the layer's entry in the function's table, and the number of entries; None where it has a function of its own.
    """

    function: str
    calls: tuple[str, ...]
    entry: tuple[int, int] | None = None


@dataclass(frozen=True)
class Emitted:
    """The files by name, and what the report says of them."""

    files: dict[str, str]
    arena_bytes: int
    plain_arena_bytes: int
    classify_arena_bytes: int
    buffers: tuple[Placed, ...]
    constants: dict[str, tuple[Array, ...]]
    layers: dict[str, Functions]
    state_bytes: int = 0
    many_bytes: int = 0
    """Bytes of the caller's memory where hosts compute many images with one call; 0 where there is no such function."""
    memory_bytes: tuple[int, int] = (0, 0)
    """Bytes of arena, inputs and outputs in one: with the DSP extension, and without."""
    edges: Mapping[str, Place] = field(default_factory=dict[str, Place])
    """Places of inputs and outputs in it."""


@dataclass(frozen=True)
class Sums:
    """The place where an accumulator adds up, and the number of its sums."""

    place: Place
    count: int


@dataclass(frozen=True)
class Step:
    """A segment as the run's template takes it.

    Attributes:
        title: its layers.
        chain: kernels that hand rows on.
        accumulator: the kernel that adds up row after row; None where there is none.
        whole: the kernel that runs once, on a whole map, in place of the two.
        sums: of the accumulator.
        target: where the output goes.
    """

    title: str
    chain: tuple[Kernel, ...]
    accumulator: Kernel | None
    whole: Kernel | None
    sums: Sums | None
    target: Rows

    @property
    def table(self) -> "TabledChain | None":
        """Returns what stands for the layers at its beginning that run from a table; None where there are none."""
        head = self.chain[0] if self.chain else None
        return head if isinstance(head, TabledChain) else None


@dataclass(frozen=True, kw_only=True)
class TabledChain(Kernel):
    """The layers at the beginning of a chain that run from a table; ``layer`` is the last of them.

    Attributes:
        place: of the chain in the table.
        flips: whether the first of them reads the caller's input.
    """

    tabled: ClassVar[bool] = True

    place: Chain
    flips: bool


def emit(
    program: Program,
    segments: Sequence[Segment],
    arena: Arena,
    tabled: Tabled,
    name: str,
    *,
    scores: str,
    purpose: Purpose,
    optimize: Optimize,
    sample: Sample,
    convention: InputConvention,
    pixel_table: np.ndarray | None,
    about: About,
) -> Emitted:
    """Renders a scheduled program.

    Args:
        program: the lowered, optimized model.
        segments: its schedule.
        arena: the places of its buffers.
        tabled: the layers that run from a table.
        name: a C identifier, the prefix of everything that is emitted.
        scores: "probabilities", "logits" or "none".
        purpose: what the model is for.
        optimize: "speed", "size" or "ram".
        sample: the image of ``example.c``.
        convention: how the model takes a pixel, for comments.
        pixel_table: uint8 (channels, 256), a raw pixel as the network holds it; None where they are the same.
        about: where the model comes from.
    """
    labels = purpose.labels
    constants = Constants()
    table = _table(arena, constants, program, name, segments, tabled)
    chains = dict(zip((group[-1] for group in tabled.groups), table.chains if table else (), strict=True))
    begun = {at for group in tabled.groups for at in group[:-1]}  # what the last segment of a group runs, too
    steps = [
        _step(arena, constants, program, name, number, segment, chains.get(number), tabled.counts[number])
        for number, segment in enumerate(segments)
        if number not in begun
    ]
    kernels = [kernel for step in steps for kernel in _kernels(step)]
    if pixel_table is not None:
        constants.add("pixels", f"{name}_pixels", "uint8_t", pixel_table)
    initial = {
        state.name: constants.add(f"state {state.name}", f"{name}_{state.name}_initial", state.c_type, state.initial)
        for state in program.states
        if (state.initial != state.initial.flat[0]).any()
    }
    text = render("table/filters.c.j2", {"table": table, **_names(name)}) if table else ""
    many = None if program.states or scores == "none" else _many(program, steps, arena)
    images = many.images if many else 0
    text += written_once("".join(_render(kernel, name, images) for kernel in kernels if not kernel.tabled))
    context = {
        **_names(name),
        **_interface(program, arena, scores, purpose),
        **_memory(program, name),
        "initial": initial,
        "layers": text,
        "many": many,
        "steps": steps,
        "uses_flip": any(_flips(kernel) for kernel in kernels),
        "arrays": [array for arrays in constants.by_layer.values() for array in arrays],
        "pixel_channels": 1 if pixel_table is None else len(pixel_table),
        "pixel_formula": convention.formula,
        "sides": input_sides(program, convention),
        "labels": ", ".join(c_string(label) for label in labels) if purpose.names_classes or purpose.takes_pictures else "",
        "sample": _sample_lines(sample) if purpose.classifies_pictures else "",
        "sample_label": sample.label,
        "sample_words": c_comment(
            sample.source + (f", class {labels[sample.label]}" if sample.label is not None else ", class unknown")
        ),
        "facts": facts(program, about, purpose, convention),
        "returned": "" if scores == "none" else "scores, ",
        "flash_space": constants.flash_space,
    }
    context["run"] = render("run.c.j2", context)
    context["vectors"] = f"{name}_lane_t" in text or f"{name}_mve_" in text or "vldrbq" in text
    context["helpers"] = helpers_called(text + context["run"], name, unrolls=optimize != "size")
    templates = {
        f"{name}.h": "program.h.j2",
        f"{name}.c": "program.c.j2",
        f"{name}_weights.h": "weights.h.j2",
        **({f"{name}_vectors.h": "vectors.h.j2"} if context["vectors"] else {}),
        "Makefile": "Makefile.j2",
        "example/example.c": "example.c.j2",
        "example/Makefile": "example_Makefile.j2",
    }
    files = {file: tidy(render(template, context)) for file, template in templates.items()}
    placed = tuple(Placed(buffer, offset, *arena.steps(buffer)) for buffer, offset in arena.placed)
    arrays = {layer: tuple(each) for layer, each in constants.by_layer.items()}
    layers = {kernel.layer.name: Functions(kernel.layer.function, kernel.functions) for kernel in kernels}
    records = table.records if table else ()
    for number, record in enumerate(records):
        layers[record.named.name] = Functions(f"{name}_filter", (f"{name}_filter",), (number, len(records)))
    return Emitted(
        files,
        arena.size,
        arena.plain_size,
        max(arena.pixels_end),
        placed,
        arrays,
        layers,
        state_bytes(program),
        many.bytes if many else 0,
        arena.memory,
        arena.edges,
    )


def _sample_lines(sample: Sample) -> str:
    """Returns the pixels of the example's image; a blank one needs no more than its first."""
    return c_lines(sample.image.reshape(-1) if sample.image.any() else np.zeros(1, np.uint8))


def _render(kernel: Kernel, name: str, images_at_once: int) -> str:
    """Returns the functions of one layer; those that hosts call with so many images at once, where that is not 0."""
    return render(kernel.template, {"k": kernel, "images_at_once": images_at_once, **_names(name)})


def _many(program: Program, steps: Sequence[Step], arena: Arena) -> Many:
    """Returns how hosts compute many images: layer by layer where all pass vectors on, and some have weights to be read once."""
    arena_bytes = max(arena.size, arena.plain_size, 4)
    kernels = [step.whole for step in steps if step.whole is not None]
    places = [kernel.layer.inputs[0].place for kernel in kernels]
    follow = places[1:] == [step.target.place for step in steps[:-1]]
    alone = all(len(kernel.layer.inputs) == 1 for kernel in kernels)
    single = len(program.inputs) == len(program.outputs) == 1
    from_caller = single and bool(places) and places[0].base == "input" and steps[-1].target.place.base == "output"
    if len(kernels) < len(steps) or not (follow and alone and from_caller) or not any(kernel.takes_many for kernel in kernels):
        return Many((), (), arena_bytes)
    lanes = 2 * max(kernel.many_lanes for kernel in kernels)  # of int16 where processors multiply no bytes
    sizes = [-(-step.target.height * step.target.row_bytes // 4) * 4 for step in steps[:-1]]
    even = max(sizes[::2], default=0)
    begins = IMAGES_AT_ONCE * lanes, IMAGES_AT_ONCE * (lanes + even)
    end = begins[1] + IMAGES_AT_ONCE * max(sizes[1::2], default=0)
    return Many(tuple(kernels), tuple(begins[number % 2] for number in range(len(sizes))), max(arena_bytes, end))


def _flips(kernel: Kernel) -> bool:
    """Returns whether a kernel reads bytes of the caller, which may be int8."""
    return kernel.flips if isinstance(kernel, TabledChain) else kernel.layer.reads_model_input


def _kernels(step: Step) -> list[Kernel]:
    """Returns the kernels of a segment, in the order in which their rows come."""
    return [kernel for kernel in (*step.chain, step.accumulator, step.whole) if kernel is not None]


def _names(name: str) -> dict[str, str]:
    """Returns the prefix, the names of macros, and the first line of the header and of every other file."""
    made_by = f"Generated by glyphlite {__version__}."
    header, banner = f"/* {made_by} The interface of {name}. */", f"/* {made_by} {name}.h is the interface. */"
    return {"header": header, "banner": banner, "p": name, **macro_names(name)}


def _interface(program: Program, arena: Arena, scores: str, purpose: Purpose) -> dict[str, Any]:
    """Returns what goes in and comes out, and the memory between."""
    kept = scores == "none"
    outputs, pixels = purpose.outputs, arena.pixels
    return {
        "inputs": [parameter_of(edge, arena.edges.get(edge.name)) for edge in program.inputs],
        "outputs": [parameter_of(edge, arena.edges.get(edge.name)) for edge in program.outputs],
        "input": program.input,
        "output": program.output,
        "classifies": outputs is not None,
        "takes_pictures": purpose.classifies_pictures,
        "has_output": not kept,
        "score_words": outputs.words if outputs else "",
        "threshold": threshold(program, outputs) if outputs and outputs.is_single else None,
        "arena_bytes": (arena.size, arena.plain_size),
        "memory_bytes": arena.memory,
        "pixel_table": pixels is not None,
        "pixel_rows": pixels if pixels and pixels.capacity < pixels.height else None,
        "pixel_map": pixels if pixels and pixels.capacity == pixels.height else None,
        "pixels_end": arena.pixels_end,
        "pixels_cost": arena.pixels_end != (arena.size, arena.plain_size),
        "result": arena.where(program.output.index) if kept else None,
    }


def state_bytes(program: Program) -> int:
    """Returns the size of the struct that the caller keeps between calls."""
    taken = sum(state.bytes for state in program.states)
    return taken + taken % max((state.initial.itemsize for state in program.states), default=1)


def _memory(program: Program, prefix: str) -> dict[str, Any]:
    """Returns the memory that every function takes: state, where there is any, and the arena."""
    states = sorted(program.states, key=lambda state: -state.initial.itemsize)  # the widest first: nothing lies between them
    parts = ("state", "arena") if states else ("arena",)
    return {
        "states": states,
        "state_bytes": state_bytes(program),
        "memory": ", ".join(f"{prefix}_{part}_t *{part}" for part in parts),
        "memory_passed": ", ".join(parts),
        "memory_used": ", ".join(f"&{part}" for part in parts),
    }


def _table(
    arena: Arena, constants: Constants, program: Program, prefix: str, segments: Sequence[Segment], tabled: Tabled
) -> FilterTable | None:
    """Lays down the table of the layers that run from one; None where none does."""
    if tabled.plan is None:
        return None
    groups = [[(at, node) for at in group for node in segments[at].nodes[: tabled.counts[at]]] for group in tabled.groups]
    lines: list[Named] = []
    for group in groups:
        for (at, node), behind in zip(group, [*group[1:], None], strict=True):
            found = node.filter()
            assert found is not None
            function = f"{prefix}_{node.name}_{node.op.lower()}"
            lines.append(Named(node.name, function, node.sources, found, node.inputs[0], node.output, None))
            nodes = segments[at].nodes
            if behind is not None and behind[0] == at:
                lines[-1] = replace(lines[-1], ring=arena.ring(segments[at], node, nodes[nodes.index(node) + 1]))
            elif behind is not None:
                lines[-1] = replace(lines[-1], ring=whole_map(arena.where(node.output.index), node.output))
    records = lay_down(tabled.plan, constants, lines)
    chains = [
        (
            [records[node.name] for _, node in group],
            arena.source(segments[group[0][0]], 0, group[0][1].inputs[0]).place,
            arena.patch(group[0][0]),
        )
        for group in groups
    ]
    return FilterTable(chained(chains), tabled.plan.form)


def _step(
    arena: Arena,
    constants: Constants,
    program: Program,
    prefix: str,
    number: int,
    segment: Segment,
    chain: Chain | None,
    tabled: int,
) -> Step:
    """Makes the kernels of a segment, and says where its output goes.

    ``chain`` are the first ``tabled`` layers where a table has them, and what runs before them as one with them.
    """
    kernels: list[Kernel] = []
    if chain is not None:
        layer = _layer(arena, constants, program, prefix, segment, tabled - 1)
        kernels.append(TabledChain(layer=layer, place=chain, flips=chain.source.base == "input"))
    for position in range(tabled, len(segment.nodes)):
        node = segment.nodes[position]
        layer = _layer(arena, constants, program, prefix, segment, position)
        kernels.append(node.kernel(Site(layer=layer, placement=arena.placement(segment, node), constants=constants)))
    output = segment.output.output
    whole = kernels[0] if _runs_whole(segment) and chain is None else None
    sums = Sums(arena.sums(number), -(-output.channels // 4) * 4) if segment.adds_up else None
    names = [record.named.name for record in chain.records[:-tabled]] if chain else []
    return Step(
        title=" -> ".join([*names, *(node.name for node in segment.nodes)]),
        chain=() if whole else tuple(kernels[:-1] if segment.adds_up else kernels),
        accumulator=kernels[-1] if segment.adds_up else None,
        whole=whole,
        sums=sums,
        target=whole_map(arena.where(output.index), output),
    )


def _runs_whole(segment: Segment) -> bool:
    """Returns whether its one node reads a whole map at once."""
    return len(segment.nodes) == 1 and not segment.nodes[0].streams and not segment.adds_up


def _layer(arena: Arena, constants: Constants, program: Program, prefix: str, segment: Segment, position: int) -> Layer:
    """Gathers what the template of a node is told whatever its op, and lays its table down."""
    node = segment.nodes[position]
    function = f"{prefix}_{node.name}_{node.op.lower()}"
    follower = segment.nodes[position + 1] if position + 1 < len(segment.nodes) else None
    inputs = tuple(arena.source(segment, position, value) for value in node.inputs)
    table = None
    if node.table is not None:
        table = constants.add(node.name, f"{function}_table", "uint8_t", node.table)
    return Layer(
        name=node.name,
        function=function,
        sources=node.sources,
        macs=node.macs,
        input=node.inputs[0],
        output=node.output,
        window=node.window,
        row_stride=node.row_stride,
        span=segment.span(node, dsp=False),
        dsp_span=segment.span(node, dsp=True),
        rows_at_once=segment.rows_at_once(node, dsp=True),
        windowed=node.windowed,
        inputs=inputs,
        reads_model_input=any(
            rows.place.base == "input" and value.element_type == "int8" for rows, value in zip(inputs, node.inputs, strict=True)
        ),
        scratch=arena.scratch(node),
        ring=arena.ring(segment, node, follower) if follower else None,
        feeds_window=follower is not None and follower.windowed,
        table=table,
        unrolls=arena.placement(segment, node).optimize != "size",
        states=tuple(state.name for state in node.states),
    )
