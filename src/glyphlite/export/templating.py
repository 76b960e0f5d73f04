"""Renders the templates beside this package: text that looks like the C++, Make or Markdown it becomes. Knows no model."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from glyphlite.escaping import c_comment, c_string, markdown, python_string, visible


def _seen(value: object) -> object:
    """Returns what stands for a value in a text: nothing hidden, and nothing that UTF-8 cannot hold, filtered or not."""
    return visible(value, keep="\n") if isinstance(value, str) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("glyphlite.export", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_seen,
        autoescape=False,  # noqa: S701 - the output is C and Make; what enters a string or a comment goes through the filters below
    )
    environment.filters.update(
        c_string=c_string,
        c_comment=c_comment,
        python_string=python_string,
        markdown=markdown,
        comment=visible,
        thousands=lambda number: f"{number:,}",
    )
    return environment


def render(template: str, values: dict[str, Any]) -> str:
    """Returns one template with its values; a name that the values lack is an error."""
    return _environment().get_template(template).render(values)
