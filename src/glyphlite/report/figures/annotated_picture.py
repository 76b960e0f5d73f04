"""A page with several glyphs, each boxed and labelled with what it was taken for: the picture of ``predict --all --show``."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glyphlite.escaping import visible
from glyphlite.formatting import confidence
from glyphlite.report.figures.style import PALETTE, empty_figure, our_style, save_png

WIDTH_INCHES = 8.4


@our_style()
def found_picture(page: np.ndarray, glyphs: Sequence[tuple[tuple[int, int, int, int], str, float]], path: Path) -> Path:
    """Draws boxes and labels on a page.

    Args:
        page: the picture as given, uint8 ``(height, width)``.
        glyphs: for each: its box (left, top, right, bottom), the class, and the model's certainty.
        path: the PNG to write.

    Raises:
        OutputError: it cannot be written.
    """
    from matplotlib.patches import Rectangle

    height, width = page.shape[:2]
    figure = empty_figure(WIDTH_INCHES, max(1.2, WIDTH_INCHES * height / width))
    axes = figure.add_subplot()
    axes.imshow(page, cmap="gray", vmin=0, vmax=255)
    axes.axis("off")
    for (left, top, right, bottom), label, certainty in glyphs:
        corner = (left - 0.5, top - 0.5)
        axes.add_patch(Rectangle(corner, right - left, bottom - top, fill=False, edgecolor=PALETTE["accent"], linewidth=2))
        axes.annotate(
            f"{visible(label)}  {confidence(certainty, 0)}",
            (left, top),
            (0, 3),
            textcoords="offset points",
            va="bottom",
            fontweight="bold",
            color="white",
            bbox={"facecolor": PALETTE["accent"], "edgecolor": "none", "pad": 2},
            parse_math=False,
        )
    return save_png(figure, path)
