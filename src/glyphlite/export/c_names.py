"""Names and texts that become C: identifiers checked, strings and comments escaped. Pure functions, no files."""

from glyphlite.compiler.codegen.c_names import objection
from glyphlite.compiler.codegen.c_text import c_comment
from glyphlite.errors import OutputError


def check_identifier(name: str) -> str:
    """Returns the name itself, if C and C++ both take it as the start of a symbol and nobody else's is called so.

    Raises:
        OutputError: it is not a C identifier, is reserved, or is too long; says which name to use instead.
    """
    if words := objection(name):
        raise OutputError(f"--name {words}")
    return name


def c_string(text: str) -> str:
    """Returns a C string literal with the text's UTF-8 bytes; what is not plain ASCII is written in octal, which no digit can
    extend.
    """
    escaped = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode("utf-8", "replace")
    )
    return '"' + "".join(escaped) + '"'


def c_array(content: bytes, per_line: int = 12) -> str:
    """Returns the bytes as the inside of a C initializer, indented by two spaces, ``per_line`` to a line."""
    lines = (content[start : start + per_line] for start in range(0, len(content), per_line))
    return "\n".join("  " + ", ".join(f"0x{byte:02x}" for byte in line) + "," for line in lines)


__all__ = ["c_array", "c_comment", "c_string", "check_identifier"]
