"""The cost of a network before a single epoch: built, converted, compiled, and run once on the emulated core.

What depends on weights is as training leaves it: scores far apart, biases that are no zeros, channels of different scales. So
`glyph-1k`, `glyph-2kram` and `glyph-110kmac` take within 2 % of their released files' flash. No cost can foresee that training
silences a channel, which the compiler then leaves out: `glyph-1k` has 14 in its first layer, not 15, and on a Cortex-M0 the
untrained one takes 26 % more RAM and 5 % more instructions. A search's winner is measured again. A network that is beyond its
budget by its weights or its memory map alone is not emulated. Compiled for speed; where that does not fit, for RAM or for size.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.compile import compile_artifact
from glyphlite.conversion.converter import convert
from glyphlite.emulation.toolchain import target_named
from glyphlite.errors import ArtifactError, ConversionError
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.scratch import temporary_folder
from glyphlite.models.architecture import Architecture
from glyphlite.search.budget import Budget, Cost
from glyphlite.tflite.cost import total_macs, weight_bytes
from glyphlite.tflite.reader import parse_graph

GOALS = ("speed", "ram", "size")
"""What generated C is optimized for, the first that fits."""

_RANGE_IMAGES = 16

_SCORE_SCALE = 0.27
"""Scale of the int8 scores of trained networks: 0.20 to 0.40 in the released ones, 0.27 on average."""

_BIAS_DEVIATION = 0.5
"""Standard deviation of biases: 0.17 to 1.60 in the score layers of the released family."""

_GAMMA_DEVIATION = 0.3
"""Standard deviation of the logarithm of channels' factors: the largest of some 20 is then about three times the smallest."""

_MACS_AN_INSTRUCTION = 16
"""No core does more in one: a bound by which a network is refused that would take minutes to emulate."""


def cost_of(
    architecture: Architecture,
    input_shape: tuple[int, int, int],
    classes: int,
    budget: Budget,
    goals: Sequence[str] = GOALS,
) -> Cost:
    """Measures what an untrained network takes on the core of a budget; the same network is measured once in a process.

    Args:
        architecture: of layers that are trained for int8.
        input_shape: height, width, channels of its images.
        classes: that it tells apart.
        budget: its core, and the limits that it is held against.
        goals: what generated C may be optimized for, in this order.

    Returns:
        The cost for the first goal that fits; where none does, the one that is least beyond the budget.

    Raises:
        ModelError: the images are too small for the layers.
        ToolError: cross-compiler or emulator are missing.
    """
    return _cost_of(replace(architecture, name="net"), input_shape, classes, budget, tuple(goals))


@lru_cache(maxsize=512)
def _cost_of(
    architecture: Architecture, input_shape: tuple[int, int, int], classes: int, budget: Budget, goals: tuple[str, ...]
) -> Cost:
    layers = list(architecture.costs(input_shape, classes))
    parameters, macs = sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)
    stored = parameters * architecture.weight_bits // 8
    least = Cost(budget.core, goals[0], stored, 0, macs // _MACS_AN_INSTRUCTION, None, macs, stored, parameters, is_bound=True)
    if not least.fits(budget):
        return least
    content = untrained_file(architecture, input_shape, classes)
    found = []
    with temporary_folder() as folder:
        artifact = folder / "net.tflite"
        artifact.write_bytes(content)
        graph = parse_graph(content, "net")
        known: dict[str, Any] = {"macs": total_macs(graph), "weight_bytes": weight_bytes(graph), "parameters": parameters}
        for goal in goals:
            cost = _measured(artifact, folder / goal, goal, budget, known)
            if cost.fits(budget):
                return cost
            found.append(cost)
    return min(found, key=lambda cost: max(cost.excesses(budget).values()))


def untrained_file(
    architecture: Architecture, input_shape: tuple[int, int, int], classes: int, narrowed: Sequence[str] | None = None
) -> bytes:
    """Returns the int8 .tflite file of a network that is not trained, of weights that cost what trained ones do.

    Args:
        architecture: of the network.
        input_shape: height, width, channels of its images.
        classes: that it tells apart.
        narrowed: layers whose weights its recipe rounds to four bits after the training.

    Raises:
        ModelError: the images are too small for the layers.
    """
    import keras

    from glyphlite.models.qat.compensated_rounding import narrow_layers
    from glyphlite.models.qat.state import is_quantization_aware, measure_ranges, set_quantized

    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (_RANGE_IMAGES, *input_shape)).astype(np.uint8)
    inputs = images.astype(np.float32) / 255
    model = architecture.build(input_shape, classes)
    _imitate_training(model, inputs)
    if is_quantization_aware(model):
        measure_ranges(model, inputs)
        set_quantized(model, quantized=True)
        narrow_layers(model, narrowed or (), inputs)
    try:
        return convert(model, "int8", representative=images).content
    except ConversionError as error:  # pragma: no cover - no network of the space is refused
        raise ArtifactError(f"{architecture.name} cannot be converted: {error}") from error


def _imitate_training(model: Any, inputs: np.ndarray) -> None:
    """Gives a model that was just built what training would: biases, channels of different scales, scores that are far apart.

    The compiler stores zeros as biases once or not at all, and a table of softmax with an entry for each difference of two scores
    that counts: 256 where scores are close together; 30 of four bytes and 33 of two in the released `glyph-1k`.
    """
    import keras

    rng = np.random.default_rng(0)
    for weight in model.weights:
        kind = weight.name.partition("_")[0]
        if kind in ("bias", "beta"):
            weight.assign(rng.normal(0, _BIAS_DEVIATION, weight.shape))
        elif kind == "gamma":
            weight.assign(np.exp(rng.normal(0, _GAMMA_DEVIATION, weight.shape)))
    last = model.get_layer("pred")
    features: Any = keras.Model(model.input, last.input)
    scores = np.asarray(features(inputs, training=False)) @ np.asarray(last.kernel)
    last.kernel.assign(np.asarray(last.kernel) * 255 * _SCORE_SCALE / max(float(np.ptp(scores)), 1e-6))


def _measured(artifact: Path, folder: Path, goal: str, budget: Budget, known: dict[str, Any]) -> Cost:
    """Returns the cost for one goal; not emulated where constants or memory map are beyond the budget by themselves."""
    report = compile_artifact(artifact, folder, optimize=goal)
    has_dsp = target_named(budget.core).dsp
    constants = report.constant_bytes if has_dsp else report.plain_constant_bytes
    memory = report.memory_bytes if has_dsp else report.plain_memory_bytes
    least = Cost(budget.core, goal, constants, memory, known["macs"] // _MACS_AN_INSTRUCTION, None, **known, is_bound=True)
    if not least.fits(budget):
        return least
    shape = next(iter(report.input_tensors)).shape
    image = np.random.default_rng(1).integers(0, 256, (1, *shape[1:])).astype(np.uint8)
    simulated = simulate(folder, budget.core, image).report
    return Cost(
        budget.core,
        goal,
        simulated.code_bytes + simulated.constant_bytes,
        simulated.ram_bytes or 0,
        simulated.instructions,
        simulated.cycles,
        **known,
    )
