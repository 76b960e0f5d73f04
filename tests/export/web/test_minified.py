"""The page's scripts as they are served: minified from the sources beside them, and they still parse."""

import hashlib
import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from support.web_tools import names_in, node

from glyphlite.export.web.minified import served
from glyphlite.export.web.page import STATIC

TEMPLATES = Path(str(files("glyphlite.export"))) / "templates"
WEB = TEMPLATES / "web"
SOURCES = sorted([*WEB.rglob("*.js"), *WEB.rglob("*.css")])


def test_every_source_is_minified_as_it_is_now() -> None:
    made_from = json.loads((TEMPLATES / "page" / "sources.json").read_text())["sha256"]
    now = {path.relative_to(WEB).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in SOURCES}
    assert made_from == now, "run `make page`"
    assert names_in(TEMPLATES / "page") == {*now, "sources.json"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_what_is_served_is_smaller_and_has_the_same_exports(source: Path) -> None:
    minified, text = served(source.relative_to(WEB).as_posix()).decode(), source.read_text()
    assert len(minified) < len(text)
    for name in re.findall(r"^export (?:async )?(?:function\*?|class|const|let) (\w+)", text, re.MULTILINE):
        assert re.search(rf"export\{{[^}}]*\b{name}\b|export (?:async )?(?:function|class|const|let) {name}\b", minified), name


def test_html_loses_its_indentation_and_pictures_nothing() -> None:
    assert not any(line.startswith(" ") for line in served("index.html").decode().splitlines())
    assert served("touch-icon.png") == (TEMPLATES / "web" / "touch-icon.png").read_bytes()


def test_every_script_still_parses(tmp_path: Path) -> None:
    scripts = [file for file in (*STATIC, "litert.js", "litert-loader.js") if file.endswith(".js")]
    for script in scripts:
        (tmp_path / f"{Path(script).stem}.mjs").write_bytes(served(script))
    code = "const { SourceTextModule } = require('vm'); const { readFileSync } = require('fs');"
    code += "for (const file of process.argv.slice(1)) new SourceTextModule(readFileSync(file, 'utf8'));"
    command = [node(), "--experimental-vm-modules", "--no-warnings", "-e", code, *map(str, tmp_path.glob("*.mjs"))]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stderr == ""
