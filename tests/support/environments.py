"""Virtual environments of their own for what the tests run outside of glyphlite's, kept in the user's cache."""

import subprocess
import sys
from pathlib import Path

from glyphlite.files.single import user_cache


class NoEnvironmentError(Exception):
    """Why there is none."""


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """The Python of a virtual environment that holds these packages, with their versions, and what they need.

    Raises:
        NoEnvironmentError: the package index does not give them.
    """
    folder = user_cache() / name / "-".join(package.replace("==", "-") for package in packages)
    python = folder / "bin" / "python"
    if not (folder / "ready").is_file():
        commands = (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode:
                raise NoEnvironmentError(f"{' '.join(command[:4])}: {done.stderr.strip()[-300:]}")
        (folder / "ready").write_text("")
    return python
