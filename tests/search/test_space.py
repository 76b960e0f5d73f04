"""The space: words to networks, and that every point of it is one that can be built, trained and compiled."""

from dataclasses import replace

import optuna
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.architecture import FoldedConv, FoldedDepthwise
from glyphlite.models.registry import require_definition
from glyphlite.search.budget import Budget
from glyphlite.search.cost import cost_of
from glyphlite.search.proposals.priors import priors_for
from glyphlite.search.settings import SearchSettings, sides_for
from glyphlite.search.space import AUGMENTATIONS, LIGHTS, Candidate, batch_for, choices_of, suggest
from glyphlite.search.words import parse_words, same_network, words_of_architecture
from glyphlite.training.augmentation.parameters import AUGMENTATIONS as KNOWN
from glyphlite.training.augmentation.parameters import PHOTOMETRIC

SHAPE = (28, 28, 1)


def points(count: int, sides: tuple[int, ...], seed: int = 0) -> list[Candidate]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [suggest(study.ask(), sides) for _ in range(count)]


@pytest.mark.parametrize(("sides", "channels"), [((28, 20, 16), 1), ((28, 20, 16), 3), ((8,), 1), ((5,), 1)])
def test_every_point_is_a_network_that_leaves_something_of_its_images(sides: tuple[int, ...], channels: int) -> None:
    for candidate in points(400, sides):
        architecture = candidate.architecture(channels)
        costs = list(architecture.costs(candidate.input_shape(channels), 10))
        assert costs[-1].output_shape == (10,)
        assert architecture.is_quantization_aware


@pytest.mark.slow
@pytest.mark.no_cover  # what it runs is traced below and in the compiler's own tests
def test_every_point_compiles_and_runs_on_a_core() -> None:
    free = Budget("cortex-m0")
    for candidate in points(4, (20, 16), seed=3):
        cost = cost_of(candidate.architecture(1), candidate.input_shape(1), 10, free)
        assert not cost.is_bound
        assert cost.flash_bytes > cost.weight_bytes
        assert cost.instructions > cost.macs
        assert cost.ram_bytes > candidate.side**2


def test_a_space_reaches_all_that_it_lists() -> None:
    found = points(1500, (28, 20, 16))
    text = " ".join(candidate.words for candidate in found)
    for part in ("c3s1x", "c5s3x", "d3", "@", "p2", "h", " m", "b4", "z"):
        assert part in text
    assert {candidate.side for candidate in found} == {28, 20, 16}
    assert {candidate.augmentation for candidate in found} == set(AUGMENTATIONS)


def test_what_training_is_asked_for_exists() -> None:
    assert set(AUGMENTATIONS) - {"none"} <= KNOWN.keys()
    assert set(LIGHTS) - {"none"} <= PHOTOMETRIC.keys()


def test_shared_blocks_use_the_weights_of_the_second() -> None:
    architecture = parse_words("c4s2x8= d3 c1x16 d3 c1x16 d3@4 c1x16@5 m", SHAPE)
    shared = [layer for layer in architecture.layers if isinstance(layer, FoldedConv | FoldedDepthwise) and layer.weights_of]
    assert [layer.weights_of for layer in shared] == ["depth4", "conv5"]
    assert sum(cost.parameters for cost in architecture.costs(SHAPE, 10)) < sum(
        cost.parameters for cost in parse_words("c4s2x8= d3 c1x16 d3 c1x16 d3 c1x16 m", SHAPE).costs(SHAPE, 10)
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [("c3x8 q4", "cannot read 'q4'"), ("", "no layer"), ("c3x8 b3", "8 bits or 4"), ("c3x8 c3x8@2", "no convolution before it")],
)
def test_words_that_are_none_are_refused(words: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        parse_words(words, SHAPE)


def test_a_recipe_simulates_int8_in_its_last_quarter() -> None:
    recipe = Candidate(28, "c3x8 b4", 0.02, "none").recipe(12)
    assert (recipe.epochs, recipe.quantized_epochs, recipe.augmentation) == (12, 3, None)


def test_few_images_are_trained_in_small_batches_and_short_steps() -> None:
    assert [batch_for(images) for images in (55_000, 7680, 2000, 480, 100, 3)] == [256, 256, 64, 16, 8, 8]
    large, small = (Candidate(28, "c3x8", 0.02).recipe(12, batch=batch) for batch in (256, 16))
    assert (large.batch_size, small.batch_size) == (256, 16)
    assert large.schedule.peak == 0.02
    assert small.schedule.peak == pytest.approx(0.005)


def test_the_first_points_are_points_of_the_space() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    settings = SearchSettings("mnist", SHAPE, 10)
    for prior in priors_for(settings):
        trial = optuna.trial.FixedTrial(prior)
        suggest(trial, settings.sides)
        assert set(trial.params) == set(prior)


def test_every_point_is_told_from_its_network() -> None:
    for candidate in points(300, (28, 20, 16), seed=5):
        words = words_of_architecture(candidate.architecture(1), candidate.input_shape(1))
        assert same_network(words, candidate.words, candidate.side)
        choices = choices_of(replace(candidate, words=words))
        assert choices is not None, candidate.words
        assert same_network(suggest(optuna.trial.FixedTrial(choices)).words, words, candidate.side)


@pytest.mark.parametrize(
    "words", ["c7s2x8 h16", "c5s3x8 c3x10", "c5s3x8 c3x12 p3", "c5s3x8 d3 c1x16 c3x16 m", "d3 c1x8 m", "c5s3x8 h17"]
)
def test_what_is_no_point_of_the_space_has_no_choices(words: str) -> None:
    candidate = Candidate(28, words, 0.02)
    assert choices_of(candidate) is None
    assert words_of_architecture(candidate.architecture(1), SHAPE) == words


def test_the_family_is_said_in_words_and_plain_layers_are_not() -> None:
    assert words_of_architecture(require_definition("glyph-4k").architecture, SHAPE).endswith("b4")
    with pytest.raises(ModelError, match=r"its layer .* is a Conv, which no network of a search has"):
        words_of_architecture(require_definition("micro-cnn").architecture, SHAPE)
    mixed = parse_words("c5s3x8 c3x12", SHAPE)
    with pytest.raises(ModelError, match="biases in all its layers or in none"):
        words_of_architecture(replace(mixed, biased_scores=False), SHAPE)


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((28, 28, 1), (28, 20, 16)),
        ((32, 48, 1), (28, 20, 16)),
        ((28, 28, 3), (28,)),
        ((8, 8, 1), (8,)),
        ((24, 24, 1), (24, 20, 16)),
    ],
)
def test_images_are_never_made_larger(shape: tuple[int, int, int], sides: tuple[int, ...]) -> None:
    assert sides_for(shape) == sides


def test_equal_networks_are_measured_once() -> None:
    architecture, free = parse_words("c5s3x4", SHAPE), Budget("cortex-m0")
    first = cost_of(architecture, SHAPE, 10, free)
    assert cost_of(replace(architecture, name="other"), SHAPE, 10, free) is first


def test_what_is_beyond_the_budget_by_its_weights_is_not_built() -> None:
    wide = cost_of(parse_words("c3x64 c3x64", SHAPE), SHAPE, 10, Budget("cortex-m0", flash_bytes=8192))
    assert wide.is_bound
    assert wide.excesses(Budget("cortex-m0", flash_bytes=8192))["flash"] > 0


@pytest.mark.slow
def test_a_network_that_is_too_large_for_speed_is_compiled_for_ram_or_size() -> None:
    architecture = parse_words("c3x8 p2", SHAPE)
    fast = cost_of(architecture, SHAPE, 10, Budget("cortex-m0"))
    tight = cost_of(architecture, SHAPE, 10, Budget("cortex-m0", ram_bytes=fast.ram_bytes - 1))
    assert fast.optimize == "speed"
    assert tight.optimize in ("ram", "size")
    assert tight.ram_bytes < fast.ram_bytes
    assert tight.instructions > fast.instructions
