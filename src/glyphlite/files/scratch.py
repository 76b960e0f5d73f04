"""Temporary folders in which results are prepared, beside their place so that a rename puts them there.

A scratch folder is locked (flock) as long as its process lives, so whoever comes next can tell a killed command's from a running
one's: a running one is left alone, a killed one's is finished or undone (:func:`recover`) and removed.
"""

import atexit
import ctypes
import errno
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from glyphlite.errors import OutputError

PREFIX = ".glyphlite-"
NEW, PREVIOUS, PLAN = "new", "previous", "plan.json"
"""In a scratch folder: what is prepared, what it replaces while both are there, and the moves still to be made."""
_SEAL = "seal"
"""Beside a plan: its inode and the time of its last change, which no archive and no repository can bring along."""

_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
"""From linux/fcntl.h, linux/fs.h, and sys/stdio.h of macOS."""


@dataclass(frozen=True)
class Plan:
    """Holds what a command is writing: the place's name, and, if its files are moved into it one by one, their paths within it.

    ``obsolete`` are files of an earlier version that are removed before.
    """

    place: str = ""
    files: tuple[str, ...] = ()
    obsolete: tuple[str, ...] = ()


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yields a locked temporary folder in ``parent``, removed in the end with all that is left in it.

    Those of killed commands in the same parent are recovered first.

    Raises:
        OSError: the parent is not writable, or the disk is full.
    """
    sweep(parent)
    path, descriptor = _create(parent)
    try:
        yield path
    finally:
        # A previous version that could not be put back stays where the next command finds it, as does an unfinished plan.
        if not (path / PREVIOUS).exists() and not (path / PLAN).exists():
            shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def system_temporary_folder() -> Path:
    """Returns the system's folder for temporary files, also after :func:`gather_temporary_files`."""
    folder = Path(tempfile.gettempdir())
    while is_scratch_name(folder.name):
        folder = folder.parent
    return folder


def gather_temporary_files() -> None:
    """Lets every temporary file of this process, and of those that it starts, lie in one folder, which goes when it ends.

    Also those that TensorFlow and compilers make, and however the process ends: after a kill, the next command sweeps the
    folder. Call it before such libraries are imported, so that they clean up first.
    """
    parent = system_temporary_folder()
    sweep(parent)
    try:
        folder, _ = _create(parent)  # its descriptor, the lock, is held until the process ends
    except OSError:
        return  # whoever needs a temporary file says so
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not a fork of it
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yields an empty folder among the system's temporary files, removed in the end; those of killed commands go first.

    Raises:
        OutputError: it cannot be made: the disk is full, or TMPDIR is not writable.
    """
    parent = Path(tempfile.gettempdir())
    with ExitStack() as stack:
        try:
            scratch = stack.enter_context(scratch_folder(parent))
        except OSError as error:
            raise OutputError(
                f"cannot make a temporary folder in {parent}: {error.strerror}; let TMPDIR name another place"
            ) from None
        yield scratch


def sweep(parent: Path) -> None:
    """Recovers and removes the scratch folders that killed commands left in a folder; those of running ones stay."""
    for path in _scratch_folders(parent):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                recover(path)
            finally:
                os.close(descriptor)


def is_scratch_name(name: str) -> bool:
    """Returns whether a folder's name is one that :func:`scratch_folder` gives."""
    return re.fullmatch(re.escape(PREFIX) + "[0-9a-f]{12}", name) is not None


def recover(scratch: Path) -> None:
    """Finishes what a killed command had prepared whole, undoes the rest, and removes its scratch folder.

    A previous version stays where it is if the plan that moved it there is not known to be ours.

    Raises:
        OSError: something cannot be moved; it stays for the next attempt.
    """
    plan = read_plan(scratch)
    if (scratch / PREVIOUS).exists() and not plan.place:
        return
    if plan.files:
        move_files(scratch, scratch.parent, plan)
    elif plan.place and (scratch / PREVIOUS).is_dir():
        place = scratch.parent / plan.place
        if not place.exists():
            (scratch / (NEW if (scratch / NEW).is_dir() else PREVIOUS)).rename(place)
    shutil.rmtree(scratch, ignore_errors=True)


def write_plan(scratch: Path, plan: Plan) -> None:
    """Notes, durably, what is being written and the moves that begin now, so that the next command can finish them."""
    draft = scratch / f"{PLAN}.draft"
    with draft.open("w") as stream:
        json.dump(asdict(plan), stream)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(scratch / PLAN)
    with (scratch / _SEAL).open("w") as stream:
        stream.write(_seal_of(scratch / PLAN))
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(scratch)


def read_plan(scratch: Path) -> Plan:
    """Returns what a scratch folder's command was writing; an empty plan where it holds none.

    The plan counts only with the seal that was put on it here: one that came in a stranger's archive or repository would have
    files of the user replaced and removed.
    """
    try:
        if (scratch / _SEAL).read_text() != _seal_of(scratch / PLAN):
            return Plan()
        document = json.loads((scratch / PLAN).read_bytes())
        plan = Plan(str(document["place"]), tuple(document["files"]), tuple(document["obsolete"]))
        names = [PurePosixPath(name) for name in (plan.place, *plan.files, *plan.obsolete)]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Plan()
    return Plan() if any(name.is_absolute() or ".." in name.parts for name in names) else plan


def _seal_of(plan: Path) -> str:
    found = plan.lstat()
    return f"{found.st_ino} {found.st_ctime_ns}"


def move_files(scratch: Path, folder: Path, plan: Plan) -> None:
    """Removes obsolete files and moves prepared ones into their folder, in the order of the plan; can be repeated.

    Raises:
        OSError: a file cannot be moved.
    """
    for name in plan.obsolete:
        (folder / name).unlink(missing_ok=True)
    for name in plan.files:
        source, target = scratch / NEW / name, folder / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _move(source, target)
    sync_folder(folder)
    (scratch / PLAN).unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    """Moves a prepared file into its place, also where another file system is mounted between the two."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with scratch_folder(target.parent) as beside:
            shutil.copy2(source, beside / target.name)
            sync_file(beside / target.name)
            (beside / target.name).replace(target)
        source.unlink()


def exchange(one: Path, other: Path) -> bool:
    """Exchanges two folders in one step of the file system; returns False where it offers none.

    Raises:
        OSError: one of them is missing, or the file system fails.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        failed = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    elif hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(*names, _RENAME_SWAP)
    else:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
        return False
    raise OSError(code, os.strerror(code), str(other))


def running_for(place: Path, scratch: Path) -> bool:
    """Returns whether another running command, started before that of ``scratch``, prepares the same place."""
    ours = _age(scratch)
    for path in _scratch_folders(scratch.parent):
        if path != scratch and read_plan(path).place == place.name and (age := _age(path)) and ours and age < ours:
            return True
    return False


def sync_file(path: Path) -> None:
    """Makes a file's bytes durable.

    Raises:
        OSError: it cannot be read, or the disk fails.
    """
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def sync_folder(path: Path) -> None:
    """Makes renames in a folder durable; file systems that cannot sync a folder are left to their own guarantees."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _scratch_folders(parent: Path) -> list[Path]:
    """Returns those of this user: what others put into a shared folder is never followed."""
    try:
        with os.scandir(parent) as entries:
            return [Path(entry.path) for entry in entries if is_scratch_name(entry.name) and _is_own_folder(entry)]
    except OSError:
        return []


def _is_own_folder(entry: "os.DirEntry[str]") -> bool:
    return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.geteuid()


def _create(parent: Path) -> tuple[Path, int]:
    """Returns a new scratch folder and the descriptor that locks it."""
    while True:
        path = parent / f"{PREFIX}{os.urandom(6).hex()}"
        path.mkdir(mode=0o700)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # another command took it, not locked yet, for a killed one's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists():
                return path, descriptor
        except BlockingIOError:
            pass
        except OSError:  # a file system without locks: nobody can lock, so nobody sweeps
            return path, descriptor
        os.close(descriptor)


def _age(scratch: Path) -> tuple[int, str] | None:
    try:
        return (scratch / _SEAL).stat().st_mtime_ns, scratch.name
    except OSError:
        return None
