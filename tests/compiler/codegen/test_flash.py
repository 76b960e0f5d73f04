"""Constants of generated C stay in flash on every core: each says so, and so does each pointer that reads one.

AVR reads flash by instructions of its own. Where clang is told that the macro names another address space, it refuses every
pointer that loses it, so that no AVR compiler is needed to see one.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from random_models import model_of
from random_models.harness import OPTIMIZE
from random_models.one_op import Activation, Constant, agree, one_op

from glyphlite.compiler import compile_graph
from glyphlite.compiler.codegen.constants import Constants
from glyphlite.emulation.toolchain import run_tool, zig
from glyphlite.errors import ToolError
from glyphlite.tflite.reader import parse_graph

SEEDS = (*range(1, 24, 2), *range(1001, 1024, 2))
"""Written by hand: they have every op, constant operands, INT4 weights, int16 and state among them."""

ANOTHER_SPACE = "__attribute__((address_space(1)))"


def joined(axis: int) -> bytes:
    """A constant between two computed parts of a map, along one of its axes."""
    shape = [1, 3, 4, 5]
    source = Activation(tuple(shape), 0.05, -7)
    constant = Constant(np.arange(60, dtype=np.int8).reshape(shape), [float(np.float32(0.05))], -7)
    shape[axis] *= 3
    other = Activation((1, 3, 4, 5), 0.04, 3)
    parts = [source, constant, source]
    return one_op("CONCATENATION", parts, Activation(tuple(shape), 0.05, -7), "ConcatenationOptions", ahead=other, axis=axis)


def write(seed: int, folder: Path, optimize: str) -> Path:
    compilation = compile_graph(parse_graph(model_of(seed)[1], f"seed {seed}"), f"m{seed}", optimize=optimize)
    compilation.write(folder)
    return folder / f"m{seed}.c"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("flash")
    return [write(seed, folder / str(seed), OPTIMIZE[seed // 2 % 3]) for seed in SEEDS]


def check(sources: list[Path], flags: list[str]) -> None:
    """Compiles all at once for this host: names of one model begin with its own."""
    compiler = zig()
    assert compiler is not None
    everything = sources[0].with_name("everything.c")
    everything.write_text("".join(f'#include "{path}"\n' for path in sources))
    output = everything.with_suffix(".o")
    run_tool([*compiler.command, "-w", "-O0", "-c", *flags, everything, "-o", output], what="clang", timeout_s=120)


def spaced(sources: list[Path]) -> list[str]:
    return [flag for path in sources for flag in (f"-D{path.stem.upper()}_FLASH={ANOTHER_SPACE}", f"-D{path.stem.upper()}_PLAIN")]


def test_every_constant_array_carries_the_macro(sources: list[Path]):
    for path in sources:
        text = path.read_text() + path.with_name(f"{path.stem}_weights.h").read_text()
        constants = re.findall(r"^\s*static const (\w+)", text, re.MULTILINE)
        assert constants
        assert set(constants) == {f"{path.stem.upper()}_FLASH"}


def test_no_pointer_loses_the_macro(sources: list[Path]):
    check(sources, spaced(sources))


def test_constant_parts_of_a_concatenation_are_copied_from_flash(tmp_path: Path):
    models = {f"axis {axis}": joined(axis) for axis in (1, 2, 3)}
    agree(models)
    paths: list[Path] = []
    for axis, content in enumerate(models.values()):
        compile_graph(parse_graph(content), f"m{axis}").write(tmp_path / str(axis))
        paths.append(tmp_path / str(axis) / f"m{axis}.c")
        assert re.search(r"_concatenation\([^)]*FLASH uint8_t \*", paths[-1].read_text())
    check(paths, spaced(paths))


def test_a_pointer_that_loses_the_macro_is_seen(sources: list[Path], tmp_path: Path):
    """The check can fail: one pointer of the functions of a dense layer without it."""
    source = write(11, tmp_path, "speed")
    pointer = re.compile(r"(?<=const )M11_FLASH (?=\w+ \*\w*weights = )")
    text = source.read_text()
    assert pointer.search(text)
    source.write_text(pointer.sub("", text))
    with pytest.raises(ToolError, match="address space"):
        check([source], spaced([source]))


def test_constants_beyond_64_kb_take_longer_pointers():
    near, far = Constants(), Constants()
    near.add("layer", "weights", "int8_t", np.zeros(60_000, np.int8))
    far.add("layer", "weights", "int8_t", np.zeros(60_001, np.int8))
    assert (near.flash_space, far.flash_space) == ("__flash", "__memx")
