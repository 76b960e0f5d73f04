"""Real artifacts with one thing changed, well-formed but for that. Each maker returns a change for :func:`changed`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def changed(path: Path, change: Callable[[Any], None]) -> bytes:
    """A real artifact with something changed by the schema's own object API."""
    model: Any = schema.ModelT.InitFromPackedBuf(path.read_bytes())
    change(model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def assign(table: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(table, name, value)


def tensor(index: int, **fields: Any) -> Callable[[Any], None]:
    return lambda model: assign(model.subgraphs[0].tensors[index], fields)


def quantization(index: int, **fields: Any) -> Callable[[Any], None]:
    return lambda model: assign(model.subgraphs[0].tensors[index].quantization, fields)


def operator(index: int, **fields: Any) -> Callable[[Any], None]:
    return lambda model: assign(model.subgraphs[0].operators[index], fields)


def option(index: int, **fields: Any) -> Callable[[Any], None]:
    return lambda model: assign(model.subgraphs[0].operators[index].builtinOptions, fields)


def graph(**fields: Any) -> Callable[[Any], None]:
    return lambda model: assign(model.subgraphs[0], fields)


def code(index: int, **fields: Any) -> Callable[[Any], None]:
    return lambda model: assign(model.operatorCodes[index], fields)


def buffer(index: int, **fields: Any) -> Callable[[Any], None]:
    return lambda model: assign(model.buffers[index], fields)
