"""The long proofs in ``campaigns/``: each says what it does when asked, before it does anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGNS = sorted((Path(__file__).resolve().parents[1] / "campaigns").glob("*.py"))


@pytest.mark.parametrize("script", CAMPAIGNS, ids=lambda path: path.stem)
def test_a_campaign_explains_itself_and_refuses_what_it_does_not_know(script: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    for arguments, code, words in ((["--help"], 0, "usage:"), (["--no-such-option"], 2, "unrecognized arguments")):
        ended = subprocess.run(
            [sys.executable, script, *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        assert ended.returncode == code, ended.stderr
        assert words in ended.stdout + ended.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "compiler.py --models 1 --inputs 4 --first-seed 1",
        "every_byte.py --bytes 0 0 --inputs 2",
        "one_change.py --seeds 1 1 --every 4000 --inputs 2",
    ],
)
def test_a_campaign_against_tflite_micro_finds_what_it_imports(command: str, tmp_path: Path) -> None:
    """Run as a script, not by pytest, which knows more folders."""
    script, *arguments = command.split()
    ended = subprocess.run(
        [sys.executable, CAMPAIGNS[0].parent / script, *arguments, "--output", tmp_path / "result.json"],
        capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "result.json").is_file()
