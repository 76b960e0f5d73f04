"""Files that build generated C once for each kind of vectors and choose among these builds when the program runs.

One binary then serves every x86 or AArch64 host, whatever its compiler was told. Knows the names in the header, no model.
"""

import re
from dataclasses import dataclass

from glyphlite.export.templating import render

_FUNCTION = re.compile(r"^(void|int) (\w+)\((.*?)\);", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Variant:
    """A build of the C for one kind of processor.

    Attributes:
        name: in file and function names.
        words: the processor's.
        family: "x86" or "arm".
        gnu: the target as gcc names it.
        clang: as clang does.
        macros: what the C is told of it, by the end of each macro's name.
    """

    name: str
    words: str
    family: str
    gnu: str
    clang: str
    macros: tuple[tuple[str, int], ...]


_AVX512 = "avx2,avx512f,avx512bw,avx512vl,avx512vnni"

VARIANTS = (
    Variant("avx2", "x86 with AVX2", "x86", "avx2", "avx2", (("X86", 256), ("VNNI", 0))),
    Variant("avx_vnni", "x86 with AVX-VNNI", "x86", "avx2,avxvnni", "avx2,avxvnni", (("X86", 256), ("VNNI", 256))),
    Variant("avx512_vnni", "x86 with AVX-512 VNNI", "x86", _AVX512, _AVX512, (("X86", 256), ("VNNI", 512))),
    Variant("dotprod", "AArch64 with dot products", "arm", "arch=armv8.2-a+dotprod", "dotprod", (("NEON", 2),)),
    Variant("i8mm", "AArch64 with i8mm", "arm", "arch=armv8.2-a+dotprod+i8mm", "dotprod,i8mm", (("NEON", 3),)),
)
"""From the least of a family to the best; what has none of them takes what the compiler was told."""


@dataclass(frozen=True)
class Function:
    """A function of the header: its type, the end of its name, its parameters as written, and their names."""

    type: str
    name: str
    parameters: str
    arguments: str


def functions_of(name: str, header: str) -> tuple[Function, ...]:
    """Returns the functions that a header of generated C declares, but for those that it defines itself."""
    found: list[Function] = []
    for kind, function, parameters in _FUNCTION.findall(header):
        words = [re.findall(r"\w+", parameter.partition("[")[0])[-1] for parameter in parameters.split(",")]
        ending = function.removeprefix(f"{name}_")
        found.append(Function(kind, ending, " ".join(parameters.split()), ", ".join(words)))
    return tuple(found)


def dispatch_files(name: str, header: str) -> dict[str, str]:
    """Returns the files that belong beside ``NAME.c``, by path from its folder; empty unless ``NAME_DISPATCH`` is defined.

    Args:
        name: of the C.
        header: the text of ``NAME.h``.
    """
    values = {
        "name": name,
        "macro": name.upper(),
        "functions": functions_of(name, header),
        "has_many": f"{name}_invoke_many(" in header,
        "variants": VARIANTS,
        "families": {family: [each for each in VARIANTS if each.family == family] for family in ("x86", "arm")},
    }
    files = {f"dispatch/{name}_{each.name}.c": render("dispatch/variant.c", {**values, "variant": each}) for each in VARIANTS}
    for template in ("baseline.c", "dispatch.c", "dispatch.h"):
        files[f"dispatch/{name}_{template}"] = render(f"dispatch/{template}", values)
    return files
