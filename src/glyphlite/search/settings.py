"""The settings of a search, which its study keeps: whoever joins it, or goes on with it, searches the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from glyphlite.errors import ToolError, did_you_mean
from glyphlite.files.untrusted import parsing
from glyphlite.search.budget import Budget
from glyphlite.search.space import LARGEST_BATCH, SIDES

OBJECTIVES = ("accuracy", "flash", "ram", "instructions")
"""What can be searched for: the highest accuracy, the lowest of the others."""

SAMPLERS = ("front", "tpe", "nsga2", "random")

EPOCHS = 12
"""Of a trial that is not pruned."""

VERSION = 1
"""Of the space and of what trials keep; another one does not go on with a study."""


@dataclass(frozen=True)
class SearchSettings:
    """The space, the budget and the way of a search.

    Attributes:
        dataset: as the user named it.
        input_shape: height, width, channels of its images as they are.
        classes: their number.
        budget: what a network may take.
        objectives: of `OBJECTIVES`; the first is accuracy.
        sides: rows and columns that images may be brought to.
        sampler: of `SAMPLERS`, proposes.
        epochs: of a trial that is not pruned.
        seed: of the split, of proposals and trainings.
        class_weights: ``balanced``, or None.
        group_by: how the images' groups are told, which no split may part.
        images: how many training images a trial sees; None: all.
        batch: images in a batch of a training.
        version: of the space.
    """

    dataset: str
    input_shape: tuple[int, int, int]
    classes: int
    budget: Budget = field(default_factory=Budget)
    objectives: tuple[str, ...] = ("accuracy", "flash")
    sides: tuple[int, ...] = SIDES
    sampler: str = "front"
    epochs: int = EPOCHS
    seed: int = 0
    class_weights: str | None = None
    group_by: str | None = None
    images: int | None = None
    batch: int = LARGEST_BATCH
    version: int = VERSION

    @property
    def channels(self) -> int:
        """Returns the channels of an image."""
        return self.input_shape[2]

    @property
    def rungs(self) -> tuple[int, ...]:
        """Returns after which epochs a trial is held against the others, each time three times as many, as in Hyperband."""
        steps = (round(self.epochs / 9), round(self.epochs / 3))
        return tuple(sorted({epoch for epoch in steps if 0 < epoch < self.epochs}))

    def document(self) -> dict[str, Any]:
        """Returns it as plain JSON."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "SearchSettings":
        """Returns what :meth:`document` gave.

        Raises:
            ToolError: another version of glyphlite wrote it, or another program.
        """
        from pydantic import TypeAdapter

        if document.get("version") != VERSION:
            raise ToolError(
                f"the study was begun with another version of the search ({document.get('version')}, this is {VERSION}); "
                "begin a new one"
            )
        with parsing("the study holds settings that no search can have", ToolError):
            found = TypeAdapter(cls).validate_python(document)
        if not (
            found.classes > 1
            and found.epochs > 0
            and 0 < found.batch <= LARGEST_BATCH
            and 0 <= found.seed < 1 << 31
            and found.sides
            and min(*found.input_shape, *found.sides) > 0
            and found.sampler in SAMPLERS
            and found.objectives
            and set(found.objectives) <= set(OBJECTIVES)
        ):
            raise ToolError("the study holds settings that no search can have")
        return found


def sides_for(input_shape: Sequence[int]) -> tuple[int, ...]:
    """Returns the rows and columns that images of a shape may be brought to: their own, and what is smaller of `SIDES`.

    Images in colour keep their own.
    """
    own = min(*input_shape[:2], SIDES[0])
    if input_shape[2] > 1:
        return (own,)
    return tuple(sorted({own, *(side for side in SIDES if side < own)}, reverse=True))


def parse_objectives(text: str) -> tuple[str, ...]:
    """Returns the objectives that a user lists, accuracy first.

    Raises:
        ToolError: one is unknown or given twice, or there is none.
    """
    given = [each.strip().lower() for each in text.split(",")]
    if twice := next((each for each in given if given.count(each) > 1), None):
        raise ToolError(f"--objective names {twice!r} twice")
    for each in given:
        if each not in OBJECTIVES:
            raise ToolError(f"--objective takes {', '.join(OBJECTIVES)}, not {each!r}{did_you_mean(each, OBJECTIVES)}")
    return ("accuracy", *(each for each in OBJECTIVES[1:] if each in given))
