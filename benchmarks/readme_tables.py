"""The README's tables, from the files that were measured: the results.json of runs, the comparison with CMSIS-NN, the frontier.

    glyphlite run --model all && python benchmarks/readme_tables.py runs/* [--write]

Prints them; ``--write`` puts them between the marks in README.md. Nothing in them is written by hand.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from glyphlite.results import Results

ROOT = Path(__file__).parents[1]
CORTEX_M = ROOT / "benchmarks" / "results" / "cortex_m.json"
FRONTIER = ROOT / "benchmarks" / "results" / "frontier.json"


def accuracy_table(runs: list[Results]) -> str:
    """Each model: its size, its accuracy in float and as int8, and what TFLite Micro and generated C need for it."""
    lines = [
        "| Model | Parameters | MACs | Keras, % right | int8, % right (95 % interval) | int8 bytes | float32 bytes "
        "| Arena, TFLite Micro | Arena, our C |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for run in sorted(runs, key=lambda each: each.keras.parameters):
        artifacts = {each.variant: each for each in run.artifacts}
        int8 = artifacts["int8"]
        arena = int8.runtimes["tflm"].arena_bytes
        lines.append(
            f"| {run.model} | {run.keras.parameters:,} | {run.keras.macs:,} | {run.keras.accuracy.value * 100:.2f} "
            f"| **{int8.accuracy.value * 100:.2f}** ({int8.accuracy.low * 100:.2f} to {int8.accuracy.high * 100:.2f}) "
            f"| {int8.bytes:,} | {artifacts['float32'].bytes:,} | {arena:,} | {run.firmware[0].arena_bytes:,} |"
        )
    return "\n".join(lines)


def firmware_table(document: dict) -> str:
    """Each model on each core: instructions and RAM of generated C, beside CMSIS-NN's kernels for the same layers."""
    lines = [
        "| Model | Core | Instructions, our C | CMSIS-NN's kernels | Ratio | RAM, our C | CMSIS-NN | Code, our C | CMSIS-NN |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in document["rows"]:
        ours, theirs = row["ours"], row["cmsis_nn"]
        lines.append(
            f"| {row['model']} | {row['core'].replace('cortex-m', 'Cortex-M')} | {ours['instructions']:,} "
            f"| {theirs['instructions']:,} | **{row['instructions_ratio']:.1f}** | {ours['ram_bytes']:,} "
            f"| {theirs['ram_bytes']:,} | {ours['code_bytes']:,} | {theirs['code_bytes']:,} |"
        )
    return "\n".join(lines)


def frontier_table(document: dict[str, Any]) -> str:
    """Each shipped model: bytes, accuracy over its seeds, the shipped file's, robustness, and what is published of that size."""
    lines = [
        "| Model | Weights, bytes | Bits of one | File, bytes | MACs | % right, mean over seeds | Worst "
        "| Shipped file (95 % interval) | Keras | Corrupted | load_digits | Published with at least as many bytes (or MACs) |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    lines += [_frontier_row(each) for each in (*document["members"], *document["others"])]
    return "\n".join(lines)


def _frontier_row(row: dict[str, Any]) -> str:
    """A shipped model's line, or a run's that is there to compare with and has one seed."""
    accuracy, robust = row["accuracy"], row.get("robustness")
    over_seeds = worst = keras = published = ""
    if "seeds" in row:
        deviation = "" if row["deviation"] is None else f" ± {row['deviation'] * 100:.2f}"
        over_seeds, worst = f"**{row['mean'] * 100:.2f}**{deviation} ({len(row['seeds'])})", f"{row['worst'] * 100:.2f}"
        keras = f"{row['keras']['accuracy']['value'] * 100:.2f}"
        if against := row["against"]:
            ahead = "ahead of" if row["ahead"] else "behind"
            size = f"{against['bytes']:,} bytes" if "bytes" in against else f"{against['macs']:,} MACs"
            published = f"{ahead} {against['name']}: {size}, {against['accuracy'] * 100:.2f}"
    cells = [
        row["model"],
        f"{row['weight_bytes']:,}",
        str(row["weight_bits"]),
        f"{row['bytes']:,}",
        f"{row['macs']:,}",
        over_seeds,
        worst,
        f"{accuracy['value'] * 100:.2f} ({accuracy['low'] * 100:.2f} to {accuracy['high'] * 100:.2f})",
        keras,
        f"{robust['mean'] * 100:.1f}" if robust else "",
        f"{robust['load_digits']['value'] * 100:.1f}" if robust else "",
        published,
    ]
    return f"| {' | '.join(cells)} |"


def robustness_table(document: dict[str, Any]) -> str:
    """Each model under each corruption, the mean of its three strengths; models that were not measured so are left out."""
    rows = [each for each in (*document["members"], *document["others"]) if "robustness" in each]
    if not rows:
        return ""
    names = list(rows[0]["robustness"]["corruptions"])
    lines = [f"| Model | Clean | {' | '.join(names)} | Mean | load_digits |", f"|---|{'--:|' * (len(names) + 3)}"]
    for row in rows:
        robust = row["robustness"]
        means = [sum(levels) / len(levels) for levels in robust["corruptions"].values()]
        worst = min(means)
        cells = [f"*{mean * 100:.1f}*" if mean == worst else f"{mean * 100:.1f}" for mean in means]
        others = (robust["mean"], robust["load_digits"]["value"])
        cells = [row["model"], f"{row['accuracy']['value'] * 100:.2f}", *cells, *(f"{each * 100:.1f}" for each in others)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def put(text: str, name: str, table: str) -> str:
    """The text with a table between the marks of that name."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"there are no marks for {name}")
    return pattern.sub(lambda match: f"{match[1]}{table}\n{match[2]}", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, default=sorted((ROOT / "runs").glob("*")), help="folders of finished runs")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    arguments = parser.parse_args()
    runs = [Results.load(folder / "results.json") for folder in arguments.runs if (folder / "results.json").is_file()]
    tables = {"accuracy": accuracy_table(runs)} if runs else {}
    for name, path, table in (("firmware", CORTEX_M, firmware_table), ("frontier", FRONTIER, frontier_table)):
        if path.is_file():
            tables[name] = table(json.loads(path.read_text()))
    if not runs:
        print("there is no finished run for the table of accuracies; make them with: glyphlite run --model all\n")
    readme = ROOT / "README.md"
    text = readme.read_text()
    for name, table in tables.items():
        print(f"{table}\n")
        text = put(text, name, table) if arguments.write else text
    if arguments.write:
        readme.write_text(text)


if __name__ == "__main__":
    main()
