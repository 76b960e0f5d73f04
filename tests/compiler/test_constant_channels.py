"""Channels that change no answer are left out of the C, which gives the bytes that TFLite Micro gives for the whole file."""

import pytest
from random_models.one_op import agree_on_paths
from support.stuck_channels import in_int4, network

from glyphlite.compiler import compile_graph
from glyphlite.tflite.reader import parse_graph

PATHS = ("plain", "dsp")


@pytest.mark.slow
def test_networks_with_stuck_channels_give_the_bytes_of_the_whole_file() -> None:
    agree_on_paths({f"seed {seed}": network(seed)[0] for seed in range(40)}, PATHS)


@pytest.mark.slow
def test_weights_of_four_bits_go_as_well() -> None:
    models = {f"seed {seed}": in_int4(network(seed)[0]) for seed in range(20)}
    agree_on_paths(models, PATHS)
    for seed, content in enumerate(models.values()):
        graph = parse_graph(content)
        assert {tensor.packed_bits for tensor in graph.tensors} == {None, 4}
        assert compile_graph(graph, "net").report.removed_channels == network(seed)[1]


def test_the_report_says_how_many_went() -> None:
    for seed in range(12):
        content, expected = network(seed)
        report = compile_graph(parse_graph(content), "net").report
        assert report.removed_channels == expected
