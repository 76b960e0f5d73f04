import json
from pathlib import Path

import pytest
from support.pretrained import ship_sample, use_shipped

from glyphlite.errors import ModelError
from glyphlite.files.single import sha256_of
from glyphlite.models.pretrained import (
    CARD,
    ROOT,
    best_pretrained,
    is_named,
    is_shipped,
    keras_of_shipped,
    pretrained_artifact,
    pretrained_card,
    pretrained_keras,
    pretrained_names,
    retired_names,
    retired_words,
)


def test_names_go_from_the_smallest_budget_to_the_largest(tmp_path: Path, samples: Path, monkeypatch) -> None:
    for name in ("glyph-50kmac", "glyph-16k", "glyph-4k", "glyph-700", "glyph-1k"):
        ship_sample(tmp_path, samples, name, {0: 0.9}, chosen=0)
    (tmp_path / "half-written").mkdir()
    use_shipped(tmp_path, monkeypatch)
    assert pretrained_names() == ("glyph-700", "glyph-1k", "glyph-4k", "glyph-16k", "glyph-50kmac")


def test_teachers_are_there_but_offered_for_nothing_else(tmp_path: Path, samples: Path, monkeypatch) -> None:
    ship_sample(tmp_path, samples, "glyph-4k", {0: 0.9}, chosen=0)
    teacher = ship_sample(tmp_path / "teachers", samples, "teacher-4k", {0: 0.99}, chosen=0)
    use_shipped(tmp_path, monkeypatch)
    assert pretrained_names() == ("glyph-4k",)
    assert best_pretrained() == "glyph-4k"
    assert [is_shipped(name) for name in ("glyph-4k", "teacher-4k", "glyph-9k", "teachers", "")] == [True, True, *[False] * 3]
    assert pretrained_card("teacher-4k").model == "teacher-4k"
    assert pretrained_keras("teacher-4k") == teacher / "model.keras"


def test_the_retired_are_loaded_for_who_names_them_and_offered_to_nobody(tmp_path: Path, samples: Path, monkeypatch) -> None:
    ship_sample(tmp_path, samples, "glyph-4k", {0: 0.9}, chosen=0)
    retired = ship_sample(tmp_path / "retired", samples, "glyph-9k", {0: 0.99}, chosen=0, weight_bytes=30_000)
    use_shipped(tmp_path, monkeypatch)
    assert pretrained_names() == ("glyph-4k",)
    assert retired_names() == ("glyph-9k",)
    assert best_pretrained() == "glyph-4k"
    assert [is_named(name) for name in ("glyph-4k", "glyph-9k", "retired", "glyph-8k")] == [True, True, False, False]
    assert pretrained_artifact("glyph-9k") == retired / "seed-0" / "model_int8.tflite"
    assert keras_of_shipped(pretrained_artifact("glyph-9k")) == retired / "model.keras"


def test_the_best_is_the_one_whose_seeds_are_right_most_often_not_that_with_the_luckiest_seed(
    tmp_path: Path, samples: Path, monkeypatch
) -> None:
    ship_sample(tmp_path, samples, "lucky", {0: 0.99, 1: 0.95}, chosen=0)
    ship_sample(tmp_path, samples, "steady", {0: 0.98, 1: 0.98}, chosen=0, weight_bytes=30_000)
    use_shipped(tmp_path, monkeypatch)
    assert best_pretrained() == "steady"


def test_a_card_comes_back_as_it_was_written(shipped: Path) -> None:
    card = pretrained_card("micro-cnn")
    assert [each.seed for each in card.seeds] == [0, 3]
    assert card.best.seed == 3
    assert card.document() == json.loads((shipped / "micro-cnn" / CARD).read_text())


def test_the_chosen_seed_is_given_unless_another_is_named(shipped: Path, samples: Path) -> None:
    assert pretrained_artifact("micro-cnn") == shipped / "micro-cnn" / "seed-3" / "model_int8.tflite"
    assert pretrained_artifact("micro-cnn", 0).parent.name == "seed-0"
    assert sha256_of(pretrained_keras("micro-cnn")) == sha256_of(samples / "model.keras")
    with pytest.raises(ModelError, match="not pretrained with seed 1; there is 0, 3"):
        pretrained_artifact("micro-cnn", 1)


def test_only_the_chosen_seed_has_a_keras_model_beside_it(shipped: Path, samples: Path) -> None:
    assert keras_of_shipped(pretrained_artifact("micro-cnn")) == shipped / "micro-cnn" / "model.keras"
    assert keras_of_shipped(pretrained_artifact("micro-cnn", 0)) is None
    assert keras_of_shipped(samples / "model_int8.tflite") is None


def test_the_best_is_the_most_accurate_on_validation_and_of_equals_the_smaller(shipped: Path, samples: Path) -> None:
    assert best_pretrained() == "micro-cnn"
    ship_sample(shipped, samples, "mlp", {0: 0.99}, chosen=0, weight_bytes=10**6)
    assert best_pretrained() == "mlp"
    assert best_pretrained(at_most=10**5) == "micro-cnn"
    assert best_pretrained(at_most=10) == "micro-cnn"


@pytest.mark.parametrize("file", ["model.keras", "seed-3/model_int8.tflite"])
def test_an_altered_file_is_refused(shipped: Path, file: str) -> None:
    with (shipped / "micro-cnn" / file).open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ModelError, match=r"is not the released file.*install glyphlite again"):
        (pretrained_keras if file == "model.keras" else pretrained_artifact)("micro-cnn")


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"chosen": 7}, {"seeds": [{"seed": 1}]}, {"seeds": None}, {"unknown": 1}],
)
def test_a_damaged_card_is_one_line(shipped: Path, change: dict) -> None:
    path = shipped / "micro-cnn" / CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError) as refused:
        pretrained_card("micro-cnn")
    assert "\n" not in str(refused.value)


def test_unknown_names_say_what_is_there(shipped: Path) -> None:
    with pytest.raises(ModelError, match="no trained glyph-9k comes with glyphlite; pretrained are edge-cnn, micro-cnn"):
        pretrained_card("glyph-9k")


def test_a_package_without_models(tmp_path: Path, monkeypatch) -> None:
    use_shipped(tmp_path / "nothing", monkeypatch)
    assert pretrained_names() == ()
    with pytest.raises(ModelError, match="comes without trained models"):
        best_pretrained()


@pytest.mark.parametrize("name", pretrained_names())
def test_every_file_in_the_package_is_the_one_that_was_shipped(name: str) -> None:
    card = pretrained_card(name)
    assert card.model == name
    assert pretrained_keras(name).is_relative_to(ROOT)
    for each in card.seeds:
        assert pretrained_artifact(name, each.seed).stat().st_size == each.bytes
    assert card.best.validation_accuracy == max(each.validation_accuracy for each in card.seeds)


def test_the_words_on_a_retired_model_name_what_took_its_place():
    assert retired_words("glyph-64k") == "glyph-64k is retired: glyph-16kflash is as accurate with a fifth of the weights"
    with pytest.raises(ModelError, match="glyph-8k is not retired; those are glyph-1k, glyph-16k, glyph-32k, glyph-64k"):
        retired_words("glyph-8k")
