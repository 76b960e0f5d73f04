"""Keeps sweeps that compile hundreds of models from being traced for coverage.

Tracing takes as long as the sweeps themselves. What they run is traced in the tests of each op, of each stage and of real models.
"""

from pathlib import Path

import pytest

SWEEPS = {
    "test_agreement_random",
    "test_arithmetic_oracle",
    "test_batches",
    "test_constant_channels",
    "test_edges",
    "test_int16",
    "test_int4_weights",
    "test_mutants",
    "test_one_change",
    "test_several_edges",
    "test_shape_chains",
    "test_tables",
    "test_tiny_shapes",
    "test_whole_files",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.stem in SWEEPS:
            item.add_marker("no_cover")
