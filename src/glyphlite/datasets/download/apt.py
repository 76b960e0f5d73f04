"""Debian's packages, downloaded with apt and unpacked into a folder: nothing is installed, and no root is needed."""

import shutil
from pathlib import Path

from glyphlite.datasets.download.subprocesses import run_quietly
from glyphlite.errors import DataError
from glyphlite.files.scratch import temporary_folder

APT_SECONDS = 300


def unpack_package(package: str, folder: Path) -> None:
    """Downloads a package and unpacks it into a folder.

    Raises:
        DataError: there is no apt, or it cannot fetch the package.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise DataError("no apt-get and dpkg-deb here to fetch Debian's package with")
    with temporary_folder() as downloads:
        options = ["Acquire::Retries=1", "Acquire::http::Timeout=10", "APT::Sandbox::User=root"]
        run_quietly(
            ["apt-get", "--quiet=2", *(f"--option={option}" for option in options), "download", package], downloads, APT_SECONDS
        )
        packages = list(downloads.glob("*.deb"))
        if len(packages) != 1:
            raise DataError(f"apt-get download {package} brought {len(packages)} packages, expected one")
        run_quietly(["dpkg-deb", "--extract", str(packages[0]), str(folder)], downloads, APT_SECONDS)
