"""A hundred names that break programs: each says what it would do where it is not escaped."""

from itertools import chain

RLO, LRI = "\u202e", "\u2066"

_TEXTS: dict[str, tuple[str, ...]] = {
    "rich markup": ("[red]x[/red]", "[/]", "[/x]", "[link=http://a.b]x[/link]", "[bold", "a[0]b", "\\[red]", "[@click=exit]x[/]"),
    "mathtext": ("$^$", "$\\frac{1}$", "$x$", "a_b^c", "$", "\\$5", "$\\alpha"),
    "LaTeX": ("\\input{x}", "50% & #1 ~ {}", "\\end{document}"),
    "HTML": (
        "<script>alert(1)<",
        '"><img src=x onerror=alert(1)>',
        "&lt;b&gt;",
        "<!--",
        "' onmouseover='x",
        "]]>",
        "{{ 7*7 }}",
        "{% raw %}",
        "javascript:alert(1)",
        "${7*7}`",
    ),
    "C": (
        "*\\",
        "x *",
        "what??",
        "??-",
        "a\\",
        "a\\\nb",
        '"); abort(); (',
        "#include <x>",
        "int",
        "main",
        "__FILE__",
        "%s%n%d",
        "\\x41\\n\\0",
        "'\"",
    ),
    "terminal": (
        "\x1b[2J\x1b[31mred",
        "\x1b]0;owned\x07",
        "\x1b]8;;http:a\x1b\\x",
        "\x9b31m",
        "\x08\x08\x08x",
        "a\rb",
        "a\nglyphlite: done",
        "a\tb",
        "\x7f\x00x",
        "\x0e\x0fx",
    ),
    "lines": ("a\u2028b", "a\u2029b", "a\x85b", "a\x0bb", "a\x0cb", "a\x1cb\x1db\x1eb"),
    "directions": (f"exe.{RLO}gnp", f"{LRI}a\u2069b", "\u200f\u061cx", "אבג abc"),
    "invisible": ("\u200b", "\ufeffx", "\u00a0", "\u3000x\u3000", "a\u00adb", "\U000e0041x", "x\ufffe"),
    "files": (
        "-rf",
        "--json",
        "-",
        "...",
        ".hidden",
        "x.",
        " x ",
        "~root",
        "con",
        "nul.txt",
        "a:b",
        "a*b?c",
        "file.py:f",
        "x" * 240,
        "é" * 120,
        "labels.txt",
        "train",
    ),
    "shell and Make": ("$(touch pwned)", "`touch pwned`", "; touch pwned;", "$$(shell x)", "a b", "a=b", "a'b\"c", "!x", "|x&"),
    "Python and Rust": ('""";import os;os.abort()#', "\\", "\\N{DIGIT ONE}\\x", "{x}{0!r}%(x)s", '"]; fn main() {}//'),
    "letters": ("e\u0301", "Z\u0351\u0360\u0346\u0329a\u0317\u034dl", "😀", "👨\u200d💻", "数字", "ß", "ǆ"),
}

_BYTES: dict[str, tuple[bytes, ...]] = {"bytes": (b"caf\xe9", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"a\x80\x9b31mb")}

NAMES: tuple[tuple[str, bytes], ...] = tuple(
    chain(
        ((kind, text.encode()) for kind, texts in _TEXTS.items() for text in texts),
        ((kind, content) for kind, contents in _BYTES.items() for content in contents),
    )
)
"""Each with its kind; bytes, as file systems hold names."""


def in_file_name(name: bytes) -> bytes:
    """Returns the name as it can stand in a file's name: no slash, no NUL, and room for what is put behind."""
    return name.replace(b"\0", b"").replace(b"/", b"\xe2\x88\x95")[:240]
