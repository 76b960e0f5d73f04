"""Programs that come with the system's packages: installed ones, else those whose packages lie unpacked in the user's cache.

Compilers and emulators that no Python wheel brings. Knows where programs are; fetches nothing (the tests do, without root).
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from glyphlite.errors import ToolError
from glyphlite.files.single import user_cache


@dataclass(frozen=True)
class SystemTool:
    """A program that is here.

    Attributes:
        program: its path.
        root: the folder that stands for ``/`` to it: ``/``, or where its packages were unpacked.
        environment: what it needs beside the caller's own.
    """

    program: Path
    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=dict)


def unpacked_packages() -> Path:
    """Returns the folder of packages that were unpacked without root: a folder each, named after what was asked for."""
    return user_cache() / "debian"


def find_tool(program: str, package: str) -> SystemTool:
    """Returns a program: the one on the PATH, else one of unpacked packages.

    Args:
        program: its name, such as ``qemu-system-arm``.
        package: Debian's package that has it, for the message.

    Raises:
        ToolError: it is not here; the message says how to get it.
    """
    if found := shutil.which(program):
        return SystemTool(Path(found))
    for path in sorted(unpacked_packages().glob(f"*/usr/bin/{program}")):
        return unpacked_tool(path)
    raise ToolError(f"no {program} here; on Debian and Ubuntu: apt install {package}")


def unpacked_tool(path: Path) -> SystemTool:
    """Returns a program of unpacked packages, told where its libraries are."""
    root = path.parents[2]
    places = [folder for lib in ("usr/lib", "lib") for folder in sorted(root.glob(f"{lib}/*-linux-gnu*"))]
    folders = [str(folder) for folder in places if folder.is_dir()]
    libraries = os.pathsep.join([*folders, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
    return SystemTool(path, root, {"LD_LIBRARY_PATH": libraries} if libraries else {})
