"""The C functions that layers share: each is written only where something calls it."""

import re

from glyphlite.compiler.codegen.c_text import render

_START = re.compile(r"^//@ (\w+)\n", re.MULTILINE)


def helpers_called(layers: str, prefix: str, *, unrolls: bool) -> str:
    """Returns the helpers that the text of the layers calls, and those that they call in turn.

    Args:
        layers: generated functions.
        prefix: what every generated name begins with.
        unrolls: whether hot loops are unrolled.
    """
    pieces = _START.split(render("helpers.c.j2", {"p": prefix, **macro_names(prefix), "unrolls": unrolls}))
    texts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    calls = re.compile(rf"\b{prefix}_(\w+)\(")
    called: set[str] = set()
    waiting = [layers]
    while waiting:
        found = (set(calls.findall(waiting.pop())) & texts.keys()) - called
        called |= found
        waiting += [texts[name] for name in found]
    return "".join(text for name, text in texts.items() if name in called)


def macro_names(prefix: str) -> dict[str, str]:
    """Returns the names of macros that all templates share."""
    upper = prefix.upper()
    return {"P": upper, "dsp_macro": f"{upper}_DSP", "wide_macro": f"{upper}_WIDE"}
