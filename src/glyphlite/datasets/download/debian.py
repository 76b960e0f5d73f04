"""Fashion-MNIST out of Debian's package ``dataset-fashion-mnist``, installed or fetched with apt, without root.

Knows where the package keeps its files; installs nothing.
"""

from pathlib import Path

from glyphlite.console import progress_bar
from glyphlite.datasets.download.apt import unpack_package
from glyphlite.datasets.download.catalogue import FASHION_MNIST
from glyphlite.datasets.download.checksums import Verified, holds_any, read_folder
from glyphlite.errors import DataError
from glyphlite.files.scratch import temporary_folder

PACKAGE = "dataset-fashion-mnist"
FOLDER = Path("/usr/share/datasets/fashion-mnist")


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
    with (
        temporary_folder() as folder,
        progress_bar(f"fashion-mnist with apt-get, {PACKAGE} (30 MB)", None),
    ):
        unpack_package(PACKAGE, folder)
        return read_folder(FASHION_MNIST, folder / FOLDER.relative_to("/"), f"Debian's package {PACKAGE} (apt-get download)")
