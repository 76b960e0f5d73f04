"""Models of one or two layers whose channels, extents and windows kernels for wide vectors tell apart."""

from typing import Any

import numpy as np

from glyphlite.tflite.checked_op import convolved
from random_models.by_hand import write
from random_models.drafts import FUSED, Draft, Step


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


def some_models(seeds: range, narrow: float | None = None) -> dict[str, bytes]:
    """The models of seeds; ``narrow`` of their layers have INT4 weights, of one model in five all where it is None."""
    drafts = [draft for seed in seeds if (draft := any_draft(seed))]
    return {
        f"seed {draft.seed}: {draft}": write(draft, narrow=float(draft.seed % 5 == 0) if narrow is None else narrow)
        for draft in drafts
    }
