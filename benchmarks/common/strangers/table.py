"""The whole table: importing the sections enters their rows."""

from . import borders, data, inputs, models, pictures, words
from .harness import ROWS, Row

SECTIONS = (inputs, models, data, pictures, words, borders)


def rows() -> list[Row]:
    """Every row, by section and in the order in which they are written down."""
    order = {section.SECTION: number for number, section in enumerate(SECTIONS)}
    return sorted(ROWS, key=lambda each: order[each.section])
