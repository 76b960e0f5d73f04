"""Picture files into grey arrays: formats allowed by list, bytes and pixels bounded before anything is decoded.

Knows files and Pillow, nothing of glyphs.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from glyphlite.errors import DataError
from glyphlite.files.untrusted import parsing, read_input, reason_of
from glyphlite.preprocessing.pixel_range import WHITES, PixelRange, container_white, find_range

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
MAX_COSTLY_PIXELS = 32_000_000
_COSTLY = ("WEBP", "AVIF", "HEIF")
"""Formats whose decoders hold several copies of a picture; pixels of floating-point numbers cost as much."""
MAX_SIDE = 65_535
"""The most that a JPEG's side can have."""
MAX_SCANS = 100
"""Of a progressive JPEG, which needs some ten: each passes over the whole picture, however few bytes it has."""
_SCAN = b"\xff\xda"
"""The marker that a scan begins with (ITU-T T.81, B.1.1.3)."""
MOST_PAGES = 1000
"""Pages or frames that are counted."""
_BAND = 256
"""Rows that are flattened at a time."""
_MOST_READINGS, _CHUNK = 4, 1 << 20
_BLANK = 8
"""A picture whose darkest and lightest grey are closer than this shows nothing."""


def read_picture(path: Path) -> np.ndarray:
    """Reads a picture as a person sees it, in grey.

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
        ImageOps.exif_transpose(picture, in_place=True)
        return _as_grey(picture)


def picture_size(path: Path) -> tuple[int, int]:
    """Returns rows and columns of a picture as it is stored, without decoding it.

    Raises:
        DataError: as :func:`read_picture`.
    """
    with _opened(path) as picture:
        return picture.height, picture.width


def picture_mode(path: Path) -> str:
    """Returns how a picture's pixels are stored, as Pillow calls it (L grey, RGB, P palette, 1 black and white), undecoded.

    Raises:
        DataError: as :func:`read_picture`.
    """
    with _opened(path) as picture:
        return picture.mode


def page_count(path: Path) -> int:
    """Returns how many pages or frames a picture file has, at most :data:`MOST_PAGES`; `read_picture` reads the first.

    Raises:
        DataError: as :func:`read_picture`.
    """
    with _opened(path) as picture:
        if picture.format == "TIFF":
            return _count_tiff_pages(picture)
        if picture.format not in _PAGED:
            return 1
        # Pillow walks through a GIF's frames to count them; each ends in a zero byte, and the next begins with a comma.
        if picture.format == "GIF" and _file_of(picture).getvalue().count(b"\0,") > MOST_PAGES:
            return MOST_PAGES
        return min(getattr(picture, "n_frames", 1), MOST_PAGES)


def _count_tiff_pages(picture: Image.Image) -> int:
    """Counts pages up to :data:`MOST_PAGES`, or until their directories take a mebibyte, which takes a while."""
    file, pages = _file_of(picture), 1
    most = file.consumed + (1 << 20)
    with suppress(EOFError):
        while pages < MOST_PAGES and file.consumed < most:
            picture.seek(pages)
            pages += 1
    return pages


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Yields a picture whose size is within the limits; every way in which opening or decoding it fails becomes a DataError."""
    content = read_input(path, f"a picture ({', '.join(FORMATS)})", largest=MAX_FILE_BYTES)
    formats = (*FORMATS, "HEIF") if _is_heic(content, path) else FORMATS
    with parsing(lambda failure: _reason(path, failure)), Image.open(_Metered(content), formats=formats) as picture:
        _check_size(picture, path)
        if picture.format == "JPEG" and content.count(_SCAN) > MAX_SCANS:
            raise DataError(f"{path} has more than {MAX_SCANS} scans, each of which takes time; save it again")
        yield picture


def _check_size(picture: Image.Image, path: Path) -> None:
    """Refuses a picture that would take too much memory or time to decode.

    Raises:
        DataError: it has too many pixels, or too long a side.
    """
    pixels = MAX_COSTLY_PIXELS if picture.format in _COSTLY or picture.mode == "F" else MAX_PIXELS
    if picture.width * picture.height > pixels or max(picture.size) > MAX_SIDE:
        found = f"{picture.width:,} x {picture.height:,}"
        raise DataError(f"{path} has {found} pixels, more than the {pixels:,}, or {MAX_SIDE:,} a side, allowed; make it smaller")


def _reason(path: Path, failure: BaseException) -> str:
    """Describes in one line why a picture cannot be read."""
    if isinstance(failure, UnidentifiedImageError):
        return f"{path} is not a picture that can be read; expected {', '.join(FORMATS)}"
    if isinstance(failure, Image.DecompressionBombError):
        return f"{path} has more than the {MAX_PIXELS:,} pixels allowed; make it smaller"
    return f"{path} is a damaged picture: {reason_of(failure)}"


def _file_of(picture: Image.Image) -> "_Metered":
    file: Any = getattr(picture, "fp", None)
    return file if isinstance(file, _Metered) else _Metered(b"")


class _Metered(io.BytesIO):
    """A picture's bytes, which may be read only so many times over: a TIFF of a few pages can point 65,535 times at all of it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.consumed = 0
        self._most = _MOST_READINGS * len(content) + _CHUNK

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads as any file does.

        Raises:
            ValueError: all of it was read too often.
        """
        content = super().read(size)
        self.consumed += len(content)
        if self.consumed > self._most:
            raise ValueError("its parts overlap; save it again")
        return content


def _is_heic(content: bytes, path: Path) -> bool:
    """Returns whether a file declares itself HEIC; if so, makes Pillow able to read it.

    Raises:
        DataError: it is, and what reads it is not installed.
    """
    if content[4:8] != b"ftyp" or content[8:12] not in _HEIC_BRANDS:
        return False
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        advice = "install pillow-heif (pip install pillow-heif), or save it as JPEG"
        raise DataError(f"{path} is a HEIC picture, which needs one more package to be read; {advice}") from None
    register_heif_opener()
    return True


def _as_grey(picture: Image.Image) -> np.ndarray:
    """Converts any mode to 8-bit grey, transparent parts on white (or black)."""
    if picture.mode[0] in "IF":  # 16 or 32 bits per pixel, or floats, which Pillow would clip instead of scaling
        return _deep_grey(np.asarray(picture))
    if not picture.has_transparency_data:
        return _full_contrast(np.asarray(picture.convert("L")))
    grey = np.empty((picture.height, picture.width), np.uint8)
    for background in ("white", "black"):
        for top in range(0, picture.height, _BAND):  # layers of the whole would take eight bytes per pixel more
            band = picture.crop((0, top, picture.width, min(top + _BAND, picture.height))).convert("RGBA")
            flat = Image.new("RGBA", band.size, background)
            flat.alpha_composite(band)
            grey[top : top + _BAND] = np.asarray(flat.convert("L"))
        if int(grey.max()) - int(grey.min()) >= _BLANK:
            break
    return grey


def _deep_grey(pixels: np.ndarray) -> np.ndarray:
    """Converts pixels of more than 8 bits to 8, white being that of the fewest bits that hold them.

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
    """Returns a mask of 0 and one number that looks black, too, as 0 and 255; any other picture as it is."""
    highest = int(grey.max())
    if 0 < highest < _BLANK and np.isin(grey, (0, highest)).all():
        return np.where(grey == highest, np.uint8(255), np.uint8(0))
    return grey
