"""The console script: runs the CLI, turning every failure a user can act on into one line and exit code 2."""

import os
import signal
import sys
from types import FrameType

_INTERRUPTED = 130
"""What Typer makes of Ctrl-C while a command runs."""


def main() -> None:
    """Run ``glyphlite`` and exit with its code: 0 done, 1 runtimes disagree, 2 anything the user can put right."""
    from glyphlite.console import quiet_tensorflow

    quiet_tensorflow()
    import typer

    from glyphlite.cli import app
    from glyphlite.errors import GlyphliteError

    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's wish is kept
        signal.signal(signal.SIGHUP, _interrupt)
    # Typer exports only this subclass of what its parser raises on a wrong command line.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    code = 0
    try:
        code = app(prog_name="glyphlite", standalone_mode=False)
    except GlyphliteError as error:
        _fail(str(error), error.exit_code)
    except usage_error as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # `glyphlite` alone: its message is the help text
            print(error, file=sys.stderr)  # noqa: T201
            sys.exit(2)
        _fail(_usage(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted; nothing half-written was left behind", 2)
    except BrokenPipeError:  # the reader of our output is gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except MemoryError:
        _fail("out of memory; try a smaller --images, --calibration-samples or model", 2)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}", 2)
    if code == _INTERRUPTED:
        _fail("interrupted; nothing half-written was left behind", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: BaseException) -> str:
    """A wrong command line in one line, with the help that shows the right one."""
    words = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "glyphlite")
    return f"{' '.join(words.split()).rstrip('.')}; see {command} --help"


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """A polite kill unwinds like Ctrl-C, so that temporary files are removed."""
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> None:
    """One line on standard error, no markup, then the end."""
    print(f"glyphlite: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(code)


if __name__ == "__main__":
    main()
