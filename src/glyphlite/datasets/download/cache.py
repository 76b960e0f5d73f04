"""The user's cache of datasets: one folder of IDX files a dataset, written as a whole.

Knows where the cache is and how it is filled, not where the bytes come from.
"""

from pathlib import Path

from glyphlite.console import say
from glyphlite.datasets.download.catalogue import KnownDataset
from glyphlite.datasets.download.checksums import Verified, holds_any, read_folder
from glyphlite.errors import DataError, OutputError
from glyphlite.files.folders import atomic_folder
from glyphlite.files.single import user_cache


def cache_folder(known: KnownDataset) -> Path:
    """Returns where the dataset is kept: a folder of its name in :func:`glyphlite.files.single.user_cache`."""
    return user_cache() / known.name


def read_cache(known: KnownDataset) -> Verified | None:
    """Returns the dataset from the cache, verified; None where nothing is cached.

    Raises:
        DataError: what is cached is damaged.
    """
    folder = cache_folder(known)
    if not holds_any(known, folder):
        return None
    try:
        return read_folder(known, folder, f"your cache ({folder})")
    except DataError as error:
        raise DataError(f"{error}; the cache is damaged: remove {folder} and it is fetched anew") from None


def fill_cache(verified: Verified) -> None:
    """Keeps a verified dataset for the next time; a cache that cannot be written is said aloud and is no failure."""
    folder = cache_folder(verified.known)
    try:
        with atomic_folder(folder) as temporary:
            for name, content in verified.contents.items():
                (temporary / name).write_bytes(content)
    except OutputError as error:
        # Another process may have filled it in the same moment: then there is nothing to say.
        if not holds_any(verified.known, folder):
            say(str(error), lead=f"{verified.known.name} is not cached for the next time:", style="yellow")
