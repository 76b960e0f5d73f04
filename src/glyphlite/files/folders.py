"""Folders that are written as a whole or not at all, and never at the cost of a file that is not ours.

A new folder is prepared beside its place and exchanged with what is there. Where the place itself has to stay (a link, a mount
point, the current folder), its files are prepared inside it and moved one by one, by a plan that the next command finishes if
this one is killed.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from glyphlite.errors import OutputError, first_of
from glyphlite.files.manifest import MANIFEST, Listing, is_mount, list_folder, manifest_text, read_manifest
from glyphlite.files.scratch import (
    NEW,
    PLAN,
    PREVIOUS,
    Plan,
    exchange,
    move_files,
    running_for,
    scratch_folder,
    sweep,
    sync_file,
    sync_folder,
    write_plan,
)
from glyphlite.files.single import made_folder, writing


def require_own(folder: Path, *, overwrite: bool = False) -> Listing:
    """Refuses a folder with files that glyphlite did not write or that were changed since; one that does not exist is fine.

    Args:
        folder: the folder, links followed.
        overwrite: accept it: changed files are replaced, others are kept.

    Returns:
        What lies in the folder.

    Raises:
        OutputError: it holds the user's files and ``overwrite`` is False, it cannot be read, or a file is in its place.
    """
    place = Path(os.path.realpath(folder))
    if place.exists() and not place.is_dir():
        raise OutputError(f"{folder} is a file; choose a folder with --out")
    sweep(place.parent)
    sweep(place)
    try:
        listing = list_folder(place)
    except OSError as error:
        raise OutputError(f"cannot use {folder} as a folder: {error.strerror}; choose another with --out") from None
    changed = [f"{name} (changed since)" for name in sorted(listing.changed)]
    theirs = [*sorted(listing.foreign), *changed]
    if theirs and not overwrite:
        which = "keeps them and replaces glyphlite's own" if not changed else "replaces glyphlite's own, those changed since too"
        raise OutputError(
            f"{folder} holds files that glyphlite did not write: {first_of(theirs, 3)}; "
            f"choose another folder with --out, or --overwrite, which {which}"
        )
    return listing


@contextmanager
def owned_folder(folder: Path, *, overwrite: bool = False, built: Iterable[str] = ()) -> Iterator[Path]:
    """Yields an empty folder to fill; on success it takes the place of ``folder``, with a manifest of what was written.

    The place is checked by :func:`require_own` first. With ``overwrite`` the user's files in it are kept.
    ``built`` are the files that our own Makefile will build there: they may be replaced as well.

    Raises:
        OutputError: the folder holds the user's files, one of them has the name of a file to be written, another command is
            writing the folder, or it cannot be written.
    """
    listing = require_own(folder, overwrite=overwrite)
    place, inside = _place(folder, listing)
    around = place if inside else place.parent
    with made_folder(around), writing(folder), scratch_folder(around) as scratch:
        with _announced(scratch, place, folder):
            new = scratch / NEW
            new.mkdir()
            yield new
        names = _finish_files(new)
        _refuse_clash(folder, names, listing.foreign)
        (new / MANIFEST).write_text(manifest_text(new, names, dict.fromkeys(built)))
        sync_file(new / MANIFEST)
        if inside:
            _move_in(scratch, place, [*sorted(names), MANIFEST], sorted(listing.ours - names - {MANIFEST}))
        else:
            _keep(place, new, (listing.foreign | listing.changed) - names - {MANIFEST}, listing.folders)
            _swap(place, scratch)
            _rescue(scratch / NEW, place, listing)


def remove_folder(folder: Path) -> None:
    """Removes a folder that :func:`owned_folder` wrote; the user's files in it stay. One that does not exist is fine.

    Raises:
        OutputError: a file cannot be removed.
    """
    if not folder.is_dir():
        return
    with writing(folder):
        listing = list_folder(folder)
        for name in sorted(listing.ours - {MANIFEST}):
            (folder / name).unlink()
        if not (listing.foreign or listing.changed):
            shutil.rmtree(folder)


def write_unit(folder: Path, files: Mapping[str, str], *, replaces: frozenset[str], overwrite: bool = False) -> list[Path]:
    """Writes a few text files into a folder as one unit: all of them or none. Other files there are left alone.

    Args:
        folder: created if missing.
        files: texts by name.
        replaces: names of files that an earlier unit may have left, removed where they are ours.
        overwrite: also replace files of ours that were changed since.

    Returns:
        The paths written.

    Raises:
        OutputError: a file of one of the names is the user's, or the folder cannot be written.
    """
    listing = require_own(folder, overwrite=True)
    _refuse_clash(folder, set(files), listing.foreign if overwrite else listing.foreign | listing.changed)
    with made_folder(folder) as place, writing(folder), scratch_folder(place) as scratch:
        (scratch / NEW).mkdir()
        for name, text in files.items():
            (scratch / NEW / name).write_text(text)
            sync_file(scratch / NEW / name)
        obsolete = sorted((replaces & listing.ours) - set(files))
        others = {name: digest for name, digest in read_manifest(place).items() if name not in obsolete}
        (scratch / NEW / MANIFEST).write_text(manifest_text(scratch / NEW, files, others))
        sync_file(scratch / NEW / MANIFEST)
        _move_in(scratch, place, [*files, MANIFEST], obsolete)
    return [Path(folder) / name for name in files]


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder to fill; on success it replaces ``path``, a folder of our own in the cache, as a whole.

    Of several processes that do so at the same moment, the last one's stays.

    Raises:
        OutputError: the folder cannot be written.
    """
    place = Path(os.path.realpath(path))
    with made_folder(place.parent), writing(path), scratch_folder(place.parent) as scratch:
        new = scratch / NEW
        new.mkdir()
        yield new
        _finish_files(new)
        _swap(place, scratch)


def _place(folder: Path, listing: Listing) -> tuple[Path, bool]:
    """Returns the folder's real path, and whether its files must be replaced inside it because the folder itself has to stay."""
    place = Path(os.path.realpath(folder))
    here = Path(os.path.realpath("."))
    beside = place.parent if place.parent.exists() else None
    inside = (
        folder.is_symlink()
        or is_mount(place)
        or here.is_relative_to(place)
        or listing.mounted
        or (beside is not None and not os.access(beside, os.W_OK | os.X_OK))
    )
    return place, inside and place.exists()


def _finish_files(new: Path) -> set[str]:
    """Syncs every file of a prepared folder; returns their relative paths."""
    files = [path for path in new.rglob("*") if path.is_file()]
    for path in files:
        sync_file(path)
    new.chmod(0o777 & ~_umask())
    return {path.relative_to(new).as_posix() for path in files}


@contextmanager
def _announced(scratch: Path, place: Path, folder: Path) -> Iterator[None]:
    """Lets other commands that would write the same place find this one, and stop.

    Raises:
        OutputError: one that began earlier is writing it.
    """
    write_plan(scratch, Plan(place.name))
    try:
        if running_for(place, scratch):
            raise OutputError(f"another glyphlite command is writing {folder}; wait for it, or choose another folder with --out")
        yield
    finally:
        (scratch / PLAN).unlink(missing_ok=True)


def _keep(place: Path, new: Path, names: Iterable[str], folders: Iterable[str]) -> None:
    """Lets the user's files of the present folder be in the new one, too: as links to the same bytes, else as copies."""
    for folder in folders:
        (new / Path(folder).relative_to(place)).mkdir(parents=True, exist_ok=True)
    for name in names:
        try:
            os.link(place / name, new / name, follow_symlinks=False)
        except OSError:
            shutil.copy2(place / name, new / name, follow_symlinks=False)


def _rescue(previous: Path, place: Path, listing: Listing) -> None:
    """Moves what the user put into the previous folder since it was listed into the new one."""
    known = listing.ours | listing.changed | listing.foreign
    for name in list_folder(previous).foreign - known:
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (previous / name).rename(target if not target.exists() else target.with_name(f"{target.name}.yours"))


def _swap(place: Path, scratch: Path) -> None:
    """Puts the prepared folder in its place; what was there is in the scratch folder afterwards, and goes with it."""
    new, previous = scratch / NEW, scratch / PREVIOUS
    while True:
        try:
            new.rename(place)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
        else:
            sync_folder(place.parent)
            break
        try:
            if exchange(new, place):
                sync_folder(place.parent)
                break
        except FileNotFoundError:
            continue  # another process has moved it away by now
        write_plan(scratch, Plan(place.name))
        place.rename(previous)
        try:
            new.rename(place)
        except OSError:
            if not place.exists():
                previous.rename(place)
                (scratch / PLAN).unlink()
                raise
        else:
            sync_folder(place.parent)
        shutil.rmtree(previous, ignore_errors=True)
        (scratch / PLAN).unlink()
        if not new.exists():
            break


def _move_in(scratch: Path, place: Path, names: Iterable[str], obsolete: Iterable[str]) -> None:
    """Moves prepared files into their folder by a plan that survives a kill; the manifest, the last name, comes last."""
    plan = Plan(place.name, tuple(names), tuple(obsolete))
    write_plan(scratch, plan)
    try:
        move_files(scratch, place, plan)
    except OSError:  # half of them are in place: what failed in passing is not a reason to leave the two halves mixed
        move_files(scratch, place, plan)


def _refuse_clash(folder: Path, names: set[str], theirs: frozenset[str]) -> None:
    """Refuses to put files of ours in the place of the user's, or a folder of ours in that of a file, or the other way round."""
    clash = (names & (theirs | _above(theirs))) | (_above(names) & theirs)
    if clash:
        raise OutputError(
            f"{folder / min(clash)} is not glyphlite's (or was changed since) and would be replaced; "
            "move it away or choose another folder with --out"
        )


def _above(names: Iterable[str]) -> set[str]:
    """Returns the folders, relative like the names, in which they lie."""
    return {parent.as_posix() for name in names for parent in Path(name).parents}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
