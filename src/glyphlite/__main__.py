"""The console script: runs the CLI, turning every failure a user can act on into one line and exit code 2.

What is left is a fault of glyphlite's own: one line, too, with the file that the traceback was written to, and exit code 70.
"""

import errno
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from itertools import pairwise
from pathlib import Path
from types import FrameType

_INTERRUPTED = 130
"""What Typer makes of Ctrl-C while a command runs."""

_FAULT = 70
"""EX_SOFTWARE of sysexits.h: an internal software error."""

_PLACES = ("--out", "-o", "--data-dir", "--tensorboard")
"""Options that name a file or a folder. An empty one is a script's variable that was not set, which Python takes for the current
folder.
"""

_INTERRUPTION = "interrupted; nothing half-written was left behind"


def main() -> None:
    """Runs ``glyphlite`` and exits with its code.

    0: done; 1: runtimes disagree; 2: anything that the user can put right; 70: a fault of glyphlite; 130, 141: interrupted, and
    nobody reads the output any more.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's wish is kept
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        _run()
    except KeyboardInterrupt:  # outside a command: while modules are imported, or a second time while the first is answered
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _fail(_INTERRUPTION, 2)


def _empty_place(arguments: Sequence[str]) -> str | None:
    """Returns the option that names an empty file or folder, if one does."""
    given = [*pairwise(arguments), *(each.split("=", 1) for each in arguments if "=" in each)]
    return next((option for option, value in given if option in _PLACES and not value), None)


def _run() -> None:
    """Runs the CLI and turns what it raises into a line and an exit code."""
    from glyphlite import console
    from glyphlite.console import READER_GONE, leave_unflushed, writing_out

    console.prepare_streams()
    console.quiet_tensorflow()
    console.ignore_settings_of_libraries()
    asks_for_help = not {"--help", "-h", "--version"}.isdisjoint(sys.argv)
    if not asks_for_help:  # help makes no temporary files, and is there at once
        from glyphlite.files.scratch import gather_temporary_files

        gather_temporary_files()
        console.ignore_failed_clean_up()
    import typer

    from glyphlite.cli import app
    from glyphlite.errors import GlyphliteError

    # Typer exports only this subclass of what its parser raises on a wrong command line.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    code = 0
    if place := _empty_place(sys.argv[1:]):
        _fail(f"{place} is empty; name a file or a folder, or . for the current one", 2)
    try:
        with writing_out() if asks_for_help else nullcontext():
            code = app(prog_name="glyphlite", standalone_mode=False)
        sys.stdout.flush()
    except GlyphliteError as error:
        _fail(str(error), error.exit_code)
    except usage_error as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # `glyphlite` alone: its message is the help text
            print(error, file=sys.stderr)  # noqa: T201
            sys.exit(2)
        _fail(_usage(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail(_INTERRUPTION, 2)
    except BrokenPipeError:  # the reader of our output is gone: nobody is left to tell
        leave_unflushed(READER_GONE)
    except SystemExit as error:
        if error.code == 1:  # what Typer and rich make of a broken pipe
            leave_unflushed(READER_GONE)
        raise
    except Exception as error:
        _fail(*_described(error))
    if code == _INTERRUPTED:
        _fail(_INTERRUPTION, 2)
    sys.exit(code if isinstance(code, int) else 0)


def _described(error: Exception) -> tuple[str, int]:
    """Returns one line for what no part of glyphlite has put into words, and the exit code."""
    from glyphlite.extras import missing_extra

    if isinstance(error, ImportError) and (missing := missing_extra(error)):
        return str(missing), missing.exit_code
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"MemoryError", "ResourceExhaustedError"}:  # the second is TensorFlow's
        return "out of memory; try a smaller --images, --calibration-samples or model", 2
    if isinstance(error, OSError):
        if not _has_current_folder():
            return "the current folder is no longer there; go to another one", 2
        where = f" ({error.filename})" if error.filename else ""
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return f"the disk is full{where}; free some space, or let TMPDIR and --out lie on another", 2
        return f"{error.strerror or error}{where}", 2
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    place = f"the traceback is in {written}" if (written := _write_traceback(error)) else "its traceback could not be written"
    if isinstance(error, RecursionError):
        return f"what was given is nested too deeply to be read ({words}); {place}", 2
    return f"this is a fault of glyphlite: {words}; {place}; please report it", _FAULT


def _has_current_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _write_traceback(error: Exception) -> str | None:
    """Writes an error's traceback with versions and command line into the folder for temporary files; None where that fails."""
    import platform
    import tempfile
    import traceback

    from glyphlite import __version__
    from glyphlite.files.scratch import system_temporary_folder

    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="glyphlite-fault-",
            suffix=".txt",
            dir=system_temporary_folder(),
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(f"glyphlite {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
            file.write(f"{sys.argv}\n\n")
            traceback.print_exception(error, file=file)
    except OSError:
        return None
    return file.name


def _usage(error: BaseException) -> str:
    """Returns a wrong command line in one line, with the help that shows the right one."""
    words = _in_plain_words(getattr(error, "format_message", lambda: str(error))())
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "glyphlite")
    return f"{' '.join(words.split()).rstrip('.')}; see {command} --help"


_NUMBER = r"unable to parse string as an? (?:integer|number)"

_PLAIN_WORDS = (
    (r"Value error, ", ""),
    (r"Input should be a valid integer, (?:" + _NUMBER + r"|got a number with a fractional part)", "expected a whole number"),
    (r"Input should be a valid number, " + _NUMBER, "expected a number"),
    (r"Input should be greater than or equal to (\S+)", r"expected \1 or more"),
    (r"Input should be less than or equal to (\S+)", r"expected \1 or less"),
    (r"Input should be", "expected"),
)
"""Phrases that Typer passes on from the library that checks values, each with our replacement."""


def _in_plain_words(words: str) -> str:
    """Returns Typer's message about a value without that library's wording, and with the choice that was perhaps meant."""
    import re

    from glyphlite.errors import did_you_mean

    for theirs, ours in _PLAIN_WORDS:
        words = re.sub(theirs, ours, words)
    name, separator, choices = words.rpartition(" is not one of ")
    if not separator:
        return words
    given, known = name.rpartition(": ")[2].strip("'"), re.findall(r"'([^']*)'", choices)
    return f"{name} is not one of {choices}{did_you_mean(given, known)}"


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Makes a polite kill unwind like Ctrl-C, so that temporary files are removed."""
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> None:
    """Prints one line on standard error, without markup, and exits."""
    from glyphlite.console import leave_unflushed
    from glyphlite.errors import GlyphliteError

    with suppress(OSError):
        print(f"glyphlite: {GlyphliteError(message)}", file=sys.stderr)  # noqa: T201
    leave_unflushed(code)


if __name__ == "__main__":
    main()
