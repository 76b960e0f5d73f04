"""TFLite Micro's declarations, for C++ that is checked without its sources."""

import re
from pathlib import Path

import pytest

from glyphlite.export.tflm.op_resolver import TFLM_OPS

STUB = Path(__file__).parent / "tflm_stub.h"
STUBBED = (
    "micro_allocator.h",
    "micro_mutable_op_resolver.h",
    "micro_interpreter.h",
    "micro_log.h",
    "micro_resource_variable.h",
    "system_setup.h",
    "cortex_m_generic/debug_log_callback.h",
)


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TFLite Micro's declarations, with every method of the resolver."""
    folder = tmp_path_factory.mktemp("stubs")
    methods = "\n".join(f"  TfLiteStatus {method}();" for method in sorted(set(TFLM_OPS.values())))
    text = re.sub(r"(?:  TfLiteStatus Add\w+\(\);\n)+", methods + "\n", STUB.read_text())
    for path in (*(f"tensorflow/lite/micro/{name}" for name in STUBBED), "tensorflow/lite/schema/schema_generated.h"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text('#include "stub.h"\n')
    (folder / "stub.h").write_text(text)
    return folder
