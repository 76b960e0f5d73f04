"""The inputs for a command: those of ``--inputs``, a dataset's images where one fits the model, else random ones. Says which."""

from dataclasses import replace
from pathlib import Path

from glyphlite.console import say
from glyphlite.errors import DataError
from glyphlite.evaluation.input_sets.file_inputs import file_set
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.random_inputs import parse_random, random_set
from glyphlite.evaluation.input_sets.value_ranges import ModelInputs


def named_set(
    model: ModelInputs,
    inputs: str,
    *,
    dataset: str | None = None,
    count: int | None = None,
    seed: int = 0,
    first: bool = False,
) -> InputSet:
    """Returns what ``--inputs`` names: ``random[:N[:SEED]]``, or a file; says what was assumed of it.

    Args:
        model: what it takes.
        inputs: the option's value.
        dataset: what ``--dataset`` names, which cannot be meant as well.
        count: how many inputs to take; all of a file's when None, and by what one costs of random ones.
        seed: of random inputs, and of the draw among a file's.
        first: takes a file's first inputs rather than a draw; so do models that keep state.

    Raises:
        DataError: the value or the file is none, does not fit the model, or two sources are named.
    """
    if dataset is not None:
        raise DataError("--inputs and --dataset both name inputs; give one of them")
    if (asked := parse_random(inputs)) is not None:
        own_count, own_seed = asked
        found = random_set(model, count if own_count is None else own_count, seed if own_seed is None else own_seed)
    else:
        everything = file_set(Path(inputs), model)
        found = everything.chosen(slice(count)) if first or model.keeps_state else everything.drawn(count, seed)
        if len(found) < len(everything):
            found = replace(found, source=f"{len(found):,} of {everything.source}")
    for note in found.notes:
        say(note)
    return found


def unasked_set(model: ModelInputs, *, count: int | None = None, seed: int = 0) -> InputSet:
    """Returns random inputs for a command that was given none, and says so.

    Args:
        model: what it takes.
        count: how many; by what one costs when None.
        seed: of the draw.
    """
    found = random_set(model, count, seed)
    say(f"{found.source}; --inputs FILE brings others, --dataset images with their classes", lead="No dataset:")
    for note in found.notes:
        say(note)
    return found
