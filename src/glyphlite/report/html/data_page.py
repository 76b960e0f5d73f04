"""The page of ``glyphlite data check``: findings, classes with pictures, repetitions and label suspects. Touches no file."""

import base64
import io

import numpy as np

from glyphlite import __version__
from glyphlite.evaluation.data_check.records import DataCheck, ShownImage
from glyphlite.report.findings.data_findings import data_findings
from glyphlite.report.findings.group_findings import group_words
from glyphlite.report.html.templating import environment

MOST_SHOWN = 60
"""Pictures of a section; the JSON document has all."""
MOST_REPETITIONS = 30
MOST_AT_ONCE = 12
"""Rows of a long table that are not folded away."""
_EXAMPLES = 6
_MOST_CLASSES = 200


def render_data_check(check: DataCheck, images: np.ndarray, numbers: np.ndarray) -> str:
    """Returns the page as HTML, its pictures inside.

    Args:
        check: what was found.
        images: of the survey, uint8 ``(n, height, width, channels)``.
        numbers: their classes ``(n,)``.
    """

    def picture(image: ShownImage) -> str:
        return _png(images[image.index])

    examples = [
        [_png(images[place]) for place in np.flatnonzero(numbers == number)[:_EXAMPLES]]
        for number in range(min(len(check.classes), _MOST_CLASSES))
    ]
    totals = [sum(each.images.values()) for each in check.classes]
    return (
        environment()
        .get_template("data.html.j2")
        .render(
            check=check,
            findings=data_findings(check),
            group_words=group_words(check.groups) if check.groups is not None else "",
            splits=list(check.classes[0].images) if check.classes else [],
            totals=totals,
            most=max(totals, default=1) or 1,
            examples=examples,
            picture=picture,
            most_shown=MOST_SHOWN,
            most_repetitions=MOST_REPETITIONS,
            most_at_once=MOST_AT_ONCE,
            version=__version__,
        )
    )


def _png(image: np.ndarray) -> str:
    """Returns an image ``(height, width, channels)`` as a PNG in base64."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image[..., :3]).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
