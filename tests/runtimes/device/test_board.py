"""A board: its bytes are TFLite Micro's over a good line and over a bad one, and what cannot be answered is one clear line."""

import os
import pty
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.serial_board import SerialBoard, noisy, serial_board, whole
from support.streaming import running_sum

from glyphlite.errors import ToolError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.export.library.folder import export_library
from glyphlite.pipeline.verify import verify_file
from glyphlite.runtimes.device import connection
from glyphlite.runtimes.device.board import Board, BoardModel
from glyphlite.runtimes.device.connection import Connection
from glyphlite.runtimes.device.frames import Frame
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import read_graph

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Werror")


def program_of(artifact: Path, folder: Path, name: str = "digits") -> Path:
    """The exported example that speaks over standard input and output, built with sanitizers."""
    sample = random_set(inputs_of(read_graph(artifact)), 8).chosen(slice(-1, None))
    export_library(artifact, folder, name=name, sample=sample.arrays, sample_words=sample.source)
    sources = [folder / "examples" / "cmake" / "link.c", folder / "src" / f"{name}.c", folder / "src" / f"{name}_link.c"]
    flags = ("-std=c99", *WARNINGS, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{folder / 'src'}")
    subprocess.run(["gcc", *flags, *map(str, sources), "-o", str(folder / "board")], check=True, timeout=300)
    return folder / "board"


@pytest.fixture(scope="module")
def program(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program_of(samples / "model_int8.tflite", tmp_path_factory.mktemp("board") / "lib")


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "stream.tflite"
    path.write_bytes(running_sum())
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "GREETING_SECONDS", 1.5)
    monkeypatch.setattr(connection, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(connection, "LEAST_SECONDS", 0.3)


def inputs(artifact: Path, count: int) -> tuple[np.ndarray, ...]:
    return random_set(inputs_of(read_graph(artifact)), count).arrays


def same_as_tflm(model: BoardModel, artifact: Path, count: int) -> None:
    arrays = inputs(artifact, count)
    with get_runtime("tflm").load(artifact) as reference:
        expected = reference.run(arrays)
    for mine, theirs in zip(model.run(arrays), expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_thousand_images_are_tflms_and_are_timed(samples: Path, program: Path) -> None:
    artifact = samples / "model_int8.tflite"
    with serial_board(program) as board:
        verification = verify_file(
            artifact, "mnist", images=1000, keras=None, runtimes="tflm", tolerance=None, seed=0, data_dir=None, device=board.port
        )
    record = next(record for record in verification.records if record.runtime == "device")
    assert (record.images, record.identical, record.same_class) == (1000, 1, 1)
    assert record.accuracy is not None
    assert verification.agrees
    timing = verification.board
    assert timing is not None
    assert (timing.inferences, timing.ticks_per_second, timing.repeats) == (1000, 1_000_000, 0)
    assert verification.document()["board"]["inferences"] == 1000


@pytest.mark.parametrize(("kind", "share"), [("drop", 2e-4), ("flip", 2e-4), ("add", 2e-4)])
@pytest.mark.parametrize("way", ["to_board", "from_board"])
def test_a_bad_line_changes_no_byte(
    samples: Path, program: Path, kind: str, share: float, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(connection, "LEAST_SECONDS", 0.3)
    line = noisy(5, share * (1 if way == "to_board" else 20), kind)
    lines = {"to_board": whole, "from_board": whole, way: line}
    with (
        serial_board(program, to_board=lines["to_board"], from_board=lines["from_board"]) as board,
        Board(board.port).load(samples / "model_int8.tflite") as model,
    ):
        same_as_tflm(model, samples / "model_int8.tflite", 40)
        assert model.timing.repeats > 0


@pytest.mark.usefixtures("impatient")
def test_a_reset_in_the_middle_is_survived(samples: Path, program: Path) -> None:
    with serial_board(program) as board, Board(board.port).load(samples / "model_int8.tflite") as model:
        timer = threading.Timer(0.2, board.reset)
        timer.start()
        same_as_tflm(model, samples / "model_int8.tflite", 400)
        timer.join()
        assert board.resets == 1


@pytest.mark.usefixtures("impatient")
def test_a_state_that_a_reset_loses_is_built_again(stream: Path, tmp_path: Path) -> None:
    with serial_board(program_of(stream, tmp_path / "lib", "sums")) as board, Board(board.port).load(stream) as model:
        arrays = inputs(stream, 60)
        with get_runtime("tflm").load(stream) as reference:
            expected = reference.run(arrays)[0]
        first = model.run(tuple(each[:20] for each in arrays))[0]
        board.reset()
        rest = model.run(tuple(each[20:] for each in arrays), resume=True)[0]
        np.testing.assert_array_equal(np.concatenate([first, rest]), expected)
        np.testing.assert_array_equal(model.run(arrays)[0], expected)


def test_int16_and_several_edges(samples: Path, tmp_path: Path) -> None:
    artifact = samples / "model_int16x8.tflite"
    with serial_board(program_of(artifact, tmp_path / "lib")) as board, Board(board.port).load(artifact) as model:
        same_as_tflm(model, artifact, 5)


def refusal(work: Callable[[], object], *words: str) -> str:
    started = time.monotonic()
    with pytest.raises(ToolError) as caught:
        work()
    line = str(caught.value)
    assert all(word in line for word in words), line
    assert "\n" not in line
    assert time.monotonic() - started < 60
    return line


@pytest.mark.usefixtures("impatient")
def test_firmware_of_another_model_is_named(samples: Path, program: Path, stream: Path) -> None:
    with serial_board(program) as board:
        refusal(lambda: Board(board.port).load(stream), board.port, "runs another model", "flash")


@pytest.mark.usefixtures("impatient")
def test_silence_and_rubbish_are_told_apart(samples: Path) -> None:
    artifact = samples / "model_int8.tflite"
    with serial_board("sleep", "60") as board:
        refusal(lambda: Board(board.port).load(artifact), "nothing answers", "--baud")
    with serial_board("sh", "-c", "while sleep 0.1; do printf 'x: \\033[2J1.5 V\\n'; done") as board:
        line = refusal(lambda: Board(board.port).load(artifact), "something else answers", "1.5 V")
        assert "\x1b" not in line


@pytest.mark.usefixtures("impatient")
def test_a_board_that_stops_is_one_line(samples: Path, program: Path) -> None:
    def stopping(board: SerialBoard, model: BoardModel) -> None:
        threading.Timer(0.15, lambda: setattr(board, "_to_board", lambda content: b"")).start()
        model.run(inputs(samples / "model_int8.tflite", 2000))

    with serial_board(program) as board, Board(board.port).load(samples / "model_int8.tflite") as model:
        refusal(lambda: stopping(board, model), "stopped answering after", "of 2000 inputs")


@pytest.mark.parametrize(
    ("rest", "hertz", "core"),
    [
        (b"", 0, ""),
        ((16_000_000).to_bytes(4, "little") + b"avr", 16_000_000, "avr"),
        (bytes(4), 0, ""),
        (bytes(4) + b"\xff\x1b", 0, ""),
    ],
)
def test_a_greeting_may_name_the_core(rest: bytes, hertz: int, core: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Firmware that was exported before says nothing of it, and what it says is believed where it is a core's name."""
    greeting = bytes([1, 2, *(784).to_bytes(4, "little"), *(10).to_bytes(4, "little"), *(1000).to_bytes(4, "little"), *range(32)])
    monkeypatch.setattr(Connection, "_asked", lambda *_, **__: Frame("h", greeting + rest))
    master, slave = pty.openpty()
    line = Connection(os.ttyname(slave))
    said = line.greet()
    line.close()
    os.close(master)
    os.close(slave)
    assert (said.input_bytes, said.output_bytes, said.ticks_per_second) == (784, 10, 1000)
    assert (said.hertz, said.core) == (hertz, core)


def test_a_missing_port_says_which_there_are(samples: Path) -> None:
    refusal(lambda: Board("/dev/ttyNOWHERE").load(samples / "model_int8.tflite"), "cannot open /dev/ttyNOWHERE", "no such file")


def test_a_wrong_byte_of_the_board_is_its_fault(samples: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = BoardModel.run

    def wrong(self: BoardModel, *arguments: object, **options: object) -> tuple[np.ndarray, ...]:
        found = run(self, *arguments, **options)  # pyright: ignore[reportArgumentType]
        found[0].reshape(-1)[3] ^= 1
        return found

    monkeypatch.setattr(BoardModel, "run", wrong)
    with serial_board(program) as board:
        verification = verify_file(
            samples / "model_int8.tflite",
            None,
            images=4,
            keras=None,
            runtimes="tflm,generated_c",
            tolerance=None,
            seed=0,
            data_dir=None,
            inputs="random",
            device=board.port,
        )
    assert not verification.agrees
    assert verification.verdict.startswith("The board disagrees on model_int8.tflite over 4 inputs")
    assert "fault of glyphlite" not in verification.verdict
