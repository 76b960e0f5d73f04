"""The check of a dataset: counts, repetitions, polarity and label suspects of a survey, as one record."""

from collections import Counter, defaultdict

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.splits import balanced_order, imbalance
from glyphlite.datasets.survey import TRAINING, Survey
from glyphlite.evaluation.data_check.groups import check_groups
from glyphlite.evaluation.data_check.records import (
    ClassCount,
    DataCheck,
    Repetition,
    ShownImage,
    Suspect,
    SuspectSearch,
    Unreadable,
)
from glyphlite.evaluation.data_check.suspects import FEWEST, judge_labels

MOST_JUDGED = 60_000
"""Images judged where there are more, equally many of each class as far as that goes."""


def check_survey(survey: Survey, *, suspects: bool = True) -> DataCheck:
    """Returns what is to be said of a dataset.

    Args:
        survey: the dataset, looked through.
        suspects: whether labels are judged, which trains models.

    Raises:
        ModelError: labels are to be judged, and no model can be trained on such images.
    """
    training = np.bincount(survey.numbers[survey.splits == TRAINING], minlength=len(survey.labels))
    dark = bool(survey.dark.mean() > 0.5)
    found, search = _suspects(survey) if suspects else ([], None)
    return DataCheck(
        data=survey.name,
        images=len(survey),
        classes=_classes(survey),
        imbalance=imbalance(training),
        sizes=dict(survey.sizes.most_common()),
        modes=dict(survey.modes.most_common()),
        unreadable=[Unreadable(name=name, reason=reason) for name, reason in survey.unreadable],
        doubted=[Unreadable(name=name, reason=reason) for name, reason in survey.doubted],
        blank=list(survey.blank),
        repetitions=_repetitions(survey),
        inverted=[_shown(survey, int(place)) for place in np.flatnonzero(survey.dark != dark)],
        dark_on_light=dark,
        normalized=survey.prepared,
        groups=check_groups(survey),
        suspects=found,
        suspect_search=search,
        notes=list(survey.notes),
    )


def _shown(survey: Survey, place: int) -> ShownImage:
    return ShownImage(
        name=survey.names[place],
        label=survey.labels[survey.numbers[place]],
        split=str(survey.splits[place]),
        group=str(survey.groups[place]) or None if survey.groups is not None else None,
        index=place,
    )


def _classes(survey: Survey) -> list[ClassCount]:
    """Returns how many images each class has in each split."""
    counts = Counter(zip(survey.numbers.tolist(), survey.splits.tolist(), strict=True))
    splits = list(dict.fromkeys(survey.splits.tolist()))
    return [
        ClassCount(label=label, images={split: counts[number, split] for split in splits})
        for number, label in enumerate(survey.labels)
    ]


def _repetitions(survey: Survey) -> list[Repetition]:
    """Returns the images that occur more than once: those across classes, splits or groups first, then the most frequent."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, each in enumerate(survey.hashes):
        places[each].append(place)
    found = [
        Repetition(
            images=[_shown(survey, place) for place in same],
            across=len(set(survey.splits[same].tolist())) > 1,
            two_classes=len(set(survey.numbers[same].tolist())) > 1,
            several_groups=survey.groups is not None and len(set(survey.groups[same].tolist()) - {""}) > 1,
        )
        for same in places.values()
        if len(same) > 1
    ]
    return sorted(found, key=lambda each: (not each.two_classes, not each.across, not each.several_groups, -len(each.images)))


def _suspects(survey: Survey) -> tuple[list[Suspect], SuspectSearch | None]:
    """Returns the images whose labels models contradict, and how they were found; None where there are too few images."""
    if len(survey) < FEWEST or len(np.unique(survey.numbers)) < 2:
        say(f"label suspects: {len(survey)} images are too few to judge labels by", style="yellow")
        return [], None
    chosen = np.arange(len(survey))
    if len(survey) > MOST_JUDGED:
        chosen = np.sort(balanced_order(survey.numbers, 0)[:MOST_JUDGED])
        say(f"label suspects: {MOST_JUDGED:,} of {len(survey):,} images are judged, equally many of each class", style="yellow")
    labels = survey.numbers[chosen]
    judged = judge_labels(survey.images[chosen], labels, len(survey.labels))
    found = [
        Suspect(
            image=_shown(survey, int(chosen[place])),
            guess=survey.labels[judged.votes[0, place]],
            confidence=float(judged.probabilities[place, judged.votes[0, place]]),
            label_probability=float(judged.probabilities[place, labels[place]]),
        )
        for place in judged.suspects(labels)
    ]
    search = SuspectSearch(
        model=judged.model,
        trainings=judged.trainings,
        seconds=judged.seconds,
        accuracy=float(np.mean(judged.votes == labels)),
    )
    return found, search
