"""A PostgreSQL server for a test: Debian's, on loopback, gone with the test. As it refuses root, root starts it as nobody."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glyphlite.emulation.system_tools import unpacked_packages
from support.debian import NoPackagesError, unpack

_USER = "glyphlite"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"


class NoServerError(Exception):
    """Why there is none."""


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database, for as long as the block runs.

    Raises:
        NoServerError: Debian's archive cannot be reached, and no server is installed.
    """
    with tempfile.TemporaryDirectory(prefix="glyphlite-postgresql-", dir="/tmp") as name:
        folder = Path(name)
        programs = _programs(folder)
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, "nobody")
        data, port = folder / "data", _free_port()
        _run(
            [str(programs / "initdb"), "-D", str(data), "-U", _USER, "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"],
            folder,
        )
        settings = (
            "fsync=off",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            "shared_buffers=16MB",
            "jit=off",
        )
        options = [word for each in settings for word in ("-c", each)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(data), "-p", str(port), *options],
                stdout=log,
                stderr=log,
                cwd=folder,
                **_as_nobody(folder),
            )
        try:
            _wait(server, port, folder / "log")
            yield f"postgresql+psycopg://{_USER}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()  # a fast enough end: smart shutdown would wait for connections
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _programs(folder: Path) -> Path:
    """The folder of initdb and postgres: those installed, else Debian's, unpacked; copied to where nobody may read them."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if installed:
        return installed[-1].parent
    cache = unpacked_packages() / "postgresql"
    try:
        unpack(("postgresql",), cache, "usr/share/doc/postgresql")
    except NoPackagesError as reason:
        raise NoServerError(str(reason)) from None
    found = sorted(cache.glob("usr/lib/postgresql/*/bin/initdb"))
    if not found:
        raise NoServerError("Debian's postgresql brings no server here")
    version = found[-1].parents[1].name
    for part in (f"usr/lib/postgresql/{version}", f"usr/share/postgresql/{version}", _LIBRARIES):
        if (cache / part).is_dir():
            shutil.copytree(
                cache / part, folder / part, symlinks=True, ignore=shutil.ignore_patterns("*llvm*", "*LLVM*", "bitcode")
            )
    return folder / f"usr/lib/postgresql/{version}/bin"


def _as_nobody(folder: Path) -> dict[str, Any]:
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder / _LIBRARIES), "LC_ALL": "C", "TZ": "UTC"}
    return {"env": environment, **({"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {})}


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120, **_as_nobody(folder))
    if done.returncode:
        raise AssertionError(f"{command[0]}: {done.stderr[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(server: "subprocess.Popen[Any]", port: int, log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise AssertionError(f"PostgreSQL ended at once: {log.read_text(errors='replace')[-500:]}")
        if "ready to accept connections" in log.read_text(errors="replace"):
            return
        time.sleep(0.1)
    raise AssertionError(f"PostgreSQL on port {port} does not answer")
