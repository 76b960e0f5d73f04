"""Several inputs and outputs: their C gives TFLite Micro's bytes on every path, whatever stands at the edges."""

from pathlib import Path

import numpy as np
import pytest
from random_models import draw
from random_models.by_hand import write
from random_models.differential import examine
from random_models.edges import with_edges
from random_models.harness import OPTIMIZE, PATHS

from glyphlite.compiler import compile_graph
from glyphlite.emulation.toolchain import compile_program
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph

STRICT = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")


def model(seed: int) -> bytes:
    return with_edges(write(draw(seed, for_keras=False)), np.random.default_rng([seed, 1]))


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_models_of_several_inputs_and_outputs_agree(path: str):
    first = 40 * list(PATHS).index(path)
    contents = [model(seed) for seed in range(first, first + 40)]
    verdicts = examine(contents, inputs=16, seed=first, optimize=OPTIMIZE[len(path) % 3], path=path)
    assert [verdict for verdict in verdicts if verdict.is_fault] == []
    assert sum(verdict.outcome == "equal" for verdict in verdicts) >= 36


def test_the_drawn_edges_are_of_every_kind():
    kinds: set[str] = set()
    for seed in range(120):
        graph = parse_graph(model(seed))
        read = {index for operator in graph.operators for index in operator.inputs}
        kinds |= {f"{len(graph.inputs)} inputs", f"{len(graph.outputs)} outputs"}
        kinds |= {"an input that nothing reads" for index in graph.inputs if index not in read}
        kinds |= {"an output that is read" for index in graph.outputs if index in read}
        kinds |= {"an output that is an input" for index in graph.outputs if index in graph.inputs}
        kinds |= {f"a {graph.tensors[index].dtype} output" for index in graph.outputs}
    assert kinds >= {
        "2 inputs",
        "2 outputs",
        "3 outputs",
        "an input that nothing reads",
        "an output that is read",
        "an output that is an input",
        "a uint8 output",
        "a float32 output",
    }


@pytest.mark.parametrize("seed", [2, 11, 19, 25])
def test_the_example_of_several_edges_builds_without_a_warning_and_runs(seed: int, tmp_path: Path):
    compilation = compile_graph(parse_graph(model(seed)), "net")
    compilation.write(tmp_path)
    sources = [tmp_path / "net.c", tmp_path / "example/example.c"]
    for flags in (STRICT, (*STRICT, *PATHS["dsp"], "-Wno-pedantic")):
        compile_program(sources, tmp_path / "example/example", flags=flags, include=[tmp_path])


def test_only_the_class_is_no_answer_of_several_outputs():
    seed = next(seed for seed in range(50) if len(parse_graph(model(seed)).outputs) > 1)
    with pytest.raises(ArtifactError, match="--scores none gives a class"):
        compile_graph(parse_graph(model(seed)), "net", scores="none")
