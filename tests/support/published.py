"""Schemas as their makers publish them, kept in the user's cache; where they cannot be reached a test is skipped."""

import hashlib
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from glyphlite.files.single import user_cache

BASE = "https://raw.githubusercontent.com"
LINT = "arduino/arduino-lint/1.3.0/etc/schemas"
SCHEMAS = {
    "Open-CMSIS-Pack/Open-CMSIS-Pack-Spec/v1.7.7/schema/PACK.xsd": (
        "f54ee348167bbcd1549913350c9048396e9cc55cd2d214a2af43cfb1d9f71a9d"
    ),
    f"{LINT}/general-definitions-schema.json": "dc04519cd236234cd7f474a63e5a809443270942726e00263c09300ce0bdff93",
    f"{LINT}/arduino-library-properties-definitions-schema.json": (
        "5b912e8d16d0cf5ce485b84de3eb5b6feb21e7fbd1fc5ade90577c9a2a39f7e3"
    ),
    f"{LINT}/arduino-library-properties-strict-schema.json": "1b1f69af271b12a7dc2dfcf3feb49efaa2afa3c8a950bc014c64d593ce9fffc7",
}
"""SHA-256 of each, by its place below ``BASE``."""


class NotReachableError(Exception):
    """Why there is no schema."""


def published(place: str) -> Path:
    """The file of that place.

    Raises:
        NotReachableError: it is not in the cache and cannot be downloaded, or is another file.
    """
    path = user_cache() / "schemas" / place
    if not path.is_file():
        try:
            with urlopen(f"{BASE}/{place}", timeout=10) as answer:
                content = answer.read()
        except (URLError, OSError) as error:
            raise NotReachableError(f"{BASE}/{place}: {error}") from None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if hashlib.sha256(path.read_bytes()).hexdigest() != SCHEMAS[place]:
        raise NotReachableError(f"{BASE}/{place} is not the file that it was")
    return path
