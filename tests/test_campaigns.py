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
