"""Pictures of six formats in several modes, their chunks, headers and tags changed, with right checksums."""

import functools
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from glyphlite.preprocessing.images import find_glyph, prepare_lines
from glyphlite.preprocessing.pictures import page_count, picture_size, read_picture

SIDE = 40
EXTENTS = (0, 1, 2, 39, 40, 41, 255, 4096, 8000, 16383, 65535, 70_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


@functools.cache
def drawing() -> np.ndarray:
    """Returns a dark seven on light paper, uint8 ``(40, 40)``."""
    picture = np.full((SIDE, SIDE), 230, np.uint8)
    picture[8:12, 10:30] = 20
    for row in range(12, 33):
        column = 28 - (row - 12) // 2
        picture[row, column - 3 : column] = 25
    return picture


@functools.cache
def sources() -> dict[str, bytes]:
    """Returns the drawing in every format, by name."""
    grey = Image.fromarray(drawing())
    colour, clear = grey.convert("RGB"), grey.convert("RGBA")
    deep = Image.fromarray(drawing().astype(np.uint16) * 257)
    other = Image.fromarray(255 - drawing())
    pages = {"save_all": True, "append_images": [other, grey]}
    exif = Image.Exif()
    exif[0x112] = 6
    saved: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "grey.png": (grey, {}),
        "colour.png": (colour, {"exif": exif}),
        "clear.png": (clear, {}),
        "palette.png": (grey.convert("P"), {"transparency": 3}),
        "one.png": (grey.convert("1"), {}),
        "deep.png": (deep, {}),
        "pages.png": (grey, pages),
        "grey.jpg": (grey, {}),
        "colour.jpg": (colour, {"exif": exif}),
        "progressive.jpg": (colour, {"progressive": True}),
        "cmyk.jpg": (colour.convert("CMYK"), {}),
        "grey.gif": (grey, {}),
        "pages.gif": (grey, pages),
        "clear.gif": (grey.convert("P"), {"transparency": 0}),
        "grey.bmp": (grey, {}),
        "colour.bmp": (colour, {}),
        "one.bmp": (grey.convert("1"), {}),
        "colour.webp": (colour, {}),
        "clear.webp": (clear, {"lossless": True}),
        "pages.webp": (grey, pages),
        "grey.tif": (grey, {}),
        "deep.tif": (deep, {}),
        "floats.tif": (Image.fromarray(drawing() / np.float32(255)), {}),
        "clear.tif": (clear, {"compression": "tiff_deflate"}),
        "lzw.tif": (colour, {"compression": "tiff_lzw"}),
        "fax.tif": (grey.convert("1"), {"compression": "group4"}),
        "jpeg.tif": (colour, {"compression": "jpeg"}),
        "pages.tif": (grey, pages),
    }
    found = {}
    for name, (picture, options) in saved.items():
        stream = io.BytesIO()
        picture.save(stream, {"jpg": "JPEG", "tif": "TIFF"}.get(name[-3:], name.rpartition(".")[2].upper()), **options)
        found[name] = stream.getvalue()
    return {**found, "runs.bmp": _run_lengths()}


def _run_lengths() -> bytes:
    """Returns the drawing as a BMP of run lengths, which Pillow does not write."""
    rows = [b"".join(bytes((1, int(value))) for value in row) + b"\0\0" for row in drawing()[::-1]]
    body = b"".join(rows) + b"\0\1"
    palette = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, len(body), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + palette + body


def take(path: Path) -> list[str]:
    """Reads the picture and looks for glyphs, as ``predict`` does; an accepted one must have the size that it says."""
    picture = read_picture(path)
    pages, size = page_count(path), picture_size(path)
    find_glyph(picture)
    if picture.size <= 1 << 20:
        prepare_lines(picture)
    faults = []
    if picture.dtype != np.uint8 or picture.ndim != 2 or sorted(picture.shape) != sorted(size):
        faults.append(f"a picture of {size} came out as {picture.dtype} {picture.shape}")
    return faults if pages >= 1 else [*faults, f"{pages} pages"]


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Returns a PNG's chunks."""
    found, place = [], 8
    while place < len(content):
        length = struct.unpack_from(">I", content, place)[0]
        found.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def _joined(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _png(content: bytes, rng: Any) -> bytes:
    chunks = _chunks(content)
    place = int(rng.integers(len(chunks)))
    name, body = chunks[place]
    choice = int(rng.integers(8))
    if choice == 0:
        header = bytearray(chunks[0][1])
        which = int(rng.integers(7))
        if which < 2:
            struct.pack_into(">I", header, 4 * which, int(rng.choice(EXTENTS)))
        else:
            header[6 + which] = int(rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255)))
        chunks[0] = chunks[0][0], bytes(header)
    elif choice == 1:
        del chunks[place]
    elif choice == 2:
        chunks.insert(int(rng.integers(len(chunks))), (name, body))
    elif choice == 3:
        other = int(rng.integers(len(chunks)))
        chunks[place], chunks[other] = chunks[other], chunks[place]
    elif choice == 4 and body:
        changed = bytearray(body)
        changed[int(rng.integers(len(body)))] = int(rng.integers(256))
        chunks[place] = name, bytes(changed)
    elif choice == 5:
        more = str(rng.choice(("tRNS", "PLTE", "gAMA", "iCCP", "tEXt", "acTL", "fcTL", "fdAT", "eXIf", "pHYs", "sRGB"))).encode()
        chunks.insert(int(rng.integers(1, len(chunks))), (more, rng.bytes(int(rng.choice((0, 1, 4, 8, 26, 300))))))
    elif choice == 6:
        kind, start = ((b"zTXt", b"k\0\0"), (b"iCCP", b"k\0\0"), (b"iTXt", b"k\0\1\0\0\0"))[int(rng.integers(3))]
        chunks.insert(1, (kind, start + _zeros()))
    else:
        side = int(rng.choice((4000, 7900)))
        header = struct.pack(">IIBBBBB", side, side, 8, int(rng.choice((0, 6))), 0, 0, int(rng.integers(2)))
        chunks = [(b"IHDR", header), (b"IDAT", _zeros()), (b"IEND", b"")]
    return _joined(chunks)


@functools.cache
def _zeros() -> bytes:
    return zlib.compress(bytes(80 << 20), 1)


def _tiff(content: bytes, rng: Any) -> bytes:
    """Another type, number or value of a tag; a directory that follows itself; tags that all point to everything."""
    changed = bytearray(content)
    place = struct.unpack_from("<I", changed, 4)[0]
    count = struct.unpack_from("<H", changed, place)[0]
    entry = place + 2 + 12 * int(rng.integers(count))
    choice = int(rng.integers(6))
    if choice == 0:
        struct.pack_into("<H", changed, entry + 2, int(rng.choice((0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 16, 255))))
    elif choice == 1:
        struct.pack_into("<I", changed, entry + 4, int(rng.choice(EXTENTS)))
    elif choice == 2:
        struct.pack_into("<I", changed, entry + 8, int(rng.choice(EXTENTS)))
    elif choice == 3:
        tags = (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 324, 338, 339, 347)
        struct.pack_into("<H", changed, entry, int(rng.choice(tags)))
    elif choice == 4:
        struct.pack_into("<I", changed, place + 2 + 12 * count, int(rng.choice((place, 8, len(changed) - 2, 2**32 - 1))))
    else:
        tags = b"".join(struct.pack("<HHII", 30_000 + tag, 7, len(changed), 0) for tag in range(2000))
        entries = bytes(changed[place + 2 : place + 2 + 12 * count])
        struct.pack_into("<I", changed, 4, len(changed))
        changed += struct.pack("<H", count + 2000) + entries + tags + bytes(4)
    return bytes(changed)


def _fields(content: bytes, rng: Any) -> bytes:
    """Other numbers in the first bytes of a BMP, GIF or WebP, where their sizes are."""
    changed = bytearray(content)
    place = int(rng.integers(4, min(60, len(changed) - 4)))
    size = int(rng.choice((2, 4)))
    value = int(rng.choice(EXTENTS)) & ((1 << 8 * size) - 1)
    changed[place : place + size] = value.to_bytes(size, "little")
    return bytes(changed)


def _jpeg(content: bytes, rng: Any) -> bytes:
    """Segments changed, repeated, left out; another size; many scans."""
    changed = bytearray(content)
    marks = [place for place in range(len(changed) - 4) if changed[place] == 255 and changed[place + 1] not in (0, 255)]
    place = marks[int(rng.integers(len(marks)))]
    length = 2 + struct.unpack_from(">H", changed, place + 2)[0]
    choice = int(rng.integers(6))
    if choice == 0:
        frame = next((at for at in marks if changed[at + 1] in (0xC0, 0xC1, 0xC2)), place)
        struct.pack_into(">H", changed, frame + 5 + 2 * int(rng.integers(2)), int(rng.choice(EXTENTS)) & 65535)
    elif choice == 1:
        changed[place : place + length] = changed[place : place + length] * int(rng.choice((2, 20, 200)))
    elif choice == 2:
        del changed[place : place + length]
    elif choice == 3:
        changed[place + 1] = int(rng.integers(0xC0, 0x100))
    elif choice == 4:
        struct.pack_into(">H", changed, place + 2, int(rng.choice((0, 1, 2, 3, 255, 65535))))
    elif length > 4:
        changed[place + 4 + int(rng.integers(min(length - 4, len(changed) - place - 4)))] = int(rng.integers(256))
    return bytes(changed)


def _parts(content: bytes, rng: Any) -> bytes:
    """Changes what the format is made of."""
    if content[:4] == b"\x89PNG":
        return _png(content, rng)
    if content[:2] == b"II":
        return _tiff(content, rng)
    return _jpeg(content, rng) if content[:2] == b"\xff\xd8" else _fields(content, rng)


def _spliced(content: bytes, rng: Any) -> bytes:
    """Begins as one picture and ends as another, or is called after another format."""
    others = sorted(sources())
    other = sources()[others[int(rng.integers(len(others)))]]
    return (
        other if rng.integers(3) == 0 else content[: int(rng.integers(1, len(content)))] + other[int(rng.integers(len(other))) :]
    )


CHANGES = {"parts": _parts, "more parts": _parts, "parts again": _parts, "spliced": _spliced}
