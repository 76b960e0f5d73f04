"""Picture files into grey arrays: formats allowed by list, bytes and pixels bounded before anything is decoded.

Knows files and Pillow, nothing of glyphs.
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from glyphlite.errors import DataError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_FILE_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000
_BLANK = 8
"""A picture whose darkest and lightest grey are closer than this shows nothing."""


def read_picture(path: Path) -> np.ndarray:
    """Read a picture as a person sees it, in grey.

    Turned upright by its EXIF orientation; transparent parts stand on white, or on black where on white nothing would be
    seen; colours become grey by ITU-R BT.601 luma; of an animation the first frame.

    Args:
        path: a PNG, JPEG, WebP, BMP or GIF file.

    Returns:
        uint8 ``(height, width)``, 0 black.

    Raises:
        DataError: the file is missing, is no picture of these formats, damaged, or too large.
    """
    with _opened(path) as picture:
        return _as_grey(ImageOps.exif_transpose(picture))


def picture_size(path: Path) -> tuple[int, int]:
    """Rows and columns of a picture as it is stored, without decoding it.

    Raises:
        DataError: as :func:`read_picture`.
    """
    with _opened(path) as picture:
        return picture.height, picture.width


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture whose size is within the limits; every way in which opening or decoding it fails becomes a DataError."""
    if not path.is_file():
        raise DataError(f"{path} is not a file; expected a picture ({', '.join(FORMATS)})")
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DataError(f"{path} has {size:,} bytes, more than the {MAX_FILE_BYTES:,} allowed; make it smaller")
        # Pillow warns of large pictures before we have seen their size; ours is the stricter limit.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=FORMATS)
        with picture:
            if picture.width * picture.height > MAX_PIXELS:
                found = f"{picture.width:,} x {picture.height:,}"
                raise DataError(f"{path} has {found} pixels, more than the {MAX_PIXELS:,} allowed; make it smaller")
            yield picture
    except UnidentifiedImageError:
        raise DataError(f"{path} is not a picture that can be read; expected {', '.join(FORMATS)}") from None
    except Image.DecompressionBombError:
        raise DataError(f"{path} has more than the {MAX_PIXELS:,} pixels allowed; make it smaller") from None
    # Pillow's decoders tell of damage in all of these ways.
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, struct.error) as error:
        raise DataError(f"{path} is a damaged picture: {error}") from None


def _as_grey(picture: Image.Image) -> np.ndarray:
    """Any mode to 8-bit grey, transparent parts on white (or black)."""
    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip instead of scaling
        return (np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8)
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    layered = picture.convert("RGBA")
    for background in ("white", "black"):
        flat = Image.new("RGBA", layered.size, background)
        flat.alpha_composite(layered)
        grey = np.asarray(flat.convert("L"))
        if int(grey.max()) - int(grey.min()) >= _BLANK:
            break
    return grey
