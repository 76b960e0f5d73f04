"""The C functions that layers share: each is written only where something calls it."""

import re
from collections import Counter

from glyphlite.compiler.codegen.c_text import render

_ONCE = re.compile(r"^//@ once (\w+)\n(.*?)^//@ end\n", re.MULTILINE | re.DOTALL)
_START = re.compile(r"^//@ (\w+)\n", re.MULTILINE)


def helpers_called(layers: str, prefix: str, *, unrolls: bool) -> str:
    """Returns the helpers that the text of the layers calls, and those that they call in turn.

    Args:
        layers: generated functions.
        prefix: what every generated name begins with.
        unrolls: whether hot loops are unrolled.
    """
    calls = re.compile(rf"\b{prefix}_(\w+)\(")
    counts = Counter(calls.findall(layers))
    names = {"p": prefix, **macro_names(prefix), "unrolls": unrolls, "counts": counts}
    pieces = _START.split(render("helpers.c.j2", names))
    texts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    called: set[str] = set()
    waiting = [layers]
    while waiting:
        found = (set(calls.findall(waiting.pop())) & texts.keys()) - called
        called |= found
        waiting += [texts[name] for name in found]
    return "".join(text for name, text in texts.items() if name in called)


def written_once(layers: str) -> str:
    """Keeps the first of the functions that layers bring along under one name, between ``//@ once NAME`` and ``//@ end``."""
    names: set[str] = set()

    def kept(match: re.Match[str]) -> str:
        first = match[1] not in names
        names.add(match[1])
        return match[2] if first else ""

    return _ONCE.sub(kept, layers)


def macro_names(prefix: str) -> dict[str, str]:
    """Returns the names of macros that all templates share."""
    upper = prefix.upper()
    return {
        "P": upper,
        "dsp_macro": f"{upper}_DSP",
        "wide_macro": f"{upper}_WIDE",
        "x86_macro": f"{upper}_X86",
        "neon_macro": f"{upper}_NEON",
        "mve_macro": f"{upper}_MVE",
        "signed_macro": f"{upper}_SIGNED",
        "assembly_macro": f"{upper}_ASSEMBLY",
        "short_macro": f"{upper}_SHORT",
        "avr_macro": f"{upper}_AVR",
    }
