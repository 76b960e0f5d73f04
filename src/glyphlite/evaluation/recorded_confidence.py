"""The certainty that was fitted for a file, found in the records that lie beside it.

It holds for the one artifact that it was fitted on: records name their file by its SHA-256, and no other file gets it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glyphlite.errors import DataError
from glyphlite.files.single import sha256_of
from glyphlite.files.untrusted import parsing, read_input
from glyphlite.records import Certainty

CARD = "card.json"
RECORDS = ("results.json", CARD)
"""A run's results, and the card of a model that travels with its description."""


def certainty_of(path: Path) -> Certainty | None:
    """Returns the certainty fitted for this very file, or None where no record beside it knows one.

    A record is a JSON document with, at any depth, an object that holds the file's ``sha256`` and its ``certainty``.

    Args:
        path: a .tflite or .keras file.
    """
    for said in recorded(path, "certainty"):
        try:
            return Certainty.model_validate(said)
        except ValueError:
            continue
    return None


def recorded(path: Path, key: str) -> Iterator[Any]:
    """Yields what each record beside a file says of this very file under ``key``, the nearest record first."""
    # A pretrained model's card stands one folder up: it is the same for all of its seeds.
    places = [*(path.parent / name for name in RECORDS), path.parent.parent / CARD]
    records = [record for record in places if record.is_file()]
    digest = sha256_of(path) if records else ""
    for record in records:
        try:
            content = read_input(record, "a JSON document")
            with parsing(f"{record} is no JSON document"):
                said = _find(json.loads(content), digest, key)
        except DataError:
            continue
        if said is not None:
            yield said


def _find(document: Any, digest: str, key: str) -> Any:
    """Finds the object with this hash, anywhere in a document, and returns its value under a key; None if there is none."""
    if isinstance(document, dict):
        if document.get("sha256") == digest and key in document:
            return document[key]
        document = list(document.values())
    if not isinstance(document, list):
        return None
    return next((found for each in document if (found := _find(each, digest, key)) is not None), None)
