"""Text of C: numbers, strings and arrays as literals, and the templates that they go into."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2
import numpy as np

from glyphlite.compiler.codegen.constants import Array

COLUMNS = 120
"""The longest line of generated C, where no single name or string is longer."""


def c_float(value: float) -> str:
    """Returns a floating-point literal, exact for float32."""
    text = f"{value:.9g}"
    return text if "." in text or "e" in text else text + ".0"


def _mentions(text: str, name: str) -> bool:
    """Returns whether a name stands in a text of C."""
    return re.search(rf"\b{name}\b", text) is not None


def _c_int32(value: int) -> str:
    """Returns an int32 as an operand, also where it is the least of all."""
    return "INT32_MIN" if value == -(2**31) else f"({value})"


def _c_values(array: Array) -> str:
    if array.c_type == "int64_t":
        return c_lines(array.values, lambda value: f"INT64_C({value})")
    if array.c_type == "uint32_t":
        return c_lines(array.values, lambda value: f"{value}U")
    if array.c_type == "int32_t":
        return c_lines(array.values, lambda value: "(-2147483647 - 1)" if value == -(2**31) else str(value))
    return c_lines(array.values)


def c_lines(values: np.ndarray, form: Callable[[int], str] = str) -> str:
    """Returns the elements of an array, as many per line as fit, at most 24."""
    texts = [form(value) for value in values.tolist()]
    widest = max(map(len, texts), default=1)
    per_line = min(24, (COLUMNS - 4) // (widest + 2))
    return "\n".join("    " + ", ".join(texts[start : start + per_line]) + "," for start in range(0, len(texts), per_line))


def render(template: str, context: dict[str, Any]) -> str:
    """Returns a template of ``codegen/templates/``, ``kernels/`` or a family's folder in it, with what it is told."""
    functions = {"c_values": _c_values, "c_int32": _c_int32, "mentions": _mentions}
    return _environment().get_template(template).render({**functions, **context})


@cache
def _environment() -> jinja2.Environment:
    families = ("matrix", "elementwise", "reduction", "layout", "recurrent", "vectors", "avr")
    folders = [("glyphlite.compiler.codegen", "templates"), ("glyphlite.compiler", "kernels")]
    folders += [("glyphlite.compiler", f"kernels/{family}") for family in families]
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(*folder) for folder in folders]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,  # else every use asks the disk for the time of its change
        autoescape=False,  # noqa: S701 - C, not HTML
    )
