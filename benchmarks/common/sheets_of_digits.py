"""Test digits on school paper and on sheets on desks: how many are read right and believed, how many wrong and believed.

The settings of glyphlite.datasets were chosen on other sheets, of digits from the validation images and other seeds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from support.scenes import enlarged
from support.sheets import DESKS, PAPERS, desk_scene, school_sheet

from common.tables.pictures import OUTCOMES
from glyphlite.datasets.dataset import Split
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.preprocessing.images import find_glyph
from glyphlite.records import Certainty

SCHOOL = "all school paper"
DESK = "all desks"


@dataclass(frozen=True)
class Sheet:
    """A picture, its kind, the group of kinds and the digit on it."""

    group: str
    kind: str
    picture: np.ndarray
    label: int


def sheets(split: Split, number: int, seed: int) -> Iterator[Sheet]:
    """``number`` sheets of school paper, then half as many on desks, a third of them ruled or squared; each of another digit."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(split.labels))[: number + number // 2]
    for place, index in enumerate(chosen):
        coverage, label = enlarged(split.images[index, ..., 0]), int(split.labels[index])
        if place < number:
            kind = PAPERS[place % len(PAPERS)]
            yield Sheet(SCHOOL, kind, school_sheet(coverage, rng, kind), label)
        else:
            desk = DESKS[place % len(DESKS)]
            yield Sheet(DESK, f"{desk} desk", desk_scene(coverage, rng, desk, lines=place % 3 == 0), label)


def measure_sheets(
    split: Split,
    classify: Callable[[np.ndarray], np.ndarray],
    certainty: Certainty,
    *,
    number: int,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> dict[str, dict[str, Any]]:
    """Count the outcomes of each kind and of each group; a picture taken for blank is wrong and doubted."""
    counts: dict[str, dict[str, Any]] = {}
    for sheet in sheets(split, number, seed):
        glyph = find_glyph(sheet.picture)
        outcome = "wrong and doubted"
        if glyph is not None:
            answer = classify(glyph.pixels[np.newaxis])
            doubted = glyph.doubt is not None or bool(is_refused(calibrated(answer, certainty), certainty)[0])
            right = int(answer.argmax()) == sheet.label
            outcome = f"{'right' if right else 'wrong'} and {'doubted' if doubted else 'believed'}"
        for name in (sheet.kind, sheet.group):
            row = counts.setdefault(name, {"pictures": 0, **dict.fromkeys(OUTCOMES, 0)})
            row["pictures"] += 1
            row[outcome] += 1
        advance()
    return dict(sorted(counts.items(), key=lambda item: (item[0] in (SCHOOL, DESK), item[0])))
