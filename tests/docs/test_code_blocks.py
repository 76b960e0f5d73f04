"""The code of README and docs works: commands parse, scripts and make targets exist, Python runs.

A block that cannot run here stands behind ``<!-- no test: why -->``. Commands are parsed, not run: those that train take minutes.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.exceptions import Exit, TyperException
from typer.main import get_command

from glyphlite.cli import app
from glyphlite.models.registry import describe_model
from glyphlite.records import Accuracy, ArtifactReport, KerasReport
from glyphlite.results import Results

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"(?P<skip><!-- no test: [^\n]+ -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (\S.*)$", re.MULTILINE)
SPAN = re.compile(r"`((?:glyphlite|python benchmarks/|make )[^`]*)`")


def commands_of(text: str) -> list[str]:
    """Returns the shell commands of a page: of its blocks and of its code spans."""
    lines = [line for block in BLOCK.finditer(text) if block["language"] == "sh" for line in block["code"].splitlines()]
    return [line.strip() for line in (*lines, *INDENTED.findall(BLOCK.sub("", text)), *SPAN.findall(text))]


COMMANDS = sorted({(page, line) for page in PAGES for line in commands_of(page.read_text())})
OURS = [
    line for _, line in COMMANDS if line.startswith("glyphlite ") and "[OPTIONS]" not in line
]  # not the generated usage lines


def parse(line: str) -> None:
    """Parses a ``glyphlite`` command as the program does; a pattern such as ``glyphlite export FILE --for web`` may lack options.

    Raises:
        ValueError: the command is unknown, an option is, or a value is of another kind.
    """
    group: Any = get_command(app)
    words = [word for word in shlex.split(line.replace("$seed", "0"), comments=True)[1:] if word != "..."]
    pattern = len(words) == 1 or re.search(r"\b[A-Z]{3,}\b|\w\|\w", line)
    name = words[0]
    if name in ("--help", "--version"):
        return
    if name not in group.commands:
        raise ValueError(f"no command is called {name}")
    try:
        group.commands[name].make_context(name, words[1:])
    except Exit:
        return  # --help
    except TyperException as error:
        unfinished = pattern and type(error).__name__ == "MissingParameter"
        if not unfinished and not re.search(r"\w\|\w", line):
            raise ValueError(f"{line}: {error.format_message()}") from None


@pytest.mark.parametrize("line", sorted(set(OURS)))
def test_command_parses(line: str) -> None:
    parse(line)


MODELS = sorted(
    (str(page.relative_to(ROOT)), block["code"])
    for page in PAGES
    for block in BLOCK.finditer(page.read_text())
    if block["language"] == "toml" and "layers = [" in block["code"]
)


@pytest.mark.parametrize(("page", "text"), MODELS)
def test_model_files_define_models(tmp_path: Path, page: str, text: str) -> None:
    path = tmp_path / f"{Path(page).stem}.toml"
    path.write_text(text)
    assert describe_model(str(path)).parameters > 100


def test_pages_hold_model_files() -> None:
    assert len(MODELS) >= 2


def test_wrong_commands_are_found() -> None:
    wrong = ("nothing", "convert a.keras --nothing", "train micro-cnn --epochs many", "simulate a --cpu z80")
    for words in wrong:
        with pytest.raises(ValueError, match=r"nothing|many|z80"):
            parse(f"glyphlite {words}")


def test_pages_hold_commands() -> None:
    assert len(set(OURS)) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_scripts_and_make_targets_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = [line.split()[1] for line in commands_of(text) if re.match(r"make [a-z-]+\b(?!=)", line)]
    assert set(named) <= targets | {"library", "-C", "-f"}
    assert not [
        path for path in re.findall(r"python ((?:benchmarks|tools|campaigns)/\w+\.py)", text) if not (ROOT / path).is_file()
    ]


PYTHON = [
    pytest.param(
        block["code"],
        id=f"{page.relative_to(ROOT)}-{number}",
        marks=[pytest.mark.slow] if "TFLiteConverter" in block["code"] else [],
    )
    for page in PAGES
    for number, block in enumerate(BLOCK.finditer(page.read_text()))
    if block["language"] == "python" and not block["skip"]
]


@pytest.mark.parametrize("code", PYTHON)
def test_python_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a block in a folder with a finished run in it."""
    accuracy = Accuracy(value=0.99, low=0.98, high=0.995, n=10_000)
    keras = KerasReport(parameters=1, macs=1, bytes=1, accuracy=accuracy)
    file = ArtifactReport(variant="int8", path="model_int8.tflite", bytes=1, weight_bytes=1, sha256="", accuracy=accuracy)
    run = tmp_path / "runs" / "glyph-4k"
    run.mkdir(parents=True)
    Results(model="glyph-4k", dataset="mnist", seed=0, keras=keras, artifacts=[file]).save(run / "results.json")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "<docs>", "exec"), {"__name__": "docs"})


def test_some_python_runs() -> None:
    assert PYTHON
