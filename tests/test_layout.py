"""The layout of the package: small folders, each with a purpose, and short chains of imports."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1] / "src" / "glyphlite"
MOST_MODULES = 16
LONGEST_CHAIN = 15
FOLDERS = [path.parent for path in sorted(ROOT.rglob("__init__.py"))]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


@cache
def imports_of(module: str) -> frozenset[str]:
    """Every module of the package that a module imports, inside its functions, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in inside}
    return frozenset(found & MODULES.keys() - {module})


def longest_chain(module: str, above: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The longest chain of imports that begins with a module; a circle is a failure."""
    assert module not in above, f"a circle: {' imports '.join((*above[above.index(module) :], module))}"
    if module not in CHAINS:
        CHAINS[module] = (
            module,
            *max((longest_chain(name, (*above, module)) for name in imports_of(module)), key=len, default=()),
        )
    return CHAINS[module]


CHAINS: dict[str, tuple[str, ...]] = {}


def test_no_folder_has_too_many_modules() -> None:
    crowded = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in FOLDERS}
    assert len(crowded) > 20
    assert {name: count for name, count in crowded.items() if count > MOST_MODULES} == {}


def test_no_folder_of_templates_has_too_many_files() -> None:
    files = [path for path in ROOT.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    crowded = Counter(str(path.parent.relative_to(ROOT)) for path in files)
    assert len(crowded) > 5
    assert {name: count for name, count in crowded.items() if count > MOST_MODULES} == {}


def test_every_folder_of_modules_is_a_package_that_says_its_purpose() -> None:
    assert {path.parent for path in MODULES.values()} == set(FOLDERS)
    for folder in FOLDERS:
        purpose = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
        assert purpose.count(".") >= 2, f"{folder.name}/__init__.py says in two sentences what the folder holds"


def test_chains_of_imports_are_short_and_no_circles() -> None:
    longest = max((longest_chain(module) for module in MODULES), key=len)
    assert len(longest) > 5
    assert len(longest) <= LONGEST_CHAIN, " imports ".join(longest)


def test_the_compiler_holds_typed_records_alone() -> None:
    """A kernel's parameters are fields of a dataclass: a namespace would hide from pyright what a template gets."""
    sources = {path: path.read_text() for path in (ROOT / "compiler").rglob("*.py")}
    assert len(sources) > 30
    assert [path.name for path, text in sources.items() if "SimpleNamespace" in text] == []
