"""Pipes, sockets, devices and folders in the place of every file that a command takes: refused in one line, at once."""

import os
import socket
import sys
from pathlib import Path

import pytest
from PIL import Image

from glyphlite.__main__ import main
from glyphlite.errors import OutputError
from glyphlite.files.single import write_bytes
from glyphlite.files.untrusted import special_kind

ARTIFACT = str(Path(__file__).parent / "samples" / "micro-cnn" / "model_int8.tflite")
COMMANDS = (
    "inspect x.tflite",
    "verify x.tflite",
    "compile x.tflite",
    "compile ARTIFACT --out out --dataset x.npz",
    "compile ARTIFACT --out out --dataset x.csv",
    "compile ARTIFACT --out out --dataset x",
    "export x.tflite --for c-array --out out",
    "export x.tflite --for web --out out",
    "export x.tflite --for tflm --out out",
    "simulate x.tflite",
    "draw x.tflite",
    "evaluate x.tflite",
    "evaluate x.keras",
    "evaluate ARTIFACT --dataset x.npz",
    "predict x.tflite a.png",
    "predict ARTIFACT x.png",
    "predict ARTIFACT --sample 0 --dataset x.npz",
    "convert x.keras --out out",
    "convert x.h5 --out out",
    "convert x.py:model --out out",
    "train x.keras --out out",
    "train x.py:model --out out",
    "train micro-cnn --dataset x.npz --out out",
    "train micro-cnn --dataset x.csv.gz --out out",
    "run --model x.keras --out out",
    "run --dataset x.npz --out out",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_regular_file_ends_a_command_at_once(
    command: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = command.replace("ARTIFACT", ARTIFACT).split()
    path = Path(next(word for word in words if word.startswith("x")).partition(":")[0])
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    monkeypatch.setattr(sys, "argv", ["glyphlite", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    last = capfd.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2
    assert f"{path} is a {kind}; expected a" in last
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "command", ["inspect ARTIFACT --no-runtimes --graph x.svg", "predict SEVEN --model ARTIFACT --show x.png"]
)
def test_what_is_no_regular_file_is_never_replaced(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("L", (28, 28), 255).save("seven.png")
    words = command.replace("ARTIFACT", ARTIFACT).replace("SEVEN", "seven.png").split()
    os.mkfifo(words[-1])
    monkeypatch.setattr(sys, "argv", ["glyphlite", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"{words[-1]} is a pipe; name another file with {words[-2]}" in capfd.readouterr().err
    with pytest.raises(OutputError, match="it is a pipe"):
        write_bytes(Path(words[-1]), b"")
    assert Path(words[-1]).is_fifo()
    assert special_kind(Path("/dev/null")) == "a device"
