"""Names and texts that become C: identifiers checked, strings and comments escaped. Pure functions, no files."""

import re

from glyphlite.errors import OutputError

_KEYWORDS = """
    alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor bool break case catch char
    char8_t char16_t char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr constinit
    continue decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if
    inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch synchronized
    template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while
    xor xor_eq main
"""
_RESERVED = frozenset(_KEYWORDS.split())

LONGEST_NAME = 64


def check_identifier(name: str) -> str:
    """The name itself, if C and C++ both take it as the start of a symbol.

    Raises:
        OutputError: it is not a C identifier, is reserved, or is too long.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or "__" in name:
        raise OutputError(
            f"--name {name[:80]!r} is not a C identifier: expected a letter, then letters, digits and single underscores "
            "(such as micro_cnn)"
        )
    if name in _RESERVED:
        raise OutputError(f"--name {name} is a word of C or C++; choose another (such as {name}_model)")
    if len(name) > LONGEST_NAME:
        raise OutputError(f"--name has {len(name)} characters; expected at most {LONGEST_NAME}")
    return name


def c_string(text: str) -> str:
    """A C string literal with the text's UTF-8 bytes; what is not plain ASCII is written in octal, which no digit can extend."""
    escaped = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode("utf-8", "replace")
    )
    return '"' + "".join(escaped) + '"'


def c_comment(text: str) -> str:
    """Text that can stand inside any C comment: one line of printable ASCII that neither opens, closes nor continues one."""
    plain = "".join(character if 32 <= ord(character) < 127 else "?" for character in text)
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/")


def c_array(content: bytes, per_line: int = 12) -> str:
    """The bytes as the inside of a C initializer, indented by two spaces, ``per_line`` to a line."""
    lines = (content[start : start + per_line] for start in range(0, len(content), per_line))
    return "\n".join("  " + ", ".join(f"0x{byte:02x}" for byte in line) + "," for line in lines)
