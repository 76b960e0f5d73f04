"""The check of a dataset's groups: what stands on two sides, who writes most, and the splits that training would make."""

from collections import Counter, defaultdict

import numpy as np

from glyphlite.datasets.dataset import Split
from glyphlite.datasets.splits import three_splits
from glyphlite.datasets.survey import TRAINING, Survey
from glyphlite.evaluation.data_check.records import GroupCheck, SharedGroup, SplitByGroup


def check_groups(survey: Survey) -> GroupCheck | None:
    """Returns what is to be said of the groups of a survey's images; None where no groups are told."""
    if survey.groups is None:
        return None
    groups = survey.groups.tolist()
    splits, classes = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for group, split, number in zip(groups, survey.splits.tolist(), survey.numbers.tolist(), strict=True):
        if group:
            splits[group].append(split)
            classes[survey.labels[number]].append(group)
    alike = defaultdict[str, list[str]](list)
    for group in splits:
        alike[group.casefold()].append(group)
    holders = {label: set(classes[label]) for label in survey.labels if label in classes}
    return GroupCheck(
        images=dict(Counter({group: len(each) for group, each in splits.items()}).most_common()),
        ungrouped=list(survey.ungrouped),
        shared=[
            SharedGroup(group=group, splits=list(dict.fromkeys(each))) for group, each in splits.items() if len(set(each)) > 1
        ],
        alike=[sorted(each) for each in alike.values() if len(each) > 1],
        of_one_group={label: next(iter(found)) for label, found in holders.items() if len(found) == 1},
        splits=_splits(survey),
    )


def _splits(survey: Survey) -> dict[str, SplitByGroup] | None:
    """Returns the splits that training with seed 0 would make of the images whose group is told; None where there are too few."""
    assert survey.groups is not None
    present = {name: _split_of(survey, name) for name in dict.fromkeys(survey.splits.tolist())}
    if present[TRAINING].groups is None:
        return None
    made = three_splits(present[TRAINING], present.get("validation"), present.get("test"), seed=0)
    if not all(map(len, made)):
        return None
    return {
        name: SplitByGroup(
            groups=len(set(split.groups.tolist()) - {""}) if split.groups is not None else 0,
            images=len(split),
            missing=[label for number, label in enumerate(survey.labels) if number not in split.labels],
        )
        for name, split in zip((TRAINING, "validation", "test"), made, strict=True)
    }


def _split_of(survey: Survey, name: str) -> Split:
    """Returns a split of the data's own with the images whose group is told, in place of pixels their numbers."""
    assert survey.groups is not None
    places = np.flatnonzero(survey.splits == name)
    told = places[survey.groups[places] != ""]
    return Split(told, survey.numbers[told], survey.groups[told]) if len(told) else Split(places, survey.numbers[places])
