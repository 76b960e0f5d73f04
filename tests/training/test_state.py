"""What a training keeps of its settings, and which differences forbid to resume it."""

from dataclasses import asdict, replace

import pytest

from glyphlite.errors import ModelError
from glyphlite.models.registry import resolve_model
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, PHOTOMETRIC
from glyphlite.training.state import each_setting, recorded_recipe, require_same_settings

RECIPE = resolve_model("glyph-110kmac", (28, 28, 1), 10).recipe


def test_a_recorded_recipe_has_the_numbers_behind_its_augmentations(monkeypatch):
    """What a name stood for when it was trained stays readable, whatever it is changed to: by the package or by a script."""
    before = recorded_recipe(RECIPE)
    assert before["augmentation"] == "elastic_wide"
    assert before["augmentation_ranges"] == asdict(AUGMENTATIONS["elastic_wide"])
    assert before["photometric_ranges"] == asdict(PHOTOMETRIC[before["photometric"]])
    monkeypatch.setitem(AUGMENTATIONS, "elastic_wide", replace(AUGMENTATIONS["elastic_wide"], shift_pixels=3.5))
    assert recorded_recipe(RECIPE)["augmentation_ranges"]["shift_pixels"] == 3.5
    assert before["augmentation_ranges"]["shift_pixels"] == 2.4


def test_a_recipe_without_augmentation_has_no_such_numbers():
    assert recorded_recipe(replace(RECIPE, augmentation=None, photometric=None)).keys() == asdict(RECIPE).keys()


def test_resuming_with_other_numbers_behind_the_name_is_refused(monkeypatch):
    saved = {"recipe": recorded_recipe(RECIPE)}
    monkeypatch.setitem(AUGMENTATIONS, "elastic_wide", replace(AUGMENTATIONS["elastic_wide"], shift_pixels=3.5))
    with pytest.raises(ModelError, match=r"its recipe's augmentation_ranges's shift_pixels was 2\.4, now it is 3\.5"):
        require_same_settings(saved, {"recipe": recorded_recipe(RECIPE)}, "runs/a")


def test_a_checkpoint_from_before_those_numbers_is_resumed():
    wanted = {"recipe": recorded_recipe(RECIPE)}
    require_same_settings({"recipe": asdict(RECIPE) | {"distillation": wanted["recipe"]["distillation"]}}, wanted, "runs/a")


def test_settings_of_tables_stand_under_the_table_s_name():
    assert each_setting({"a": 1, "b": {"c": {"d": 2}, "e": None}}) == {"a": 1, "b's c's d": 2, "b's e": None}
