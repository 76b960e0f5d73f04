"""Parsers in a child with limits: what they find, refuse, raise, or die of."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from glyphlite.errors import DataError, ModelError
from glyphlite.files.limited import LimitError, parse_within


def within(parse: Callable[[], Any]) -> Any:
    return parse_within(parse, seconds=0.3, memory_bytes=64 << 20, error=ModelError)


def loop() -> None:
    while True:
        pass


def refuse() -> None:
    raise ModelError("no\nmodel")


def fail() -> None:
    raise KeyError("x")


def test_what_a_parser_finds_comes_back_and_its_words_and_memory_do_not(capfd: pytest.CaptureFixture[str]) -> None:
    kept: list[int] = []

    def parse() -> Any:
        os.write(2, b"noise")
        kept.append(1)
        return {"found": [1, None, "\u00e9"]}

    assert within(parse) == {"found": [1, None, "\u00e9"]}
    assert not kept
    assert capfd.readouterr() == ("", "")


def test_a_refusal_stays_one() -> None:
    with pytest.raises(ModelError, match="no model"):
        within(refuse)
    with pytest.raises(DataError, match="no model"):
        parse_within(refuse, seconds=1, memory_bytes=64 << 20)


@pytest.mark.parametrize(
    ("parse", "words"),
    [
        (loop, "keeps the processor busy"),
        (lambda: bytes(1 << 30), "more memory than there is"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "segmentation fault"),
        (lambda: os._exit(7), "ended with 7"),
        (fail, "KeyError 'x'"),
    ],
)
def test_what_a_parser_dies_of_is_said_in_words(parse: Callable[[], Any], words: str) -> None:
    with pytest.raises(LimitError, match=words):
        within(parse)
