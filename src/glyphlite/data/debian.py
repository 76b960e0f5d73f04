"""Fashion-MNIST out of Debian's package ``dataset-fashion-mnist``, installed or fetched with apt, without root.

Knows apt, dpkg and where the package keeps its files; installs nothing.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from glyphlite.console import progress_bar
from glyphlite.data.catalogue import FASHION_MNIST
from glyphlite.data.verified import Verified, holds_any, read_folder
from glyphlite.errors import DataError

PACKAGE = "dataset-fashion-mnist"
FOLDER = Path("/usr/share/datasets/fashion-mnist")
APT_SECONDS = 300


def read_installed(folder: Path = FOLDER) -> Verified:
    """Fashion-MNIST from the installed package.

    Raises:
        DataError: the package is not installed, or its files are not what their hashes say.
    """
    if not holds_any(FASHION_MNIST, folder):
        raise DataError(f"Debian's package {PACKAGE} is not installed")
    return read_folder(FASHION_MNIST, folder, f"the installed Debian package {PACKAGE}")


def fetch_from_archive() -> Verified:
    """Fashion-MNIST from the package, downloaded with apt and unpacked into a temporary folder.

    Raises:
        DataError: there is no apt, it cannot fetch the package, or its files are not what their hashes say.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise DataError("no apt-get and dpkg-deb here to fetch Debian's package with")
    with (
        tempfile.TemporaryDirectory(prefix="glyphlite-") as name,
        progress_bar(f"fashion-mnist with apt-get, {PACKAGE} (30 MB)", None),
    ):
        folder = Path(name)
        options = ["Acquire::Retries=1", "Acquire::http::Timeout=10", "APT::Sandbox::User=root"]
        _run(["apt-get", "--quiet=2", *(f"--option={option}" for option in options), "download", PACKAGE], folder)
        packages = list(folder.glob("*.deb"))
        if len(packages) != 1:
            raise DataError(f"apt-get download {PACKAGE} brought {len(packages)} packages, expected one")
        _run(["dpkg-deb", "--extract", str(packages[0]), str(folder / "content")], folder)
        return read_folder(
            FASHION_MNIST, folder / "content" / FOLDER.relative_to("/"), f"Debian's package {PACKAGE} (apt-get download)"
        )


def _run(command: list[str], folder: Path) -> None:
    """Run a command in a folder, silently.

    Raises:
        DataError: it fails or takes too long; its last words are in the message.
    """
    try:
        subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=APT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"{command[0]} did not finish within {APT_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        words = [line.removeprefix("E: ") for line in error.stderr.splitlines() if line.strip()]
        raise DataError(f"{command[0]}: {words[-1] if words else f'exit code {error.returncode}'}") from None
