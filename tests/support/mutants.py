"""Damaged .tflite files by the thousand, each one reproducible from a seed and a number.

Bytes are flipped, words overwritten, files cut, stretched and spliced with each other; and fields are changed by the schema's own
object API and packed again, so that the damage is well-formed and only the sense is wrong.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.models.pretrained import pretrained_artifact

WORDS = (0, 1, 2, 4, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x40000000, 0x10000)
INDICES = (-(2**31), -2, -1, 0, 1, 2, 3, 5, 13, 14, 99, 65_536, 2**31 - 1)
EXTENTS = (-(2**31), -2, -1, 0, 1, 2, 3, 7, 10, 28, 65_536, 2**24, 2**31 - 1)
SMALL = (-128, -1, 0, 1, 2, 3, 4, 5, 7, 64, 127)
REALS = (0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e-45, 1e-38, 1e-10, 0.5, 1.0, 3e38)
ZERO_POINTS = (-(2**63), -(2**31), -129, -128, -1, 0, 1, 127, 128, 255, 2**31, 2**63 - 1)
LARGE_BUFFER = 64


@dataclass(frozen=True)
class Mutant:
    """One damaged file: its number, what was done to which source, and its bytes."""

    index: int
    kind: str
    source: str
    content: bytes


def sound_files(samples: Path) -> dict[str, bytes]:
    """What is damaged, by name: every .tflite file a folder deep in ``samples``, and a shipped one with weights of four bits."""
    files = {f"{path.parent.name}/{path.stem}": path.read_bytes() for path in sorted(samples.glob("*/*.tflite"))}
    return {**files, "glyph-1k/model_int8": pretrained_artifact("glyph-1k").read_bytes()}


def make_mutant(sources: Mapping[str, bytes], seed: int, index: int) -> Mutant:
    """The damaged file of that number.

    Args:
        sources: sound files by name.
        seed: of the whole campaign.
        index: the number of the file in it; the same seed and number give the same bytes.
    """
    rng = np.random.default_rng([seed, index])
    names = sorted(sources)
    source = names[int(rng.integers(len(names)))]
    other = sources[names[int(rng.integers(len(names)))]]
    kind = str(rng.choice(list(_KINDS), p=[weight for weight, _ in _KINDS.values()]))
    return Mutant(index, kind, source, _KINDS[kind][1](sources[source], other, rng))


def _pick(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def _structure(content: bytes) -> np.ndarray:
    """Offsets of all bytes that are not the values of a large constant: where the format itself lives."""
    from ai_edge_litert import schema_py_generated as schema

    keep = np.ones(len(content), bool)
    model: Any = schema.Model.GetRootAs(content)
    for index in range(model.BuffersLength()):
        table = model.Buffers(index)._tab
        length = model.Buffers(index).DataLength()
        if length > LARGE_BUFFER:
            start = table.Vector(table.Offset(4))
            keep[start : start + length] = False
    return np.flatnonzero(keep)


def _flip(content: bytes, places: np.ndarray, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    for place in rng.choice(places, int(_pick(rng, (1, 1, 2, 4, 8, 32)))):
        damaged[place] ^= int(rng.integers(1, 256))
    return bytes(damaged)


def _flip_structure(content: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    return _flip(content, _structure(content), rng)


def _flip_anywhere(content: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    return _flip(content, np.arange(len(content)), rng)


def _overwrite_words(content: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    words = _structure(content) // 4
    for word in rng.choice(words[words < len(content) // 4], int(_pick(rng, (1, 1, 2, 4)))):
        value = int(_pick(rng, (*WORDS, len(content), len(content) - int(word) * 4)))
        struct.pack_into("<I", damaged, int(word) * 4, value)
    return bytes(damaged)


def _truncate(content: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content)))]


def _stretch(content: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    """Insert, delete or repeat a stretch; everything behind it moves."""
    start, length = int(rng.integers(len(content))), int(_pick(rng, (1, 2, 4, 8, 64, 1024)))
    inserted = (rng.bytes(length), b"", content[start : start + length] * 2)[int(rng.integers(3))]
    return content[:start] + inserted + content[start + (0 if inserted else length) :]


def _splice(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite a stretch with one of another file, from the same place or from anywhere."""
    length = int(_pick(rng, (4, 16, 64, 256, 2048)))
    target = int(rng.choice(_structure(content)))
    origin = target if rng.random() < 0.5 else int(rng.integers(len(other)))
    piece = other[origin : origin + length][: len(content) - target]
    return content[:target] + piece + content[target + len(piece) :]


def _change_fields(content: bytes, _: bytes, rng: np.random.Generator) -> bytes:
    """Change one to three fields and pack the model again; a value that the format cannot hold is drawn anew."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    for _attempt in range(20):
        model = schema.ModelT.InitFromPackedBuf(content)
        try:
            for _change in range(int(_pick(rng, (1, 1, 1, 2, 3)))):
                _pick(rng, CHANGES)(model, rng)
            builder = flatbuffers.Builder(len(content))
            builder.Finish(model.Pack(builder), b"TFL3")
            return bytes(builder.Output())
        except (struct.error, TypeError, ValueError, OverflowError, AttributeError, IndexError):
            continue
    return content[:-1]


def _listed(values: Any) -> list[Any]:
    return [] if values is None else [value.item() if hasattr(value, "item") else value for value in values]


def _changed(values: Any, choices: Sequence[Any], rng: np.random.Generator) -> list[Any]:
    """A copy of a vector with one entry changed, dropped, added or doubled."""
    changed = _listed(values)
    place = int(rng.integers(len(changed))) if changed else 0
    action = _pick(rng, ("set", "set", "set", "drop", "add"))
    if action == "set" and changed:
        near = changed[place] + int(_pick(rng, (-1, 1))) if isinstance(changed[place], int) else changed[place]
        changed[place] = _pick(rng, (*choices, near))
    elif action == "drop" and changed:
        del changed[place]
    else:
        changed.insert(place, _pick(rng, choices))
    return changed


def _any_operator(model: Any, rng: np.random.Generator) -> Any:
    return _pick(rng, model.subgraphs[0].operators)


def _any_tensor(model: Any, rng: np.random.Generator) -> Any:
    return _pick(rng, model.subgraphs[0].tensors)


def _operator_inputs(model: Any, rng: np.random.Generator) -> None:
    operator = _any_operator(model, rng)
    operator.inputs = _changed(operator.inputs, INDICES, rng)


def _operator_outputs(model: Any, rng: np.random.Generator) -> None:
    operator = _any_operator(model, rng)
    operator.outputs = _changed(operator.outputs, INDICES, rng)


def _graph_inputs(model: Any, rng: np.random.Generator) -> None:
    model.subgraphs[0].inputs = _changed(model.subgraphs[0].inputs, INDICES, rng)


def _graph_outputs(model: Any, rng: np.random.Generator) -> None:
    model.subgraphs[0].outputs = _changed(model.subgraphs[0].outputs, INDICES, rng)


def _shape(model: Any, rng: np.random.Generator) -> None:
    tensor = _any_tensor(model, rng)
    tensor.shape = _changed(tensor.shape, EXTENTS, rng)


def _signature(model: Any, rng: np.random.Generator) -> None:
    tensor = _any_tensor(model, rng)
    tensor.shapeSignature = _changed(tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature, EXTENTS, rng)


def _tensor_type(model: Any, rng: np.random.Generator) -> None:
    _any_tensor(model, rng).type = int(rng.integers(-1, 25))


def _tensor_buffer(model: Any, rng: np.random.Generator) -> None:
    _any_tensor(model, rng).buffer = _pick(rng, (*range(len(model.buffers) + 1), 2**31, 2**32 - 1))


def _tensor_flags(model: Any, rng: np.random.Generator) -> None:
    tensor = _any_tensor(model, rng)
    tensor.isVariable = not tensor.isVariable


def _buffer_data(model: Any, rng: np.random.Generator) -> None:
    buffer = _pick(rng, model.buffers)
    data = bytes(_listed(buffer.data))
    kept = data[: int(rng.integers(len(data) + 1))]
    buffer.data = np.frombuffer(_pick(rng, (kept, kept, data + b"\1", data * 2, b"", rng.bytes(len(data)))), np.uint8)


def _buffer_place(model: Any, rng: np.random.Generator) -> None:
    buffer = _pick(rng, model.buffers)
    buffer.offset, buffer.size = _pick(rng, (0, 1, 2, 64, 2**40, 2**64 - 1)), _pick(rng, (0, 1, 40, 2**40, 2**64 - 1))


def _quantized(model: Any, rng: np.random.Generator) -> Any:
    tensors = [tensor for tensor in model.subgraphs[0].tensors if tensor.quantization is not None]
    return _pick(rng, tensors).quantization


def _scales(model: Any, rng: np.random.Generator) -> None:
    quantization = _quantized(model, rng)
    quantization.scale = _changed(quantization.scale, REALS, rng)


def _zero_points(model: Any, rng: np.random.Generator) -> None:
    quantization = _quantized(model, rng)
    quantization.zeroPoint = _changed(quantization.zeroPoint, ZERO_POINTS, rng)


def _axis(model: Any, rng: np.random.Generator) -> None:
    _quantized(model, rng).quantizedDimension = _pick(rng, INDICES)


def _code(model: Any, rng: np.random.Generator) -> None:
    code = _pick(rng, model.operatorCodes)
    number = int(rng.integers(-2, 215))
    code.builtinCode, code.deprecatedBuiltinCode = number, max(-128, min(number, 127))


def _code_details(model: Any, rng: np.random.Generator) -> None:
    code = _pick(rng, model.operatorCodes)
    name = _pick(rng, ("version", "deprecatedBuiltinCode", "customCode"))
    setattr(
        code,
        name,
        {"version": _pick(rng, INDICES), "deprecatedBuiltinCode": _pick(rng, SMALL), "customCode": "Flex*/\n\033[31m"}[name],
    )


def _code_index(model: Any, rng: np.random.Generator) -> None:
    _any_operator(model, rng).opcodeIndex = _pick(rng, (0, 1, 2, 3, 4, 5, 2**31, 2**32 - 1))


def _option(model: Any, rng: np.random.Generator) -> None:
    options = _pick(rng, [operator.builtinOptions for operator in model.subgraphs[0].operators if operator.builtinOptions])
    name = _pick(rng, sorted(vars(options)))
    value = getattr(options, name)
    setattr(options, name, _pick(rng, REALS) if isinstance(value, float) else _pick(rng, (*SMALL, *EXTENTS)))


def _no_options(model: Any, rng: np.random.Generator) -> None:
    operator = _any_operator(model, rng)
    operator.builtinOptionsType, operator.builtinOptions = 0, None


def _order(model: Any, rng: np.random.Generator) -> None:
    operators = model.subgraphs[0].operators
    first, second = (int(rng.integers(len(operators))) for _ in range(2))
    action = _pick(rng, ("swap", "double", "drop"))
    if action == "swap":
        operators[first], operators[second] = operators[second], operators[first]
    elif action == "double":
        operators.insert(second, operators[first])
    else:
        del operators[first]


def _subgraphs(model: Any, rng: np.random.Generator) -> None:
    model.subgraphs = _pick(rng, (model.subgraphs * 2, []))


def _model_fields(model: Any, rng: np.random.Generator) -> None:
    name = _pick(rng, ("version", "description", "metadata", "signature"))
    if name == "version":
        model.version = _pick(rng, (0, 1, 2, 4, 2**32 - 1))
    elif name == "description":
        model.description = "\0\033]0;x\a</svg><script>" + "x" * int(_pick(rng, (1, 100_000)))
    elif name == "metadata":
        _pick(rng, model.metadata).buffer = _pick(rng, (0, 1, 99, 2**32 - 1))
    else:
        _pick(rng, _pick(rng, model.signatureDefs).inputs).tensorIndex = _pick(rng, (1, 99, 2**32 - 1))


def _names(model: Any, rng: np.random.Generator) -> None:
    _any_tensor(model, rng).name = _pick(
        rng, ("", "*/ #error", "\n\r\033[2J", "[/bold]", "<b>&amp;", "\\", "a" * 10_000, b"\xff\xfe\x00")
    )


CHANGES: tuple[Callable[[Any, np.random.Generator], None], ...] = (
    *(_operator_inputs, _operator_outputs, _graph_inputs, _graph_outputs, _shape, _shape, _shape, _signature, _tensor_type),
    *(_tensor_buffer, _tensor_flags, _buffer_data, _buffer_place, _scales, _scales, _zero_points, _zero_points, _axis, _code),
    *(_code_details, _code_index, _option, _option, _option, _no_options, _order, _subgraphs, _model_fields, _names),
)

_KINDS: Mapping[str, tuple[float, Callable[[bytes, bytes, np.random.Generator], bytes]]] = {
    "flipped structure": (0.24, _flip_structure),
    "flipped bytes": (0.08, _flip_anywhere),
    "overwritten words": (0.16, _overwrite_words),
    "truncated": (0.08, _truncate),
    "stretched": (0.06, _stretch),
    "spliced bytes": (0.10, _splice),
    "spliced fields": (0.28, _change_fields),
}
KINDS = tuple(_KINDS)
