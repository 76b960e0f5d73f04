"""Two files held to give the same bytes: every runtime that takes the first must take the second and answer alike."""

from pathlib import Path

from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.verification.output_comparison import rows_differ
from glyphlite.runtimes.refusals import NotStartedError
from glyphlite.runtimes.registry import INTERPRETERS, get_runtime, runtime_words

COMPARED = (*INTERPRETERS, "generated_c")


def same_answers(before: Path, after: Path, inputs: InputSet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Runs two files on the same inputs in every runtime.

    Args:
        before: the file that is right.
        after: the one that must answer as it does.
        inputs: what both are given.

    Returns:
        The runtimes in which every byte is the same, and those in which one differs or that refuse ``after`` alone.

    Raises:
        ArtifactError: no runtime takes ``before``, so that nothing was compared.
        OutputError: what a runtime needs on disk cannot be written.
        ToolError: a compiler that built the first file fails on the second, or no child process starts.
    """
    same: list[str] = []
    apart: list[str] = []
    for name in COMPARED:
        runtime = get_runtime(name)
        try:
            with runtime.load(before) as model:
                expected = model.run(inputs.arrays)
        except NotStartedError:  # the machine's fault, which must not look like a runtime that refuses the file
            raise
        except (ArtifactError, ToolError):
            continue
        try:
            with runtime.load(after) as model:
                answers = model.run(inputs.arrays)
        except ArtifactError:  # what a tool or the disk refuses says nothing of the file
            apart.append(name)
            continue
        (apart if rows_differ(expected, answers).any() else same).append(name)
    if not same and not apart:
        runtimes = ", ".join(map(runtime_words, COMPARED))
        raise ArtifactError(f"{before.name} runs in none of {runtimes}; what cannot be compared is not changed")
    return tuple(same), tuple(apart)
