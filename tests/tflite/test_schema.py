"""The field and type numbers that are written down here, against the schema that ships with LiteRT."""

from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from glyphlite.tflite.options import ACTIVATIONS, MIRROR_MODES, PADDINGS, WEIGHTS_FORMATS
from glyphlite.tflite.schema import TENSOR_TYPES, decode


def names_of(enumeration: type) -> list[str]:
    numbered = {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}
    return [numbered[value] for value in sorted(numbered)]


def test_enumerations() -> None:
    assert names_of(schema.TensorType) == list(TENSOR_TYPES)
    assert [name.lower() for name in names_of(schema.ActivationFunctionType)] == list(ACTIVATIONS)
    assert [name.lower() for name in names_of(schema.Padding)] == list(PADDINGS)
    assert [name.lower() for name in names_of(schema.MirrorPadMode)] == list(MIRROR_MODES)
    assert [name.lower() for name in names_of(schema.FullyConnectedOptionsWeightsFormat)] == list(WEIGHTS_FORMATS)


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic", "int8", "int16x8"])
def test_tables_hold_what_the_generated_reader_finds(samples: Path, variant: str) -> None:
    content = (samples / f"model_{variant}.tflite").read_bytes()
    whole, model = decode(content, "model"), schema.ModelT.InitFromPackedBuf(content)
    (stored,) = whole.subgraphs
    graph: Any = model.subgraphs[0]  # pyright: ignore[reportOptionalSubscript]
    assert whole.description.encode() == model.description
    assert [entry.encode() for entry, _ in whole.metadata] == [entry.name for entry in model.metadata or []]
    assert [len(buffer.data) if buffer.data is not None else None for buffer in whole.buffers] == [
        len(buffer.data) if buffer.data is not None else None for buffer in model.buffers or []
    ]
    assert list(stored.inputs) == graph.inputs.tolist()
    assert list(stored.outputs) == graph.outputs.tolist()
    for mine, theirs in zip(stored.operators, graph.operators, strict=True):
        assert (mine.code, list(mine.inputs), list(mine.outputs)) == (
            theirs.opcodeIndex,
            theirs.inputs.tolist(),
            theirs.outputs.tolist(),
        )
        assert mine.options_type == theirs.builtinOptionsType
    for mine, theirs in zip(stored.tensors, graph.tensors, strict=True):
        assert (mine.name.encode(), mine.type, mine.buffer, mine.is_variable) == (
            theirs.name,
            theirs.type,
            theirs.buffer,
            theirs.isVariable,
        )
        assert (mine.quantization is None) == (theirs.quantization is None)
        if mine.quantization is not None and mine.quantization.scales is not None:
            assert mine.quantization.scales.tolist() == theirs.quantization.scale.tolist()
            assert mine.quantization.axis == theirs.quantization.quantizedDimension
