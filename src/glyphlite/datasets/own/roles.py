"""Roles of arrays and files, told from their names: which split, and images or labels.

``x_train``, ``train_images``, ``emnist-letters-train-images-idx3-ubyte``, ``val_labels``, ``X``, ``target``.
"""

import re
from typing import NamedTuple

from glyphlite.datasets.own.content import TEST, TRAIN, VALIDATION

_SPLITS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing", "t10k"), TEST),
}
IMAGES, LABELS = "images", "labels"
_CONTENTS = {
    **dict.fromkeys(("x", "images", "image", "imgs", "img", "data", "pixels", "features", "inputs"), IMAGES),
    **dict.fromkeys(("y", "labels", "label", "target", "targets"), LABELS),
}
_JOINED = re.compile(f"({'|'.join(_CONTENTS)})?({'|'.join(sorted(_SPLITS, key=len, reverse=True))})({'|'.join(_CONTENTS)})?")


class Role(NamedTuple):
    """A split, None where the name says none, and what is held: images or labels."""

    split: str | None
    content: str


def split_named(name: str) -> str | None:
    """Returns the split that a folder's or a file's whole name says, in any case (``Train``, ``test_set``), else None."""
    words = [word for word in re.findall(r"[a-z0-9]+", name.lower()) if word not in ("set", "data", "images", "split")]
    return _SPLITS.get(re.sub("set$", "", words[0])) if len(words) == 1 else None


def split_within(name: str) -> str | None:
    """Returns the one split that a longer name says (``mnist_train``, ``KMNIST-Test``), None where it says none or several."""
    found = {_SPLITS[word] for word in re.findall(r"[a-z0-9]+", name.lower()) if word in _SPLITS}
    return found.pop() if len(found) == 1 else None


def role_of(name: str, *, among_others: bool = False) -> Role | None:
    """Returns what the name of an array or a file says it holds, None where that is not plain.

    Args:
        name: without suffix.
        among_others: words that say nothing are skipped, as in the names of files; else there may be none.
    """
    split, content = None, None
    for word in re.findall(r"[a-z0-9]+", name.lower()):
        joined = _JOINED.fullmatch(word)
        if joined:
            split, found = _SPLITS[joined[2]], joined[1] or joined[3]
            content = _CONTENTS[found] if found else content
        elif word in _CONTENTS:
            content = _CONTENTS[word]
        elif not among_others:
            return None
    return Role(split, content) if content else None
