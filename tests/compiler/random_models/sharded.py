"""A campaign in numbered shards: each is kept as it is done, so that a second call goes on and a part-run has a meaning.

What was done is kept in the user's cache with the hash of the sources that it tried. Shards of other sources are done again,
unless asked otherwise: then those without a fault are taken, and the result file says how many come from which sources.
"""

import hashlib
import json
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glyphlite.console import progress_bar, say
from glyphlite.emulation.toolchain import host_compiler
from glyphlite.files.single import user_cache, write_json
from random_models.differential import SOUND, Verdict
from random_models.equal_before import EqualBefore

ROOT = Path(__file__).resolve().parents[3]
TRIED = ("src/glyphlite/compiler", "src/glyphlite/tflite")
"""The sources that a campaign is about."""
DRAWN_BY = (
    "one_change.py",
    "structured.py",
    "smallest.py",
    "by_hand.py",
    "drafts.py",
    "edges.py",
    "inputs.py",
    "../../support/mutants.py",
)
"""What decides the files that are tried, beside seeds."""
MOST_FAULTS = 200
"""Kept in the result file with their words; all are counted."""


def source_hash() -> str:
    """Returns a digest over the text of every source that a campaign is about, by path."""
    paths = [path for folder in TRIED for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".py", ".j2", ".c", ".h")]
    return _digest(paths)


def digest_of(content: bytes) -> str:
    """Returns the SHA-256 of a file that is tried, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(ROOT)}\0{path.read_text()}\0".encode())
    return digest.hexdigest()


def record(shard: int, contents: Iterable[bytes], verdicts: Sequence[Verdict], words: Callable[[int], Mapping[str, Any]]) -> Any:
    """Returns what is kept of a shard.

    Args:
        shard: its number.
        contents: the files that were tried.
        verdicts: on each of them.
        words: what to keep of the one at a position when it is a fault.
    """
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return {
        "shard": shard,
        "verdicts": Counter(verdict.outcome for verdict in verdicts),
        "different_c": len({verdict.c_digest for verdict in verdicts if verdict.c_digest}),
        "known": sum(verdict.was_known for verdict in verdicts),
        "sha256": digest.hexdigest(),
        "faults": [
            {**words(place), "verdict": verdict.outcome, "why": verdict.why}
            for place, verdict in enumerate(verdicts)
            if verdict.is_fault
        ],
    }


def run_shards(
    name: str,
    shards: range,
    total: int,
    work: Callable[[int, EqualBefore], Any],
    about: Mapping[str, Any],
    output: Path,
    *,
    any_source: bool = False,
) -> int:
    """Does what is missing of the shards and writes the result file.

    Args:
        name: the campaign's, with everything that decides what a shard holds.
        shards: numbers of those to do.
        total: how many there are in the whole campaign.
        work: does one, given what was found equal before, and returns its :func:`record`.
        about: what else the result file says.
        output: the result file.
        any_source: keep shards without a fault that were done with other sources.

    Returns:
        The exit code: 1 where there was a fault.
    """
    source = source_hash()
    folder = user_cache() / "campaign"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = _digest((Path(__file__).parent / name).resolve() for name in DRAWN_BY)
    log = folder / f"{name}-{drawn[:12]}.jsonl"
    done = {
        shard: each
        for shard, each in read_log(log, "shard").items()
        if each["source"] == source or (any_source and not each["faults"])
    }
    before = EqualBefore(folder / f"{name}.equal")
    if done:
        say(f"{len(done)} shards done before ({log})")
    try:
        with log.open("a") as stream, progress_bar(name, len(shards)) as advance:
            for shard in shards:
                if shard not in done:
                    started = _processor_seconds()
                    done[shard] = {**work(shard, before), "source": source}
                    done[shard]["seconds"] = round(_processor_seconds() - started, 1)
                    stream.write(json.dumps(done[shard]) + "\n")
                    stream.flush()
                    for fault in done[shard]["faults"]:
                        say(f"shard {shard}: {fault}")
                advance()
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
    records = [done[shard] for shard in sorted(done)]
    summary = {**about, **_summary(records, total)}
    write_json(output, summary)
    say(f"{summary['tried']:,} tried: {summary['verdicts']}; {summary['fault_count']} faults; {output}")
    return 1 if summary["fault_count"] else 0


def _summary(records: Sequence[Mapping[str, Any]], total: int) -> dict[str, Any]:
    verdicts: Counter[str] = Counter(dict.fromkeys(SOUND, 0))
    digest = hashlib.sha256()
    faults = []
    for each in records:
        verdicts.update(each["verdicts"])
        digest.update(bytes.fromhex(each["sha256"]))
        faults += [{"shard": each["shard"], **fault} for fault in each["faults"]]
    return {
        "tried": verdicts.total(),
        "shards_done": len(records),
        "shards_of_the_whole": total,
        "shards": _ranges([each["shard"] for each in records]),
        "verdicts": dict(sorted(verdicts.items())),
        "different_c_programs": sum(each["different_c"] for each in records),
        "equal_by_the_same_c_as_before": sum(each.get("known", 0) for each in records),
        "fault_count": len(faults),
        "faults": faults[:MOST_FAULTS],
        "sha256": digest.hexdigest(),
        "sources": list(TRIED),
        "shards_by_sources_sha256": Counter(each["source"] for each in records),
        "processor_minutes": round(sum(each["seconds"] for each in records) / 60, 1),
        "versions": {
            **{package: version(package) for package in ("tflite-micro", "ai-edge-litert", "numpy")},
            "python": platform.python_version(),
            "compiler": host_compiler().version(),
        },
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _ranges(numbers: Sequence[int]) -> list[list[int]]:
    """Returns ascending numbers as first and last of each unbroken row."""
    rows: list[list[int]] = []
    for number in numbers:
        if rows and rows[-1][1] == number - 1:
            rows[-1][1] = number
        else:
            rows.append([number, number])
    return rows


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def read_log(log: Path, key: str) -> dict[Any, dict[str, Any]]:
    """Returns what earlier calls did, by what stands under ``key``; a last line cut short by a crash is left out."""
    records = {}
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            each = json.loads(line)
        except ValueError:
            continue
        records[each[key]] = each
    return records
