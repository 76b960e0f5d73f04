"""Convolutions, depthwise ones and dense layers on processors with wide vectors: every shape gives TFLite Micro's bytes."""

from typing import Any

import pytest
from random_models import model_of
from random_models.by_hand import write
from random_models.differential import examine
from random_models.drafts import Draft, Step
from random_models.foreign import PROCESSORS, foreign
from random_models.harness import AVX, PATHS
from random_models.one_op import agree
from random_models.vector_shapes import extents_of, some_models
from support.debian import NoPackagesError

VECTORS = [path for path in PATHS if path in {"sse2", *AVX}]
needs_x86 = pytest.mark.skipif(not VECTORS, reason="this processor is no x86")


@needs_x86
@pytest.mark.parametrize("path", VECTORS)
def test_any_shape_agrees(path: str):
    first = 50 * VECTORS.index(path)
    agree(some_models(range(first, first + 8)), path=path)


@needs_x86
@pytest.mark.slow
@pytest.mark.parametrize("path", VECTORS)
def test_many_shapes_agree(path: str):
    first = 1000 * (VECTORS.index(path) + 1)
    agree(some_models(range(first, first + 60)), path=path)


@needs_x86
@pytest.mark.parametrize("kind", ["conv", "depthwise"])
def test_rows_too_long_for_one_strip_agree(kind: str):
    """Their lanes are laid down for some pixels at a time, the last of these fewer."""
    channels = 20
    models = {}
    for seed, (width, stride, padding) in enumerate([(1041, 1, "SAME"), (700, 2, "VALID"), (2050, 3, "SAME")]):
        window: dict[str, Any] = {"kernel": (2, 5), "strides": (stride,) * 2, "dilation": (1, 1), "padding": padding}
        extents = extents_of((4, width), window)
        filters = channels if kind == "depthwise" else 18
        settings = {"multiplier": 1} if kind == "depthwise" else {"filters": filters}
        step = Step(kind, (0,), (*extents, filters), {**settings, "bias": True, "fused": "relu", **window})
        models[str(width)] = write(Draft(seed, (4, width, channels), (step,), "int8"))
    agree(models, path=VECTORS[-1], inputs=4)


@pytest.mark.slow
@pytest.mark.parametrize("path", PROCESSORS)
def test_other_processors_agree(path: str):
    """AArch64 under QEMU: what this file draws, and random models of every op."""
    try:
        foreign(path)
    except NoPackagesError as error:
        pytest.skip(str(error))
    first = 10 * list(PROCESSORS).index(path)
    models = some_models(range(5000 + first, 5008 + first))
    models |= {f"seed {seed}": model_of(seed)[1] for seed in range(2001 + first, 2007 + first, 2)}
    verdicts = examine(list(models.values()), path=path)
    wrong = {name: verdict for name, verdict in zip(models, verdicts, strict=True) if verdict.is_fault}
    assert not wrong, "\n".join(f"{name}: {verdict.outcome}, {verdict.why}" for name, verdict in wrong.items())
    assert sum(verdict.outcome == "equal" for verdict in verdicts) > len(models) // 2
