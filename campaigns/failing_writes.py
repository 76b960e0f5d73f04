"""Every write of every command fails once: the earlier result stays, one line says so, the exit code is 2.

    python campaigns/failing_writes.py [--commands compile train] [--trials 100]

Calls of the file system that write (open, write, fsync, rename, link, mkdir, unlink, ...) fail with ENOSPC and EIO, and do half
of what they were asked where a call can (``tests/support/faults``): of each kind of call, by name, program and path but for the
stems of names, the first, the last and one between; of ``run``, which consists of the others, one. Where nothing was left, the
command is run once more after every fifth trial; where anything was, always: the files must be those of a run that nobody
disturbed. Resumable; writes campaigns/results/failing_writes.json and exits 1 on a fault.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

SEED = 22
ALL = 1_000_000
FAILURES = (
    *("export c-array", "export tflm", "export web", "export cmake", "export python", "export rust", "export android"),
    *("compile", "convert", "train", "report", "compare", "evaluate", "verify", "optimize", "inspect", "predict", "draw"),
    *("pictures", "dataset", "fits", "data check", "run"),
)
"""The commands, ``pictures`` and ``dataset`` being what is kept of data."""


def main() -> int:
    """Runs the trials that are left."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument(
        "--commands", nargs="+", choices=FAILURES, default=list(FAILURES), metavar="COMMAND", help="only these"
    )
    arguments.add_argument("--trials", type=int, default=ALL, help="at most so many of each command")
    options = arguments.parse_args()
    from support.faults.campaign import run_campaign

    wishes = dict.fromkeys(options.commands, int(options.trials))
    return run_campaign("failing_writes", SEED, "failures", wishes)


if __name__ == "__main__":
    sys.exit(main())
