"""The cost of `glyphlite --help`: its CPU time against that of importing Typer and Rich alone.

    python benchmarks/help_cpu.py

Both run as processes of their own and take turns, so that a busy machine slows both; medians of user and system time are
compared. Writes benchmarks/results/help_cpu.json.
"""

import argparse
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from glyphlite.files.single import write_json

COMMANDS = {
    "python": ["-c", "pass"],
    "typer_and_rich": ["-c", "import typer, rich"],
    "help": ["-m", "glyphlite", "--help"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "help_cpu.json")
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(options.rounds):
        for name, arguments in COMMANDS.items():
            seconds[name].append(_cpu_seconds(arguments))
    medians = {name: round(statistics.median(each), 4) for name, each in seconds.items()}
    ratio = round(medians["help"] / medians["typer_and_rich"], 2)
    print("".join(f"{name:<16}{median * 1000:6.0f} ms\n" for name, median in medians.items()) + f"{'ratio':<16}{ratio:6.2f}")
    write_json(options.output, {"schema": 1, "rounds": options.rounds, "cpu_seconds": medians, "ratio": ratio})
    return 0


def _cpu_seconds(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
