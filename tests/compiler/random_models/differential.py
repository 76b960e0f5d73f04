"""Models through TFLite Micro and through generated C, whatever the models: equal, refused by one, or different.

Both the reading and compiling of a model and TFLite Micro run in a child with limits (``guarded``): TFLite Micro may die of a
model that its own checks let pass, and a crash, a hang or a gigabyte of ours is what is looked for. Equal C is built and run
once; what was found equal before (``equal_before``) is read and compiled, but not built and run again.
"""

import hashlib
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from glyphlite.compiler import compile_graph
from glyphlite.compiler.codegen import c_text
from glyphlite.compiler.compile import Compilation
from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import quantize
from glyphlite.tflite.reader import parse_graph
from random_models import guarded
from random_models.batches import NAME, Program, program_of, run_batch
from random_models.equal_before import EqualBefore, key_of
from random_models.inputs import edges_of, from_model, held_types, split_inputs, stored_inputs, to_model
from random_models.oracle import Oracle, RefusedError, undefined

SOUND = ("equal", "not read", "not compiled", "not defined", "too large", "refused by TFLite Micro", "fatal in TFLite Micro")
FAULTS = ("different", "unsafe", "failed", "died")
"""Possible outcomes of a model.

"not defined": TFLite Micro accepts it but leaves its result to chance; "too large": its C needs more than TFLite Micro is given.
"unsafe" and "different" are faults of the generated C, "failed" (not by a refusal in one line) and "died" (a signal, over 2 s,
over 1 GiB) those of reader and compiler.
"""
TFLM_SECONDS = 20
MOST_BYTES = 4 << 20
"""Of input, output and arena together: what TFLite Micro is given."""
BATCH = 64
MOST_KNOWN = 32
"""Graphs whose C is kept while a child lives."""
LONGEST_LINE = 1000


@dataclass(frozen=True)
class Verdict:
    """What became of one model: an outcome, words on it, a digest of its C where it was compiled, and whether before this run."""

    outcome: str
    why: str = ""
    c_digest: str = ""
    was_known: bool = False

    @property
    def is_fault(self) -> bool:
        """Whether somebody has to look at it."""
        return self.outcome in FAULTS


def compare(content: bytes, *, inputs: int = 24, seed: int = 0, optimize: str = "speed", path: str = "plain") -> tuple[str, str]:
    """Compares both on the same inputs.

    Args:
        content: a .tflite file.
        inputs: how many.
        seed: draws them.
        optimize: as the compiler's.
        path: as :func:`random_models.harness.run_generated`.

    Returns:
        One of :data:`SOUND` or :data:`FAULTS`, and words on it.
    """
    verdict = examine([content], inputs=inputs, seed=seed, optimize=optimize, path=path)[0]
    return verdict.outcome, verdict.why


def examine(
    contents: Sequence[bytes],
    *,
    inputs: int = 24,
    seed: int = 0,
    optimize: str = "speed",
    path: str = "plain",
    before: EqualBefore | None = None,
) -> list[Verdict]:
    """Compares many models; arguments as those of :func:`compare`, and what was found equal before, which grows."""
    before = EqualBefore() if before is None else before
    _read_templates()
    stages = guarded.each(_Trial(inputs, seed, optimize, path, before).stages, contents)
    return _verdicts(stages, path, before)


def examine_on_paths(
    contents: Sequence[bytes],
    paths: Iterable[str],
    *,
    inputs: int = 24,
    seed: int = 0,
    optimize: str = "speed",
    before: EqualBefore | None = None,
) -> dict[str, list[Verdict]]:
    """Compares many models on several paths, each compiled and answered by TFLite Micro once; verdicts by path."""
    before = EqualBefore() if before is None else before
    _read_templates()
    stages = guarded.each(_Trial(inputs, seed, optimize, "", EqualBefore()).stages, contents)
    found: dict[str, list[Verdict]] = {}
    for path in paths:
        at_path = [
            [first.on(path, content), *rest] if isinstance(first, _Compiled) else [first, *rest]
            for (first, *rest), content in zip(stages, contents, strict=True)
        ]
        found[path] = _verdicts(at_path, path, before)
    return found


def _verdicts(stages: Sequence[Sequence[object]], path: str, before: EqualBefore) -> list[Verdict]:
    """Returns the verdicts on models whose stages in the child are known, their C built and run where it is new."""
    known: dict[str, bytes | str] = {}
    firsts = [found[0] for found in stages if found]
    waiting = {first.digest: first for first in firsts if isinstance(first, _Compiled) and first.key not in before}
    programs = list(waiting.values())
    for first in range(0, len(programs), BATCH):
        batch = programs[first : first + BATCH]
        answers = run_batch([each.program for each in batch], [each.stored for each in batch], path=path)
        known |= {each.digest: answer for each, answer in zip(batch, answers, strict=True)}
    verdicts = [_judge(found, known) for found in stages]
    equal = [found[0] for found, verdict in zip(stages, verdicts, strict=True) if verdict.outcome == "equal"]
    before.add({each.key for each in equal if isinstance(each, _Compiled)})
    return verdicts


@cache
def _read_templates() -> None:
    """Reads every template once, before children are forked that would each do so."""
    environment = c_text._environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


@dataclass(frozen=True)
class _Compiled:
    """A model that the compiler takes: its C, the inputs to try, and what identifies both."""

    program: Program
    stored: bytes
    key: bytes

    @classmethod
    def of(cls, program: Program, content: bytes, stored: bytes, path: str) -> "_Compiled":
        """Makes one from a file, its C and the inputs."""
        return cls(program, stored, key_of(content, f"{program.text}\0{program.call}", stored, path))

    def on(self, path: str, content: bytes) -> "_Compiled":
        """Returns the same file's C on another path."""
        return _Compiled.of(self.program, content, self.stored, path)

    @property
    def digest(self) -> str:
        """Of the C; the inputs follow from it and the seed."""
        return hashlib.sha256(self.program.text.encode()).hexdigest()


@dataclass(frozen=True)
class _Answers:
    """What TFLite Micro answers, as generated C gives it."""

    stored: bytes


class _Trial:
    """The stages of one model that run in the child."""

    def __init__(self, inputs: int, seed: int, optimize: str, path: str, before: EqualBefore) -> None:
        self._inputs, self._seed, self._optimize = inputs, seed, optimize
        self._path, self._before = path, before
        self._known: dict[bytes, Compilation | ArtifactError] = {}

    def stages(self, content: bytes) -> Iterator[Verdict | _Compiled | _Answers]:
        """Yields the C of a model and then the answers of TFLite Micro, or a verdict in the place of either."""
        try:
            graph = parse_graph(content, "model")
        except ArtifactError as error:
            yield _refusal("not read", error)
            return
        except Exception as error:  # what no refusal covers is what is looked for
            yield Verdict("failed", f"reader: {type(error).__name__}: {error}")
            return
        try:
            compilation = self._compile(graph)
        except Exception as error:
            yield Verdict("failed", f"compiler: {type(error).__name__}: {error}")
            return
        if isinstance(compilation, ArtifactError):
            yield _refusal("not compiled", compilation)
            return
        report = compilation.report
        if report.input_bytes + report.output_bytes + report.arena_bytes > MOST_BYTES:
            yield Verdict("too large", f"{report.arena_bytes:,} bytes of arena")
            return
        stored = stored_inputs(self._seed, self._inputs, graph)
        compiled = _Compiled.of(program_of(compilation), content, stored.tobytes(), self._path)
        if compiled.key in self._before:
            yield Verdict("equal", "", compiled.digest, was_known=True)
            return
        yield compiled
        guarded.alarm(TFLM_SECONDS)
        yield _reference(content, graph, stored)

    def _compile(self, graph: Graph) -> Compilation | ArtifactError:
        """Returns what the compiler makes of a graph, or its refusal: once for those that read alike, as most do."""
        key = hashlib.sha256(pickle.dumps(graph)).digest()
        if key not in self._known:
            if len(self._known) == MOST_KNOWN:
                self._known.clear()
            try:
                self._known[key] = compile_graph(graph, NAME, optimize=self._optimize)
            except ArtifactError as error:
                self._known[key] = error
        return self._known[key]


def _refusal(outcome: str, error: ArtifactError) -> Verdict:
    """Returns the verdict on a refusal, which must be one line that a person can read."""
    line = str(error)
    clear = line.isprintable() and 20 <= len(line) <= LONGEST_LINE
    return Verdict(outcome if clear else "failed", line if clear else f"not a clear refusal: {line[:200]!r}")


def _reference(content: bytes, graph: Graph, stored: np.ndarray) -> Verdict | _Answers:
    """Returns TFLite Micro's answers as generated C gives them, or why there are none."""
    if reason := undefined(graph):
        return Verdict("not defined", reason)
    with np.errstate(over="ignore", invalid="ignore"):
        taken = to_model(graph, stored)
        if not _stand_for(graph, taken, stored):
            return Verdict("not defined", "no float32 stands for some stored inputs")
        try:
            answers = Oracle(content, tried=False).run_all(taken)
        except RefusedError as error:
            return Verdict("refused by TFLite Micro", str(error))
        if any(answer.dtype == np.float32 and not np.isfinite(answer).all() for answer in answers):
            return Verdict("not defined", "an output beyond float32")
        return _Answers(from_model(graph, answers).tobytes())


def _stand_for(graph: Graph, taken: Sequence[np.ndarray], stored: np.ndarray) -> bool:
    """Returns whether what the model takes is stored as what generated C is given."""
    back = [
        quantize(values, edge, dtype) if values.dtype == np.float32 else None
        for values, edge, dtype in zip(taken, edges_of(graph)[0], held_types(graph)[0], strict=True)
    ]
    parts = split_inputs(graph, stored)
    return all(found is None or np.array_equal(found, part) for found, part in zip(back, parts, strict=True))


def _judge(found: Sequence[object], known: dict[str, bytes | str]) -> Verdict:
    """Returns the verdict on what the stages of one model found and its C answered."""
    first = found[0]
    if isinstance(first, guarded.Ended):
        return Verdict("died", first.reason)
    if isinstance(first, Verdict):
        return first
    assert isinstance(first, _Compiled)
    if first.digest not in known:
        return Verdict("equal", "", first.digest, was_known=True)
    got, last = known[first.digest], found[1]
    if isinstance(got, str):
        return Verdict("unsafe", got, first.digest)
    if isinstance(last, guarded.Ended):
        return Verdict("fatal in TFLite Micro", last.reason, first.digest)
    if isinstance(last, Verdict):
        return Verdict(last.outcome, last.why, first.digest)
    assert isinstance(last, _Answers)
    if got == last.stored:
        return Verdict("equal", "", first.digest)
    ours, theirs = np.frombuffer(got, np.int8), np.frombuffer(last.stored, np.int8)
    if len(ours) != len(theirs):
        return Verdict("different", f"{len(ours)} bytes instead of {len(theirs)}", first.digest)
    return Verdict("different", f"{(ours != theirs).mean():.0%} of {ours.size} bytes", first.digest)
