"""Choice of the arithmetic that a recipe's precision means on this processor. Knows nothing of models."""

import functools
import os
from pathlib import Path

from glyphlite.errors import ModelError

_NATIVE_BFLOAT16 = {"avx512_bf16", "amx_bf16"}


def compute_precision(wanted: str) -> str:
    """Returns ``bfloat16`` where it is wanted and the processor multiplies in it, else ``float32``.

    Raises:
        ModelError: the recipe's precision is unknown.
    """
    if wanted not in ("float32", "bfloat16"):
        raise ModelError(f"unknown precision {wanted!r}; expected float32 or bfloat16")
    return "bfloat16" if wanted == "bfloat16" and _onednn_may() and _has_native_bfloat16() else "float32"


def _onednn_may() -> bool:
    """Returns whether the environment leaves oneDNN, which multiplies in bfloat16, and its instructions for that turned on."""
    highest = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "DEFAULT"
    has_them = any(word in highest.upper() for word in ("DEFAULT", "ALL", "BF16", "FP16", "AMX", "AVX10"))
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0" and has_them


@functools.cache
def _has_native_bfloat16() -> bool:
    """Returns whether the processor multiplies in bfloat16; emulated it is many times slower, so only what Linux lists for x86
    counts.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return not _NATIVE_BFLOAT16.isdisjoint(flags)
