"""Names and bytes that become C: identifiers checked, bytes as an initializer. Pure functions, no files."""

from glyphlite.compiler.codegen.c_names import objection
from glyphlite.errors import OutputError


def check_identifier(name: str) -> str:
    """Returns the name itself, if C and C++ both take it as the start of a symbol and nobody else's is called so.

    Raises:
        OutputError: it is not a C identifier, is reserved, or is too long; says which name to use instead.
    """
    if words := objection(name):
        raise OutputError(f"--name {words}")
    return name


def c_array(content: bytes, per_line: int = 12) -> str:
    """Returns the bytes as the inside of a C initializer, indented by two spaces, ``per_line`` to a line."""
    lines = (content[start : start + per_line] for start in range(0, len(content), per_line))
    return "\n".join("  " + ", ".join(f"0x{byte:02x}" for byte in line) + "," for line in lines)
