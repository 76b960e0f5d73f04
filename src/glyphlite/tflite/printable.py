"""Text out of a file as a message, a terminal or a picture may show it: on one line, printable, not endless."""

LONGEST = 60


def printable(text: str, limit: int = LONGEST) -> str:
    """Returns a name from a file, safe to show: control characters become ``?``, what is longer than ``limit`` ends in dots.

    Args:
        text: anything a file holds.
        limit: the most characters to show.

    Returns:
        One line of at most ``limit`` + 3 characters; ``unnamed`` for nothing.
    """
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:limit])
    return f"{shown}..." if len(text) > limit else shown or "unnamed"
