"""What is not traced for coverage: sweeps that compile hundreds of models.

Tracing takes as long as the sweeps themselves. What they run is traced in the tests of each op, of each stage and of real models.
"""

from pathlib import Path

import pytest

SWEEPS = {
    f"test_{name}"
    for name in (
        *("agreement_random", "arithmetic_oracle", "batches", "constant_channels", "edges", "int16", "int4_weights", "mutants"),
        *("one_change", "several_edges", "shape_chains", "tables", "tiny_shapes", "whole_files"),
    )
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.stem in SWEEPS:
            item.add_marker("no_cover")
