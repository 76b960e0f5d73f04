"""Every .tflite file below a folder through everything: inspect, every runtime, generated C on every path and on two cores.

    python campaigns/corpus.py ../shared/corpus

Needs no dataset: each file gets random inputs over the whole range of its type, extremes and constants among them. Prints a line
per file, which ops stand in the way of how many, and arenas beside TFLite Micro's; the JSON beside it has every word. What was
done is kept, so that a second call goes on; under other sources of ours a file is compiled again, and tried where its C is new.
Exits 1 where a byte of generated C differs from TFLite Micro's, a sanitizer speaks, or a stage ends otherwise than by a refusal
in one line. Files of others are measured, never committed.
"""

import argparse
import importlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from glyphlite.console import progress_bar, say
from glyphlite.escaping import printable
from glyphlite.files.single import user_cache, write_json

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "compiler"), str(ROOT / "tests")]
LONGEST_NAME = 44
Record = Mapping[str, Any]


def main() -> int:
    """Tries every file and writes what became of each."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("folder", type=Path, nargs="?", default=ROOT / "tests" / "samples")
    arguments.add_argument("--inputs", type=int, default=12, help="per file")
    arguments.add_argument("--largest", type=int, default=1_500_000, help="bytes of a file; larger ones are left out")
    arguments.add_argument("--output", type=Path, default=Path("corpus.json"))
    options = arguments.parse_args()
    if not options.folder.is_dir():
        say(f"{options.folder} is no folder; name one that holds .tflite files")
        return 2
    records = dict(_records(options.folder, options.inputs, options.largest))
    document = {"campaign": "whole files", "inputs_per_file": options.inputs, **summary(list(records.values())), "files": records}
    write_json(options.output, document)
    print("\n".join(table(records)))
    print("\n".join(in_words(document)))
    return 1 if document["faults"] else 0


def _records(folder: Path, inputs: int, largest: int) -> Iterator[tuple[str, Record]]:
    """Yields every file's path below the folder and what became of it; equal files are tried once."""
    parts = ("whole_files", "sharded", "equal_before")
    whole_files, sharded, equal_before = (importlib.import_module(f"random_models.{name}") for name in parts)
    source = sharded.source_hash()
    log = user_cache() / "campaign" / f"corpus-{inputs}.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    before = equal_before.EqualBefore(log.with_name("corpus.equal"))
    done = sharded.read_log(log, "sha256")
    paths = [path for path in sorted(folder.rglob("*.tflite")) if path.is_file() and path.stat().st_size <= largest]
    with log.open("a") as stream, progress_bar("whole files", len(paths)) as advance:
        for path in paths:
            content = path.read_bytes()
            digest = sharded.digest_of(content)
            earlier = done.get(digest)
            if earlier is None or earlier["source"] != source:
                clean = None if earlier is None or earlier["faults"] else earlier
                found = whole_files.try_file(content, inputs=inputs, earlier=clean, before=before)
                done[digest] = {**found, "source": source}
                stream.write(json.dumps(done[digest]) + "\n")
                stream.flush()
            yield str(path.relative_to(folder)), done[digest]
            advance()


def runs(record: Record, runtime: str) -> bool:
    """Returns whether a runtime executed the file."""
    return bool(record.get("runtimes", {}).get(runtime, {}).get("runs"))


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """Returns the counts of all files."""
    run = [record for record in records if runs(record, "tflm")]
    integer = [record for record in run if record.get("int8")]
    refused = [record for record in integer if record.get("compiles") is not True]
    compiled = [record["runtimes"][name] for record in integer for name in ("generated_c",) if runs(record, name)]
    return {
        "tried": len(records),
        "tflm_runs": len(run),
        "tflm_runs_and_reads": sum(record["reads"] is True for record in run),
        "quantized_that_tflm_runs": len(integer),
        "compile": len(integer) - len(refused),
        "output_bytes": sum(each["output_bytes"] for each in compiled),
        "differing_bytes": sum(each["differing_bytes"] for each in compiled),
        "ops_in_the_way": dict(Counter(op for record in refused for op in record["unsupported"]).most_common()),
        "refusals": dict(Counter(_kind(record) for record in refused).most_common()),
        "faults": sum(len(record["faults"]) for record in records),
    }


def _kind(record: Record) -> str:
    """Returns what stands in the way of a file: its unsupported ops, else the words of the refusal."""
    return " + ".join(record["unsupported"]) or str(record["compiles"])


def table(records: Mapping[str, Record]) -> Iterator[str]:
    """Yields a line per file."""
    titles = f"{'bytes':>9} {'TFLM':>5} {'LiteRT':>7} {'C':>7} {'M0':>5} {'M4':>5} {'arena':>9} {'of TFLM':>9}"
    yield f"{'File':{LONGEST_NAME}} {titles}"
    for name, record in records.items():
        cells = [_cell(record, runtime) for runtime in ("litert_builtin", "generated_c", "cortex_m0", "cortex_m4")]
        arenas = [f"{record[key]:,}" if key in record else "" for key in ("c_arena_bytes", "tflm_arena_bytes")]
        tflm = "runs" if runs(record, "tflm") else "no"
        short = printable(name)[-LONGEST_NAME:]
        litert, c, m0, m4 = cells
        line = f"{short:{LONGEST_NAME}} {record['bytes']:>9,} {tflm:>5} {litert:>7} {c:>7} {m0:>5} {m4:>5}"
        yield f"{line} {arenas[0]:>9} {arenas[1]:>9}".rstrip()
        for fault in record["faults"]:
            yield f"    FAULT {printable(fault)}"
        if record.get("reads") is not True:
            yield f"    not read: {printable(str(record.get('reads')))}"
        elif record.get("int8") and record["compiles"] is not True:
            yield f"    no C: {printable(str(record['compiles']))}"


def _cell(record: Record, runtime: str) -> str:
    """Returns "=" where a runtime gave TFLite Micro's bytes, else the largest difference; "no" where it does not run the file."""
    found = record.get("runtimes", {}).get(runtime, {})
    if not found.get("runs"):
        return "no"
    if "differing_bytes" not in found:
        return "runs"
    return "=" if not found["differing_bytes"] else f"{found['largest_difference']:.3g}"


def in_words(document: Mapping[str, Any]) -> Iterator[str]:
    """Yields what all files come to."""
    yield (
        f"{document['tried']} files; TFLite Micro runs {document['tflm_runs']}, of which {document['tflm_runs_and_reads']} are "
        f"read. Of the {document['quantized_that_tflm_runs']} with int8 or int16 activations {document['compile']} compile; "
        f"{document['differing_bytes']} of {document['output_bytes']:,} output bytes differ."
    )
    for refusal, count in document["refusals"].items():
        yield f"{count:4} {printable(refusal)[:150]}"


if __name__ == "__main__":
    sys.exit(main())
