"""``glyphlite fits`` and ``--board``: measured on the board's core, and answered by the exit code."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glyphlite import boards
from glyphlite.boards import board_named
from glyphlite.cli import app
from glyphlite.pipeline.fits import fits_on


def test_figures_are_those_of_simulate_on_the_boards_core(samples: Path) -> None:
    from glyphlite.pipeline.simulate import simulate_target

    path = samples / "model_int8.tflite"
    fits = fits_on(path, [board_named("blue-pill"), board_named("esp32")])
    common = {"images": 3, "optimize": "speed", "dataset": None, "data_dir": None}
    report = simulate_target(path, ["cortex-m3"], **common, inputs="random:3").reports[0]
    assert fits[0].flash_bytes == report.code_bytes + report.constant_bytes
    assert fits[0].ram_bytes == report.ram_bytes
    assert (fits[0].verdict, fits[1].verdict) == ("FITS", "UNKNOWN")


def test_the_exit_code_answers_for_one_board(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(samples / "model_int8.tflite")
    fits = CliRunner().invoke(app, ["fits", path, "--board", "pico", "--json"])
    assert (fits.exit_code, json.loads(fits.stdout)[0]["verdict"]) == (0, "FITS")
    small = tuple(replace(board, flash_bytes=1000) if board.name == "pico" else board for board in boards.BOARDS)
    monkeypatch.setattr(boards, "BOARDS", small)
    does_not = CliRunner().invoke(app, ["fits", path, "--board", "pico"])
    assert does_not.exit_code == 1
    assert "DOES NOT FIT" in does_not.stdout


@pytest.mark.slow
def test_simulate_and_compile_say_whether_the_board_has_room(samples: Path, tmp_path: Path) -> None:
    path = str(samples / "model_int8.tflite")
    simulated = CliRunner().invoke(app, ["simulate", path, "--board", "pico", "--inputs", "random:1"])
    assert simulated.exit_code == 0, simulated.output
    assert "Raspberry Pi Pico: FITS; flash " in simulated.stdout
    assert "Cortex-M0" in simulated.stdout
    compiled = CliRunner().invoke(
        app, ["compile", path, "--board", "blue-pill", "--out", str(tmp_path / "c"), "--inputs", "random:1"]
    )
    assert compiled.exit_code == 0, compiled.output
    assert "Blue Pill: FITS; flash " in compiled.stdout
    assert "On an emulated Cortex-M3" in compiled.stdout
    both = CliRunner().invoke(app, ["simulate", path, "--board", "pico", "--cpu", "cortex-m4"])
    assert both.exit_code == 2
