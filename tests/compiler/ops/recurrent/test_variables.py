"""Variables are read and assigned in TFLite Micro's order, whatever is fused, viewed or streamed around them."""

from pathlib import Path

import numpy as np
import pytest
from random_models import model_of, stored_inputs
from random_models.by_hand import write
from random_models.drafts import draw
from random_models.harness import OPTIMIZE, PATHS, run_generated
from random_models.inputs import from_model, to_model
from random_models.oracle import Oracle
from random_models.states import with_states
from support.slow import rest_slow
from support.streaming import diffusion, running_sum, streaming_network

from glyphlite.compiler import compile_graph
from glyphlite.compiler.lower import lower
from glyphlite.compiler.passes import optimize
from glyphlite.compiler.schedule import schedule
from glyphlite.tflite.reader import parse_graph


def agrees(content: bytes, seed: int, calls: int, folder: Path, *, aim: str = "speed", path: str = "plain") -> int:
    """Compares bytes over consecutive calls; returns how many different answers there were."""
    graph = parse_graph(content)
    inputs = stored_inputs(seed, calls, graph)
    expected = from_model(graph, Oracle(content).run_all(to_model(graph, inputs)))
    assert np.array_equal(run_generated(graph, inputs, folder, optimize=aim, path=path), expected)
    return len(np.unique(expected, axis=0))


@pytest.mark.parametrize("seed", rest_slow(range(8), fast=3))
def test_random_models_with_state_agree_over_consecutive_calls(seed: int, tmp_path: Path) -> None:
    content = with_states(write(draw(2 * seed + 1, for_keras=False)), np.random.default_rng([seed, 3]))
    agrees(content, seed, 40, tmp_path, aim=OPTIMIZE[seed % 3], path=list(PATHS)[seed % len(PATHS)])


@pytest.mark.parametrize("along_width", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_streaming_networks_agree_along_either_axis(seed: int, along_width: bool, tmp_path: Path) -> None:
    content = streaming_network(seed, along_width=along_width)
    assert agrees(content, seed, 100, tmp_path, path=list(PATHS)[seed]) > 10


def test_a_map_is_not_written_over_while_a_window_still_reads_it(tmp_path: Path) -> None:
    """The convolution reads rows behind the one that the sum, which is assigned, would write beside it."""
    content = diffusion()
    assert agrees(content, 1, 30, tmp_path) > 10
    program = optimize(lower(parse_graph(content)))
    chains = [[node.op for node in segment.nodes] for segment in schedule(program)]
    assert not any({"CONV_2D", "ADD"} <= set(chain) for chain in chains)
    (variable,) = program.variables
    assert next(node.op for node in program.nodes if node.output.index == variable.after) == "ADD"  # directly, and so no copy


def test_a_model_without_state_has_no_word_of_it() -> None:
    files = compile_graph(parse_graph(write(draw(7, for_keras=False))), "net").files
    assert all("state" not in text for text in files.values())


def test_the_header_says_what_is_kept_and_how_to_begin() -> None:
    compilation = compile_graph(parse_graph(running_sum((1, -2, 3, 4))), "net")
    header, source = compilation.files["net.h"], compilation.files["net.c"]
    assert "#define NET_STATE_BYTES 4" in header
    assert "/* sum: 1x4, stored + 128 */\n    uint8_t sum[4];" in header
    assert "void net_reset(net_state_t *state);" in header
    assert "state->sum[i] = net_sum_initial[i];" in source
    assert (compilation.report.state_bytes, [each.name for each in compilation.report.states]) == (4, ["sum"])


def test_some_models_of_the_campaign_have_state() -> None:
    """One in six; the models of all other seeds are what they were."""
    graphs = [parse_graph(model_of(seed)[1]) for seed in range(1, 120, 2)]
    stateful = [graph for graph in graphs if graph.is_stateful]
    assert 5 <= len(stateful) <= 20
    drawn = {operator.name for graph in stateful for operator in graph.operators}
    assert drawn >= {"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF"}
