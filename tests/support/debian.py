"""Debian's packages, unpacked without root into the user's cache: compilers, emulators and a browser for the tests."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from glyphlite.emulation.system_tools import SystemTool, find_tool, unpacked_packages
from glyphlite.errors import ToolError


class NoPackagesError(Exception):
    """Why they cannot be had."""


def debian_tool(program: str, *packages: str) -> SystemTool:
    """A program that is installed, else out of packages that are fetched, with what they depend on.

    Args:
        program: its name in ``/usr/bin``.
        packages: Debian's packages, the one that has the program first: it names the folder in the cache.

    Raises:
        NoPackagesError: it is not here and cannot be fetched.
    """
    try:
        return find_tool(program, packages[0])
    except ToolError:
        unpack(packages, unpacked_packages() / packages[0], f"usr/bin/{program}")
    return find_tool(program, packages[0])


def unpack(packages: Sequence[str], cache: Path, proof: str) -> None:
    """Download packages and those they need that are not installed with apt-get, and unpack them; ``cache`` appears whole.

    Raises:
        NoPackagesError: there is no apt-get, it cannot fetch them, or they do not hold ``proof``, a file's path.
    """
    if (cache / proof).exists():
        return
    named = ", ".join(packages)
    if not all(shutil.which(program) for program in ("apt-get", "dpkg-deb")):
        raise NoPackagesError(f"no apt-get here to fetch Debian's {named} with")
    try:
        missing = _missing(packages)
    except subprocess.SubprocessError:
        _run("apt-get", "--quiet=2", "update", check=False)
        try:
            missing = _missing(packages)
        except subprocess.SubprocessError:
            raise NoPackagesError(f"apt-get does not know all of {named}") from None
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent, prefix=".unpacking-") as name:
        folder = Path(name)
        try:
            _run("apt-get", "--quiet=2", "--option=APT::Sandbox::User=root", "download", *missing, folder=folder)
            for package in folder.glob("*.deb"):
                _run("dpkg-deb", "--extract", package.name, "root", folder=folder)
                package.unlink()
        except subprocess.SubprocessError as error:
            raise NoPackagesError(f"apt-get could not fetch Debian's {named} ({error})") from None
        if not (folder / "root" / proof).exists():
            raise NoPackagesError(f"Debian's {named} hold no {proof} here")
        try:
            (folder / "root").replace(cache)
        except OSError:
            if not (cache / proof).exists():  # else another process was faster
                raise


def _missing(packages: Sequence[str]) -> list[str]:
    """What apt-get would install for them, without what is recommended only."""
    plan = _run("apt-get", "install", "--simulate", "--no-install-recommends", *packages)
    return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]


def _run(*command: str, folder: Path | None = None, check: bool = True) -> str:
    return subprocess.run(
        command, cwd=folder, check=check, capture_output=True, text=True, timeout=400, env={**os.environ, "LC_ALL": "C"}
    ).stdout
