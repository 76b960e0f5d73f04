"""The console script: runs the CLI, turning every failure a user can act on into one line and exit code 2."""

import os
import sys


def main() -> None:
    """Run ``glyphlite`` and exit with its code."""
    from glyphlite.console import quiet_tensorflow

    quiet_tensorflow()
    from glyphlite.cli import app
    from glyphlite.errors import GlyphliteError

    try:
        app(prog_name="glyphlite")
    except GlyphliteError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted; nothing half-written was left behind", 130)
    except BrokenPipeError:  # the reader of our output is gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except MemoryError:
        _fail("out of memory; try a smaller --images, --calibration-samples or model", 2)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}", 2)


def _fail(message: str, code: int) -> None:
    """One line on standard error, no markup, then the end."""
    print(f"glyphlite: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(code)


if __name__ == "__main__":
    main()
