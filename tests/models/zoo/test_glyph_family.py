"""The family keeps its budgets: in the file that is deployed, not on paper."""

import numpy as np
import pytest

from glyphlite.conversion.converter import convert
from glyphlite.evaluation.simulation import simulate
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.pretrained import (
    keras_of_shipped,
    pretrained_artifact,
    pretrained_card,
    pretrained_keras,
    pretrained_names,
    retired_names,
)
from glyphlite.models.qat.state import measure_ranges, set_quantized
from glyphlite.models.registry import resolve_model, split_seed
from glyphlite.models.zoo.glyph_family import FRONTIER, RETIRED, TEACHERS
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import accepts, get_runtime
from glyphlite.tflite.cost import total_macs, weight_bytes
from glyphlite.tflite.reader import parse_graph, read_graph
from glyphlite.training.augmentation.parameters import RANGES
from glyphlite.training.state import content_hash, recorded_recipe

TEACHING = [known.architecture.name for known in TEACHERS]
BUDGETS = {"glyph-700": 700, **{f"glyph-{number}k": 1024 * number for number in (2, 4, 8)}}
"""Bytes of weights and biases."""

DEPLOYED = {
    "glyph-2kram": ("rv32ec", 2048, 16_384),
    "glyph-4kram": ("cortex-m0", 4096, 16_384),
    "glyph-4kflash": ("cortex-m0", 16_384, 4096),
    "glyph-16kflash": ("cortex-m0", 16_384, 16_384),
}
"""Core, RAM and flash in all of those whose budget is a microcontroller, built for size."""

CHANCE = 0.0005
"""Accuracies of the 5,000 validation images closer than this are the same: the standard error of one file's is twice as much."""

FAST = {"glyph-50kmac": 50_000, "glyph-110kmac": 110_000}
"""Multiply-accumulates of an image."""


def test_members_are_in_the_order_of_their_budgets():
    assert [known.architecture.name for known in FRONTIER] == [*BUDGETS, *DEPLOYED, *FAST]


def test_a_retired_member_is_loaded_for_who_names_it_and_one_that_is_offered_is_at_least_as_accurate():
    assert retired_names() == tuple(known.architecture.name for known in RETIRED)
    for known in RETIRED:
        name = known.architecture.name
        card = pretrained_card(name)
        assert known.replaced_by in pretrained_names()
        assert pretrained_card(known.replaced_by).mean_validation_accuracy >= card.mean_validation_accuracy - CHANCE
        assert pretrained_artifact(name).stat().st_size == card.best.bytes
        assert keras_of_shipped(pretrained_artifact(name)) == pretrained_keras(name)
        assert resolve_model(name, (28, 28, 1), 10).name == name


@pytest.mark.parametrize(("name", "budget"), FAST.items())
def test_a_fast_member_fits_its_budget_of_multiply_accumulates(name, budget):
    fast = next(known.architecture for known in FRONTIER if known.architecture.name == name)
    assert 0.8 * budget < sum(cost.macs for cost in fast.costs((28, 28, 1), 10)) <= budget


@pytest.mark.slow
@pytest.mark.no_cover  # what it runs is traced in the tests of each of its parts
@pytest.mark.parametrize(("name", "budget"), DEPLOYED.items())
def test_a_member_fits_its_microcontroller(name, budget, mnist):
    core, ram, flash = budget
    simulation = simulate(pretrained_artifact(name), core, mnist.test.images[:1], optimize="size", measured=1)
    assert simulation.ram_bytes <= ram
    assert simulation.report.code_bytes + simulation.report.constant_bytes <= flash


@pytest.mark.slow
@pytest.mark.no_cover  # what it runs is traced in the tests of each of its parts
@pytest.mark.parametrize("name", BUDGETS)
def test_a_member_fits_its_budget_and_runs_everywhere(name, mnist, tmp_path):
    import keras

    images = mnist.train.images[:200].astype(np.float32) / 255
    keras.utils.set_random_seed(0)
    model = resolve_model(name, (28, 28, 1), 10).build()
    for layer in model.layers:  # biases of zero would share their bytes, as trained ones do not
        shifts = [normalization.beta for normalization in getattr(layer, "normalizations", [])]
        for bias in (each for each in (*shifts, getattr(layer, "bias", None)) if each is not None):
            bias.assign(keras.random.uniform(bias.shape, 0.1, 0.2))
    measure_ranges(model, images)
    set_quantized(model, quantized=True)
    converted = convert(model, "int8")
    graph = parse_graph(converted.content)
    assert weight_bytes(graph) <= BUDGETS[name]
    assert total_macs(graph) == sum(
        cost.macs
        for cost in next(known.architecture for known in FRONTIER if known.architecture.name == name).costs((28, 28, 1), 10)
    )
    assert not converted.notes
    path = tmp_path / "model_int8.tflite"
    path.write_bytes(converted.content)
    outputs = [
        predict_probabilities(get_runtime(runtime).load(path), mnist.train.images[:20], OURS)
        for runtime in ("tflm", "generated_c")
    ]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert all(accepts(runtime, path).accepts for runtime in ("litert", "litert_builtin"))
    # LiteRT's reference kernels stop at version 6 of DEPTHWISE_CONV_2D, where TensorFlow's table asks for 7 of INT4 weights.
    narrow = any(graph.tensors[op.inputs[1]].stored_type == "int4" for op in graph.operators if op.name == "DEPTHWISE_CONV_2D")
    assert accepts("litert_reference", path).accepts != narrow


@pytest.mark.parametrize("name", [*pretrained_names(), *TEACHING])
def test_a_shipped_member_is_what_training_it_would_make(name):
    """The card's recipe is the registry's, and every shipped file keeps its budget. Settings newer than the card are left off;
    cards older than the record of what an augmentation's name stands for have only the name.
    """
    card = pretrained_card(name)
    recipe = recorded_recipe(resolve_model(name, (28, 28, 1), 10).recipe)
    newer = {setting for setting in recipe.keys() - card.recipe.keys() if recipe[setting]}
    assert {setting for setting in newer if not setting.endswith(RANGES)} == set()
    assert card.recipe == {setting: value for setting, value in recipe.items() if setting in card.recipe}
    for each in card.seeds:
        graph = read_graph(pretrained_artifact(name, each.seed))
        assert weight_bytes(graph) == each.weight_bytes
        assert total_macs(graph) == each.macs
        if name in BUDGETS:
            assert each.weight_bytes <= BUDGETS[name]


def test_every_member_is_shipped():
    assert set(pretrained_names()) == {known.architecture.name for known in FRONTIER}


def test_the_family_is_taught_by_models_that_saw_no_validation_image_of_its(mnist):
    """Every member holds out the images that its teachers held out."""
    for known in FRONTIER:
        assert known.recipe.distillation
        assert known.recipe.distillation.teachers == tuple(TEACHING)
        assert split_seed(known.architecture.name, 7) == 0
    assert {pretrained_card(name).content for name in TEACHING} == {content_hash(mnist)}
    assert split_seed("edge-cnn", 7) == 7
