"""The toolchains' own validators of manifests, in a virtual environment in the user's cache, installed if need be."""

import subprocess
import sys
from pathlib import Path

from glyphlite.files.single import user_cache

PACKAGES = ("platformio==6.1.18", "idf-component-manager==2.4.2")


class NoValidatorsError(Exception):
    """Why there are none."""


def validators() -> Path:
    """The Python that has them.

    Raises:
        NoValidatorsError: the package index does not give them.
    """
    folder = user_cache() / "validators" / "-".join(package.replace("==", "-") for package in PACKAGES)
    python = folder / "bin" / "python"
    if not (folder / "ready").is_file():
        commands = (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode:
                raise NoValidatorsError(f"{' '.join(command[:4])}: {done.stderr.strip()[-300:]}")
        (folder / "ready").write_text("")
    return python
