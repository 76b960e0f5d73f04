"""Commands killed, and failing, at every call of the file system: no file of the user lost, the next command ends right.

    python campaigns/faults.py [--trials N]

Exports and compilations into a new folder, over an earlier result, over the user's own files, through a link and into the current
folder (``tests/faults/trial.py``). At each call (open to write, write, fsync, rename, unlink, mkdir, link) the process is killed
before or after it, or the call fails with ENOSPC or EIO, or writes half. Writes campaigns/results/faults.json; exits 1 on a
fault.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tests" / "faults"
SEED = 21


def main() -> int:
    """Build the library, run the trials, write their counts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--trials", type=int, default=100_000, help="at most so many; every call by default")
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "faults.json")
    options = arguments.parse_args()

    from glyphlite.console import progress_bar, say
    from glyphlite.files import write_json

    with tempfile.TemporaryDirectory(prefix="glyphlite-faults-") as folder, progress_bar("trials", None) as advance:
        library = Path(folder) / "faults.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, TOOLS / "faults.c", "-ldl"], check=True)
        (Path(folder) / "trials").mkdir()
        command = [sys.executable, TOOLS / "run.py", Path(folder) / "trials", ROOT / "tests" / "samples" / "micro-cnn"]
        trials: list[dict[str, Any]] = []
        with subprocess.Popen(
            [*map(str, command), str(SEED), str(options.trials)],
            env={**os.environ, "LD_PRELOAD": str(library)},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                trials.append(json.loads(line))
                advance()
                if trials[-1]["fault"]:
                    say(f"fault: {trials[-1]}")
    faults = [trial for trial in trials if trial["fault"]]
    document = {
        "seed": SEED,
        "trials": len(trials),
        "killed": sum(trial["mode"] in ("before", "after") and not trial["finished"] for trial in trials),
        "failed": sum(trial["mode"] not in ("before", "after") and not trial["finished"] for trial in trials),
        "finished_all_the_same": sum(trial["finished"] for trial in trials),
        "by_command": dict(sorted(Counter(f"{trial['command']}, {trial['scenario']}" for trial in trials).items())),
        "calls": {f"{trial['command']}, {trial['scenario']}": trial["calls"] for trial in trials},
        "faults": faults,
        "system": platform.platform(terse=True),
    }
    write_json(options.output, document)
    say(f"{len(trials)} trials, {len(faults)} faults: {options.output}")
    return 1 if faults or process.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
