"""Every write of every command fails once: the earlier result stays, one line says so, the exit code is 2.

    python campaigns/failing_writes.py

Each call of the file system that writes (open, write, fsync, rename, link, mkdir, unlink, ...) fails with ENOSPC and EIO, and
does half of what it was asked where a call can (``tests/support/faults``). Where nothing was left, the command is run once more
after every fifth trial; where anything was, always: the files must be those of a run that nobody disturbed. Resumable; writes
campaigns/results/failing_writes.json and exits 1 on a fault.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

SEED = 22
ALL = 1_000_000
FAILURES = {
    **dict.fromkeys(("export c-array", "export tflm", "export web", "compile", "convert", "train", "report", "compare"), ALL),
    **dict.fromkeys(("evaluate", "inspect", "predict", "draw", "pictures", "dataset"), ALL),
    "run": 12,
}
"""How often each command fails at most. A run makes some nine hundred such calls in half a minute and consists of the other
commands, so only a few of its calls fail."""


def main() -> int:
    """Run the trials that are left."""
    from support.faults.campaign import run_campaign

    return run_campaign("failing_writes", SEED, "failures", FAILURES)


if __name__ == "__main__":
    sys.exit(main())
