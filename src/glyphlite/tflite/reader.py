"""Reads a .tflite file into a :class:`Graph` that the rest of glyphlite may trust, or refuses it with one line.

Everything a consumer indexes, allocates or divides by is checked: each tensor by itself (:mod:`glyphlite.tflite.tensors`), here
the indices and the order of ops, and for the ops that glyphlite computes with, that shapes, scales and options fit together
(:mod:`glyphlite.tflite.op_checks`). No runtime is asked.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakValueDictionary

from glyphlite.errors import ArtifactError
from glyphlite.escaping import printable
from glyphlite.files.untrusted import read_input
from glyphlite.tflite import ops
from glyphlite.tflite.graph import RESOURCE, Graph, Operator, OtherModel, Tensor
from glyphlite.tflite.metadata import read_metadata
from glyphlite.tflite.op_checks import check_operator
from glyphlite.tflite.options import decode_options
from glyphlite.tflite.schema import VERSION, StoredCode, StoredModel, StoredOperator, StoredSubgraph, decode
from glyphlite.tflite.state.variables import Subgraph, read_variables
from glyphlite.tflite.tensors import read_tensors, subgraph_names

MAX_FILE_BYTES = 512 << 20
"""A glyph classifier has a thousandth of it."""

_KERAS_MARKS = (b"PK\x03\x04", b"\x89HDF\r\n")
"""Beginnings of .keras files, which are ZIP archives, and of .h5 files."""

_IN_USE: WeakValueDictionary[bytes, Graph] = WeakValueDictionary()
"""Validated graphs that somebody holds, by the SHA-256 of their file: a command that hands a file to several runtimes, each of
which reads it, validates it once."""


def read_graph(path: Path) -> Graph:
    """Reads and validates a .tflite file.

    Args:
        path: the file.

    Raises:
        ArtifactError: it cannot be read, is too large, is damaged, or holds what glyphlite does not support; the line says what.
    """
    return parse_graph(read_content(path), str(path))


def read_content(path: Path) -> bytes:
    """Returns the bytes of what may be a .tflite file, if it is a file of a size that glyphlite takes.

    Args:
        path: the file.

    Raises:
        ArtifactError: it is missing, unreadable, not a regular file or too large.
    """
    return read_input(Path(path), "a .tflite file", ArtifactError, MAX_FILE_BYTES)


def read_artifact(path: Path) -> bytes:
    """Returns the bytes of a .tflite file whose inside is left to someone else, such as a runtime.

    Raises:
        ArtifactError: as in :func:`read_content`, or the identifier of TensorFlow Lite's flatbuffers is missing.
    """
    content = read_content(path)
    _refuse_others(content, Path(path).name)
    if content[4:8] != b"TFL3":
        raise ArtifactError(
            f"{Path(path).name} is not a .tflite file: expected the identifier TFL3, found {content[4:8]!r}; "
            "make one with glyphlite convert"
        )
    return content


def parse_graph(content: bytes, name: str = "model") -> Graph:
    """Validates the bytes of a .tflite file, once: as long as a graph of the same bytes is in use, it is the one returned.

    Args:
        content: the whole file.
        name: what messages call it.

    Raises:
        ArtifactError: as in :func:`read_graph`.
    """
    key = hashlib.sha256(content).digest()
    graph = _IN_USE.get(key)
    if graph is None:
        graph = _IN_USE[key] = _validated(content, name)
    return graph


def _refuse_others(content: bytes, name: str) -> None:
    """Refuses what is often named in place of a .tflite file.

    Raises:
        ArtifactError: nothing is in it, or it is an archive as Keras writes them.
    """
    if not content:
        raise ArtifactError(f"{name} is not a .tflite file: it is empty")
    if content.startswith(_KERAS_MARKS):
        raise ArtifactError(
            f"{name} is not a .tflite file, but a Keras model or an archive; glyphlite convert makes .tflite files"
        )


def _validated(content: bytes, name: str) -> Graph:
    _refuse_others(content, name)
    stored = decode(content, name)
    _check_model(stored, name)
    tensors = read_tensors(stored, content, name)
    are_models = _are_models(stored)
    names = subgraph_names(name, len(tensors))
    for index, each_name in enumerate(names if are_models else names[:1]):
        _check_ports(stored.subgraphs[index], tensors[index], each_name)
    _check_signatures(stored, tensors, name)
    subgraphs = [
        Subgraph(each_name, each_tensors, _read_operators(each, stored.codes, each_tensors, each_name))
        for each, each_tensors, each_name in zip(stored.subgraphs, tensors, names, strict=True)
    ]
    about = read_metadata(content)
    for subgraph in subgraphs:
        for operator in subgraph.operators:
            check_operator(subgraph.tensors, operator, subgraph.name)
    model = stored.subgraphs[0]
    return Graph(
        tensors=subgraphs[0].tensors,
        operators=subgraphs[0].operators,
        inputs=model.inputs,
        outputs=model.outputs,
        variables=read_variables(subgraphs[:1] if are_models else subgraphs),
        subgraphs=len(subgraphs),
        description=stored.description,
        signatures=tuple(signature.key for signature in stored.signatures),
        labels=about.labels,
        normalization=(about.mean, about.std),
        metadata=tuple(entry for entry, _ in stored.metadata),
        schema_version=stored.version,
        others=_others(stored, subgraphs) if are_models else (),
    )


def _check_model(stored: StoredModel, name: str) -> None:
    if stored.version != VERSION:
        raise ArtifactError(f"{name} has schema version {stored.version}; glyphlite reads version {VERSION}")
    if not stored.subgraphs:
        raise ArtifactError(f"{name} has no subgraph; a model needs one")
    for index, subgraph in enumerate(stored.subgraphs[1:], 1):
        if (subgraph.inputs or subgraph.outputs) and not _are_models(stored):
            raise ArtifactError(
                f"{name} has {len(stored.subgraphs)} subgraphs, and number {index} takes or gives tensors; glyphlite reads "
                "further subgraphs only where CALL_ONCE runs them or nothing does (control flow, IF or WHILE, makes others)"
            )
    for entry, buffer in stored.metadata:
        if buffer >= len(stored.buffers):
            raise ArtifactError(
                f"{name} is damaged: its metadata {entry!r} names buffer {buffer}, but it has {len(stored.buffers)}"
            )


def _are_models(stored: StoredModel) -> bool:
    """Returns whether further subgraphs take and give tensors, and no op of any subgraph runs another or keeps a variable."""
    codes = [ops.name_of(max(code.deprecated_code, code.code)) for code in stored.codes]
    used = {
        (index > 0, codes[operator.code] if operator.code < len(codes) else None)
        for index, subgraph in enumerate(stored.subgraphs)
        for operator in subgraph.operators
    }
    binds = any(code in ops.RUNS_SUBGRAPHS or (is_further and code == "VAR_HANDLE") for is_further, code in used)
    return not binds and any(subgraph.inputs or subgraph.outputs for subgraph in stored.subgraphs[1:])


def _others(stored: StoredModel, subgraphs: Sequence[Subgraph]) -> tuple[OtherModel, ...]:
    """Returns what follows the model, each under the first signature that runs it."""
    keys = {signature.subgraph: signature.key for signature in reversed(stored.signatures)}
    return tuple(OtherModel(keys.get(index, ""), each.operators) for index, each in enumerate(subgraphs) if index)


def _check_ports(model: StoredSubgraph, tensors: Sequence[Tensor], name: str) -> None:
    for kind, indices in (("inputs", model.inputs), ("outputs", model.outputs)):
        if not indices:
            raise ArtifactError(f"{name} has no {kind}; a model needs at least one")
        if kind == "inputs" and len(set(indices)) != len(indices):
            raise ArtifactError(f"{name} names a tensor twice among its {kind} {_few(indices)}")
        for index in indices:
            _check_index(index, tensors, f"{name}: its {kind}")
            if tensors[index].dtype == RESOURCE:
                raise ArtifactError(f"{name} has the resource tensor {index} among its {kind}; they must hold values")
            if not tensors[index].elements:
                raise ArtifactError(f"{name} has tensor {index} among its {kind}, which holds no values")
    for index in model.inputs:
        if tensors[index].is_constant:
            raise ArtifactError(
                f"{name}: input tensor {index} ({printable(tensors[index].name)}) is a constant; an input holds no values"
            )


def _check_signatures(stored: StoredModel, tensors: Sequence[Sequence[Tensor]], name: str) -> None:
    for signature in stored.signatures:
        where = f"{name}: its signature '{printable(signature.key)}'"
        if signature.subgraph >= len(tensors):
            raise ArtifactError(f"{where} runs subgraph {signature.subgraph}, but the file has {len(tensors)}")
        for index in signature.tensors:
            _check_index(index, tensors[signature.subgraph], where)


def _read_operators(
    stored: StoredSubgraph, codes: Sequence[StoredCode], tensors: Sequence[Tensor], name: str
) -> tuple[Operator, ...]:
    """Returns ops with typed options, each reading only what is there by then: an order without cycles, and no tensor written
    twice. A custom op may take memory that no op writes.
    """
    written = {tensor.index for tensor in tensors if tensor.is_constant or tensor.is_variable} | set(stored.inputs)
    ever_written = written.union(*(operator.outputs for operator in stored.operators))
    operators = []
    for index, operator in enumerate(stored.operators):
        code, builtin, op_name = _operator_code(operator, codes, f"{name}: op {index}")
        where = f"{name}: op {index} ({printable(code.custom or op_name)})"
        for tensor in operator.inputs:
            if tensor == -1:
                continue
            _check_index(tensor, tensors, f"{where} reads")
            if tensor not in written and (builtin != ops.CUSTOM or tensor in ever_written):
                raise ArtifactError(
                    f"{where} reads tensor {tensor} before any op has written it; the ops must be in order, without a cycle"
                )
        if not operator.outputs and op_name not in ops.WITHOUT_OUTPUTS:
            raise ArtifactError(f"{where} has no outputs")
        for tensor in operator.outputs:
            _check_index(tensor, tensors, f"{where} writes")
            if tensor in written:
                raise ArtifactError(
                    f"{where} writes tensor {tensor}, which is an input, a constant or written before; each has one writer"
                )
            written.add(tensor)
        inputs = [None if tensor == -1 else tensors[tensor] for tensor in operator.inputs]
        operators.append(
            Operator(
                index=index,
                builtin_code=builtin,
                name=op_name,
                inputs=operator.inputs,
                outputs=operator.outputs,
                options=decode_options(op_name, operator.options_type, operator.options, inputs),
                version=code.version,
                custom_code=code.custom if builtin == ops.CUSTOM else None,
            )
        )
    for tensor in stored.outputs:
        if tensor not in written:
            raise ArtifactError(f"{name}: no op writes the output tensor {tensor} ({printable(tensors[tensor].name)})")
    return tuple(operators)


def _operator_code(operator: StoredOperator, codes: Sequence[StoredCode], where: str) -> tuple[StoredCode, int, str]:
    """Returns the code that an op names, its builtin number and name. Of the two stored fields the larger counts
    (``GetBuiltinCode``).
    """
    if operator.code >= len(codes):
        raise ArtifactError(f"{where} names operator code {operator.code}, but the file has {len(codes)}")
    code = codes[operator.code]
    builtin = max(code.deprecated_code, code.code)
    op_name = ops.name_of(builtin)
    if op_name is None or builtin == ops.PLACEHOLDER:
        raise ArtifactError(f"{where} has the unknown builtin code {builtin}; glyphlite knows 0 to {len(ops.BUILTIN_OPS) - 1}")
    if builtin == ops.CUSTOM and not code.custom:
        raise ArtifactError(f"{where} is a custom op without a name")
    return code, builtin, op_name


def _check_index(index: int, tensors: Sequence[Tensor], what: str) -> None:
    if not 0 <= index < len(tensors):
        raise ArtifactError(f"{what}: tensor {index} does not exist, the file has {len(tensors)} tensors")


def _few(values: Sequence[int]) -> str:
    return f"[{', '.join(map(str, values[:8]))}{', ...' if len(values) > 8 else ''}]"
