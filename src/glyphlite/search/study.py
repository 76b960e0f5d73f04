"""The study of a search: where it is stored, what it is told at its beginning, and trials that died with their process.

One storage serves one process and many: a file of SQLite, or any database that Optuna's RDB storage opens. A trial whose process
is gone is failed and its point queued again, so that it is counted once: by Optuna's heartbeats, and at once where its process
was on this machine.
"""

import contextlib
import os
import socket
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from glyphlite.errors import OutputError, ToolError
from glyphlite.escaping import is_unicode, visible
from glyphlite.files.untrusted import open_input
from glyphlite.search.proposals.priors import priors_for
from glyphlite.search.settings import SAMPLERS, SearchSettings
from glyphlite.search.space import LARGEST_BATCH, Candidate, choices_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

HEARTBEAT_SECONDS, GRACE_SECONDS = 20, 120
"""How often a running trial says that it lives, and after how long a silence it counts as dead."""

MOST_RETRIES = 2
"""How often a point is queued again whose process died: it may be what kills it."""

STUDY_FILE = "study.db"

_SETTINGS, _STOPPED, _RETRIES, _WORKER = "settings", "stopped", "retries", "worker"
_START, _FIXED = "start", "fixed"


def storage_url(place: str | Path) -> str:
    """Returns the URL of a storage: of a database as it is, of a file or a search's folder SQLite's.

    Raises:
        ToolError: its name is not UTF-8, as every database's is.
    """
    text = str(place)
    if not is_unicode(text):
        raise ToolError(f"the storage {visible(text)} has a name that is not UTF-8; choose another file or folder")
    if "://" in text:
        return text
    from sqlalchemy.engine import URL

    path = Path(place)
    path = path / STUDY_FILE if path.is_dir() or not path.suffix else path
    return URL.create("sqlite", database=str(path.absolute())).render_as_string(hide_password=False)


def storage_of(place: str | Path, *, must_exist: bool = False) -> "BaseStorage":
    """Opens a storage; a file is made where there is none.

    Args:
        place: a URL such as ``postgresql://user@host/name``, a file, or the folder of a search.
        must_exist: refuse a file that is not there.

    Raises:
        ToolError: its driver is not installed, the database cannot be reached, or the file is somebody else's.
    """
    import optuna
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    url = storage_url(place)
    if (path := _file_of(url)) is not None:
        if _is_in_memory_or_uri(path):
            raise ToolError(
                f"{shown_url(url)} names no file that other processes can open; expected one such as sqlite:///search.db"
            )
        _require_storage(path, must_exist=must_exist)
    waits = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            storage = optuna.storages.RDBStorage(
                url,
                engine_kwargs=waits,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=queue_again,
            )
            if url.startswith("sqlite"):
                _one_at_a_time(storage.engine)
            return storage
        except ImportError as error:
            raise ToolError(f"the storage {shown_url(url)} needs a driver that is not installed: {error}") from None
        except ArgumentError as error:
            raise ToolError(f"{shown_url(url)} is no storage: {error}; expected a file or a URL such as postgresql://") from None
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            raise ToolError(f"the storage {shown_url(url)} cannot be opened: {_reason(error)}") from None


@contextlib.contextmanager
def storage_failures() -> Iterator[None]:
    """Turns what a storage raises that was opened before, as where its disk is full, into one line.

    Raises:
        ToolError: instead of Optuna's and SQLAlchemy's errors.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise ToolError(
            f"the storage of the search fails: {_reason(error)}; once it is mended, the same command goes on"
        ) from None


def _reason(error: Exception) -> str:
    """Returns the database's own words, which SQLAlchemy and Optuna wrap."""
    cause = error.__cause__ or error
    return str(getattr(cause, "orig", None) or cause).partition("\n")[0]


def _one_at_a_time(engine: Any) -> None:
    """Makes every transaction of SQLite hold the file from its beginning.

    Else a trial's state is read before and written within one, and two processes can both take a waiting trial, or both fail a
    dead one, whose point would then be queued twice. Databases that know ``FOR UPDATE`` need nothing. The way is SQLAlchemy's
    (its pages on SQLite, "Serializable isolation").
    """
    from sqlalchemy import event

    engine.dispose()  # connections from before

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begins(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def begin_study(
    storage: "BaseStorage",
    name: str,
    settings: SearchSettings,
    *,
    priors: bool = True,
    start: Candidate | None = None,
    proposals: int = 0,
) -> "Study":
    """Returns the study of that name, begun if there is none: its first trials are then those of ``proposals.priors``.

    Args:
        storage: as :func:`storage_of` opens it.
        name: of the study.
        settings: that it is begun with, or was.
        priors: whether it begins with the points that are given.
        start: a candidate to be tried before them, or as soon as may be where the study is begun; once.
        proposals: tells searches apart whose data and trainings have the same seed.

    Raises:
        ToolError: the sampler has no use for that candidate.
        OutputError: it was begun with other settings.
    """
    import optuna

    higher, lower = optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE
    directions = [higher if each == "accuracy" else lower for each in settings.objectives]
    study = optuna.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)
    study.sampler = _sampler(settings, jitter=1000 * proposals + len(study.get_trials(deepcopy=False)))  # else it repeats itself
    kept = study.user_attrs.get(_SETTINGS)
    if isinstance(kept, dict):
        kept = {"batch": LARGEST_BATCH, **kept}  # as it was before studies kept it
    if kept is None:
        study.set_metric_names(list(settings.objectives))
        _queue(study, settings, start)
        for params in priors_for(settings) if priors else ():
            study.enqueue_trial(params)
        study.set_user_attr(_SETTINGS, settings.document())
    elif kept != settings.document():
        raise OutputError(f"the study {name} was begun with other settings: {_difference(kept, settings.document())}")
    else:
        _queue(study, settings, start)
    study.set_user_attr(_STOPPED, False)
    return study


def fixed_candidate(trial: Any) -> Candidate | None:
    """Returns the candidate of a trial that is no point of the space; None of every other."""
    kept = trial.user_attrs.get(_FIXED)
    return Candidate(**kept) if kept else None


def _queue(study: "Study", settings: SearchSettings, start: Candidate | None) -> None:
    """Queues a candidate that was not queued before: as a point of the space where it is one, else as it is."""
    if start is None or any(trial.user_attrs.get(_START) == asdict(start) for trial in study.get_trials(deepcopy=False)):
        return
    params = choices_of(start, settings.sides)
    if params is None and settings.sampler == "nsga2":  # it crosses the choices that all trials have
        raise ToolError(f"{start.words} is no point of the space, and --sampler nsga2 needs such; take --sampler tpe")
    study.enqueue_trial(params or {}, user_attrs={_START: asdict(start)} | ({} if params else {_FIXED: asdict(start)}))


def join_study(storage: "BaseStorage", name: str | None = None) -> "Study":
    """Returns a study that others began, by its name, or the only one there is.

    Raises:
        ToolError: there is none, or several.
    """
    import optuna

    names = optuna.get_all_study_names(storage)
    if name is None and len(names) != 1:
        found = f"{len(names)} studies ({', '.join(names)}); name one with --study" if names else "no study yet"
        raise ToolError(f"the storage holds {found}")
    if name is not None and name not in names:
        raise ToolError(f"the storage holds no study {name!r}; it has {', '.join(names) or 'none'}")
    study = optuna.load_study(study_name=name or names[0], storage=storage)
    study.sampler = _sampler(settings_of(study), jitter=int.from_bytes(os.urandom(4)))
    return study


def settings_of(study: "Study") -> SearchSettings:
    """Returns the settings that a study was begun with.

    Raises:
        ToolError: it is none of ours, or another version's.
    """
    kept = study.user_attrs.get(_SETTINGS)
    if not isinstance(kept, dict):
        raise ToolError(f"the study {study.study_name} was not begun by glyphlite search")
    return SearchSettings.of_document(kept)


def stop_study(study: "Study") -> None:
    """Tells every process that has joined to end with the trial it is at."""
    study.set_user_attr(_STOPPED, True)


def is_stopped(study: "Study") -> bool:
    """Returns whether somebody has stopped the study."""
    return bool(study.user_attrs.get(_STOPPED))


def sign(trial: Any) -> None:
    """Puts into a trial which process runs it."""
    trial.set_user_attr(_WORKER, signature())


def signature() -> dict[str, Any]:
    """Returns what tells this process from every other: its machine, its number, and when it began."""
    return {"host": socket.gethostname(), "process": os.getpid(), "started": _started(os.getpid())}


def fail_trial(study: "Study", trial: "FrozenTrial") -> bool:
    """Fails a running trial and queues its point again; returns False where somebody else has ended it."""
    import optuna

    with contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError):
        if study._storage.set_trial_state_values(trial._trial_id, state=optuna.trial.TrialState.FAIL):
            queue_again(study, trial)
            return True
    return False


def fail_dead_trials(study: "Study") -> int:
    """Fails the trials whose process on this machine is gone, without waiting for their heartbeats; returns how many."""
    return sum(fail_trial(study, trial) for trial in running_trials(study) if is_dead(trial))


def fail_trials_of(study: "Study", worker: Mapping[str, Any]) -> int:
    """Fails the trials of a process, by its signature, of which is known that it is gone; returns how many."""
    return sum(fail_trial(study, trial) for trial in running_trials(study) if trial.user_attrs.get(_WORKER) == worker)


def running_trials(study: "Study") -> list["FrozenTrial"]:
    """Returns the trials that have not ended."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def is_dead(trial: "FrozenTrial") -> bool:
    """Returns whether a trial's process on this machine is gone, or it never came to say which it is."""
    worker = trial.user_attrs.get(_WORKER)
    if worker is None:
        began = trial.datetime_start
        return began is not None and datetime.now() - began > timedelta(seconds=GRACE_SECONDS)
    return worker["host"] == socket.gethostname() and _started(worker["process"]) != worker["started"]


def queue_again(study: "Study", trial: "FrozenTrial") -> None:
    """Queues the point of a trial that died, unless it has died too often."""
    retries = trial.user_attrs.get(_RETRIES, 0) + 1
    fixed = {_FIXED: trial.user_attrs[_FIXED]} if _FIXED in trial.user_attrs else {}
    if retries <= MOST_RETRIES and (trial.params or fixed):
        study.enqueue_trial(trial.params, user_attrs={_RETRIES: retries, "retry_of": trial.number, **fixed})


@contextlib.contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keeps Optuna's log and warnings of experimental features from the terminal."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", module="optuna")
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)


def _sampler(settings: SearchSettings, jitter: int = 0) -> Any:
    """Returns what proposes; ``jitter`` tells processes apart, which would all propose the same.

    Process ids and clocks will not do: two workers that start together had the same sum of the two.
    """
    import optuna

    seed = (settings.seed + 7919 * jitter) % 2**31
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match settings.sampler:
            case "random":
                return optuna.samplers.RandomSampler(seed=seed)
            case "nsga2":
                return optuna.samplers.NSGAIISampler(population_size=16, seed=seed)
            case "tpe" | "front" as name:
                tpe = optuna.samplers.TPESampler(multivariate=True, group=True, constant_liar=True, seed=seed)
                if name == "tpe":
                    return tpe
                from glyphlite.search.proposals.front_sampler import FrontSampler

                return FrontSampler(tpe, settings, seed)
            case other:
                raise ToolError(f"there is no sampler {other!r}; choose one of {', '.join(SAMPLERS)}")


def _file_of(url: str) -> Path | None:
    """Returns the file of a storage as SQLite's URL says it; None of a database with a server, and of what is no URL."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        return None
    return Path(parts.database or "") if parts.get_backend_name() == "sqlite" else None


def _is_in_memory_or_uri(path: Path) -> bool:
    """Returns whether SQLite opens no file by this name: a database in memory, or a URI of its own, which may name any file."""
    return path == Path() or str(path).startswith((":memory:", "file:"))


def _require_storage(path: Path, *, must_exist: bool) -> None:
    """Refuses a file in which something else is kept: Optuna would put its tables beside what is there.

    Raises:
        ToolError: it is no regular file, no database, holds other tables than a search's, or is missing but has to exist.
    """
    expected = "the storage of a search"
    if not must_exist and "\0" not in str(path) and not path.exists():
        return
    with open_input(path, expected, ToolError) as stream:
        if not stream.read(1):
            return
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=60)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise ToolError(f"{path} cannot be read: {error}; expected {expected}") from None
    if tables and not {"studies", "trials", "version_info"} <= tables:
        raise ToolError(f"{path} is another program's database; choose another file for the storage")


def _started(process: int) -> str | None:
    """Returns when a process of this machine started (proc(5), ``stat``, field 22); None where it is gone. Ids are used again."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return None
        except OSError:
            pass
        return None if Path("/proc/self/stat").exists() else "unknown"
    return None if fields[0] in "ZX" else fields[19]


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Returns the first setting that differs, in words."""
    for key in {**now, **before}:
        if before.get(key) != now.get(key):
            return f"{_setting(key, before)}, now {_setting(key, now)}; take another folder with --out"
    return "nothing differs"


def _setting(key: str, document: dict[str, Any]) -> str:
    """Returns a setting and its value, in words: "objectives accuracy, flash"."""
    value = document.get(key)
    words = ", ".join(str(each) for each in cast("list[object]", value)) if isinstance(value, list) else str(value)
    return f"{key.replace('_', ' ')} {'none' if value is None else words}"


def shown_url(url: str) -> str:
    """Returns a URL without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url)
