"""The folder of a training or run: a finished one is never replaced unasked, an unfinished one is never lost."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glyphlite.console import say
from glyphlite.conversion.variants import VARIANT_NAMES, artifact_name
from glyphlite.errors import OutputError
from glyphlite.files.folders import owned_folder, remove_folder, require_own
from glyphlite.files.manifest import MANIFEST, list_folder, read_manifest
from glyphlite.files.owned import remove_ours, require_ours
from glyphlite.files.scratch import sweep
from glyphlite.files.single import without_detours
from glyphlite.training.checkpoint import CheckpointStore

RUNS = Path("runs")

CHECKPOINTS = "checkpoints"
C_FOLDER, TFLM_FOLDER = FIRMWARE = ("c", "tflm")
"""Folders in a run's, each with a manifest of its own."""

PREVIOUS = "previous"
"""In the folder of a run that replaces a finished one: the former, until the new one is finished."""

TRAINING_FILES = (
    "results.json",
    "run.toml",
    "model.keras",
    "model.weights.h5",
    "history.csv",
    "labels.txt",
    "figures/training.png",
)
"""Files that a training writes, besides its checkpoints."""

RUN_FILES = (
    *TRAINING_FILES,
    "report.html",
    *(artifact_name(variant) for variant in VARIANT_NAMES),
    *(
        f"figures/{name}"
        for name in (
            "samples.json",
            "accuracy.png",
            "size-accuracy.png",
            "latency.png",
            "confusion.png",
            "samples-right.png",
            "samples-wrong.png",
        )
    ),
)
"""Files that a run writes; overwriting a folder removes these, where they are ours, and the checkpoints, and nothing else."""

DEFINITION = "model.toml"
"""The file that defines the model, where one does: a copy of the user's, or, where they keep it in the folder, theirs."""

EXPORTS = ("c", "tflm")
"""Folders in that of a run which hold what is made of the int8 artifact."""


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


def choose_folder(wish: Wish, name: str, *, writes: Sequence[str] = RUN_FILES, runs: Path = RUNS) -> Path:
    """Chooses the folder; changes nothing yet.

    Args:
        wish: what the user said.
        name: of the folder in ``runs`` where none was named; ``NAME-2`` and so on where that holds a finished run, said aloud.
        writes: the files that will be written there.
        runs: where folders without a name of the user's go.

    Raises:
        OutputError: the folder holds a run, or, to be resumed, none; or files that are not glyphlite's and would be replaced.
    """
    if wish.out is not None:
        out = without_detours(wish.out)
        sweep(out)
        require_ours(out, writes, overwrite=wish.overwrite)
        return _choose(replace(wish, out=out), name, runs)
    folder = _choose(wish, name, runs)
    require_ours(folder, writes, overwrite=wish.overwrite)
    return folder


def require_exportable(folder: Path, *, overwrite: bool) -> None:
    """Checks before a run begins that it will be able to write the folders of what is made of the int8 artifact.

    Raises:
        OutputError: one of them is the user's, or holds files that glyphlite did not write or that were changed since.
    """
    for export in EXPORTS:
        require_own(folder / export, overwrite=overwrite and (folder / export / MANIFEST).exists())


def _choose(wish: Wish, name: str, runs: Path) -> Path:
    if wish.resume and wish.overwrite:
        raise OutputError("--resume continues a run, --overwrite replaces it; give one of the two")
    if wish.resume:
        return _to_resume([wish.out] if wish.out is not None else _numbered(runs / _folder_name(name)))
    folder = wish.out if wish.out is not None else runs / _folder_name(name)
    if wish.overwrite or not (is_finished(folder) or is_unfinished(folder)):
        return folder
    if not is_finished(folder):
        raise OutputError(f"{folder} holds a run that is not finished; --resume continues it, --overwrite starts over")
    if wish.out is not None:
        raise OutputError(
            f"{folder} holds a finished run; choose another folder with --out, or give --overwrite to replace the run"
        )
    new = _next_free(folder)
    say(f"{folder} holds a finished run, which stays; this one goes into {new}")
    return new


def require_kept(wish: Wish, folder: Path, model: Path) -> None:
    """Refuses to replace a run by a training that begins with its model.

    Raises:
        OutputError: the model is a file of the run.
    """
    names = (*RUN_FILES, DEFINITION) if DEFINITION in read_manifest(folder) else RUN_FILES
    if wish.overwrite and any(is_same_file(model, folder / name) for name in names):
        raise OutputError(f"{model} belongs to the run that --overwrite replaces; choose another folder with --out")


def is_same_file(one: Path, other: Path) -> bool:
    """Returns whether two paths lead to one file that is there."""
    return one.exists() and one.resolve() == other.resolve()


def clear_folder(folder: Path) -> None:
    """Removes what a former training or run left in a folder; files that are not ours stay.

    A finished one is kept, as a whole, in the folder :data:`PREVIOUS` in it, until :func:`drop_previous`.

    Raises:
        OutputError: a file cannot be removed, or the former run not be kept.
    """
    if is_finished(folder):
        _keep_previous(folder)
    remove_ours(
        folder, (*RUN_FILES, DEFINITION)
    )  # results.json first: without it the folder's own run is no longer a finished one
    if (folder / CHECKPOINTS).is_dir():
        CheckpointStore(folder / CHECKPOINTS).clear()


def drop_previous(folder: Path) -> None:
    """Removes the former run, now that the one which replaces it is finished.

    Raises:
        OutputError: a file cannot be removed.
    """
    remove_folder(folder / PREVIOUS)


def _keep_previous(folder: Path) -> None:
    """Puts the files of a finished run into a folder inside its own, beside themselves: no bytes are copied.

    Raises:
        OutputError: it cannot be written, or the user's files lie there.
    """
    listed = {parent: read_manifest(folder / parent) for parent in {Path(name).parent for name in RUN_FILES}}
    names = [
        name for name in (*RUN_FILES, DEFINITION) if Path(name).name in listed[Path(name).parent] and (folder / name).is_file()
    ]
    names += [f"{part}/{name}" for part in FIRMWARE for name in sorted(list_folder(folder / part).ours)]
    with owned_folder(folder / PREVIOUS) as kept:
        for name in names:
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                (kept / name).hardlink_to(folder / name)
            except OSError:  # a file system without links
                shutil.copy2(folder / name, kept / name)
    say(f"the former run stays in {folder / PREVIOUS} until this one is finished")


def is_finished(folder: Path) -> bool:
    """Returns whether a folder holds a finished training or run, or a model that none of ours has left."""
    if (folder / "results.json").is_file():
        return True
    return (folder / "model.keras").is_file() and not _has_checkpoint(folder) and "model.keras" not in read_manifest(folder)


def is_unfinished(folder: Path) -> bool:
    """Returns whether a folder holds a training that was stopped, or a run that ended behind its training."""
    return not is_finished(folder) and _has_checkpoint(folder)


def _has_checkpoint(folder: Path) -> bool:
    return any((folder / CHECKPOINTS).glob("checkpoint-*.ckpt"))


def _to_resume(folders: list[Path]) -> Path:
    """Returns the newest of the folders with a training that is not finished, else with any checkpoint."""
    for fits in (is_unfinished, _has_checkpoint):
        for folder in reversed(folders):
            if fits(folder):
                say(f"Resuming in {folder}")
                return folder
    raise OutputError(
        f"there is nothing to resume: {folders[0]} holds no checkpoint; name the folder of the training with --out, or leave out "
        "--resume to train from the beginning"
    )


def _numbered(first: Path) -> list[Path]:
    """Returns the folder and those called after it, NAME-2, NAME-3, in that order."""
    pattern = re.compile(re.escape(first.name) + r"-([2-9]|[1-9]\d+)")
    found = {int(match[1]): path for path in first.parent.glob("*") if (match := pattern.fullmatch(path.name))}
    return [first, *(found[number] for number in sorted(found))]


def _next_free(first: Path) -> Path:
    number = 2
    while (path := first.with_name(f"{first.name}-{number}")).exists():
        number += 1
    return path


def _folder_name(name: str) -> str:
    """Returns a model's name as that of a folder inside another: ``...keras`` and ``file.py:../x`` would lie beside it."""
    name = Path(name).name
    return "model" if name in ("", "..") else name
