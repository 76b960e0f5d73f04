"""Style of pictures: one palette, one set of matplotlib settings, and the way from a drawing to a PNG or to a themed SVG.

The palette's colours are CSS variables in the page: an SVG names them, so that it follows the page into the dark.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glyphlite.escaping import xml_text
from glyphlite.files.owned import owned_path
from glyphlite.files.single import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = {
    "ink": "#1d2530",
    "muted": "#5d6875",
    "line": "#d9dde3",
    "surface": "#ffffff",
    "accent": "#0a7d5f",
    "second": "#3b6fd4",
    "quiet": "#93a0b0",
    "bad": "#c2410c",
}
"""Colour by role. Each value occurs once: an SVG's colours are told apart by them."""

DARK_PALETTE = {
    "ink": "#e7ebf1",
    "muted": "#9ca8b7",
    "line": "#2b333e",
    "surface": "#151a21",
    "accent": "#43cfa2",
    "second": "#86aefc",
    "quiet": "#6b7a8d",
    "bad": "#ff9466",
}
"""The same roles on a dark ground."""

DPI = 160


def drawing(width: float, height: float) -> "tuple[Figure, Axes]":
    """Returns a figure of ``width`` by ``height`` inches with one set of axes to draw on under :func:`our_style`."""
    figure = empty_figure(width, height)
    axes = figure.subplots()
    axes.tick_params(length=0)
    return figure, axes


def empty_figure(width: float, height: float) -> "Figure":
    """Returns a figure of ``width`` by ``height`` inches without axes."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_png(figure: "Figure", path: Path, *, owned: bool = False) -> Path:
    """Writes a figure as PNG, atomically; ``owned`` where a file of the user's may be in its place, which is then refused."""
    with our_style(), owned_path(path) if owned else atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": "glyphlite"})
    return path


def themed_svg(figure: "Figure", name: str, description: str) -> str:
    """Returns a figure as an SVG element whose colours are the page's CSS variables and whose text is text.

    Args:
        figure: drawn in the palette's colours alone.
        name: tells the picture's identifiers from those of other pictures on the page.
        description: what the picture shows, for those who do not see it.
    """
    stream = io.StringIO()
    with our_style():
        figure.savefig(
            stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for role, colour in PALETTE.items():
        text = re.sub(re.escape(colour), f"var(--{role})", text, flags=re.IGNORECASE)
    # The element scales with the page; what is inside keeps its proportions.
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"', "", text)
    text = _own_identifiers(text, name)
    return text.replace("<svg", f'<svg role="img" aria-label="{xml_text(description)}"', 1)


def _own_identifiers(svg: str, name: str) -> str:
    """Drops the identifiers that nothing refers to, and gives the others the picture's name, so that each is alone on the
    page.
    """
    used = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'href="#([^"]+)"', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)


@contextmanager
def our_style(palette: dict[str, str] = PALETTE) -> Iterator[None]:
    """Applies our settings for the time of one drawing: matplotlib's own stay as the user has them. Also decorates a function."""
    import matplotlib as mpl

    settings: dict[Any, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10,
        "svg.fonttype": "none",
        "svg.hashsalt": "glyphlite",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.edgecolor": palette["line"],
        "axes.labelcolor": palette["muted"],
        "axes.titlecolor": palette["ink"],
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlepad": 10,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.facecolor": palette["surface"],
        "figure.facecolor": palette["surface"],
        "grid.color": palette["line"],
        "grid.linewidth": 0.7,
        "text.color": palette["ink"],
        # A label from a dataset is text, never a formula.
        "text.parse_math": False,
        "text.usetex": False,
        "xtick.color": palette["muted"],
        "ytick.color": palette["muted"],
        "lines.linewidth": 2,
        "lines.solid_capstyle": "round",
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes, in silence: the page has it in the reader's own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
