"""A Chromium to test the page in: the one named or installed, else Debian's packages, unpacked without root into the cache."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from glyphlite.files.single import user_cache

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HELP = "install chromium, or name one: GLYPHLITE_CHROMIUM=/path/to/chromium"
PACKAGES = ("chromium", "fonts-inter")


class NoChromiumError(Exception):
    """Why there is none, and what to do."""


@dataclass(frozen=True)
class Chromium:
    """A program, and the environment that it needs."""

    program: Path
    environment: dict[str, str]


def find_chromium() -> Chromium:
    """The Chromium of GLYPHLITE_CHROMIUM, of the PATH, or of Debian's packages in the user's cache, fetched if need be.

    Raises:
        NoChromiumError: there is none and none can be fetched.
    """
    if named := os.environ.get("GLYPHLITE_CHROMIUM"):
        if not Path(named).is_file():
            raise NoChromiumError(f"GLYPHLITE_CHROMIUM={named} is not a file")
        return Chromium(Path(named), {})
    if found := next((path for program in PROGRAMS if (path := shutil.which(program))), None):
        return Chromium(Path(found), {})
    cache = user_cache() / "chromium"
    if not (cache / "usr/lib/chromium/chromium").is_file():
        _fetch(cache)
    return _unpacked(cache)


@contextmanager
def launched(chromium: Chromium) -> "Iterator[Browser]":
    """A browser without a window, closed in the end."""
    from playwright.sync_api import sync_playwright

    environment: dict[str, str | float | bool] = {**os.environ, **chromium.environment}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.program, env=environment, chromium_sandbox=False, args=["--disable-gpu"]
        )
        yield browser
        browser.close()


def _unpacked(root: Path) -> Chromium:
    """The program below ``root``, told where its libraries and fonts are."""
    [libraries] = (root / "usr/lib").glob("*-linux-gnu")
    folders = [libraries, libraries / "pulseaudio", root / "usr/lib/chromium"]
    fonts = root / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{root}/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{root}/fonts-cache</cachedir>"
        "<alias><family>system-ui</family><prefer><family>Inter</family></prefer></alias></fontconfig>\n"
    )
    environment = {"LD_LIBRARY_PATH": ":".join(map(str, folders)), "FONTCONFIG_FILE": str(fonts)}
    return Chromium(root / "usr/lib/chromium/chromium", environment)


def _fetch(cache: Path) -> None:
    """Download Debian's packages that are not installed with apt-get, and unpack them; ``cache`` appears whole."""
    if not all(shutil.which(program) for program in ("apt-get", "dpkg-deb")):
        raise NoChromiumError(f"no Chromium here, and no apt-get to fetch Debian's; {HELP}")
    try:
        missing = _missing_packages()
    except subprocess.SubprocessError:
        _run("apt-get", "--quiet=2", "update", check=False)
        try:
            missing = _missing_packages()
        except subprocess.SubprocessError:
            raise NoChromiumError(f"apt-get knows no package chromium; {HELP}") from None
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent, prefix=".chromium-") as name:
        folder = Path(name)
        try:
            _run("apt-get", "--quiet=2", "--option=APT::Sandbox::User=root", "download", *missing, folder=folder)
            for package in folder.glob("*.deb"):
                _run("dpkg-deb", "--extract", package.name, "root", folder=folder)
        except subprocess.SubprocessError as error:
            raise NoChromiumError(f"apt-get could not fetch Debian's chromium ({error}); {HELP}") from None
        if not (folder / "root/usr/lib/chromium/chromium").is_file():
            raise NoChromiumError(f"Debian's package chromium holds no Chromium here; {HELP}")
        try:
            (folder / "root").replace(cache)
        except OSError:
            if not (cache / "usr/lib/chromium/chromium").is_file():  # else another process was faster
                raise


def _missing_packages() -> list[str]:
    """What apt-get would install for a Chromium, without what is recommended only."""
    plan = _run("apt-get", "install", "--simulate", "--no-install-recommends", *PACKAGES)
    return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]


def _run(*command: str, folder: Path | None = None, check: bool = True) -> str:
    return subprocess.run(
        command, cwd=folder, check=check, capture_output=True, text=True, timeout=400, env={**os.environ, "LC_ALL": "C"}
    ).stdout
