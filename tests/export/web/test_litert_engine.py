"""The page with both engines, before anybody opens it: what is in it, what the first load is, what the switches say."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support.web_tools import FIRST_LOAD_BYTES, POLICY, names_in, node

from glyphlite.conversion.variants import VARIANT_NAMES
from glyphlite.errors import OutputError
from glyphlite.export.web import page as web
from glyphlite.export.web.litertjs import LICENSE, LiteRtJs
from glyphlite.export.web.page import WebExport, export_web

AGREEMENT = """
import { Switches } from "./switches.js";
const says = (index, words, part = 0.8) => ({ index, words, real: { [index]: part } });
const say = (...results) => Switches.prototype.agreement.call({ model: { labels: ["zero", "one", "two"] } }, 2, results);
console.log(JSON.stringify([
  say(says(2, "int8 as generated C")),
  say(says(2, "a"), says(2, "b"), says(2, "c")),
  say(says(2, "int8 as generated C"), says(1, "float32 on LiteRT.js", 0.612), says(0, "dynamic on LiteRT.js", 0.005)),
]));
"""


def test_the_first_load_stays_small(both: WebExport, page: WebExport) -> None:
    assert both.first_load_bytes <= FIRST_LOAD_BYTES
    assert both.first_load_bytes - page.first_load_bytes < 1500, "a record and a list of names"
    later = {path.name: path.stat().st_size for path in both.files if path.name.startswith("litert")}
    models = {name for name in later if name.endswith(".tflite")}
    assert models == {f"litert-{variant}.tflite" for variant in VARIANT_NAMES}
    engine = sum(size for name, size in later.items() if name not in models | {LICENSE})
    assert both.second_engine_bytes == engine + later["litert-float32.tflite"]
    assert both.second_engine_variants == VARIANT_NAMES
    assert names_in(both.folder) == {path.relative_to(both.folder).as_posix() for path in both.files}


def test_the_policy_is_the_same(both: WebExport, page: WebExport) -> None:
    assert POLICY.findall((both.folder / "index.html").read_text()) == POLICY.findall((page.folder / "index.html").read_text())


def test_the_service_worker_keeps_it_later(both: WebExport) -> None:
    worker = (both.folder / "sw.js").read_text()
    first, later = (set(json.loads(re.findall(rf"const {name} = (\[.*\]);", worker)[0])) for name in ("FILES", "LATER"))
    assert later == {path.name for path in both.files if path.name.startswith("litert") and path.name != LICENSE}
    assert not first & later
    names = {path.name for path in both.files}
    for file in ("litert.js", "litert-loader.js", "litert-core.js"):
        assert set(re.findall(r'from "\./([^"]+)"', (both.folder / file).read_text())) <= later | names
    assert (both.folder / "litert-core.js").read_text().count("import ") == 1


def test_a_page_with_both_gives_way_to_a_page_with_one(
    samples: Path, both: WebExport, litertjs: LiteRtJs, tmp_path: Path
) -> None:
    artifact = samples / "model_int8.tflite"
    folder = export_web(artifact, tmp_path / "page", litertjs=litertjs).folder
    assert (
        json.loads((folder / "model.json").read_text())["litert"]
        == json.loads((both.folder / "model.json").read_text())["litert"]
    )
    assert export_web(artifact, folder).second_engine_variants == ()
    assert names_in(folder) == web.ALWAYS
    assert json.loads((folder / "model.json").read_text())["litert"] is None
    (folder / "model_int8.tflite").write_bytes(b"somebody's own")
    with pytest.raises(OutputError, match=r"model_int8\.tflite"):
        export_web(artifact, folder, litertjs=litertjs)


def test_no_variant_that_it_takes_is_no_second_engine(
    samples: Path, litertjs: LiteRtJs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = web.second_engine
    monkeypatch.setattr(web, "second_engine", lambda *given: replace(original(*given), variants=(), left_out=("because",)))
    export = export_web(samples / "model_int8.tflite", tmp_path / "page", litertjs=litertjs)
    assert (export.second_engine_bytes, export.second_engine_variants, export.left_out) == (0, (), ("because",))
    assert names_in(export.folder) == web.ALWAYS


def test_words_of_agreement(both: WebExport, tmp_path: Path) -> None:
    for name in ("switches.js", "words.js"):
        (tmp_path / name).write_bytes((both.folder / name).read_bytes())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "agreement.js").write_text(AGREEMENT)
    done = subprocess.run([node(), tmp_path / "agreement.js"], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == [
        "int8 as generated C agrees",
        "3 others agree",
        "float32 on LiteRT.js: one (61 %); dynamic on LiteRT.js: zero (< 1 %)",
    ]
