"""Which file is meant: a path, a run's folder, a shipped model's name, or none at all."""

import json
import zipfile
from pathlib import Path

import pytest
from support.pretrained import use_shipped

from glyphlite.errors import ArtifactError, ModelError
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.pipeline.inputs.files import (
    artifact_in,
    default_artifact,
    keras_beside,
    model_and_pictures,
    model_file,
    trained_on,
)


def test_a_name_is_the_shipped_file(shipped: Path) -> None:
    chosen = shipped / "micro-cnn" / "seed-3" / "model_int8.tflite"
    assert artifact_in(Path("micro-cnn")) == model_file(Path("micro-cnn")) == chosen
    assert keras_beside(chosen, None) == shipped / "micro-cnn" / "model.keras"
    assert trained_on(chosen) == "mnist"


def test_what_a_user_has_on_disk_goes_before_a_name(shipped: Path, samples: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = Path("micro-cnn")
    own.mkdir()
    (own / "model_int8.tflite").write_bytes((samples / "model_int8.tflite").read_bytes())
    assert artifact_in(own) == own / "model_int8.tflite"
    assert trained_on(artifact_in(own)) is None


def test_an_unknown_name_says_which_there_are(shipped: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no file glyph-9k; .* comes with glyphlite \(pretrained are edge-cnn, micro-cnn\)"):
        artifact_in(Path("glyph-9k"))
    with pytest.raises(ArtifactError) as refused:
        artifact_in(Path("nothing.tflite"))
    assert "shipped" not in str(refused.value)


def test_predict_tells_the_model_from_the_pictures(shipped: Path, samples: Path, tmp_path: Path) -> None:
    picture, own = Path("seven.png"), samples / "model_int8.tflite"
    micro, edge = artifact_in(Path("micro-cnn")), artifact_in(Path("edge-cnn"))
    assert model_and_pictures([own, picture], None) == (own, [picture])
    assert model_and_pictures([picture], own) == (own, [picture])
    assert model_and_pictures([samples, picture], None) == (own, [picture])
    assert model_and_pictures([Path("edge-cnn"), picture], None) == (edge, [picture])
    assert model_and_pictures([picture], Path("edge-cnn")) == (edge, [picture])
    assert model_and_pictures([picture, picture], None) == (micro, [picture, picture])
    assert model_and_pictures([], None) == (micro, [])
    with pytest.raises(ArtifactError, match=r"gone\.tflite"):
        model_and_pictures([Path("gone.tflite"), picture], None)
    folder = tmp_path / "my-pictures"
    folder.mkdir()
    with pytest.raises(ArtifactError, match=r"my-pictures is a folder without .*; name the pictures in it as files: .*/\*"):
        model_and_pictures([folder], None)


def test_the_default_says_which_it_is(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert default_artifact() == shipped / "micro-cnn" / "seed-3" / "model_int8.tflite"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "micro-cnn answers: 22,000 bytes of weights, 98.50 %" in captured.err


def test_without_shipped_models_a_file_has_to_be_named(tmp_path: Path, monkeypatch) -> None:
    use_shipped(tmp_path / "nothing", monkeypatch)
    with pytest.raises(ModelError, match=r"name a \.tflite file or the folder of a run"):
        model_and_pictures([Path("seven.png")], None)


def test_a_model_of_own_code_beside_an_artifact_is_left_out_aloud(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The artifact can be measured all the same; only the one that a user names has to be there and to load."""
    config = {"class_name": "Own", "module": None, "registered_name": "mine>Own", "config": {"name": "own"}}
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr(
            "config.json", json.dumps({"class_name": "Sequential", "module": "keras", "config": {"layers": [config]}})
        )
    assert keras_beside(tmp_path / "model_int8.tflite", None) is None
    assert "has a layer 'own' of the class Own (mine>Own), whose code is not in the file" in " ".join(
        capfd.readouterr().err.split()
    )
    assert keras_beside(tmp_path / "model_int8.tflite", tmp_path / "model.keras") == tmp_path / "model.keras"


def test_a_retired_name_still_loads_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert artifact_in(Path("glyph-1k")) == pretrained_artifact("glyph-1k")
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("glyph-1k is retired: glyph-4kflash is more accurate in the same 4 KB of flash")
    assert trained_on(artifact_in(Path("glyph-1k"))) == "mnist"
