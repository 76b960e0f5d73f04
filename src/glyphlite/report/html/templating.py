"""Tools that both pages are made with: the templates' environment, axes for bars, and pictures put inside the page.

Whatever comes from outside is escaped by the environment; a picture is either drawn by us or kept where it can do nothing.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glyphlite import formatting
from glyphlite.cores import core_title
from glyphlite.records import Accuracy, ArtifactReport
from glyphlite.report.findings.emulated_cores import ram_bytes
from glyphlite.report.findings.recommendation import refusing
from glyphlite.report.findings.unequal_classes import mean_recall_beside
from glyphlite.runtimes import registry

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_OPTION = re.compile(r"(?<![\w-])--\w[\w-]*")


@dataclass(frozen=True)
class Scale:
    """A horizontal axis of accuracies: where on it a fraction lies, in percent of its width."""

    low: float
    high: float

    def at(self, fraction: float) -> str:
        """Returns the place of a fraction, 0 to 100."""
        return f"{min(max((fraction - self.low) / (self.high - self.low), 0.0), 1.0) * 100:.2f}"

    def span(self, low: float, high: float) -> str:
        """Returns the width of a stretch, 0 to 100."""
        return f"{float(self.at(high)) - float(self.at(low)):.2f}"


def accuracy_scale(accuracies: Sequence[Accuracy]) -> Scale:
    """Returns an axis that holds all the intervals with a little air, within 0 and 1."""
    counted = [each for each in accuracies if each.n] or list(accuracies)
    low, high = min((each.low for each in counted), default=0.0), max((each.high for each in counted), default=1.0)
    air = max(high - low, 0.001) * 0.08
    return Scale(max(low - air, 0.0) if low else -air, high + air)


def chart(figure: Any, name: str, description: str) -> "Markup":
    """Returns a drawing as SVG inside the page. Its text was escaped by matplotlib, its description by us."""
    from markupsafe import Markup

    from glyphlite.report.figures.style import themed_svg

    return Markup(themed_svg(figure, name, description))  # noqa: S704


def svg_image(svg: str) -> str:
    """Returns an SVG as a data URI: as an image it can run nothing and load nothing, whatever it holds."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"


def environment() -> "Environment":
    """Returns the templates with everything escaped, unknown names an error, and numbers written as everywhere else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("glyphlite.report.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "percent": formatting.percent,
        "confidence": formatting.confidence,
        "count": formatting.count,
        "things": formatting.things,
        "kilobytes": formatting.kilobytes,
        "microseconds": formatting.microseconds,
        "times": formatting.times,
        "duration": formatting.duration,
        "p_value": formatting.p_value,
        "p_number": lambda p: formatting.p_value(p).removeprefix("p = ").removeprefix("p "),
        "runtime_title": registry.runtime_title,
        "runtime_words": registry.runtime_words,
        "cpu_title": core_title,
        "difference": formatting.difference,
        "ram_bytes": ram_bytes,
        "tensor_words": formatting.tensor_words,
        "tied": tied,
        "refused_by": _refused_by,
        "mean_recall": mean_recall_beside,
    }
    return made


def tied(sentence: str) -> "Markup":
    """Returns a sentence, escaped, that no line end parts within an option or between a number and its unit.

    Options stay what they are when they are copied: no invisible character is in them.
    """
    from markupsafe import Markup, escape

    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', str(escape(formatting.tied(sentence)))))  # noqa: S704


def _refused_by(artifact: ArtifactReport) -> str:
    return ", ".join(registry.runtime_words(each) for each in refusing(artifact)) or "none"
