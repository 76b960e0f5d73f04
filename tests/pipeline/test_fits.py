"""``glyphlite fits`` and ``--board``: measured on the board's core, and answered by the exit code."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.debian import NoPackagesError, debian_tool
from typer.testing import CliRunner

from glyphlite import boards
from glyphlite.boards import board_named
from glyphlite.cli import app
from glyphlite.errors import ModelError
from glyphlite.models.registry import model_file_text
from glyphlite.pipeline import run
from glyphlite.pipeline.boards.xtensa import xtensa_fit, xtensa_sizes
from glyphlite.pipeline.fits import fits_on, fitting_choice
from glyphlite.records import FirmwareReport


def test_figures_are_those_of_simulate_on_the_boards_core(samples: Path) -> None:
    from glyphlite.pipeline.simulate import simulate_target

    path = samples / "model_int8.tflite"
    fits = fits_on(path, [board_named("blue-pill")])
    common = {"images": 3, "optimize": "speed", "dataset": None, "data_dir": None}
    report = simulate_target(path, ["cortex-m3"], **common, inputs="random:3").reports[0]
    assert fits[0].flash_bytes == report.code_bytes + report.constant_bytes
    assert fits[0].ram_bytes == report.ram_bytes
    assert fits[0].verdict == "FITS"
    assert (fits[0].flash_basis, fits[0].ram_basis) == ("measured", "measured")
    assert (fits[0].cycles or 0) > report.instructions


def test_a_board_whose_emulator_is_not_here_says_how_to_get_it_and_keeps_no_other_from_being_measured(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = [board_named("corstone-300"), board_named("blue-pill")]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # where packages would lie unpacked
    monkeypatch.setattr("glyphlite.emulation.system_tools.shutil.which", lambda _: None)
    without, other = fits_on(samples / "model_int8.tflite", boards)
    assert (without.verdict, other.verdict) == ("UNKNOWN", "FITS")
    assert "no qemu-system-arm here; on Debian and Ubuntu: apt install qemu-system-arm" in (without.reason or "")


def test_the_smallest_risc_v_is_built_without_multiplications_and_run(samples: Path) -> None:
    from glyphlite.pipeline.simulate import simulate_target

    path = samples / "model_int8.tflite"
    common = {"images": 2, "optimize": "size", "dataset": None, "data_dir": None}
    simulated = simulate_target(path, ["rv32ec"], **common, inputs="random:2")
    assert simulated.checked == 2
    [fit] = fits_on(path, [board_named("ch32v003")], optimize="size")
    assert (fit.ram_bytes or 0) <= 2048
    assert fit.verdict == "DOES NOT FIT"
    assert fit.flash_left is not None
    assert fit.flash_left < 0


def test_xtensa_is_compiled_where_its_compiler_is_and_says_what_is_estimated(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, boards = samples / "model_int8.tflite", [board_named("esp8266"), board_named("esp32")]
    try:
        debian_tool("xtensa-lx106-elf-gcc", "gcc-xtensa-lx106", "picolibc-xtensa-lx106-elf")
    except NoPackagesError as error:
        pytest.skip(str(error))
    small, large = fits_on(path, boards)
    assert (small.flash_basis, small.flash_bytes) == ("measured", large.flash_bytes)
    assert large.flash_basis == "estimated: the code of the Xtensa L106, by xtensa-lx106-elf-gcc"
    assert "constants, which lie in RAM there" in (small.ram_basis or "")
    assert (small.ram_bytes or 0) > 20_000 + (large.ram_bytes or 0)  # micro-cnn's weights
    assert (small.time_ms, small.verdict) == (None, "FITS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sizes = xtensa_sizes(path, report_of("rv32imc"), optimize="speed")
    without = xtensa_fit(boards[0], sizes)
    assert without.flash_bytes == 30
    assert "the code of the RV32IMC; no xtensa-lx106-elf-gcc here" in (without.flash_basis or "")


def report_of(cpu: str) -> FirmwareReport:
    common = {"instructions": 1, "instructions_per_mac": 1.0, "arena_bytes": 5, "stack_bytes": 5, "ram_bytes": 10}
    return FirmwareReport(cpu=cpu, code_bytes=10, constant_bytes=20, **common)


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
def test_another_choice_that_fits_is_named(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact, board = samples / "model_int8.tflite", board_named("pico")
    roomy = fits_on(artifact, [board], optimize="speed")[0]
    need = {choice: fits_on(artifact, [board], optimize=choice)[0].ram_bytes or 0 for choice in ("speed", "ram", "size")}
    assert roomy.verdict == "FITS"
    assert min(need, key=need.__getitem__) != "speed"
    small = replace(board, ram_bytes=need["speed"] - 1)
    chosen = fitting_choice(artifact, small, tried="speed")
    assert chosen is not None
    assert need[chosen] < need["speed"]
    assert fitting_choice(artifact, replace(board, ram_bytes=64), tried="speed") is None


def test_simulate_and_compile_say_whether_the_board_has_room(samples: Path, tmp_path: Path) -> None:
    path = str(samples / "model_int8.tflite")
    simulated = CliRunner().invoke(app, ["simulate", path, "--board", "pico", "--inputs", "random:1"])
    assert simulated.exit_code == 0, simulated.output
    assert "Raspberry Pi Pico: FITS; flash " in simulated.stdout
    assert "Cortex-M0" in simulated.stdout
    as_json = CliRunner().invoke(app, ["simulate", path, "--board", "pico", "--inputs", "random:1", "--json"])
    fit = json.loads(as_json.stdout)[0]["board_fit"]
    assert fit["time_basis"] == "estimated: Arm DDI0484C, table 3-1; no wait states"
    assert fit["time_ms"] == fit["cycles"] / 133_000
    compiled = CliRunner().invoke(
        app, ["compile", path, "--board", "blue-pill", "--out", str(tmp_path / "c"), "--inputs", "random:1"]
    )
    assert compiled.exit_code == 0, compiled.output
    assert "Blue Pill: FITS; flash " in compiled.stdout
    assert "On an emulated Cortex-M3" in compiled.stdout
    assert "(estimated: Arm DDI0337E, chapter 18; no wait states)" in compiled.stdout
    alone = ["compile", path, "--board", "blue-pill", "--out", str(tmp_path / "d"), "--inputs", "random:1", "--no-compare"]
    without = CliRunner().invoke(app, alone)
    assert "Blue Pill: FITS; flash " in without.stdout
    assert "On an emulated Cortex-M3" not in without.stdout
    document = json.loads(CliRunner().invoke(app, [*alone, "--overwrite", "--json"]).stdout)
    assert document["board_fit"]["verdict"] == "FITS"
    assert list(document["trade_offs"]) == ["speed"]
    both = CliRunner().invoke(app, ["simulate", path, "--board", "pico", "--cpu", "cortex-m4"])
    assert both.exit_code == 2


def test_run_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    report = FirmwareReport(
        cpu="cortex-m0",
        instructions=1000,
        instructions_per_mac=1.0,
        code_bytes=300,
        constant_bytes=200,
        arena_bytes=100,
        stack_bytes=64,
        ram_bytes=400,
    )
    ran = SimpleNamespace(firmware=[report], failed=[], document=lambda: {"schema": 1})
    monkeypatch.setattr(run, "run_pipeline", lambda options: ran)
    as_json = CliRunner().invoke(app, ["run", "--board", "pico", "--json"])
    assert as_json.exit_code == 0, as_json.output
    document = json.loads(as_json.stdout)
    assert document["schema"] == 1
    assert (document["board_fit"]["verdict"], document["board_fit"]["flash_bytes"]) == ("FITS", 500)
    assert "board_fit" not in json.loads(CliRunner().invoke(app, ["run", "--json"]).stdout)


@pytest.mark.slow
def test_a_model_file_fits_before_it_is_trained(tmp_path: Path) -> None:
    """Flash and RAM are those of any weights; a file that defines no model is an error of its line."""
    path = tmp_path / "net.toml"
    path.write_text(model_file_text("micro-cnn").replace("filters = 8", "filters = 2"))
    (small,) = fits_on(path, [board_named("arduino-uno")])
    assert small.verdict in ("FITS", "TIGHT")
    path.write_text("layers = 3")
    with pytest.raises(ModelError, match=r"net\.toml:1: a model needs layers"):
        fits_on(path, [board_named("arduino-uno")])
