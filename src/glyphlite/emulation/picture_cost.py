"""The C that prepares pictures, counted on an emulated core: a drawn glyph as a frame or a canvas, and the strokes of a pen.

Knows pixels and cores, nothing of the model that the picture is for.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from glyphlite.emulation.elf import read_elf
from glyphlite.emulation.machine import machine_of
from glyphlite.emulation.toolchain import Target, compile_and_link
from glyphlite.errors import ArtifactError
from glyphlite.records import PictureReport

_PEN = ((0.30, 0.35), (0.42, 0.20), (0.62, 0.24), (0.66, 0.42), (0.30, 0.80), (0.74, 0.78))
"""A two, as parts of the picture's width and height."""
_PAPER, _INK, _NOISE = 205, 60, 3
_STROKE_POINTS = 40
_FUNCTIONS = {"frame": "image_grey", "canvas": "image_bits", "strokes": "stroke"}
_FLAGS = ("-fno-unroll-loops",)
_WORDS = """
#include "{name}_image.h"
uint16_t {name}_words(void);
uint16_t {name}_words(void) {{ return (uint16_t){macro}_IMAGE_{bits}WORDS({width}, {height}); }}
"""


def drawn_glyph(rows: int, columns: int) -> np.ndarray:
    """Returns ink, bool ``(rows, columns)``: a two, its strokes a twelfth of the shorter side wide."""
    down, across = np.mgrid[:rows, :columns]
    ink = np.zeros((rows, columns), bool)
    for (x, y), (next_x, next_y) in pairwise(_PEN):
        for part in np.linspace(0, 1, 60):
            centre = (y + (next_y - y) * part) * rows, (x + (next_x - x) * part) * columns
            ink |= np.hypot(down - centre[0], across - centre[1]) <= min(rows, columns) / 24
    return ink


def frame_of(rows: int, columns: int) -> np.ndarray:
    """Returns a camera's frame, uint8 ``(rows, columns)``: the glyph on paper that is darker on one side, with noise."""
    light = np.linspace(1, 0.75, columns)[np.newaxis]
    grey = np.where(drawn_glyph(rows, columns), _INK, _PAPER) * light
    noise = np.random.default_rng(rows * columns).normal(0, _NOISE, (rows, columns))
    return np.clip(np.rint(grey + noise), 0, 255).astype(np.uint8)


def measure_picture(
    generated: Path, name: str, target: Target, rows: int, columns: int, kind: str, folder: Path
) -> PictureReport:
    """Measures one preparation.

    Args:
        generated: a folder that ``glyphlite compile --with-picture`` wrote.
        name: of the C symbols.
        target: the core.
        rows: of the picture.
        columns: of the picture.
        kind: ``frame`` (grey), ``canvas`` (bits) or ``strokes`` (whose points lie on so many rows and columns).
        folder: for what is built.

    Raises:
        ArtifactError: the folder has no such C, or the picture does not fit the core or the C.
        ToolError: the cross-compiler or the emulator is missing.
    """
    if not (generated / f"{name}_image.c").is_file():
        raise ArtifactError(f"{generated} prepares no pictures; compile it with --with-picture, a model of grey pictures")
    function = f"{name}_{_FUNCTIONS[kind]}"
    sizes = folder / f"{kind}_{rows}_{columns}.c"
    bits = "BITS_" if kind == "canvas" else ""
    sizes.write_text(_WORDS.format(name=name, macro=name.upper(), bits=bits, width=columns, height=rows))
    elf = compile_and_link(
        target,
        [generated / f"{name}_image.c", generated / f"{name}_stroke.c", sizes],
        folder / f"{kind}_{rows}_{columns}.elf",
        keep=[function, f"{name}_words"],
        optimize=target.optimize,
        flags=_FLAGS,
        include=[generated],
    )
    content = _content(rows, columns, kind, packed=target.architecture == "avr")
    with machine_of(elf, target) as machine:
        work_bytes = 0 if kind == "strokes" else 4 * machine.call(f"{name}_words")
        picture, pixels = machine.allocate(content.size), machine.allocate(64 * 64)
        machine.write(picture, content)
        if kind == "strokes":
            measured = machine.measure(function, picture, _STROKE_POINTS, max(1, min(rows, columns) // 14), pixels)
        else:
            work = machine.allocate(work_bytes)
            measured = machine.measure(function, picture, columns, rows, work, pixels, 0)
    if measured.result not in (0, 7):
        raise ArtifactError(f"a {kind} of {columns}x{rows} is too small or too large to be prepared")
    return PictureReport(
        cpu=target.name,
        kind=kind,
        width=columns,
        height=rows,
        instructions=measured.instructions,
        cycles=measured.cycles,
        code_bytes=read_elf(elf).footprint().code_bytes,
        picture_bytes=content.size,
        work_bytes=work_bytes,
        stack_bytes=measured.stack_bytes,
        functions=dict(sorted(measured.by_function.items(), key=lambda each: -each[1])),
    )


def _content(rows: int, columns: int, kind: str, *, packed: bool) -> np.ndarray:
    """Returns what lies in memory; ``packed``: the core puts no byte between a struct and the next."""
    if kind == "frame":
        return frame_of(rows, columns).ravel()
    if kind == "canvas":
        return np.packbits(drawn_glyph(rows, columns), axis=1).ravel()
    places = np.linspace(0, len(_PEN) - 1, _STROKE_POINTS)
    fields = [("x", "<i2"), ("y", "<i2"), ("down", "u1"), *([] if packed else [("unused", "u1")])]
    points = np.zeros(_STROKE_POINTS, np.dtype(fields))
    for axis, (field, size) in enumerate((("x", columns), ("y", rows))):
        points[field] = np.rint(size * np.interp(places, range(len(_PEN)), [point[axis] for point in _PEN]))
    points["down"][1:] = 1
    return points.view(np.uint8)
