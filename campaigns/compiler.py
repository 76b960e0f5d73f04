"""The compiler against TFLite Micro: random models, random and extreme inputs, every byte compared.

    python campaigns/compiler.py --models 2000 --inputs 1000

Each model is a seed (``tests/compiler/random_models``): half go through Keras and the converter, half are written by hand with
numbers that training would never give. Each is compiled (optimizing in turn for speed, size and ram), built by gcc with the
address and undefined-behaviour sanitizers for one of the paths that the C has (portable, Arm's DSP extension, Cortex-M0, wide
vectors: in turn, or all), and run with its arena full of rubbish and guard zones around it. What was done is kept, so that
Ctrl-C, a crash of either side or a second call lose nothing: models and answers in the user's cache, results by the
hash of the compiler's source. Writes campaigns/results/compiler.json; exits 1 if a byte differs or if the compiler refuses a
model that TFLite Micro takes.
"""

import argparse
import hashlib
import importlib
import json
import multiprocessing
import os
import platform
import signal
import sys
import time
from collections import Counter
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "compiler"), str(ROOT / "tests")]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

MODELS_A_WORKER = 150  # then a fresh process, so that what TensorFlow never frees stays small
SECONDS_A_MODEL = 600


def main() -> int:
    """Run the campaign, or go on with it."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--models", type=int, default=2000, help="how many models to compare")
    arguments.add_argument("--inputs", type=int, default=1000, help="how many inputs a model")
    arguments.add_argument("--first-seed", type=int, default=0)
    arguments.add_argument("--every-path", action="store_true", help="each model on every path of the C, not on one in turn")
    arguments.add_argument("--prepare", action="store_true", help="only draw the models and ask TFLite Micro; compile nothing")
    arguments.add_argument("--cache", type=Path, default=_cache(), help="where models, answers and progress are kept")
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "compiler.json")
    options = arguments.parse_args()

    from glyphlite.console import progress_bar, say
    from glyphlite.files.single import write_json

    versions = _versions()
    writers = _source("tests/compiler/random_models", None)
    drawn = options.cache / f"models-{_digest(json.dumps([versions, writers]))}"
    drawn.mkdir(parents=True, exist_ok=True)
    compiler = _digest(_source("src/glyphlite/compiler", None))
    kind = "prepared" if options.prepare else f"results-{compiler}{'-every-path' * options.every_path}-{options.inputs}"
    log = options.cache / f"{kind}-{drawn.name}.jsonl"
    records = importlib.import_module("random_models.sharded").read_log(log, "seed")
    say(f"{len(records)} seeds done before ({log})") if records else None

    started = time.monotonic()
    worker = _Worker(drawn, options.inputs, options.prepare, options.every_path)
    seed = options.first_seed
    try:
        with log.open("a") as stream, progress_bar("campaign", options.models) as advance:
            compared = 0
            while compared < options.models:
                if seed not in records:
                    records[seed] = worker.run(seed)
                    stream.write(json.dumps(records[seed]) + "\n")
                    stream.flush()
                    if records[seed]["verdict"] not in ("equal", "prepared", "not a model"):
                        verdict = f"seed {seed}: {records[seed]['verdict']}"
                        say(records[seed].get("reason", ""), lead=verdict, style="red")
                if records[seed]["verdict"] != "not a model":
                    compared += 1
                    advance(1)
                seed += 1
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
    finally:
        worker.close()
    if options.prepare:
        return 0
    done = [records[number] for number in sorted(records) if options.first_seed <= number < seed]
    summary = _summary(done, options.inputs, versions, compiler)
    write_json(options.output, summary)
    print(
        json.dumps({key: value for key, value in summary.items() if key not in ("operators", "versions", "not_models")}, indent=2)
    )
    seconds = time.monotonic() - started
    say(f"{options.output}: {summary['models']} models, {summary['differing_bytes']} differing bytes ({seconds:.0f} s)")
    return 0 if summary["models"] == summary["equal"] else 1


class _Worker:
    """A child process that takes seeds and answers records; a crash or a hang of it is a record too."""

    def __init__(self, drawn: Path, inputs: int, prepare: bool, every_path: bool) -> None:
        self._arguments = (drawn, inputs, prepare, every_path)
        self._process: Any = None
        self._pipe: Any = None
        self._served = 0

    def run(self, seed: int) -> dict[str, Any]:
        if self._process is None or self._served >= MODELS_A_WORKER:
            self.close()
            self._start()
        self._served += 1
        self._pipe.send(seed)
        if self._pipe.poll(SECONDS_A_MODEL):
            try:
                return self._pipe.recv()
            except (EOFError, OSError):
                process: Any = self._process
                process.join()
                code = process.exitcode or 0
                reason = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        else:
            reason = f"no answer in {SECONDS_A_MODEL} s"
        self.close()
        answered = (self._arguments[0] / f"{seed}.npz").exists()
        return {
            "seed": seed,
            "verdict": "crash" if answered else "not a model",
            "reason": f"{'' if answered else 'TFLite Micro: '}{reason}",
        }

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, *self._arguments), daemon=True)
        self._process.start()
        there.close()
        self._served = 0

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(pipe: Connection, drawn: Path, inputs: int, prepare: bool, every_path: bool) -> None:
    """The child: silent, deaf to Ctrl-C, until its parent goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    while True:
        try:
            seed = pipe.recv()
        except EOFError:
            return
        pipe.send(_examine(seed, drawn, inputs, prepare, every_path))


def _examine(seed: int, drawn: Path, count: int, prepare: bool, every_path: bool) -> dict[str, Any]:
    """One model, from its seed to a verdict."""
    import tempfile

    import numpy as np

    from glyphlite.errors import GlyphliteError
    from glyphlite.tflite.cost import weight_bits
    from glyphlite.tflite.reader import parse_graph

    random_models, harness = importlib.import_module("random_models"), importlib.import_module("random_models.harness")

    def inputs_of(graph: Any) -> np.ndarray:
        return random_models.stored_inputs(seed, count, graph)

    record: dict[str, Any] = {"seed": seed, "origin": "by hand" if seed % 2 else "Keras"}
    kept = drawn / f"{seed}.npz"
    graph = None
    try:
        if kept.exists():
            with np.load(kept) as stored:
                model, answers = stored["model"].tobytes(), stored["answers"]
        else:
            _, model = random_models.model_of(seed)
            oracle = random_models.Oracle(model)
            graph = parse_graph(model, f"seed {seed}")
            answers = random_models.from_model(graph, oracle.run_all(random_models.to_model(graph, inputs_of(graph))))
            np.savez_compressed(kept.with_suffix(".tmp.npz"), model=np.frombuffer(model, np.uint8), answers=answers)
            kept.with_suffix(".tmp.npz").replace(kept)
    except random_models.RefusedError as error:
        return {**record, "verdict": "not a model", "reason": str(error)}
    except GlyphliteError as error:
        return {**record, "verdict": "refused by the reader", "reason": str(error)}
    graph = graph or parse_graph(model, f"seed {seed}")
    if reason := random_models.undefined(graph):
        return {**record, "verdict": "not a model", "reason": reason.rsplit(" of ", 1)[0]}
    if prepare:
        return {**record, "verdict": "prepared"}
    try:
        record["operators"] = Counter(operator.name for operator in graph.operators)
        record["weight_bits"] = weight_bits(graph)
        if len(answers) < count:  # kept by a call that asked for fewer
            kept.unlink()
            return _examine(seed, drawn, count, prepare, every_path)
        answers, optimize = answers[:count], harness.OPTIMIZE[seed % len(harness.OPTIMIZE)]
        names = list(harness.PATHS)
        paths = names if every_path else [names[seed // 6 % len(names)]]
        record |= {"optimize": optimize, "paths": paths, "bytes": 0, "differing_bytes": 0, "differing_inputs": 0}
        for path in paths:
            with tempfile.TemporaryDirectory(prefix="glyphlite-campaign-") as folder:
                ours = harness.run_generated(graph, inputs_of(graph), Path(folder), optimize=optimize, path=path)
            differing = ours != answers.reshape(ours.shape)
            record["bytes"] += int(ours.size)
            record["differing_bytes"] += int(differing.sum())
            record["differing_inputs"] += int(differing.any(axis=1).sum())
        record["distinct_answers"] = len(np.unique(answers))
    except GlyphliteError as error:
        return {**record, "verdict": "refused", "reason": str(error)}
    except harness.UnsafeError as error:
        return {**record, "verdict": "unsafe", "reason": str(error)}
    except Exception as error:
        return {**record, "verdict": "compiler failed", "reason": f"{type(error).__name__}: {error}"}
    return {**record, "verdict": "differs" if record["differing_bytes"] else "equal"}


def _summary(records: list[dict[str, Any]], inputs: int, versions: dict[str, str], compiler: str) -> dict[str, Any]:
    """The result file: totals, coverage by op, and every model that is not equal."""
    models = [record for record in records if record["verdict"] != "not a model"]
    equal = [record for record in models if record["verdict"] == "equal"]
    operators: Counter[str] = Counter()
    containing: Counter[str] = Counter()
    for record in equal:
        operators.update(record["operators"])
        containing.update(record["operators"].keys())
    return {
        "schema": 1,
        "models": len(models),
        "inputs_per_model": inputs,
        "equal": len(equal),
        "differing_bytes": sum(record.get("differing_bytes", 0) for record in models),
        "compared_bytes": sum(record.get("bytes", 0) for record in models),
        "models_by_origin": Counter(record.get("origin", "unknown") for record in models),
        "models_by_optimization": Counter(record["optimize"] for record in equal),
        "models_by_path": Counter(path for record in equal for path in record["paths"]),
        "models_by_narrowest_weights": Counter(f"{record['weight_bits']} bits" for record in equal if record["weight_bits"]),
        "models_with_one_answer_only": sum(record["distinct_answers"] == 1 for record in equal),
        "operators": {name: {"models": containing[name], "ops": operators[name]} for name in sorted(operators)},
        "problems": [record for record in models if record["verdict"] != "equal"],
        "not_models": Counter(record["reason"] for record in records if record["verdict"] == "not a model"),
        "seeds": [records[0]["seed"], records[-1]["seed"]] if records else [],
        "compiler_source": compiler,
        "versions": versions,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _versions() -> dict[str, str]:
    from glyphlite.emulation.toolchain import host_compiler

    names = ("tensorflow-cpu", "keras", "numpy", "tflite-micro", "ai-edge-litert")
    found = {name: version(name) for name in names if _installed(name)}
    return {**found, "python": platform.python_version(), "compiler": host_compiler().version(), "machine": platform.machine()}


def _installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError

    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _source(folder: str, stems: str | None) -> str:
    """The text of every source file in a folder, or of the named ones."""
    files = sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".j2", ".c", ".h"))
    return "".join(path.read_text() for path in files if stems is None or path.stem in stems.split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _cache() -> Path:
    from glyphlite.files.single import user_cache

    return user_cache() / "campaign"


if __name__ == "__main__":
    sys.exit(main())
