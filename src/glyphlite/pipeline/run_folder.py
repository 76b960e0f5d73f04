"""The folder of a training or run: a finished one is never replaced unasked, an unfinished one is never lost."""

import re
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from glyphlite.console import say
from glyphlite.conversion.variants import VARIANT_NAMES, artifact_name
from glyphlite.errors import OutputError
from glyphlite.training.checkpoint import CheckpointStore

RUNS = Path("runs")

CHECKPOINTS = "checkpoints"

OURS = (
    "results.json",
    "report.html",
    "run.toml",
    "model.keras",
    "model.weights.h5",
    "history.csv",
    "labels.txt",
    *(artifact_name(variant) for variant in VARIANT_NAMES),
    "figures/training.png",
    "figures/samples.json",
)
"""Files that a training or run writes; overwriting a folder removes these and the checkpoints, and nothing else."""


@dataclass(frozen=True)
class Wish:
    """Holds the user's wishes for the folder.

    Attributes:
        out: the folder, if one was named.
        resume: to go on from its last checkpoint.
        overwrite: to replace what is in it.
    """

    out: Path | None = None
    resume: bool = False
    overwrite: bool = False


def choose_folder(wish: Wish, name: str, *, runs: Path = RUNS) -> Path:
    """Chooses the folder; changes nothing yet.

    Args:
        wish: what the user said.
        name: of the folder in ``runs`` where none was named; ``NAME-2`` and so on where that holds a finished run, said aloud.
        runs: where folders without a name of the user's go.

    Raises:
        OutputError: the folder holds a run, or, to be resumed, none.
    """
    if wish.resume and wish.overwrite:
        raise OutputError("--resume goes on with a run, --overwrite replaces it; give one of the two")
    if wish.resume:
        return _to_resume([wish.out] if wish.out is not None else _numbered(runs / name))
    folder = wish.out if wish.out is not None else runs / name
    if wish.overwrite or not (is_finished(folder) or is_unfinished(folder)):
        return folder
    if not is_finished(folder):
        raise OutputError(f"{folder} holds a run that is not finished; --resume goes on with it, --overwrite starts over")
    if wish.out is not None:
        raise OutputError(
            f"{folder} holds a finished run; choose another folder with --out, or give --overwrite to replace the run"
        )
    new = _next_free(folder)
    say(f"{escape(str(folder))} holds a finished run, which stays; this one goes into {escape(str(new))}")
    return new


def clear_folder(folder: Path) -> None:
    """Remove what a former training or run left in a folder; files that are not ours stay.

    Raises:
        OutputError: a file cannot be removed.
    """
    try:
        for name in OURS:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot remove {error.filename}: {error.strerror}; choose another folder with --out") from None
    if (folder / CHECKPOINTS).is_dir():
        CheckpointStore(folder / CHECKPOINTS).clear()


def is_finished(folder: Path) -> bool:
    """Returns whether a folder holds a finished training or run, or a model that none of ours has left."""
    return (folder / "results.json").is_file() or ((folder / "model.keras").is_file() and not _has_checkpoint(folder))


def is_unfinished(folder: Path) -> bool:
    """Returns whether a folder holds a training that was stopped, or a run that ended behind its training."""
    return not is_finished(folder) and _has_checkpoint(folder)


def _has_checkpoint(folder: Path) -> bool:
    return any((folder / CHECKPOINTS).glob("checkpoint-*.ckpt"))


def _to_resume(folders: list[Path]) -> Path:
    """The newest of the folders with a training that is not finished, else with any checkpoint."""
    for fits in (is_unfinished, _has_checkpoint):
        for folder in reversed(folders):
            if fits(folder):
                say(f"Resuming in {escape(str(folder))}")
                return folder
    raise OutputError(
        f"there is nothing to resume: {folders[0]} holds no checkpoint; name the folder of the training with --out, or leave out "
        "--resume to train from the beginning"
    )


def _numbered(first: Path) -> list[Path]:
    """The folder and those called after it, NAME-2, NAME-3, in that order."""
    pattern = re.compile(re.escape(first.name) + r"-([2-9]|[1-9]\d+)")
    found = {int(match[1]): path for path in first.parent.glob("*") if (match := pattern.fullmatch(path.name))}
    return [first, *(found[number] for number in sorted(found))]


def _next_free(first: Path) -> Path:
    number = 2
    while (path := first.with_name(f"{first.name}-{number}")).exists():
        number += 1
    return path
