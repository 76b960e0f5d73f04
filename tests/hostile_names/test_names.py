"""Some hostile names through the quick commands; ``campaigns/names.py`` takes a hundred of them through every command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES, SEED = 3, 4


@pytest.mark.slow
def test_hostile_names_break_out_of_nothing(tmp_path: Path) -> None:
    output = tmp_path / "names.json"
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "campaigns" / "names.py", "--quick", "--names", str(NAMES), "--seed", str(SEED)),
            *("--jobs", "1", "--output", output),
        ],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "MPLCONFIGDIR": str(tmp_path / "matplotlib")},
    )
    assert output.exists(), done.stderr
    result = json.loads(output.read_text())
    assert result["faults"] == []
    assert done.returncode == 0
    assert result["names"] == NAMES
    assert result["exit_codes"].keys() == {"0", "2"}
