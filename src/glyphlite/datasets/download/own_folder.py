"""The user's own data folder: the one that a command names, else that of the environment."""

import os
from pathlib import Path

from glyphlite.errors import DataError


def own_folder(data_dir: Path | None) -> Path | None:
    """Returns the user's own data folder: the one given, else that of ``GLYPHLITE_DATA``, else None.

    Raises:
        DataError: it is not a folder.
    """
    name = os.environ.get("GLYPHLITE_DATA")
    folder = data_dir or (Path(name) if name else None)
    if folder is not None and not folder.is_dir():
        raise DataError(f"the data folder {folder} does not exist or is not a folder; correct --data-dir or GLYPHLITE_DATA")
    return folder
