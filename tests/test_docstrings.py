"""Function docstrings open with a verb in the third person; classes and modules say what they are, in a noun phrase.

ruff's D401 wants the imperative ("Return"), so this test holds the project's rule instead ("Returns").
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "glyphlite"
FILES = sorted(SOURCE.glob("**/*.py"))
CLAUSES = frozenset(
    {"what", "whether", "how", "which", "where", "why", "when", "who", "of", "as", "with", "without", "from", "within"}
)
"""Words that open a clause or a fragment, not a noun phrase."""

NOT_VERBS = frozenset(
    {
        "this",
        "its",
        "is",
        "as",
        "others",
        "ours",
        "has",
        "bytes",
        "pixels",
        "rows",
        "columns",
        "values",
        "images",
        "weights",
        "sizes",
    }
    | {
        "figures",
        "classes",
        "files",
        "bits",
        "tests",
        "kernels",
        "less",
        "thus",
        "always",
        "perhaps",
        "across",
        "pictures",
        "words",
    }
    | {
        "lines",
        "numbers",
        "parts",
        "digits",
        "glyphs",
        "shapes",
        "scales",
        "outputs",
        "inputs",
        "tensors",
        "ops",
        "features",
        "steps",
    }
    | {"epochs", "seconds", "instructions"}
)
"""Words that end like a verb in the third person and open a noun phrase."""


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Returns whether a function is a command, whose docstring is the imperative text that ``--help`` shows."""
    return any(ast.unparse(each).startswith(("app.", "data_app.")) for each in node.decorator_list)


def first_word(text: str) -> str:
    return text.split()[0].strip(",.:;")


def faults(source: str) -> Iterator[str]:
    """The docstrings that open otherwise: line and first words."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        text = ast.get_docstring(node)
        if not text or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_command(node)):
            continue
        word = first_word(text)
        if isinstance(node, ast.Module | ast.ClassDef):
            fine = word.lower() not in CLAUSES
        else:
            fine = bool(re.fullmatch(r"[A-Z][a-z]+s", word)) and word.lower() not in NOT_VERBS
        if not fine:
            yield f"line {getattr(node, 'lineno', 1)}: {' '.join(text.split()[:8])}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_docstrings_open_with_a_verb_or_say_what_a_thing_is(path: Path) -> None:
    assert not list(faults(path.read_text()))


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ('def f():\n    """Returns one."""', 0),
        ('def f():\n    """Return one."""', 1),
        ('def f():\n    """What it returns."""', 1),
        ('def f():\n    """The one."""', 1),
        ('def f():\n    """Bytes of it."""', 1),
        ('def f():\n    def g():\n        """Whether it is."""', 1),
        ('@app.command()\ndef f():\n    """Train a model."""', 0),
        ('class C:\n    """A thing."""', 0),
        ('class C:\n    """How a thing is."""', 1),
        ('"""Which one."""', 1),
    ],
)
def test_faults_are_found(source: str, number: int) -> None:
    assert len(list(faults(source))) == number
