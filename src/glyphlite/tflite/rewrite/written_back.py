"""Changes of a graph, brought into the object model of the same file: constants, shapes, scales, shapes asked for.

The indices of tensors are the same in both. Every changed constant gets a buffer of its own: others may share the one it had.
"""

from typing import Any

import numpy as np

from glyphlite.tflite.graph import Graph, Operator, Tensor


def write_back(model: Any, before: Graph, after: Graph) -> None:
    """Changes an object model, in place, as a rewrite changed its graph.

    Args:
        model: of the file that ``before`` was read from.
        before: the graph as it was, of one image or of a free batch.
        after: the same tensors and ops; what an op computes is the same, but for the shape that a RESHAPE asks for.
    """
    part = model.subgraphs[0]
    for old, new in zip(before.tensors, after.tensors, strict=True):
        if new is not old:
            _write_tensor(model, part.tensors[old.index], old, new)
    stored = {operator.index: operator for operator in before.operators}
    for new in after.operators:
        if new is not stored[new.index]:
            _write_operator(part.operators[new.index], new)


def _write_tensor(model: Any, stored: Any, old: Tensor, new: Tensor) -> None:
    if new.data is not None and new.data is not old.data:
        from ai_edge_litert import schema_py_generated as schema

        buffer: Any = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(new.data).tobytes(), np.uint8)
        stored.buffer = len(model.buffers)
        stored.shape = np.array(new.shape, np.int32)
        model.buffers.append(buffer)
    elif new.shape[-1:] != old.shape[-1:]:
        for field in ("shape", "shapeSignature"):
            if getattr(stored, field) is not None and len(getattr(stored, field)):
                shape = np.array(getattr(stored, field), np.int32)
                shape[-1] = new.shape[-1]
                setattr(stored, field, shape)
    if new.quantization is not None and new.quantization is not old.quantization:
        stored.quantization.scale = np.array(new.quantization.scales, np.float32)
        stored.quantization.zeroPoint = np.array(new.quantization.zero_points, np.int64)


def _write_operator(stored: Any, new: Operator) -> None:
    if getattr(stored.builtinOptions, "newShape", None) is not None:
        stored.builtinOptions.newShape = np.array(new.options["new_shape"], np.int32)
