"""A .tflite file of one op, every tensor given: for tests of an op's parameter space, one point after the other."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from random_models.by_hand import Parameters, _Writer
from random_models.differential import FAULTS, Verdict, examine, examine_on_paths
from random_models.drafts import Draft


@dataclass(frozen=True)
class Activation:
    """A tensor that is computed, its shape with the batch; as an operand it is the model's input."""

    shape: tuple[int, ...]
    scale: float
    zero_point: int
    element_type: str = "int8"


@dataclass(frozen=True)
class Constant:
    """A tensor that the file holds; without scales it is no quantized one."""

    values: np.ndarray
    scales: Sequence[float] | None = None
    zero_point: int = 0
    axis: int = 0


def one_op(
    name: str,
    operands: Sequence[Activation | Constant | None],
    output: Activation | Sequence[Activation],
    options: str | None = None,
    *,
    taken: int = 0,
    ahead: Activation | None = None,
    behind: Sequence[tuple[str, Activation]] = (),
    **fields: Any,
) -> bytes:
    """Returns the file.

    Args:
        name: the op's, in the schema.
        operands: its inputs, None for one that is left out. An equal activation is the same tensor, another one is the first
            in its own shape or quantization.
        output: what it computes, or all that it computes.
        options: the name of its options table.
        taken: which of its outputs is the model's.
        ahead: the model's input where it is none of the op's, of which a QUANTIZE makes the first activation.
        behind: ops of one input that follow it, each with what it computes.
        fields: of that table.
    """
    writer = _Writer(Draft(0, (1,), (), "int8"))
    given: dict[Activation, int] = {} if ahead is None else {ahead: _activation(writer, ahead)}
    inputs: list[int] = []
    for operand in operands:
        if operand is None:
            inputs.append(-1)
        elif isinstance(operand, Constant):
            scales = operand.scales
            zero_points = None if scales is None else [operand.zero_point] * len(scales)
            inputs.append(writer.constant(operand.values, scales, zero_points, operand.axis))
        else:
            if operand not in given:
                given[operand] = _activation(writer, operand)
                first = next(iter(given))
                if operand.shape != first.shape:
                    shape = writer.constant(np.array(operand.shape, np.int32))
                    writer.op("RESHAPE", [given[first], shape], [given[operand]])
                elif operand != first:
                    writer.op("QUANTIZE", [next(iter(given.values()))], [given[operand]], "QuantizeOptions")
            inputs.append(given[operand])
    results = [_activation(writer, each) for each in ([output] if isinstance(output, Activation) else output)]
    writer.op(name, inputs, results, options, fields)
    last = results[taken]
    for follower, result in behind:
        last, source = _activation(writer, result), last
        writer.op(follower, [source], [last], "QuantizeOptions" if follower == "QUANTIZE" else None)
    return writer.packed(next(iter(given.values())), last)


def _activation(writer: _Writer, tensor: Activation) -> int:
    element_type = getattr(schema.TensorType, tensor.element_type.upper())
    if tensor.element_type == "float32":
        return writer.tensor(tensor.shape, element_type, 0)
    return writer.tensor(tensor.shape, element_type, 0, [tensor.scale], [tensor.zero_point])


def any_activation(rng: np.random.Generator, shape: Sequence[int], scale: float | None = None) -> Activation:
    """Returns an activation of a scale drawn, or about the given one, and of a zero point that often sits at an end."""
    scale = 10 ** rng.uniform(-3, 0) if scale is None else scale * 10 ** rng.uniform(-0.6, 0.6)
    zero_point = int(rng.integers(-128, 128)) if rng.random() < 0.5 else int(rng.choice([-128, -128, 127, 0, -1]))
    return Activation(tuple(shape), float(np.float32(scale)), zero_point)


def any_constant(rng: np.random.Generator, shape: Sequence[int], scale: float) -> Constant:
    """Returns stored int8 values, spread evenly."""
    parameters: Parameters = float(np.float32(scale)), int(rng.integers(-128, 128))
    return Constant(rng.integers(-128, 128, tuple(shape)).astype(np.int8), [parameters[0]], parameters[1])


def agree(models: Mapping[str, bytes], *, seed: int = 0, inputs: int = 24, optimize: str = "speed", path: str = "plain") -> None:
    """Requires that every model compiles and gives TFLite Micro's bytes; models by words that name them."""
    _require_equal(models, examine(list(models.values()), inputs=inputs, seed=seed, optimize=optimize, path=path))


def agree_on_paths(
    models: Mapping[str, bytes], paths: Iterable[str], *, seed: int = 0, inputs: int = 24, optimize: str = "speed"
) -> None:
    """Requires the same on several paths, each model compiled to C and answered by TFLite Micro once for all of them."""
    found = examine_on_paths(list(models.values()), paths, inputs=inputs, seed=seed, optimize=optimize)
    for path, verdicts in found.items():
        _require_equal([f"{path}, {name}" for name in models], verdicts)


def _require_equal(names: Iterable[str], verdicts: Sequence[Verdict]) -> None:
    wrong = {name: verdict for name, verdict in zip(names, verdicts, strict=True) if verdict.outcome != "equal"}
    assert not wrong, "\n".join(f"{name}: {verdict.outcome}, {verdict.why}" for name, verdict in list(wrong.items())[:5])


def outcomes(models: Mapping[str, bytes], *, seed: int = 0) -> Counter[str]:
    """Returns how often models ended how, none of them in a fault: what both refuse is no matter here."""
    verdicts = examine(list(models.values()), seed=seed, inputs=12)
    wrong = {name: verdict for name, verdict in zip(models, verdicts, strict=True) if verdict.outcome in FAULTS}
    assert not wrong, "\n".join(f"{name}: {verdict.outcome}, {verdict.why}" for name, verdict in list(wrong.items())[:5])
    return Counter(verdict.outcome for verdict in verdicts)
