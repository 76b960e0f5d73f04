"""Single files of ours in a folder that may hold the user's as well: that of a run, or of a model that was converted.

What is ours is told by the manifest of the folder that a file lies in. It is written before the file, so that no kill in between
makes a file of ours look like the user's, nor one of the user's like ours.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from glyphlite.errors import OutputError, first_of
from glyphlite.files.manifest import MANIFEST, Digests, is_ours, manifest_text, read_manifest
from glyphlite.files.scratch import scratch_folder, sync_file, sync_folder
from glyphlite.files.single import made_folder, sha256_of, writing


@contextmanager
def owned_path(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yields a temporary path of the same name, in a folder beside; on success it is synced, listed and becomes ``path``.

    On any exception, Ctrl-C included, the temporary file is removed and ``path`` is left as it was.

    Args:
        path: created, or replaced where glyphlite wrote it.
        overwrite: replace it also where it was changed since.

    Raises:
        OutputError: the file there is the user's, or it cannot be written (folder not writable, disk full).
    """
    with made_folder(path.parent) as folder, writing(path):
        require_ours(path.parent, [path.name], overwrite=overwrite)
        with scratch_folder(folder) as scratch:
            temporary = scratch / path.name
            yield temporary
            sync_file(temporary)
            require_ours(path.parent, [path.name], overwrite=overwrite)
            _list(folder, scratch, path.name, temporary)
            temporary.replace(folder / path.name)
            sync_folder(folder)


def write_owned(path: Path, content: bytes | str, *, overwrite: bool = False) -> Path:
    """Writes a whole file of ours, text as UTF-8, and returns its path.

    Raises:
        OutputError: as :func:`owned_path`.
    """
    with owned_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content.encode(errors="backslashreplace") if isinstance(content, str) else content)
    return Path(path)


def require_ours(folder: Path, names: Iterable[str], *, overwrite: bool = False) -> None:
    """Refuses to replace files that glyphlite did not write or that were changed since; such as do not exist are fine.

    Args:
        folder: it need not exist.
        names: of files that will be written, relative to it.
        overwrite: accept those that were changed.

    Raises:
        OutputError: it names them.
    """
    foreign, changed = [], []
    for name in names:
        place = folder / name
        between = place.parents[: len(Path(name).parts) - 1]
        if blocked := [each for each in between if os.path.lexists(each) and not each.is_dir()]:
            foreign.append(str(blocked[-1].relative_to(folder)))
        elif os.path.lexists(place):
            listed = read_manifest(place.parent)
            if place.name not in listed or place.is_symlink() or not place.is_file():
                foreign.append(name)
            elif not is_ours(place, listed[place.name]):
                changed.append(name)
    _refuse(folder, sorted(set(foreign)), "glyphlite did not write and would replace", "move it away or choose another folder")
    if not overwrite:
        words = "was changed since glyphlite wrote it and would be replaced"
        _refuse(folder, changed, words, "move it away, give --overwrite, or choose another folder")


def remove_ours(folder: Path, names: Iterable[str]) -> None:
    """Removes files that glyphlite wrote, also where they were changed since; others of these names stay.

    Raises:
        OutputError: a file cannot be removed.
    """
    parents: dict[Path, list[str]] = {}
    for name in names:
        parents.setdefault((folder / name).parent, []).append((folder / name).name)
    for parent, files in parents.items():
        with writing(parent):
            listed = read_manifest(parent)
            gone = [name for name in files if name in listed]
            for name in gone:
                (parent / name).unlink(missing_ok=True)
            if gone:
                left = {name: digests for name, digests in listed.items() if name not in gone}
                with scratch_folder(parent) as scratch:
                    _put_manifest(parent, scratch, left)


@contextmanager
def locked_folder(folder: Path) -> Iterator[Path]:
    """Makes a folder where it is missing, and holds it against other commands that write it; yields its real path.

    The operating system lets go of it when the process ends, however it ends. A folder that was made here, and
    is still empty when the command fails, goes again.

    Raises:
        OutputError: another command holds it, or it cannot be made.
    """
    with made_folder(folder) as place:
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise OutputError(f"cannot use the folder {folder}: {error.strerror}; choose another with --out") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    f"another glyphlite command is writing {folder}; wait for it, or choose another folder with --out"
                ) from None
            except OSError:
                pass  # a file system without locks
            yield place
        finally:
            os.close(descriptor)


def _list(folder: Path, scratch: Path, name: str, temporary: Path) -> None:
    """Lists the file that will be put in place, beside the version that is there until then."""
    listed = read_manifest(folder)
    before = {sha256_of(folder / name)} if (folder / name).is_file() else set()
    versions = dict.fromkeys((*sorted(before), sha256_of(temporary)))
    if listed.get(name) != tuple(versions):
        _put_manifest(folder, scratch, {**listed, name: tuple(versions)})


def _put_manifest(folder: Path, scratch: Path, listed: dict[str, Digests]) -> None:
    (scratch / MANIFEST).write_text(manifest_text(scratch, (), listed))
    sync_file(scratch / MANIFEST)
    (scratch / MANIFEST).replace(folder / MANIFEST)
    sync_folder(folder)


def _refuse(folder: Path, names: list[str], why: str, help_words: str) -> None:
    if not names:
        return
    raise OutputError(f"{first_of([str(folder / name) for name in names], 3)}: {why}; {help_words} with --out")
