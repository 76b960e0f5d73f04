"""Written and read again, a model is the same data: every known one, and any that the keys allow."""

from dataclasses import fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glyphlite.errors import ModelError
from glyphlite.models.architecture import Architecture
from glyphlite.models.definition import keys
from glyphlite.models.definition.choosing import choose_defined_model
from glyphlite.models.definition.definition import ModelDefinition, default_recipe
from glyphlite.models.definition.keys import KINDS, LAYER_KEYS, RECIPE, Flag, Name, Names, OneOf, Real, Size, Table, Text, Whole
from glyphlite.models.definition.reading import read_definition
from glyphlite.models.definition.writing import write_definition
from glyphlite.models.input_shape import model_input_shape
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.models.registry import KNOWN, definition_of, describe_model, resolve_model
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, PHOTOMETRIC

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)


def read_back(definition: ModelDefinition, folder: Path) -> ModelDefinition:
    path = folder / "a model.toml"
    path.write_text(write_definition(definition))
    return read_definition(path).definition


@pytest.mark.parametrize("name", [model.architecture.name for model in KNOWN])
def test_every_known_model_comes_back_as_the_same_data(name: str, tmp_path: Path) -> None:
    definition = definition_of(name)
    assert definition is not None
    again = read_back(definition, tmp_path)
    assert again == definition
    assert again.architecture.document() == definition.architecture.document()
    known, chosen = (resolve_model(each, (28, 28, 1), 10) for each in (name, str(tmp_path / "a model.toml")))
    assert (chosen.name, chosen.recipe, chosen.fingerprint) == (known.name, known.recipe, known.fingerprint)


def values(value: Any) -> st.SearchStrategy[Any]:
    """Everything that a key takes, as records hold it."""
    match value:
        case Whole(low, high):
            return st.integers(low, high)
        case Real(low, high, above, below):
            return st.floats(low, high, exclude_min=above, exclude_max=below).map(abs)
        case OneOf(choices):
            return st.sampled_from(choices)
        case Flag():
            return st.booleans()
        case Name():
            return NAMES
        case Text():
            return st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=40)
        case Names():
            return st.lists(NAMES, min_size=1, max_size=4, unique=True).map(tuple)
        case Size():
            return st.tuples(st.integers(1, 1024), st.integers(1, 1024))
        case Table(record, inner):
            return st.builds(record, **{name: values(key.value) for name, key in inner.items()})
    raise AssertionError(value)


def optional(record: type, allowed: dict[str, keys.Key]) -> dict[str, st.SearchStrategy[Any]]:
    """A strategy for each field of a record; those that may be None are so now and then."""
    found = {}
    for field in fields(record):
        strategy = values(allowed[field.name].value)
        found[field.name] = st.none() | strategy if field.default is None else strategy
    return found


LAYERS = st.lists(
    st.one_of([st.builds(kind, **optional(kind, LAYER_KEYS)) for kind in KINDS.values()]),
    min_size=1,
    max_size=8,
    unique_by=lambda layer: layer.name,
)


def _complete(recipe: Recipe) -> Recipe:
    """Epochs with int8 simulated have a schedule: no training takes them without."""
    wanting = recipe.quantized_epochs and recipe.quantized_schedule is None
    return replace(recipe, quantized_schedule=recipe.schedule) if wanting else recipe


RECIPES = st.builds(RECIPE.record, **optional(RECIPE.record, RECIPE.keys)).map(_complete)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LAYERS, RECIPES, NAMES, st.sampled_from((8, 4)), st.booleans(), values(Text()), st.none() | values(Size()))
def test_any_data_that_the_keys_allow_comes_back(tmp_path, layers, recipe, name, bits, biased, words, size) -> None:
    definition = ModelDefinition(Architecture(name, tuple(layers), bits, biased), recipe, words, size)
    path = tmp_path / "model.toml"
    path.write_text(write_definition(definition))
    assert _lenient(path) == definition


def _lenient(path: Path) -> ModelDefinition:
    """Reads a file without the checks of what goes with what, which random data rarely meet."""
    with pytest.MonkeyPatch.context() as patch:
        from glyphlite.models.definition import reading

        for check in ("name", "use", "mixture", "order", "weight_bits", "recipe"):
            patch.setattr(reading._Reader, f"_check_{check}", lambda *_: None)
        return read_definition(path).definition


def test_a_file_with_layers_alone_gets_names_and_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "tiny-net.toml"
    path.write_bytes(b'\xef\xbb\xbflayers = [\r\n { kind = "Conv", filters = 4, kernel = 5 },\r\n{ kind = "Flatten" } ]\r\n')
    stored = read_definition(path)
    assert [layer.name for layer in stored.definition.architecture.layers] == ["conv1", "flatten1"]
    assert (stored.definition.architecture.name, stored.line_of_layer("flatten1")) == ("tiny-net", 3)
    assert stored.definition.recipe == default_recipe("tiny-net", quantization_aware=False)


def test_layers_trained_for_int8_get_a_recipe_that_does(tmp_path: Path) -> None:
    path = tmp_path / "aware.toml"
    layers = 'layers = [ { kind = "FoldedConv", filters = 4, kernel = 5 }, { kind = "GlobalMean" } ]\n'
    path.write_text(f"{layers}[recipe]\nepochs = 2\n")
    recipe = read_definition(path).definition.recipe
    assert (recipe.epochs, recipe.quantized_epochs) == (2, 1)
    assert recipe.quantized_schedule == Schedule("one_cycle", peak=0.0005, warmup=0.1)


def test_the_images_are_of_the_size_that_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text('input_size = [16, 20]\nlayers = [ { kind = "Flatten" } ]\n')
    assert choose_defined_model(str(path), (16, 20, 1), 10).input_shape == (16, 20, 1)
    assert describe_model(str(path)).parameters == 16 * 20 * 10 + 10
    assert model_input_shape(str(path), None, 10) == (16, 20, 1)
    with pytest.raises(ModelError, match="takes images of 16x20, --input-size asks for 28x28"):
        model_input_shape(str(path), (28, 28), 10)


def test_every_field_of_layers_and_recipes_is_a_key() -> None:
    assert {field.name for kind in KINDS.values() for field in fields(kind)} == set(LAYER_KEYS)

    def tables(table: Table) -> None:
        assert [field.name for field in fields(table.record)] == list(table.keys)
        for key in table.keys.values():
            if isinstance(key.value, Table):
                tables(key.value)

    tables(RECIPE)
    optional = [field.name for field in fields(RECIPE.record) if NoneType in get_args(field.type)]
    assert all(next(field for field in fields(RECIPE.record) if field.name == name).default is None for name in optional)


def test_the_names_of_augmentations_are_those_of_the_training() -> None:
    assert set(AUGMENTATIONS) == set(keys.AUGMENTATIONS)
    assert set(PHOTOMETRIC) == set(keys.PHOTOMETRIC)
