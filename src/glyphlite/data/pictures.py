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

from glyphlite.data.ranges import WHITES, PixelRange, container_white, find_range
from glyphlite.errors import DataError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""Pillow's names of the formats; its PPM also reads .pbm, .pgm and .pnm. HEIC is added if pillow-heif is installed."""
SUFFIXES = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".jfif",
        ".webp",
        ".bmp",
        ".gif",
        ".tif",
        ".tiff",
        ".pgm",
        ".pbm",
        ".ppm",
        ".pnm",
        ".avif",
        ".heic",
        ".heif",
    }
)
"""Suffixes of the files in a folder that count as pictures, in lower case."""
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""The brands that a HEIC file may declare in bytes 8 to 11 (ISO/IEC 23008-12)."""
_PAGED = ("GIF", "WEBP", "PNG", "TIFF", "AVIF", "HEIF")
"""Formats of pages or frames; a phone's JPEG hides a preview behind the photo, which is no page."""
MAX_FILE_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000
_BLANK = 8
"""A picture whose darkest and lightest grey are closer than this shows nothing."""


def read_picture(path: Path) -> np.ndarray:
    """Read a picture as a person sees it, in grey.

    Turned upright by its EXIF orientation; transparent parts stand on white, or on black where on white nothing would be
    seen; colours become grey by ITU-R BT.601 luma; of an animation the first frame, of a document the first page.

    Args:
        path: a PNG, JPEG, WebP, BMP, GIF, TIFF, PNM or AVIF file, or a HEIC file where pillow-heif is installed.

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


def page_count(path: Path) -> int:
    """Returns how many pages or frames a picture file has; `read_picture` reads the first.

    Raises:
        DataError: as :func:`read_picture`.
    """
    with _opened(path) as picture:
        return getattr(picture, "n_frames", 1) if picture.format in _PAGED else 1


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
            picture = Image.open(path, formats=(*FORMATS, "HEIF") if _is_heic(path) else FORMATS)
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


def _is_heic(path: Path) -> bool:
    """Returns whether a file declares itself HEIC; if so, makes Pillow able to read it.

    Raises:
        DataError: it is, and what reads it is not installed.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] != b"ftyp" or head[8:] not in _HEIC_BRANDS:
        return False
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        advice = "install pillow-heif (pip install 'glyphlite[heic]'), or save it as JPEG"
        raise DataError(f"{path} is a HEIC picture, which needs one more package to be read; {advice}") from None
    register_heif_opener()
    return True


def _as_grey(picture: Image.Image) -> np.ndarray:
    """Any mode to 8-bit grey, transparent parts on white (or black)."""
    if picture.mode[0] in "IF":  # 16 or 32 bits a pixel, or floats, which Pillow would clip instead of scaling
        return _deep_grey(np.asarray(picture))
    if not picture.has_transparency_data:
        return _full_contrast(np.asarray(picture.convert("L")))
    layered = picture.convert("RGBA")
    for background in ("white", "black"):
        flat = Image.new("RGBA", layered.size, background)
        flat.alpha_composite(layered)
        grey = np.asarray(flat.convert("L"))
        if int(grey.max()) - int(grey.min()) >= _BLANK:
            break
    return grey


def _deep_grey(pixels: np.ndarray) -> np.ndarray:
    """Pixels of more than 8 bits to 8, white being that of the fewest bits that hold them.

    Cameras and scanners put 10, 12 or 14 bits into 16, and programs put 8.

    Raises:
        ValueError: a pixel is not finite.
    """
    highest = float(pixels.max())
    if not np.isfinite(pixels).all():
        raise ValueError("a pixel is not a finite number")
    if pixels.dtype.kind == "f" and pixels.min() < highest:
        return find_range({"the picture": pixels[None]}).to_bytes(pixels)
    if pixels.dtype.kind != "f" and highest < WHITES[1]:
        return _full_contrast(np.clip(pixels, 0, WHITES[1]).astype(np.uint8))
    return PixelRange(0, container_white(highest)).to_bytes(pixels)


def _full_contrast(grey: np.ndarray) -> np.ndarray:
    """A mask of 0 and one number that looks black, too, as 0 and 255; any other picture as it is."""
    highest = int(grey.max())
    if 0 < highest < _BLANK and np.isin(grey, (0, highest)).all():
        return np.where(grey == highest, np.uint8(255), np.uint8(0))
    return grey
