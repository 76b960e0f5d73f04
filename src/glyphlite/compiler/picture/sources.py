"""The C files that prepare pictures for a model, rendered for the size of its input."""

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

LONGEST = 800
"""Rows or columns that a picture may have; `preprocessing.ink` makes larger ones smaller."""
MOST_PARTS = 16
"""Connected parts that are looked at: a picture with more than twelve is no glyph's."""
_PART_BYTES = 20
_FINE = 4
_CORRECTIONS = 4
_BOX_PART = 20 / 28


@dataclass(frozen=True)
class _Sizes:
    """Sizes that the C and its header's macros share, all from the side of the box that the glyph is fitted into."""

    box: int

    @property
    def most_radius(self) -> int:
        """Returns the most pixels of the fine grid by which a stroke is widened or thinned."""
        return -(-29 * self.box // 100)

    @property
    def room(self) -> int:
        """Returns the longest row of the fine grid."""
        return _FINE * self.box + 2 * self.most_radius

    @property
    def most_halves(self) -> int:
        """Returns the 16-bit words that hold the largest value of each row and column, later the box's pixels."""
        return max(2 * self.room, -(-self.box * self.box // 2))

    @property
    def fit_bytes(self) -> int:
        """Returns what the fit takes beside a word per column of the picture."""
        return 4 * 2 * self.box + 2 * self.room + 2 * self.most_halves + (2 * self.most_radius + 1) * self.room + 2 * self.room

    @property
    def small_bytes(self) -> int:
        """Returns what a glyph smaller than the box takes to be enlarged: itself, its corrections, one to make it even."""
        return (self.box - 1) ** 2 * (1 + 2 * _CORRECTIONS) + 1


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("glyphlite.compiler.picture", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is C; a name is a C identifier, and all else are numbers
    )


def picture_sources(name: str, height: int, width: int, banner: str) -> dict[str, str]:
    """Returns ``NAME_image.h`` and ``NAME_image.c`` by their file names.

    Args:
        name: of the model's C symbols.
        height: rows of the model's input.
        width: columns of the model's input.
        banner: what the files open with.
    """
    box = int(min(height, width) * _BOX_PART + 0.5)
    sizes = _Sizes(box)
    values = {
        "name": name,
        "macro": name.upper(),
        "banner": banner,
        "height": height,
        "width": width,
        "box": box,
        "longest": LONGEST,
        "most_parts": MOST_PARTS,
        "part_bytes": 2 * MOST_PARTS * _PART_BYTES,
        "most_radius": sizes.most_radius,
        "most_halves": sizes.most_halves,
        "fit_bytes": sizes.fit_bytes,
        "small_bytes": sizes.small_bytes,
        "thinnest": int(2.0 * _FINE * box / 20 * 65536 + 0.5),
        "thickest": int(3.1 * _FINE * box / 20 * 65536 + 0.5),
    }
    environment = _environment()
    return {f"{name}_{file}": environment.get_template(f"{file}.j2").render(values) for file in ("image.h", "image.c")}
