"""The model that a search begins with: a point of the space, a network outside of it, or none that a search could have."""

from pathlib import Path

import pytest

from glyphlite.errors import ModelError
from glyphlite.models.definition.definition import ModelDefinition
from glyphlite.models.definition.writing import write_definition
from glyphlite.pipeline.search.starting_point import starting_point
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate

SETTINGS = SearchSettings("mnist", (28, 28, 1), 10)


def model_file(folder: Path, side: int, words: str, augmentation: str = "affine") -> str:
    candidate = Candidate(side, words, 0.01, augmentation)
    recipe, path = candidate.recipe(8), folder / "start.toml"
    path.write_text(write_definition(ModelDefinition(candidate.architecture(1, "start"), recipe, "", (side, side))))
    return str(path)


def test_a_file_of_a_network_of_the_space_is_a_point_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = starting_point(model_file(tmp_path, 20, "c5s3x8 c3x12 h48 b4"), SETTINGS)
    assert found == Candidate(20, "c5s3x8 c3x12 h48 b4", 0.01, "affine")
    assert "c5s3x8 c3x12 h48 b4, a point of the space" in capsys.readouterr().err


def test_a_known_model_outside_of_the_space_is_tried_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    found = starting_point("glyph-4k", SETTINGS)
    assert (found.side, found.rate, found.augmentation, found.light) == (28, 0.03, "elastic", "none")
    assert "outside of the space, so tried as it is" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("micro-cnn", "micro-cnn cannot begin this search: its layer .* is a Conv"),
        ("glyph-5k", "no known model and no model file"),
        ("net.keras", "no known model and no model file"),
    ],
)
def test_what_no_search_could_have_is_said_in_one_line(model: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        starting_point(model, SETTINGS)


def test_images_of_another_size_are_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes images of 24x24, whose trials have 28 or 20 or 16 rows"):
        starting_point(model_file(tmp_path, 24, "c5s3x8 c3x12 h48 b4"), SETTINGS)
