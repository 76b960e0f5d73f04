"""The campaigns' tools find what they are there to find: a bad program in a batch, a crash, a hang, too much memory."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from random_models import guarded, model_of
from random_models.batches import Program, run_batch
from random_models.differential import examine

COMMON = "typedef struct { int words[2]; } net_arena_t;\n"


def _program(body: str) -> Program:
    signature = "void net_invoke(const signed char *input, signed char *output, net_arena_t *arena)"
    return Program(f"{COMMON}{signature} {{ {body} }}\n", input_bytes=2, output_bytes=1)


def test_a_bad_program_among_good_ones_is_named_and_the_others_answer() -> None:
    sum_of_both = _program("arena->words[1] = input[0] + input[1]; output[0] = (signed char)arena->words[1];")
    answers = run_batch(
        [
            sum_of_both,
            _program("output[1] = input[0];"),
            _program("output[0] = input[2];"),
            _program("arena->words[0] = 2147483647; arena->words[0] += 1 + input[0] * input[0];"),
            _program("((signed char *)input)[0] = 7;"),
            _program("output[0] = arena->no_such_field;"),
            sum_of_both,
        ],
        [bytes([1, 2, 3, 4])] * 7,
    )
    assert answers[0] == answers[6] == bytes([3, 7])
    words = [str(answer) for answer in answers[1:6]]
    assert "heap-buffer-overflow" in words[0]
    assert "heap-buffer-overflow" in words[1]
    assert "signed integer overflow" in words[2]
    assert "wrote into its input" in words[3]
    assert "not C" in words[4]


def _misbehave(what: str) -> Iterator[Any]:
    yield f"began {what}"
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "hang":
        while True:
            pass
    if what == "memory":
        try:
            yield len(bytearray(1 << 28))
        except MemoryError:
            yield "no memory"
    if what == "raise":
        raise ValueError
    yield "ended"


def test_each_item_that_ends_a_child_is_its_own_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "PROCESSOR_SECONDS", 0.1)
    started = time.monotonic()
    found = guarded.each(_misbehave, ["a", "crash", "b", "hang", "raise", "memory", "c"], memory_bytes=1 << 27)
    assert [results[-1] for results in (found[0], found[2], found[6])] == ["ended"] * 3
    assert found[1] == ["began crash", guarded.Ended("SIGSEGV")]
    assert isinstance(found[3][-1], guarded.Ended)
    assert "no end after 0.1 s" in found[3][-1].reason
    assert found[4] == ["began raise", guarded.Ended("exit status 70")]
    assert found[5] == ["began memory", "no memory", "ended"]
    assert time.monotonic() - started < guarded.WALL_SECONDS


def test_what_reader_and_compiler_raise_beside_refusals_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from random_models import differential

    content = model_of(1)[1]
    monkeypatch.setattr(differential, "parse_graph", lambda *_: 1 / 0)
    assert [(verdict.outcome, verdict.is_fault) for verdict in examine([content])] == [("failed", True)]
    monkeypatch.undo()
    monkeypatch.setattr(differential, "compile_graph", lambda *_, **__: os.abort())
    assert [(verdict.outcome, verdict.why) for verdict in examine([content])] == [("died", "SIGABRT")]


def test_other_bytes_than_those_of_tflite_micro_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from random_models import differential

    content = model_of(1)[1]
    assert examine([content])[0].outcome == "equal"
    honest = differential.run_batch

    def changed(*given: Any, **named: Any) -> list[bytes | str]:
        return [b"".join((b"?", each[1:])) if isinstance(each, bytes) else each for each in honest(*given, **named)]

    monkeypatch.setattr(differential, "run_batch", changed)
    assert examine([content])[0].outcome == "different"
