"""A Chromium to test the page in: the one named or installed, else Debian's packages, unpacked without root into the cache."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from glyphlite.files.single import user_cache
from support.debian import NoPackagesError, unpack

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
    """Fetch Debian's packages into the cache."""
    try:
        unpack(PACKAGES, cache, "usr/lib/chromium/chromium")
    except NoPackagesError as error:
        raise NoChromiumError(f"no Chromium here: {error}; {HELP}") from None
