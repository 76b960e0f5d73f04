"""Whole boards behind the serial port, emulated: an Uno and a Mega under simavr, Arm's and RISC-V's of QEMU. The bytes are TFLite
Micro's over a good line and over a bad one, a reset in the middle is survived, and the board's core is known.
"""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from support.emulated_boards import BOARDS, EmulatedBoard, emulated_board
from support.exported import library_of
from support.serial_board import faulty, serial_board
from support.slow import rest_slow

from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.pipeline.verify import verify_file
from glyphlite.report.terminal.command_output import verification_view
from glyphlite.runtimes.device import connection
from glyphlite.runtimes.device.board import Board, BoardModel
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import read_graph

Build = Callable[[str], EmulatedBoard]


@pytest.fixture(scope="module")
def artifact(samples: Path) -> Path:
    return samples / "model_int8.tflite"


@pytest.fixture(scope="module")
def build(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds each board's firmware once."""
    built: dict[str, EmulatedBoard] = {}
    library = tmp_path_factory.mktemp("boards") / "digits"
    library_of(artifact, library)

    def board(name: str) -> EmulatedBoard:
        if name not in built:
            built[name] = emulated_board(name, library, "digits", tmp_path_factory.mktemp(name))
        return built[name]

    return board


def same_as_tflm(model: BoardModel, artifact: Path, count: int) -> None:
    arrays = random_set(inputs_of(read_graph(artifact)), count).arrays
    with get_runtime("tflm").load(artifact) as reference:
        [expected] = reference.run(arrays)
    [found] = model.run(arrays)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", rest_slow(BOARDS))
def test_its_bytes_are_tflms_and_its_core_is_known(name: str, artifact: Path, build: Build) -> None:
    emulated = build(name)
    with serial_board(*emulated.command, environment=emulated.environment) as port:
        compared = verify_file(
            artifact, "mnist", images=20, keras=None, runtimes="tflm", tolerance=None, seed=0, data_dir=None, device=port.port
        )
    record = next(each for each in compared.records if each.runtime == "device")
    assert (record.images, record.identical, record.same_class) == (20, 1, 1)
    board = compared.board
    assert board is not None
    assert (board.inferences, board.core, board.hertz, board.repeats) == (20, emulated.core, emulated.hertz, 0)
    assert (board.median_ms or 0) > 0
    assert (board.emulated_instructions or 0) > 100_000
    if emulated.hertz is None:
        assert board.median_cycles is None
        words = "Its cycles are not known"
    else:
        assert board.median_cycles is not None
        assert board.emulated_cycles is not None
        assert 0.9 < board.median_cycles / board.emulated_cycles < 1.1
        words = f"That is {board.median_cycles:,} cycles at 16 MHz."
    stream = io.StringIO()
    Console(file=stream, width=2000).print(verification_view(compared))
    shown = stream.getvalue()
    assert words in shown
    assert f"{board.emulated_instructions:,} instructions" in shown


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["drop", "flip", "add"])
@pytest.mark.parametrize("name", ["uno", "cortex-m4"])
def test_a_bad_line_changes_no_byte(name: str, kind: str, artifact: Path, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_SECONDS", 10.0)
    emulated = build(name)
    lines = {"to_board": faulty(1801, kind), "from_board": faulty(151, kind)}
    with (
        serial_board(*emulated.command, environment=emulated.environment, **lines) as port,
        Board(port.port).load(artifact) as model,
    ):
        same_as_tflm(model, artifact, 8)
        assert model.timing.repeats > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["uno", "cortex-m4"])
def test_a_reset_in_the_middle_is_survived(name: str, artifact: Path, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_SECONDS", 10.0)
    emulated = build(name)
    with serial_board(*emulated.command, environment=emulated.environment) as port, Board(port.port).load(artifact) as model:
        same_as_tflm(model, artifact, 3)
        timer = threading.Timer(0.3, port.reset)
        timer.start()
        same_as_tflm(model, artifact, 20)
        timer.join()
        assert port.resets == 1
