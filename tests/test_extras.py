"""Optional packages: each command says which extra it lacks, and nothing else of it is done."""

from pathlib import Path

import pytest

from glyphlite import extras
from glyphlite.errors import ToolError


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without extras, as far as it is asked."""
    packages = {package for each in extras.PACKAGES.values() for package in each}
    find = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in packages else find(name))


def test_what_is_installed_is_found() -> None:
    assert extras.has_extra("train")
    extras.require_extra("train", "training")


@pytest.mark.usefixtures("light")
def test_a_missing_extra_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(ToolError, match=r"^training needs TensorFlow and Keras, .*: pip install 'glyphlite\[train\]'$"):
        extras.require_extra("train", "training")


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize(("name", "extra"), [("keras.layers", "train"), ("h5py", "train"), ("pillow_heif", "heic")])
def test_a_failed_import_is_told_by_its_extra(name: str, extra: str) -> None:
    error = extras.missing_extra(ModuleNotFoundError(f"No module named {name!r}", name=name))
    assert f"glyphlite[{extra}]" in str(error)


def test_a_failed_import_of_anything_else_is_a_fault() -> None:
    assert extras.missing_extra(ModuleNotFoundError("No module named 'torch'", name="torch")) is None
    assert extras.missing_extra(ModuleNotFoundError("No module named 'keras.gone'", name="keras.gone")) is None


@pytest.mark.usefixtures("light")
def test_nothing_is_written_by_a_command_that_lacks_its_extra(samples: Path, tmp_path: Path) -> None:
    from glyphlite.pipeline.convert import convert_model
    from glyphlite.pipeline.inputs.files import keras_beside
    from glyphlite.pipeline.run import RunOptions, run_pipeline

    with pytest.raises(ToolError, match="run needs TensorFlow"):
        run_pipeline(RunOptions(out=tmp_path / "run"))
    options = {"variants": "int8", "batch": "1", "dataset": None, "samples": 9, "show_calibration": False, "seed": 0}
    with pytest.raises(ToolError, match="converting needs TensorFlow"):
        convert_model(samples / "model.keras", tmp_path / "converted", data_dir=None, **options)  # pyright: ignore[reportArgumentType]
    assert list(tmp_path.iterdir()) == []
    assert keras_beside(samples / "model_int8.tflite", None) is None
    with pytest.raises(ToolError, match="--keras needs TensorFlow"):
        keras_beside(samples / "model_int8.tflite", samples / "model.keras")
