"""A thousand SIGKILLs over every command that takes its time: nothing of the user's lost, the next command ends right.

    python campaigns/kills.py [--kills N] [--commands train run]

Train, convert, run, compile and every kind of export, into a new folder, over an earlier result, over the user's own files,
through a link and into the current folder (``tests/support/faults``). The command, with all its processes or alone, is killed
before or after a call of the file system, or at a random moment; then the same command runs again, with --resume where it says
so. The files must be those of a run that nobody disturbed, the user's untouched, and no temporary file left. Resumable; writes
campaigns/results/kills.json and exits 1 on a fault.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

SEED = 21
KILLS = {
    "export c-array": 330,
    "compile": 250,
    "export tflm": 115,
    "export web": 60,
    "export cmake": 30,
    "export python": 30,
    "export rust": 30,
    "export android": 30,
    "data check": 30,
    "train": 120,
    "convert": 120,
    "run": 60,
}
"""A thousand and some: a hundred of train and convert, sixty of run, which consists of the others, more of what is quick."""


def main() -> int:
    """Runs the trials that are left."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--kills", type=int, default=sum(KILLS.values()), help="about so many, shared out alike")
    arguments.add_argument("--commands", nargs="+", choices=KILLS, default=list(KILLS), metavar="COMMAND", help="only these")
    options = arguments.parse_args()
    from support.faults.campaign import run_campaign

    share = options.kills / sum(KILLS.values())
    return run_campaign("kills", SEED, "kills", {name: max(1, round(KILLS[name] * share)) for name in options.commands})


if __name__ == "__main__":
    sys.exit(main())
