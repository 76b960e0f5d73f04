"""Fashion-MNIST out of Debian's package ``dataset-fashion-mnist``, installed or fetched with apt, without root.

Knows apt, dpkg and where the package keeps its files; installs nothing.
"""

import shutil
from pathlib import Path

from glyphlite.console import progress_bar
from glyphlite.datasets.download.catalogue import FASHION_MNIST
from glyphlite.datasets.download.checksums import Verified, holds_any, read_folder
from glyphlite.datasets.download.subprocesses import run_quietly
from glyphlite.errors import DataError
from glyphlite.files.scratch import temporary_folder

PACKAGE = "dataset-fashion-mnist"
FOLDER = Path("/usr/share/datasets/fashion-mnist")
APT_SECONDS = 300


def read_installed(folder: Path = FOLDER) -> Verified:
    """Returns Fashion-MNIST from the installed package.

    Raises:
        DataError: the package is not installed, or its files are not what their hashes say.
    """
    if not holds_any(FASHION_MNIST, folder):
        raise DataError(f"Debian's package {PACKAGE} is not installed")
    return read_folder(FASHION_MNIST, folder, f"the installed Debian package {PACKAGE}")


def fetch_from_archive() -> Verified:
    """Returns Fashion-MNIST from the package, downloaded with apt and unpacked into a temporary folder.

    Raises:
        DataError: there is no apt, it cannot fetch the package, or its files are not what their hashes say.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise DataError("no apt-get and dpkg-deb here to fetch Debian's package with")
    with (
        temporary_folder() as folder,
        progress_bar(f"fashion-mnist with apt-get, {PACKAGE} (30 MB)", None),
    ):
        options = ["Acquire::Retries=1", "Acquire::http::Timeout=10", "APT::Sandbox::User=root"]
        run_quietly(
            ["apt-get", "--quiet=2", *(f"--option={option}" for option in options), "download", PACKAGE], folder, APT_SECONDS
        )
        packages = list(folder.glob("*.deb"))
        if len(packages) != 1:
            raise DataError(f"apt-get download {PACKAGE} brought {len(packages)} packages, expected one")
        run_quietly(["dpkg-deb", "--extract", str(packages[0]), str(folder / "content")], folder, APT_SECONDS)
        return read_folder(
            FASHION_MNIST, folder / "content" / FOLDER.relative_to("/"), f"Debian's package {PACKAGE} (apt-get download)"
        )
