"""Weights that a model uses twice lie in flash once, and generated C still gives TFLite Micro's bytes."""

import re
from pathlib import Path

import numpy as np
import pytest
from random_models import Oracle, from_model, to_model
from random_models.harness import OPTIMIZE, PATHS, run_generated
from support.aware import aware_model

from glyphlite.compiler import compile_graph
from glyphlite.compiler.codegen.constants import Constants
from glyphlite.conversion.converter import convert_exported, exported
from glyphlite.datasets.dataset import Dataset
from glyphlite.tflite.reader import parse_graph

ARRAY = re.compile(r"static const NET_FLASH (\w+) (\w+)\[\d+\] = \{(.*?)\};", re.DOTALL)
ALIAS = re.compile(r"/\* The same numbers, stored once\. \*/\n#define (\w+) (\w+)\n")


@pytest.fixture(scope="module", params=[4, 8])
def content(request: pytest.FixtureRequest, mnist: Dataset) -> bytes:
    model = aware_model(mnist, "twice", seed=9, stem=12, weight_bits=request.param, again=True)
    with exported(model) as saved:
        return convert_exported(saved, "int8").content


@pytest.mark.slow
@pytest.mark.parametrize("optimize", OPTIMIZE)
def test_equal_arrays_are_one(content: bytes, optimize: str):
    compilation = compile_graph(parse_graph(content), "net", optimize=optimize)
    header = compilation.files["net_weights.h"]
    arrays = {name: (kind, values) for kind, name, values in ARRAY.findall(header)}
    aliases = dict(ALIAS.findall(header))
    for layer in ("depth", "point"):
        assert any(re.fullmatch(rf"net_{layer}_2_\w+_2d_(\w+_)?weights", alias) for alias in aliases)
    assert {"net_point_2_conv_2d_scaling", "net_point_2_conv_2d_bias"} & arrays.keys()
    for alias, name in aliases.items():
        assert name in arrays
        assert alias not in arrays
    layers = {layer.name: layer.constant_bytes for layer in compilation.report.layers}
    assert layers["depth"] - layers["depth_2"] >= 12 * 9 / 2 - 12 * 4, "scaling may take a word more per channel"
    assert layers["point"] - layers["point_2"] >= 12 * 12 / 2 - 12 * 4
    assert sum(layers.values()) == compilation.report.constant_bytes


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_both_uses_give_the_bytes_of_tflite_micro(content: bytes, path: str, tmp_path: Path):
    graph = parse_graph(content)
    stored = np.random.default_rng(6).integers(-128, 128, (50, *graph.input.shape[1:]), np.int8)
    expected = from_model(graph, Oracle(content).run_all(to_model(graph, stored)))
    np.testing.assert_array_equal(run_generated(graph, stored, tmp_path, path=path), expected)


def test_arrays_of_other_lengths_are_never_the_same() -> None:
    """One zero of 64 bits has the bytes of two of 32: an array in its place would be read past its end."""
    constants = Constants()
    for name, values in (("one", np.zeros(1, np.int64)), ("two", np.zeros(2, np.int32)), ("three", np.zeros(2, np.int64))):
        constants.add(name, name, "int32_t", values)
    assert [constants.by_layer[name][0].same_as for name in ("one", "two", "three")] == [None, None, "two"]
