"""The C that prepares pictures, built for this host and called on arrays."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glyphlite.compiler.picture.sources import picture_sources
from glyphlite.host_compiler import Compiler, compile_shared

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Werror")
RESULTS = ("ok", "bad size", "blank", "blot", "faint", "boxed", "texture", "several")
"""Names of the results, by their numbers."""


class Found(ctypes.Structure):
    """The C's record of where the glyph is."""

    _fields_ = (
        *((name, ctypes.c_uint16) for name in ("left", "top", "right", "bottom")),
        *((name, ctypes.c_uint8) for name in ("light_on_dark", "contrast", "others")),
    )

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Returns left, top, right and bottom."""
        return self.left, self.top, self.right, self.bottom


def write_sources(folder: Path, height: int = 28, width: int = 28) -> list[Path]:
    """Writes the C for a model's input into a folder, with a function that says what the header's macros come to."""
    for file, text in picture_sources("net", height, width, "Generated.").items():
        (folder / file).write_text(text)
    (folder / "sizes.c").write_text(
        '#include "net_image.h"\n'
        "uint32_t grey_words(uint16_t w, uint16_t h);\nuint32_t bits_words(uint16_t w, uint16_t h);\n"
        "uint32_t grey_words(uint16_t w, uint16_t h) { return NET_IMAGE_WORDS(w, h); }\n"
        "uint32_t bits_words(uint16_t w, uint16_t h) { return NET_IMAGE_BITS_WORDS(w, h); }\n"
    )
    return [folder / "net_image.c", folder / "sizes.c"]


class PictureC:
    """The shared library: each call gets exactly the memory that the header asks for, with a guard behind it."""

    def __init__(
        self, folder: Path, height: int = 28, width: int = 28, *, compiler: Compiler | None = None, flags: Sequence[str] = ()
    ) -> None:
        sources = write_sources(folder, height, width)
        built = compile_shared(sources, folder / "net.so", compiler=compiler, flags=("-O2", *STRICT, *flags))
        self._library, self._shape = ctypes.CDLL(str(built)), (height, width)

    def grey(self, picture: np.ndarray, *, in_place: bool = False) -> tuple[str, np.ndarray, Found]:
        """Prepares a grey frame; returns the result's name, the pixels and where the glyph is. ``in_place``: the pixels are the
        frame's start."""
        rows, columns = picture.shape
        return self._call("grey", np.ascontiguousarray(picture), rows, columns, in_place=in_place)

    def bits(self, picture: np.ndarray) -> tuple[str, np.ndarray, Found]:
        """Prepares a canvas, of which whatever is not 0 is ink."""
        rows, columns = picture.shape
        return self._call("bits", np.packbits(picture.astype(bool), axis=1), rows, columns)

    def words(self, rows: int, columns: int, kind: str = "grey") -> int:
        """Returns the words of working memory that the header's macro asks for."""
        return getattr(self._library, f"{kind}_words")(ctypes.c_uint16(columns), ctypes.c_uint16(rows))

    def refuses(self, rows: int, columns: int) -> bool:
        """Returns whether a size is refused; no memory is given that could be touched."""
        words = ctypes.c_uint16(columns), ctypes.c_uint16(rows)
        return all(getattr(self._library, f"net_image_{kind}")(None, *words, None, None, None) == 1 for kind in ("grey", "bits"))

    def _call(
        self, kind: str, content: np.ndarray, rows: int, columns: int, *, in_place: bool = False
    ) -> tuple[str, np.ndarray, Found]:
        guard = 0xDEADBEEF
        words = self.words(rows, columns, kind)
        work = np.full(words + 64, guard, np.uint32)
        frame = np.concatenate([content.ravel(), np.full(64, 0xA5, np.uint8)])
        size = self._shape[0] * self._shape[1]
        pixels = frame if in_place else np.full(size + 64, 0xA5, np.uint8)
        found = Found()
        number = getattr(self._library, f"net_image_{kind}")(
            frame.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_uint16(columns),
            ctypes.c_uint16(rows),
            work.ctypes.data_as(ctypes.c_void_p),
            pixels.ctypes.data_as(ctypes.c_void_p),
            ctypes.byref(found),
        )
        assert (work[words:] == guard).all(), "written beyond the working memory"
        assert (frame[content.size :] == 0xA5).all(), "written beyond the frame"
        assert (pixels[-64:] == 0xA5).all(), "written beyond the pixels"
        return RESULTS[number], pixels[:size].reshape(self._shape), found
