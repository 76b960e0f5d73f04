"""The standard streams: words and progress for people on standard error, results on standard output.

A stream may be closed, full, read by nobody, or of an encoding that lacks letters: all of that is met here. Also the place where
TensorFlow's and absl's log noise is turned off, before they are imported. Rich is imported with the first word said:
`glyphlite --help` says none.
"""

import functools
import io
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, NoReturn, Protocol, TextIO, cast

from glyphlite.errors import OutputError
from glyphlite.escaping import json_text, one_line

if TYPE_CHECKING:
    from rich.console import Console

READER_GONE = 141
"""The exit code when nobody reads our output any more, as a shell shows SIGPIPE."""


def prepare_streams() -> None:
    """Gives closed standard streams the null device, and lets letters that a stream's encoding lacks be written as escapes.

    Without it the first file that is opened takes the closed stream's descriptor, and gets what native code prints.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: the closed one
            os.set_inheritable(opened, True)
    for name, descriptor in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            stream = os.fdopen(descriptor, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def ignore_failed_clean_up() -> None:
    """Keeps libraries that cannot remove their temporary files at the end, as on a failing disk, from printing a traceback.

    The files lie in this process's folder of temporary files, which the next command sweeps.
    """
    of_python = sys.unraisablehook

    def hook(raised: "sys.UnraisableHookArgs") -> None:
        if not isinstance(raised.exc_value, OSError):
            of_python(raised)

    sys.unraisablehook = hook


@contextmanager
def writing_out() -> Iterator[None]:
    """Writes what is printed inside to standard output at once, and words every failure to do so.

    Raises:
        OutputError: it cannot be written.
        SystemExit: nobody reads it any more.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        leave_unflushed(READER_GONE)
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror or error}") from None


def write_out_json(document: Any) -> None:
    """Writes a JSON document to standard output, in ASCII where its encoding lacks letters of it.

    Raises:
        OutputError: it cannot be written.
    """
    text = json_text(document)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json_text(document, ascii_only=True)
    with writing_out():
        sys.stdout.write(f"{text}\n")


def leave_unflushed(code: int) -> NoReturn:
    """Ends without what standard output still holds: it cannot be written, and Python would try it once more.

    Raises:
        SystemExit: with the code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    raise SystemExit(code)


@functools.cache
def stderr_console() -> "Console":
    """Returns the one console on standard error."""
    from rich.console import Console

    class StderrConsole(Console):
        """Ends the program when nobody reads standard error any more, as it does for standard output."""

        def on_broken_pipe(self) -> None:
            self.quiet = True
            leave_unflushed(READER_GONE)

    return StderrConsole(stderr=True, highlight=False)


class Advance(Protocol):
    """Tells a progress bar how far the work is."""

    def __call__(self, amount: float = 1, /) -> None:
        """Moves the bar on by ``amount`` units."""
        ...


@contextmanager
def progress_bar(description: str, total: float | None) -> Iterator[Advance]:
    """Shows a transient progress bar; yields a function that advances it. ``total`` None shows a spinner."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = stderr_console()
    words = TextColumn("{task.description}", markup=False)
    columns = [
        SpinnerColumn(),
        words,
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    if total is None:
        columns = [SpinnerColumn(), words, TimeElapsedColumn()]
    # Piped into a file, a transient bar would leave nothing but empty lines.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(one_line(description), total=total)

        def advance(amount: float = 1, /) -> None:
            progress.advance(task, amount)

        yield advance


def say(words: str, *, lead: str = "", style: str = "") -> None:
    """Prints one line to the user: plain text, in which brackets are brackets and nothing is hidden.

    Args:
        words: what to say.
        lead: what the line begins with.
        style: rich's, such as ``yellow``; of the lead, or of the whole line without one.
    """
    from rich.text import Text

    shown = Text.assemble((one_line(lead), style), f" {one_line(words)}") if lead else Text(one_line(words), style)
    with suppress(OSError):  # a full disk behind standard error loses words, no work
        stderr_console().print(shown, soft_wrap=True)


class Noise:
    """The text written to both standard streams, by Python and by native code, while they were captured."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def text(self) -> str:
        """Returns everything captured so far, at most the last 64 KiB of it."""
        _flush_native_streams()
        size = os.fstat(self._descriptor).st_size
        return os.pread(self._descriptor, 1 << 16, max(0, size - (1 << 16))).decode(errors="replace")


Capture = Callable[[], AbstractContextManager[Noise]]
"""How a piece of native work has its noise kept back: :func:`captured_noise` or a stand-in for it."""


@contextmanager
def captured_noise() -> Iterator[Noise]:
    """Keeps what libraries print, at the level of file descriptors 1 and 2, from the user; our own words still reach the
    terminal.

    Process-wide while it lasts. Python's own redirection is not enough: TensorFlow's C++ and LiteRT write to the descriptors.
    """
    console = stderr_console()
    python_streams = sys.stdout, sys.stderr
    for standard in python_streams:
        standard.flush()
    _flush_native_streams()
    with tempfile.TemporaryFile() as stream, os.fdopen(os.dup(1), "wb") as stdout, _terminal() as terminal:
        shown = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
        ours = console.file is shown
        if ours:
            console.file = terminal if shown is sys.__stderr__ else shown
        raw = os.fdopen(os.dup(stream.fileno()), "wb", 0)
        written = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)
        try:
            sys.stdout = sys.stderr = written
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            yield Noise(stream.fileno())
        finally:
            written.close()
            _flush_native_streams()
            os.dup2(stdout.fileno(), 1)
            os.dup2(terminal.fileno(), 2)
            sys.stdout, sys.stderr = python_streams
            if ours:
                console.file = cast("IO[str]", None)  # rich's own default: whatever sys.stderr is when something is printed


def _terminal() -> TextIO:
    """Returns standard error under a descriptor of its own."""
    return os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace")


def _flush_native_streams() -> None:
    """Flushes C's stdio buffers, so that what native code printed lands where the descriptors point now."""
    import ctypes

    ctypes.CDLL(None).fflush(None)


class _GuardedImport(MetaPathFinder, Loader):
    """Imports a library within a context manager of ours.

    Args:
        name: of the library's package.
        guard: entered before its code runs, left after.
    """

    def __init__(self, name: str, guard: Callable[[], AbstractContextManager[object]]) -> None:
        self.name, self._guard = name, guard

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Returns the library's own spec with this loader put before its own; nothing for any other module."""
        del path, target
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        try:
            found = find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)  # whoever asks may only want to know whether the library is there
        if found is None or found.loader is None:
            return found
        self._inner = found.loader
        found.loader = self
        return found

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Creates the module as the library's own loader does."""
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the library's own loader within the guard."""
        sys.meta_path.remove(self)
        with self._guard():
            self._inner.exec_module(module)


def _guard_import(name: str, guard: Callable[[], AbstractContextManager[object]]) -> None:
    """Lets a library that is not imported yet be imported within a guard."""
    if name not in sys.modules and not any(isinstance(each, _GuardedImport) and each.name == name for each in sys.meta_path):
        sys.meta_path.insert(0, _GuardedImport(name, guard))


@contextmanager
def _quiet_import() -> Iterator[None]:
    """Captures both standard streams: TensorFlow logs before any setting of its own can stop it. Loggers, which keep the stream
    that they find, get the true one.
    """
    import logging

    with captured_noise():
        yield
        for logger in (logging.getLogger(name) for name in ("tensorflow", "absl")):
            logger.setLevel(logging.ERROR)
            for handler in logger.handlers:
                if isinstance(handler, logging.StreamHandler):
                    handler.setStream(sys.__stderr__)
        if (absl := sys.modules.get("absl.logging")) is not None:
            absl.get_absl_handler().python_handler.setStream(sys.__stderr__)


@contextmanager
def _kerass_defaults() -> Iterator[None]:
    """Sets what ``keras.json`` in the user's home may have changed for other programs back, once Keras has read it."""
    yield
    config = sys.modules["keras"].config
    config.set_floatx("float32")
    config.set_epsilon(1e-7)
    config.set_image_data_format("channels_last")


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Keeps matplotlib from a ``matplotlibrc`` in the current folder, which may be anybody's."""
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir("/")
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def ignore_settings_of_libraries() -> None:
    """Keeps what users set for their other programs from changing results; before Keras and matplotlib are imported.

    Keras would take another backend, half precision or channels first; matplotlib a backend that needs a screen, and any
    ``matplotlibrc`` of the current folder.
    """
    os.environ |= {"KERAS_BACKEND": "tensorflow", "MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    _guard_import("keras", _kerass_defaults)
    _guard_import("matplotlib", _elsewhere)


_X86 = ("x86_64", "AMD64")


def quiet_tensorflow() -> None:
    """Silences TensorFlow's and absl's start-up noise, and lets it use oneDNN; before TensorFlow or LiteRT is imported.

    TensorFlow uses oneDNN by itself only on x86 processors with AVX-512 VNNI; one with AVX2 alone trains `edge-cnn` in three
    quarters of the CPU time with it (`benchmarks/main_job.py`). Whatever the user set stays.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if platform.machine() in _X86:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    _guard_import("tensorflow", _quiet_import)
