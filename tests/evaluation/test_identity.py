"""Variants of one model are recognized: outputs may only be compared with those of the same model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.evaluation.identity import float32_variant_of, same_model
from glyphlite.models.pretrained import ROOT
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph

VARIANTS = ["float32", "float16", "dynamic", "int8", "int16x8"]


@pytest.fixture(scope="module")
def graphs(samples: Path) -> dict[str, Graph]:
    return {variant: read_graph(samples / f"model_{variant}.tflite") for variant in VARIANTS}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_finds_its_float32_file(variant: str, graphs: dict[str, Graph]):
    stranger = read_graph(ROOT / "glyph-4k" / "seed-0" / "model_int8.tflite")
    assert float32_variant_of(graphs[variant], {"stranger": stranger, "mine": graphs["float32"]}) == "mine"
    assert float32_variant_of(graphs[variant], {"stranger": stranger, "int8": graphs["int8"]}) is None


def test_two_trainings_of_one_architecture_are_two_models():
    first, second = (read_graph(ROOT / "glyph-4k" / f"seed-{seed}" / "model_int8.tflite") for seed in (0, 1))
    assert same_model(first, first)
    assert not same_model(first, second)


def test_a_model_trained_on_is_another(graphs: dict[str, Graph]):
    def nudged(graph: Graph) -> Graph:
        generator = np.random.default_rng(0)
        tensors = [
            replace(tensor, data=tensor.data + generator.normal(0, 0.05, tensor.data.shape).astype(np.float32))
            if tensor.data is not None and tensor.dtype == np.float32
            else tensor
            for tensor in graph.tensors
        ]
        return replace(graph, tensors=tuple(tensors))

    assert not same_model(graphs["int8"], nudged(graphs["float32"]))


def test_a_file_without_weights_is_nobodys_variant(graphs: dict[str, Graph]):
    bare = replace(graphs["int8"], operators=graphs["int8"].operators[-1:])
    assert not same_model(bare, bare)
