"""The findings of ``glyphlite data check`` in sentences, the gravest first. A pure function of the record."""

from glyphlite.datasets.splits import UNEQUAL
from glyphlite.errors import first_of
from glyphlite.evaluation.data_check.records import DataCheck
from glyphlite.formatting import count, percent, things
from glyphlite.report.findings.group_findings import MOST_NAMED, group_findings


def data_findings(check: DataCheck) -> list[str]:
    """Returns what was found, a sentence or two each, and what to do; empty where nothing was."""
    found = [_unreadable(check), *group_findings(check), _two_classes(check), _across(check), _within(check)]
    found += [_suspects(check), _inverted(check)]
    found += [_imbalance(check), _blank(check), _doubted(check)]
    return [each for each in found if each]


def _names(names: list[str]) -> str:
    return first_of(names, MOST_NAMED)


def _unreadable(check: DataCheck) -> str | None:
    if not check.unreadable:
        return None
    return (
        f"{things(len(check.unreadable), 'picture')} cannot be read: {_names([each.name for each in check.unreadable])} "
        f"(the first {check.unreadable[0].reason}). Training refuses the folder until they are repaired or removed."
    )


def _two_classes(check: DataCheck) -> str | None:
    several = [each for each in check.repetitions if each.two_classes]
    if not several:
        return None
    classes = " and ".join(dict.fromkeys(image.label for image in several[0].images))
    return (
        f"{things(len(several), 'picture')} with the same pixels under several classes, as {several[0].images[0].name} under "
        f"{classes}: no model can get both right. Keep the right one."
    )


def _across(check: DataCheck) -> str | None:
    shared = [each for each in check.repetitions if each.across]
    if not shared:
        return None
    splits = " and ".join(dict.fromkeys(image.split for image in shared[0].images))
    return (
        f"{things(len(shared), 'picture')} in several splits, as {shared[0].images[0].name} in {splits}: what is measured on "
        "them flatters. Remove them from the training split."
    )


def _within(check: DataCheck) -> str | None:
    within = [each for each in check.repetitions if not (each.across or each.two_classes or each.several_groups)]
    if not within:
        return None
    spare = sum(len(each.images) - 1 for each in within)
    return (
        f"{things(len(within), 'picture')} repeated within a split, {count(spare)} more than needed: splits that glyphlite makes "
        "keep them on one side."
    )


def _suspects(check: DataCheck) -> str | None:
    search = check.suspect_search
    if search is None or not check.suspects:
        return None
    first = check.suspects[0]
    return (
        f"{things(len(check.suspects), 'label')} that models contradict, as {first.image.name}, labelled {first.image.label}, "
        f"which looks like {first.guess}. All of {count(search.trainings)} small models, each trained without the images that it "
        f"judged, agree (right on {percent(search.accuracy)} of all): look at them, they may be wrong, rare or unclear."
    )


def _inverted(check: DataCheck) -> str | None:
    if not check.inverted:
        return None
    most, others = ("dark on light", "light on dark") if check.dark_on_light else ("light on dark", "dark on light")
    names = _names([each.name for each in check.inverted])
    what = "Each is made light on dark" if check.normalized else "Invert them, unless the class means it"
    return f"{things(len(check.inverted), 'image')} {others}, while most are {most}: {names}. {what}."


def _imbalance(check: DataCheck) -> str | None:
    if check.imbalance < UNEQUAL:
        return None
    return (
        f"The classes are unequal: the most frequent has {check.imbalance:.3g} times the training images of the rarest. Training "
        "weighs them (--class-weights); more images of the rare ones are worth more."
    )


def _blank(check: DataCheck) -> str | None:
    if not check.blank:
        return None
    return (
        f"{things(len(check.blank), 'picture')} blank, one colour all over, and trained on all the same: {_names(check.blank)}. "
        "Remove them, unless the class means it."
    )


def _doubted(check: DataCheck) -> str | None:
    if not check.doubted:
        return None
    return (
        f"{things(len(check.doubted), 'picture')} may show no single glyph: {_names([each.name for each in check.doubted])} "
        f"(of the first: {check.doubted[0].reason})."
    )
