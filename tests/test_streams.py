"""Standard streams that are closed, full, read by nobody, or of an encoding that lacks letters: one line at most."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glyphlite.console import write_out_json

GLYPHLITE = f"{sys.executable} -m glyphlite"


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
        env={**os.environ, **environment},
    )


def test_a_closed_stdout_is_no_fault_and_no_files_descriptor() -> None:
    ended = run(f"{GLYPHLITE} datasets --json <&- >&- && {GLYPHLITE} --version >&- 2>&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_an_error_that_cannot_be_said_has_its_exit_code() -> None:
    ended = run(f"{GLYPHLITE} inspect no-such-file.tflite 2>&-")
    assert (ended.returncode, ended.stdout) == (2, "")


@pytest.mark.parametrize("arguments", ["datasets", "datasets --json", "--help"])
def test_a_full_stdout_is_one_line(arguments: str) -> None:
    ended = run(f"{GLYPHLITE} {arguments} >/dev/full")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "cannot write to standard output" in ended.stderr


@pytest.mark.parametrize("arguments", ["datasets", "datasets --json", "--help"])
def test_a_reader_that_left_ends_the_command_in_silence(arguments: str) -> None:
    ended = run(f"exec 3> >(exec true); sleep 0.3; {GLYPHLITE} {arguments} >&3")
    assert (ended.returncode, ended.stderr) == (141, "")


def test_an_encoding_without_the_letters_gets_escapes() -> None:
    strange = {"PYTHONUTF8": "0", "LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}
    ended = run(f"{GLYPHLITE} inspect $'g\\xc3\\xb6\\xff\\xe2\\x80\\xae.tflite'", **strange)
    assert ended.returncode == 2
    assert ended.stderr == "glyphlite: there is no file g\\xc3\\xb6\\xff\\xe2\\x80\\xae.tflite; name a .tflite file\n"


def test_json_is_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"größe": "\x1b\udcff\u2028 µ"}
    for encoding in ("ascii", "latin-1", "utf-8"):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        write_out_json(document)
        assert json.loads(written.getvalue().decode(encoding)) == document
        assert not {0x1B, 0x9B} & set(written.getvalue())


@pytest.mark.slow
def test_settings_of_other_programs_change_nothing(tmp_path: Path) -> None:
    """Keras's own file in the home, and matplotlib's in the current folder: there a pipe, which it would wait for."""
    (tmp_path / "keras.json").write_text('{"floatx": "float16", "backend": "jax", "image_data_format": "channels_first"}')
    os.mkfifo(tmp_path / "matplotlibrc")
    code = (
        "from importlib.util import find_spec; from glyphlite.console import ignore_settings_of_libraries; "
        "ignore_settings_of_libraries(); find_spec('keras'); import keras, matplotlib; "
        "print(keras.config.floatx(), keras.config.image_data_format(), keras.config.backend(), matplotlib.get_backend())"
    )
    ended = run(
        f'cd {tmp_path} && {sys.executable} -P -c "{code}"', KERAS_HOME=str(tmp_path), MPLBACKEND="bogus", KERAS_BACKEND="jax"
    )
    assert ended.stdout == "float32 channels_last tensorflow agg\n", ended.stderr


def test_a_current_folder_that_was_removed_is_said(tmp_path: Path) -> None:
    artifact = Path(__file__).parent / "samples" / "micro-cnn" / "model_int8.tflite"
    ended = run(f"mkdir {tmp_path}/x && cd {tmp_path}/x && rmdir ../x && {GLYPHLITE} export {artifact} --for c-array --out y")
    assert (ended.returncode, ended.stderr) == (2, "glyphlite: the current folder is no longer there; go to another one\n")


@pytest.mark.parametrize(("error", "said"), [("OSError(5, 'Input/output error')", ""), ("KeyError('x')", "KeyError: 'x'")])
def test_a_library_that_cannot_clean_up_at_the_end_prints_nothing(error: str, said: str) -> None:
    """As TensorFlow's code of traced functions, on a disk that fails; what is no failure of the system stays visible."""
    code = (
        f"import atexit, sys; atexit.register((_ for _ in ()).throw, {error}); sys.argv = ['glyphlite', 'models', '--json']; "
        "from glyphlite.__main__ import main; main()"
    )
    ended = run(f'{sys.executable} -P -c "{code}"')
    assert (ended.returncode, ended.stderr.strip().splitlines()[-1:]) == (0, [said] if said else [])
