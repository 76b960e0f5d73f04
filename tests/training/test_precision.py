"""bfloat16 only where the processor has it and the environment leaves it to oneDNN."""

import pytest

from glyphlite.training import precision
from glyphlite.training.precision import compute_precision


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, "bfloat16"),
        ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_AMX"}, "bfloat16"),
        ({"ONEDNN_MAX_CPU_ISA": "AVX2"}, "float32"),
        ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}, "float32"),
        ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "float32"),
    ],
)
def test_what_the_environment_turns_off_is_not_used(monkeypatch: pytest.MonkeyPatch, environment, found: str) -> None:
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(precision, "_has_native_bfloat16", lambda: True)
    assert compute_precision("bfloat16") == found
    assert compute_precision("float32") == "float32"
