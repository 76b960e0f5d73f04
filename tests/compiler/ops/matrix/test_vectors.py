"""Convolutions, depthwise ones and dense layers on processors with wide vectors: every shape gives TFLite Micro's bytes."""

from typing import Any

import numpy as np
import pytest
from random_models import model_of
from random_models.by_hand import write
from random_models.differential import examine
from random_models.drafts import FUSED, Draft, Step
from random_models.foreign import PROCESSORS, foreign
from random_models.harness import AVX, PATHS
from random_models.one_op import agree
from support.debian import NoPackagesError

from glyphlite.tflite.checked_op import convolved

VECTORS = [path for path in PATHS if path in AVX]
needs_avx = pytest.mark.skipif(not VECTORS, reason="this processor has no AVX2")


def window_of(rng: np.random.Generator, kernel: tuple[int, int]) -> dict[str, Any]:
    strides = (1, 1) if rng.random() < 0.6 else (int(rng.integers(1, 3)),) * 2
    dilation = (int(rng.choice([1, 1, 2])), int(rng.choice([1, 1, 3]))) if strides == (1, 1) else (1, 1)
    padding = str(rng.choice(["SAME", "VALID"]))
    return {"kernel": kernel, "strides": strides, "dilation": dilation, "padding": padding}


def extents_of(sizes: tuple[int, int], window: dict[str, Any]) -> list[int]:
    padding = str(window["padding"]).lower()
    each = zip(sizes, window["kernel"], window["strides"], window["dilation"], strict=True)
    return [convolved(*values, padding) for values in each]


def any_draft(seed: int) -> Draft | None:
    """A convolution or a depthwise one; behind some the maximum that a convolution takes itself, or a dense layer."""
    rng = np.random.default_rng([seed, 28])
    depthwise = seed % 2 == 1
    sizes = int(rng.integers(1, 8)), int(rng.integers(1, 14))
    channels = int(rng.choice([1, 2, 3, 4, 8, 12, 16, 17, 33, 40]))
    window = window_of(rng, (int(rng.integers(1, 7)), int(rng.integers(1, 6))))
    extents = extents_of(sizes, window)
    if min(extents) < 1:
        return None
    filters = channels if depthwise else int(rng.choice([1, 5, 15, 16, 17, 31, 32, 33, 48, 70]))
    kind = {"multiplier": 1} if depthwise else {"filters": filters}
    settings = {**kind, "bias": bool(rng.random() < 0.8), "fused": str(rng.choice(FUSED)), **window}
    steps = [Step("depthwise" if depthwise else "conv", (0,), (*extents, filters), settings)]
    if seed % 3 == 0 and not depthwise and min(extents) > 1:
        pool = {"fused": "none", "kernel": (2, 2), "strides": (2, 2), "dilation": (1, 1), "padding": "VALID"}
        extents = [extent // 2 for extent in extents]
        steps.append(Step("max_pool", (1,), (*extents, filters), pool))
    if seed % 4 == 0:
        elements = extents[0] * extents[1] * filters
        steps.append(Step("reshape", (len(steps),), (elements,)))
        units = int(rng.choice([1, 7, 16, 65]))
        steps.append(Step("dense", (len(steps),), (units,), {"units": units, "bias": True, "fused": "none"}))
    return Draft(seed, (*sizes, channels), tuple(steps), "int8")


def some_models(seeds: range) -> dict[str, bytes]:
    drafts = [draft for seed in seeds if (draft := any_draft(seed))]
    return {f"seed {draft.seed}: {draft}": write(draft, narrow=float(draft.seed % 5 == 0)) for draft in drafts}


@needs_avx
@pytest.mark.parametrize("path", VECTORS)
def test_any_shape_agrees(path: str):
    first = 50 * VECTORS.index(path)
    agree(some_models(range(first, first + 8)), path=path)


@needs_avx
@pytest.mark.slow
@pytest.mark.parametrize("path", VECTORS)
def test_many_shapes_agree(path: str):
    first = 1000 * (VECTORS.index(path) + 1)
    agree(some_models(range(first, first + 60)), path=path)


@needs_avx
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
