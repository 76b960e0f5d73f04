"""The ops of random models, all in turn: no C compiler's warning, no line over 120 columns."""

from pathlib import Path

import pytest
from random_models import model_of
from random_models.harness import PATHS

from glyphlite.compiler import compile_graph
from glyphlite.compiler.codegen.c_text import COLUMNS
from glyphlite.emulation.toolchain import compile_shared
from glyphlite.tflite.reader import parse_graph

STRICT = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fPIC")
SEEDS = range(1001, 1033, 2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_generated_c_has_no_warning_and_no_long_line(seed: int, tmp_path: Path):
    optimize = ("speed", "size")[seed // 2 % 2]
    path = list(PATHS)[seed // 4 % len(PATHS)]
    compile_graph(parse_graph(model_of(seed)[1]), "net", optimize=optimize).write(tmp_path)
    compile_shared([tmp_path / "net.c"], tmp_path / "net.so", flags=[*STRICT, *PATHS[path]])
    lines = [line for file in tmp_path.glob("net*.[ch]") for line in file.read_text().splitlines()]
    assert max(map(len, lines)) <= COLUMNS
