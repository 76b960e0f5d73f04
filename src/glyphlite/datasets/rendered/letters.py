"""The set ``rendered-letters``: drawn once from its fonts, kept in the user's cache, the same images every time.

Composes fonts and drawing. Which font draws which split is data (`faces`); nothing here depends on what a user varies.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import __version__ as pillow

from glyphlite.console import Advance, progress_bar, say
from glyphlite.datasets.dataset import KnownContent, Split
from glyphlite.datasets.download.catalogue import RenderedDataset
from glyphlite.datasets.idx import encode_idx
from glyphlite.datasets.kept_arrays import keep_arrays, kept_arrays
from glyphlite.datasets.rendered import drawing, faces, fonts
from glyphlite.datasets.rendered.drawing import draw_letter, write_variants
from glyphlite.datasets.rendered.faces import CLASSES, FACES, TEST, TRAIN, VALIDATION, Face, class_of
from glyphlite.errors import DataError, OutputError
from glyphlite.files.single import user_cache
from glyphlite.files.untrusted import parsing
from glyphlite.preprocessing import images, normalize

SEED = 0
"""The set is the same for everybody: neither the fonts of a split nor its images depend on a run's seed."""
_SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


def cached_file(known: RenderedDataset) -> Path:
    """Returns where the drawn set is kept."""
    return user_cache() / f"{known.name}.npz"


def obtain_letters(known: RenderedDataset) -> KnownContent:
    """Returns the set from the cache, or draws it and keeps it there.

    Raises:
        DataError: a font can neither be found nor fetched.
    """
    path, signature = cached_file(known), _signature(known.per_class)
    splits = _read(path, signature)
    if splits is None:
        splits = draw_splits(fonts.read_fonts(FACES), known.per_class)
        _keep(splits, path, signature)
    hashes = {f"{name}-{part}": hashlib.sha256(encode_idx(array)).hexdigest() for name, part, array in _arrays(splits)}
    say(
        f"{known.name}: letters drawn from {len({face.family for face in FACES})} fonts, a demonstration and no substitute for "
        "handwriting; the fonts of the test images are in no other split"
    )
    return KnownContent(splits["train"], splits["validation"], splits["test"], f"fonts of Debian ({known.name})", hashes)


def draw_splits(contents: dict[Face, bytes], per_class: tuple[int, int, int], seed: int = SEED) -> dict[str, Split]:
    """Draws the images of all splits; the group of each is its font's family.

    Args:
        contents: of the font files.
        per_class: images of each class in training, validation and test.
        seed: of every choice.
    """
    with progress_bar("letters drawn", len(CLASSES) * len(_SPLITS)) as advance:
        return {
            name: _draw(chosen, contents, count, (seed, number), advance)
            for number, ((name, chosen), count) in enumerate(zip(_SPLITS.items(), per_class, strict=True))
        }


def _draw(chosen: Sequence[Face], contents: dict[Face, bytes], count: int, seeds: tuple[int, int], advance: Advance) -> Split:
    """Draws one split: each class from all fonts that have it, as equally as numbers allow, its images in random order."""
    pictures, labels, groups = [], [], []
    for number in range(len(CLASSES)):
        ways = [(face, letter) for face in chosen for letter in face.letters if class_of(letter) == number]
        rng = np.random.default_rng((*seeds, number))
        for place, (face, letter) in enumerate(ways):
            share = count // len(ways) + (place < count % len(ways))
            if share:
                pictures.append(write_variants(draw_letter(contents[face], letter), share, rng))
                labels += [number] * share
                groups += [face.family] * share
        advance()
    order = np.random.default_rng(seeds).permutation(len(labels))
    whole = Split(np.concatenate(pictures)[..., None], np.array(labels, np.int64), np.array(groups))
    return whole.take(order)


def _arrays(splits: dict[str, Split]) -> list[tuple[str, str, np.ndarray]]:
    """Returns the arrays of all splits by split and part."""
    return [
        (name, part, array)
        for name, split in splits.items()
        for part, array in (("images", split.images[..., 0]), ("labels", split.labels.astype(np.uint8)))
    ]


@cache
def _signature(per_class: tuple[int, int, int]) -> str:
    """Hashes all that the images depend on: the code that draws, the fonts it expects, and the library that draws outlines."""
    digest = hashlib.sha256(f"{pillow} {per_class} {SEED}".encode())
    for module in (drawing, faces, images, normalize):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def _keep(splits: dict[str, Split], path: Path, signature: str) -> None:
    """Keeps the set for the next time; a cache that cannot be written is said aloud and is no failure."""
    arrays = {f"{name}_{part}": array for name, split in splits.items() for part, array in vars(split).items()}
    try:
        keep_arrays(path, signature, arrays, compressed=True)
    except OutputError as error:
        say(str(error), lead=f"{path.stem} is not cached for the next time:", style="yellow")


def _read(path: Path, signature: str) -> dict[str, Split] | None:
    """Reads the set from the cache; None where it is not there, damaged, or drawn by other code."""
    kept = kept_arrays(path, signature, "letters kept")
    if kept is None:
        return None
    try:
        with parsing(f"{path} is damaged"):
            return {name: Split(*(kept[f"{name}_{part}"] for part in ("images", "labels", "groups"))) for name in _SPLITS}
    except DataError:
        return None
