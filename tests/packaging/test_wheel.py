"""The built wheel, in a fresh environment without TensorFlow, does what its documentation says; the rest says what it lacks."""

from pathlib import Path

import fresh
import pytest


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_an_installation_without_extras(tmp_path: Path) -> None:
    if not fresh.UV.is_file():
        pytest.skip("no uv: `make setup` brings it")
    wheel = next(path for path in fresh.build(tmp_path / "dist", 1_700_000_000) if path.suffix == ".whl")
    try:
        programs = fresh.environment_with(wheel, tmp_path / "environment")
    except fresh.NoIndexError as error:
        pytest.skip(f"no package index that has what the wheel depends on: {str(error)[:200]}")
    installed = {path.name for path in next((tmp_path / "environment" / "lib").glob("python*/site-packages")).iterdir()}
    assert not {"tensorflow", "keras", "h5py"} & installed
    (tmp_path / "work").mkdir()
    light = [command for command in fresh.LIGHT if command[0] in ("inspect", "compile", "predict", "evaluate", "verify")]
    assert len(light) == 5, "`make release` tries them all"
    assert fresh.check_light(programs, tmp_path / "work", light) == []
