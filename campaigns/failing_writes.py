"""Every write of every command fails once: the earlier result stays, one line says so, the exit code is 2.

    python campaigns/failing_writes.py [--commands compile train] [--trials 100]

Each call of the file system that writes (open, write, fsync, rename, link, mkdir, unlink, ...) fails with ENOSPC and EIO, and
does half of what it was asked where a call can (``tests/support/faults``). Where nothing was left, the command is run once more
after every fifth trial; where anything was, always: the files must be those of a run that nobody disturbed. Resumable; writes
campaigns/results/failing_writes.json and exits 1 on a fault.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

SEED = 22
ALL = 1_000_000
FAILURES = {
    **dict.fromkeys(("export c-array", "export tflm", "export web", "export cmake", "compile", "convert", "train"), ALL),
    **dict.fromkeys(("report", "compare", "evaluate", "optimize", "inspect", "predict", "draw", "pictures", "dataset"), ALL),
    "run": 100,
}
"""How often each command fails at most. A run makes some 1,100 such calls in ten seconds and consists of the other commands, so
only some of its calls fail."""


def main() -> int:
    """Runs the trials that are left."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument(
        "--commands", nargs="+", choices=FAILURES, default=list(FAILURES), metavar="COMMAND", help="only these"
    )
    arguments.add_argument("--trials", type=int, default=ALL, help="at most so many of each command")
    options = arguments.parse_args()
    from support.faults.campaign import run_campaign

    return run_campaign(
        "failing_writes", SEED, "failures", {name: min(FAILURES[name], options.trials) for name in options.commands}
    )


if __name__ == "__main__":
    sys.exit(main())
