"""Exported libraries: one of a model with a random sample, and the programs that build and run it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.export.library.folder import LibraryReport, export_library
from glyphlite.tflite.reader import read_graph


def library_of(artifact: Path, folder: Path, name: str = "digits") -> LibraryReport:
    """A library that checks the last of eight random inputs, which is no constant."""
    sample = random_set(inputs_of(read_graph(artifact)), 8).chosen(slice(-1, None))
    return export_library(artifact, folder, name=name, sample=sample.arrays, sample_words=sample.source)


def with_a_wrong_byte(source: Path) -> None:
    """Changes the first byte that the check of a copied ``src`` expects."""
    text = (source / "digits_check.c").read_text()
    start = text.index("expected_output[10] = {") + len("expected_output[10] = {")
    first = text[start:].split(",")[0]
    changed = first.replace(first.strip(), str(~int(first)))
    (source / "digits_check.c").write_text(text[:start] + changed + text[start + len(first) :])


def run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What a program prints; one that fails fails the test."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
