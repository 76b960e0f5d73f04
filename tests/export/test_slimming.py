"""The page's texts lose comments and indentation, and nothing that runs."""

import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from web_tools import node

from glyphlite.export.slimming import slim

TEMPLATES = Path(str(files("glyphlite.export"))) / "templates" / "web"
SCRIPTS = sorted(TEMPLATES.glob("*.js"))


def test_what_goes_and_what_stays() -> None:
    source = """/* what
   it is */
/** one. */ keep();
export const a = 1; // beside code
  // alone

  const url = "//host"; /* here */ b();
    /* a */
  c(`// not ${a} a comment`);
"""
    expected = """/** one. */ keep();
export const a = 1; // beside code
const url = "//host"; /* here */ b();
c(`// not ${a} a comment`);
"""
    assert slim("a.js", source.encode()).decode() == expected
    assert slim("a.html", b"  <p>\n    // text\n").decode() == "<p>\n// text\n"
    assert slim("a.wasm", b"  \0asm") == b"  \0asm"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_string_runs_over_lines(script: Path) -> None:
    """What slimming relies on."""
    assert all(line.count("`") % 2 == 0 for line in re.sub(r"/\*.*?\*/", "", script.read_text(), flags=re.DOTALL).splitlines())


def test_every_script_still_parses(tmp_path: Path) -> None:
    for script in SCRIPTS:
        (tmp_path / f"{script.stem}.mjs").write_bytes(slim(script.name, script.read_bytes()))
    code = "const { SourceTextModule } = require('vm'); const { readFileSync } = require('fs');"
    code += "for (const file of process.argv.slice(1)) new SourceTextModule(readFileSync(file, 'utf8'));"
    command = [node(), "--experimental-vm-modules", "--no-warnings", "-e", code, *map(str, tmp_path.glob("*.mjs"))]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stderr == ""
