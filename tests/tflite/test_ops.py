"""Op names and codes, against the schema that ships with LiteRT."""

import pytest
from ai_edge_litert.schema_py_generated import BuiltinOperator

from glyphlite.tflite.ops import BUILTIN_OPS, code_of, name_of


def test_every_code_is_the_schemas() -> None:
    schema = {name: code for name, code in vars(BuiltinOperator).items() if not name.startswith("_")}
    assert {name: code for code, name in BUILTIN_OPS.items()} == schema
    assert [code_of(name) for name in ("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX")] == [3, 17, 22, 9, 25]


def test_what_the_schema_lacks() -> None:
    assert name_of(len(BUILTIN_OPS)) is None
    assert name_of(-1) is None
    with pytest.raises(KeyError):
        code_of("CONV_9D")
