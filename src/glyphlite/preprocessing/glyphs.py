"""Glyphs on a sheet of ink: which connected parts belong to one glyph, and which are dust, rims or shadows.

Pure functions; knows ink strengths and rectangles, nothing of brightness or of models.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.preprocessing.connected_components import Components, connected_components
from glyphlite.preprocessing.normalize import nearest
from glyphlite.preprocessing.reduction import largest_around

WEAK = 89.5 / 255
STRONG = 152.5 / 255
"""Hysteresis: ink is what is at least weak and hangs together with something strong. Between two grey levels, so that the same
pixels are ink in eight bits."""
_DUST = 0.02
"""A part with less ink than this fraction of the glyph's is dust."""
_RESIDUE = 0.06
"""Remains of printed lines have less ink than this fraction of the glyph's."""
_NEAR = 0.15
"""Parts nearer to each other than this fraction of the glyph's longer side may be one glyph: a five and its flag."""
_FRAGMENT = 0.4
"""On a page, a part lower than this fraction of a usual glyph's height is a fragment of the glyph above or below it, or none."""
_CLEAR = 0.1
"""A part clear of the rim is taken rather than one at the rim that has up to ten times its ink."""
_EDGE = 3
"""Pixels within which a part reaches the edge of the sheet."""
_CONTENT = 0.25
"""A frame encloses a part whose longer side is at least this fraction of the frame's own."""
_FRAME_RIM, _WITHIN_FRAME = 0.14, 0.1
"""A frame's rim, as a fraction of its sides, and the largest fraction of its pixels that may lie further inside."""
_OTHER = 0.5
"""Anything at least this fraction of the largest glyph's height counts as a further glyph in a picture of one."""

_MOST_PARTS = 64
_MOST_ON_A_PAGE = 500
"""No more parts than this are looked at, those with the most ink: noise has thousands."""


@dataclass(frozen=True)
class Glyph:
    """One glyph: its rectangle (``right`` and ``bottom`` are outside), the numbers of its parts, its amount of ink."""

    left: int
    top: int
    right: int
    bottom: int
    parts: tuple[int, ...]
    mass: float

    @property
    def side(self) -> int:
        """Returns the longer side."""
        return max(self.right - self.left, self.bottom - self.top)


def ink_parts(strength: np.ndarray) -> Components:
    """Returns the connected parts of the ink that hold strong ink somewhere.

    Args:
        strength: float ``(rows, columns)``, 0 paper to 1 ink.
    """
    weak = connected_components(strength >= WEAK)
    strong = np.zeros(len(weak) + 1, bool)
    strong[np.unique(weak.labels[strength >= STRONG])] = True
    strong[0] = False
    kept = np.flatnonzero(strong)
    renumbered = np.zeros(len(weak) + 1, np.int32)
    renumbered[kept] = np.arange(1, len(kept) + 1)
    return Components(renumbered[weak.labels], weak.boxes[kept - 1], weak.areas[kept - 1])


def main_glyph(strength: np.ndarray, parts: Components, on_paper: np.ndarray | None = None) -> Glyph | None:
    """Returns the one glyph of a picture: the part with the most ink and what stands near it; None where there is no ink.

    A part at the rim of the picture or of the sheet counts half, and a tenth where a part stands clear of it: it is rather a
    shadow, a finger or the edge of the paper. For the same reason a part at the rim does not join a glyph that is not.

    Args:
        strength: of the ink.
        parts: of `ink_parts`.
        on_paper: bool, False around the sheet; the whole picture when left out.
    """
    singles = _without_frames(_singles(strength, parts, _MOST_PARTS), parts.labels)
    if not singles:
        return None
    over_edge = _over_edge(parts, on_paper)
    at_rim = [max(_at_rim(glyph, strength.shape), over_edge[glyph.parts[0]]) for glyph in singles]
    best = max(range(len(singles)), key=lambda i: singles[i].mass / (2 if at_rim[i] else 1))
    if at_rim[best]:
        clear = [
            i
            for i, single in enumerate(singles)
            if not at_rim[i] and single.mass >= _CLEAR * singles[best].mass and _gap(singles[best], single) > _NEAR * single.side
        ]
        best = max(clear, key=lambda i: singles[i].mass, default=best)
    glyph = singles[best]
    least = _DUST * glyph.mass
    rest = [single for i, single in enumerate(singles) if i != best and single.mass >= least and at_rim[i] <= at_rim[best]]
    while near := [single for single in rest if _gap(glyph, single) <= _NEAR * glyph.side]:
        for single in near:
            glyph = _together(glyph, single)
        rest = [single for single in rest if single not in near]
    return glyph


def glyph_lines(strength: np.ndarray, parts: Components) -> list[list[Glyph]]:
    """Returns the glyphs of a page by lines, from top to bottom, each from left to right.

    The usual height is the median of those parts that have at least a tenth of the largest one's ink. Lower parts are joined to
    the glyph whose columns they share, or left out; so are long flat lines and what is cut off by two rims.
    """
    singles = _without_frames(_singles(strength, parts, _MOST_ON_A_PAGE), parts.labels)
    if not singles:
        return []
    most = max(single.mass for single in singles)
    usual = float(np.median([single.bottom - single.top for single in singles if single.mass >= most / 10]))
    pieces = [single for single in singles if _may_be_glyph(single, usual, strength.shape)]
    glyphs = [piece for piece in pieces if piece.bottom - piece.top >= _FRAGMENT * usual]
    for fragment in (piece for piece in pieces if piece.bottom - piece.top < _FRAGMENT * usual):
        if fragment.mass >= _DUST * most:
            _join_fragment(glyphs, fragment, usual)
    return _in_lines(_join_stacked(glyphs, usual))


def spots(glyph: Glyph, strength: np.ndarray, parts: Components, *, dust: bool) -> int:
    """Counts the parts of a picture; without ``dust``, only those with more ink than the remains of printed lines."""
    if dust:
        return len(parts)
    mass = np.bincount(parts.labels.ravel(), weights=strength.ravel(), minlength=len(parts) + 1)[1:]
    return int((mass >= _RESIDUE * glyph.mass).sum())


def other_glyphs(glyph: Glyph, strength: np.ndarray, parts: Components) -> int:
    """Counts the further glyphs of about the same size beside a glyph."""
    least = _OTHER * (glyph.bottom - glyph.top)
    pages = [other for line in glyph_lines(strength, parts) for other in line if other.bottom - other.top >= least]
    return sum(not set(other.parts) & set(glyph.parts) for other in pages)


def _singles(strength: np.ndarray, parts: Components, most: int) -> list[Glyph]:
    """Returns each part as a glyph of its own; of more than ``most`` parts only those with the most ink, since the rest is
    texture.
    """
    mass = np.bincount(parts.labels.ravel(), weights=strength.ravel(), minlength=len(parts) + 1)[1:]
    chosen = np.sort(np.argsort(-mass, kind="stable")[:most])
    return [Glyph(*(int(edge) for edge in parts.boxes[i]), parts=(int(i) + 1,), mass=float(mass[i])) for i in chosen]


def _without_frames(singles: list[Glyph], labels: np.ndarray) -> list[Glyph]:
    """Returns the glyphs without the printed boxes and rims that have a glyph inside."""
    return [single for single in singles if not _is_frame(single, singles, labels)]


def _is_frame(outer: Glyph, singles: list[Glyph], labels: np.ndarray) -> bool:
    """Returns whether a part runs along the rim of its own rectangle and encloses another part that is not much smaller."""
    if not any(_is_inside(inner, outer) and inner.side >= _CONTENT * outer.side for inner in singles):
        return False
    own = labels[outer.top : outer.bottom, outer.left : outer.right] == outer.parts[0]
    rows, columns = own.shape
    down, right = nearest(_FRAME_RIM * rows), nearest(_FRAME_RIM * columns)
    return bool(own[down : rows - down, right : columns - right].sum() <= _WITHIN_FRAME * own.sum())


def _is_inside(inner: Glyph, outer: Glyph) -> bool:
    """Returns whether the inner rectangle lies within the outer one and touches none of its sides."""
    across = outer.left < inner.left and inner.right < outer.right
    return across and outer.top < inner.top and inner.bottom < outer.bottom


def _over_edge(parts: Components, on_paper: np.ndarray | None) -> np.ndarray:
    """Returns for each label 1 where the part reaches the edge of the sheet, else 0."""
    touching = np.zeros(len(parts) + 1, int)
    if on_paper is not None and not on_paper.all():
        touching[np.unique(parts.labels[largest_around(1.0 - on_paper, _EDGE) > 0])] = 1
    return touching


def _at_rim(glyph: Glyph, shape: tuple[int, ...]) -> int:
    """Returns how many of the picture's four rims the glyph touches."""
    return sum((glyph.left == 0, glyph.top == 0, glyph.right == shape[1], glyph.bottom == shape[0]))


def _gap(first: Glyph, second: Glyph) -> int:
    """Returns the larger of the horizontal and the vertical distance between two rectangles, 0 where they overlap."""
    across = max(first.left, second.left) - min(first.right, second.right)
    down = max(first.top, second.top) - min(first.bottom, second.bottom)
    return max(across, down, 0)


def _together(first: Glyph, second: Glyph) -> Glyph:
    """Returns both as one glyph."""
    return Glyph(
        min(first.left, second.left),
        min(first.top, second.top),
        max(first.right, second.right),
        max(first.bottom, second.bottom),
        first.parts + second.parts,
        first.mass + second.mass,
    )


def _may_be_glyph(piece: Glyph, usual: float, shape: tuple[int, ...]) -> bool:
    """Returns whether a part is neither a ruled line, nor a shadow in a corner, nor far larger than the others."""
    width, height = piece.right - piece.left, piece.bottom - piece.top
    ruled = width > 2 * usual and width > 4 * height
    return not ruled and _at_rim(piece, shape) < 2 and max(width, height) < 4 * usual


def _shared_columns(first: Glyph, second: Glyph) -> float:
    """Returns the common columns, as a fraction of the narrower one's."""
    common = min(first.right, second.right) - max(first.left, second.left)
    return common / min(first.right - first.left, second.right - second.left)


def _join_fragment(glyphs: list[Glyph], fragment: Glyph, usual: float) -> None:
    """Gives a fragment to the nearest glyph that shares its columns, in place; else to none."""
    near = [i for i, glyph in enumerate(glyphs) if _shared_columns(glyph, fragment) > 0.3 and _gap(glyph, fragment) < usual / 3]
    if near:
        nearest = min(near, key=lambda i: _gap(glyphs[i], fragment))
        glyphs[nearest] = _together(glyphs[nearest], fragment)


def _join_stacked(glyphs: list[Glyph], usual: float) -> list[Glyph]:
    """Joins what stands above one another and is together no higher than a glyph may be."""
    joined: list[Glyph] = []
    for glyph in sorted(glyphs, key=lambda glyph: (glyph.left, glyph.top)):
        for i, other in enumerate(joined):
            both = _together(other, glyph)
            if _shared_columns(other, glyph) > 0.5 and both.bottom - both.top < 1.5 * usual:
                joined[i] = both
                break
        else:
            joined.append(glyph)
    return joined


def _in_lines(glyphs: list[Glyph]) -> list[list[Glyph]]:
    """Returns lines from top to bottom (a glyph is on a line if its middle is within the line's first glyph), each from left
    to right.
    """
    lines: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda glyph: (glyph.top + glyph.bottom, glyph.left)):
        middle = (glyph.top + glyph.bottom) / 2
        line = next((line for line in lines if line[0].top <= middle < line[0].bottom), None)
        if line is None:
            lines.append([glyph])
        else:
            line.append(glyph)
    return [sorted(line, key=lambda glyph: glyph.left) for line in lines]
