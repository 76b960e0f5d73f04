"""Every generated part of README and docs, measured or read from the code: its name, and the text between its marks.

A page holds ``<!-- NAME -->`` and ``<!-- end of NAME -->``; what is between them comes from benchmarks/results or from the
code and is written by `write_pages`. ``tests/benchmarks/test_doc_figures.py`` compares every page with what would be written.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.tables.any_model import any_model_table, int16_sentence, optimize_file_table
from common.tables.avr import avr_sentence, avr_table
from common.tables.family import costs_table, family_in_full, family_table, robustness_table, tracks_table
from common.tables.firmware import cores_table, firmware_table, m33_sentence, optimize_table
from common.tables.mlperf_tiny import mlperf_sentence, mlperf_table, plain_table, published_table
from common.tables.pictures import (
    device_alike_table,
    device_costs_table,
    device_sheets_table,
    device_uno_sentence,
    rejected_table,
    sheets_table,
    steps_table,
    threshold_sentence,
)
from common.tables.reference import accuracy_table, class_weights_table, main_job_sentence, reading_table, suspects_table
from common.tables.reference_pages import commands, layer_kinds, model_keys, ops, records
from common.tables.search import datasets_table, example_sentence, search_sentence, search_table
from common.tables.tflm import agreement_table, arena_parts_table, arenas_table, tensors_table
from common.tables.toolchains import toolchain_sentence, toolchain_table
from common.tables.training import avx2_sentence, training_table
from common.tables.vectors import helium_table, host_table, peak_sentence, wasm_table
from glyphlite.files.single import write_text

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"<!-- (?P<name>[\w -]+) -->\n(?P<body>.*?)<!-- end of (?P=name) -->", re.DOTALL)
Words = Callable[[dict[str, Any]], str]
"""Makes a figure's text of what was measured."""

FIGURES: dict[str, tuple[str, Words]] = {
    "main job": ("main_job", main_job_sentence),
    "training": ("training", training_table),
    "training avx2": ("training", avx2_sentence),
    "accuracy": ("reference_models", accuracy_table),
    "reading": ("reading", reading_table),
    "label suspects": ("data_check", suspects_table),
    "class weights": ("data_check", class_weights_table),
    "frontier": ("frontier", family_table),
    "family in full": ("frontier", family_in_full),
    "costs": ("frontier", costs_table),
    "tracks": ("frontier", tracks_table),
    "robustness": ("frontier", robustness_table),
    "firmware": ("cortex_m", lambda document: firmware_table(document, family=False)),
    "firmware family": ("cortex_m", lambda document: firmware_table(document, family=True)),
    "firmware m4": ("cortex_m", lambda document: firmware_table(document, ("cortex-m4",), family=False)),
    "firmware m33": ("cortex_m", m33_sentence),
    "mlperf tiny": ("mlperf_tiny", mlperf_sentence),
    "mlperf tiny m4": ("mlperf_tiny", lambda document: mlperf_table(document, ("cortex-m4",))),
    "mlperf tiny cores": ("mlperf_tiny", mlperf_table),
    "mlperf tiny versions": ("mlperf_tiny", plain_table),
    "helium": ("helium", helium_table),
    "host": ("host_inference", host_table),
    "host peak": ("host_inference", peak_sentence),
    "wasm": ("wasm_inference", wasm_table),
    "any model": ("any_model", any_model_table),
    "int16": ("any_model", int16_sentence),
    "optimize files": ("optimize", optimize_file_table),
    "cores": ("generated_c", cores_table),
    "optimize": ("generated_c", optimize_table),
    "arena": ("tflm", arena_parts_table),
    "arenas": ("tflm", arenas_table),
    "agreement": ("tflm", agreement_table),
    "tensors": ("tflm", tensors_table),
    "toolchains": ("toolchains", toolchain_table),
    "toolchains in a sentence": ("toolchains", toolchain_sentence),
    "avr": ("avr", avr_table),
    "avr in a sentence": ("avr", avr_sentence),
    "preprocessing": ("real_pictures", steps_table),
    "threshold": ("real_pictures", threshold_sentence),
    "rejected": ("real_pictures", rejected_table),
    "search": ("search", search_table),
    "search in a sentence": ("search", search_sentence),
    "search example": ("search", example_sentence),
    "search on other data": ("search_datasets", datasets_table),
    "sheets": ("sheets", lambda document: sheets_table(document["outcomes"])),
    "device pictures": ("device_pictures", device_costs_table),
    "device pictures uno": ("device_pictures", device_uno_sentence),
    "device pictures alike": ("device_pictures", device_alike_table),
    "device pictures sheets": ("device_pictures", device_sheets_table),
}
"""Name of a figure: the JSON file in benchmarks/results that it comes from, and what makes its text."""

GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands,
    "records": records,
    "ops": ops,
    "model keys": model_keys,
    "layer kinds": layer_kinds,
    "mlperf tiny published": published_table,
}
"""Name of a part that comes from the code itself: what makes its text."""


def pages(root: Path = ROOT) -> list[Path]:
    """Returns the pages that may hold figures: README and docs."""
    return [root / "README.md", *sorted((root / "docs").glob("**/*.md"))]


def filled(text: str, results: Path = ROOT / "benchmarks" / "results") -> str:
    """Returns a page with each figure as it was measured last.

    Raises:
        SystemExit: a figure is unknown, or was not measured yet.
    """

    def figure(match: re.Match[str]) -> str:
        name = match["name"]
        if name in GENERATED:
            return f"<!-- {name} -->\n{GENERATED[name]()}\n<!-- end of {name} -->"
        if name not in FIGURES:
            raise SystemExit(f"no figure is called {name!r}; there are {', '.join((*FIGURES, *GENERATED))}")
        source, words = FIGURES[name]
        path = results / f"{source}.json"
        if not path.is_file():
            raise SystemExit(f"there is no {path}; measure first: python benchmarks/{source}.py")
        return f"<!-- {name} -->\n{words(json.loads(path.read_text()))}\n<!-- end of {name} -->"

    return MARK.sub(figure, text)


def write_pages(root: Path = ROOT) -> list[Path]:
    """Brings every page up to date with benchmarks/results, and returns those that changed."""
    changed = []
    for page in pages(root):
        before = page.read_text()
        after = filled(before, root / "benchmarks" / "results")
        if after != before:
            write_text(page, after)
            changed.append(page)
    return changed
