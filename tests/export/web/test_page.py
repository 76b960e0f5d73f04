"""The exported page: what is in it, how large it is, that it asks nobody else, that its engine is TFLite Micro to the byte."""

import json
import re
import subprocess
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from support.web_tools import FIRST_LOAD_BYTES, POLICY, names_in, node, tflm_scores

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, OutputError, ToolError
from glyphlite.export.web import page as web
from glyphlite.export.web.page import WebExport, export_web
from glyphlite.export.web.server import HEADERS
from glyphlite.tflite.metadata import read_metadata


def test_the_whole_page_is_small(page: WebExport) -> None:
    sizes = {name: (page.folder / name).stat().st_size for name in names_in(page.folder)}
    assert set(sizes) == web.ALWAYS == {path.relative_to(page.folder).as_posix() for path in page.files}
    engines = {sizes["engine-plain.wasm"], sizes["engine-simd.wasm"]}
    assert page.first_load_bytes == sum(sizes.values()) - min(engines) <= FIRST_LOAD_BYTES
    assert page.engine_bytes == max(engines)
    assert page.model_bytes < page.engine_bytes + 1024


def test_the_page_knows_its_model(page: WebExport, samples: Path) -> None:
    record = json.loads((page.folder / "model.json").read_text())
    content = (samples / "model_int8.tflite").read_bytes()
    assert (record["variant"], record["bytes"], record["sha256"]) == ("int8", len(content), sha256(content).hexdigest())
    assert record["name"] == page.name == (read_metadata(content).name or "micro-cnn")
    assert record["labels"] == list(page.labels) == [str(digit) for digit in range(10)]
    assert record["input"] == {"height": 28, "width": 28, "channels": 1, "mean": [0], "std": [255]}


def test_nothing_from_elsewhere(page: WebExport) -> None:
    for path in page.files:
        if path.suffix not in (".wasm", ".png"):
            urls = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", path.read_text()))
            assert urls <= {"http://www.w3.org/2000/svg"}, path.name


def test_security_policy(page: WebExport) -> None:
    html = (page.folder / "index.html").read_text()
    [policy] = POLICY.findall(html)
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'")
    assert "unsafe-inline" not in policy
    assert HEADERS["Content-Security-Policy"] == f"{policy}; frame-ancestors 'none'"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", html)


def test_every_file_that_is_named_is_there(page: WebExport) -> None:
    names = names_in(page.folder)
    html = (page.folder / "index.html").read_text()
    assert set(re.findall(r'(?:src|href)="([^"]+)"', html)) <= names
    for path in page.folder.rglob("*.js"):
        imported = re.findall(r'from ?"\./([^"]+)"', path.read_text())
        assert {(path.parent / file).relative_to(page.folder).as_posix() for file in imported} <= names, path.name
    assert 'from"./preprocessing/arrays.js"' in (page.folder / "app.js").read_text(), "as it is minified"
    worker = (page.folder / "sw.js").read_text()
    kept = set(json.loads(re.findall(r"FILES = (\[.*\]);", worker)[0]))
    assert "const LATER = [];" in worker
    assert kept == names - {"index.html", "sw.js", "engine-plain.wasm", "engine-simd.wasm"} | {"./"}
    web_sources = Path(str(files("glyphlite.export"))) / "templates" / "web"
    identifiers = set(re.findall(r'\bid="([^"]+)"', html))
    assert set(re.findall(r'\$\("([^"]+)"\)', (web_sources / "app.js").read_text())) <= identifiers


@pytest.mark.parametrize("build", web.BUILDS)
def test_the_engine_is_tflite_micro_to_the_byte(
    page: WebExport, samples: Path, mnist: Dataset, tmp_path: Path, build: str
) -> None:
    images = mnist.test.images[:300]
    (tmp_path / "pixels").write_bytes(np.ascontiguousarray(images).tobytes())
    command = [node(), Path(__file__).parents[2] / "support" / "web_engine.mjs", page.folder, build, tmp_path / "pixels"]
    done = subprocess.run(command, check=True, capture_output=True)
    scores = np.frombuffer(done.stdout, np.int8).reshape(len(images), -1)
    assert np.array_equal(scores, tflm_scores(samples / "model_int8.tflite", images))
    assert json.loads(done.stderr)["best"] == "simd"


def test_only_the_simd_build_has_vector_instructions(page: WebExport) -> None:
    # v128.load, v128.store: the prefix 0xfd and the opcode, aligned to 1 byte, follow a local.get in any compiled loop.
    vectors = [len(re.findall(rb"\xfd[\x00\x0b]", (page.folder / f"engine-{build}.wasm").read_bytes())) for build in web.BUILDS]
    assert vectors[1] > vectors[0] + 10


def test_labels_of_the_user(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BUILDS", ("plain",))
    names = [f"<b>&{index}" for index in range(10)]
    export = export_web(samples / "model_int8.tflite", tmp_path / "page", labels=names)
    assert export.labels == tuple(names)
    assert json.loads((export.folder / "model.json").read_text())["labels"] == names
    with pytest.raises(ArtifactError, match="3 labels for a model of 10 classes"):
        export_web(samples / "model_int8.tflite", tmp_path / "page", labels=["a", "b", "c"])
    assert json.loads((export.folder / "model.json").read_text())["labels"] == names


def test_what_cannot_be_a_page(samples: Path, tmp_path: Path) -> None:
    for variant in ("float32", "dynamic", "float16", "int16x8"):
        with pytest.raises(ArtifactError):
            export_web(samples / f"model_{variant}.tflite", tmp_path / "page")
    (tmp_path / "broken.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(40))
    with pytest.raises(ArtifactError):
        export_web(tmp_path / "broken.tflite", tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_other_files_are_not_replaced(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"thesis\.tex"):
        export_web(samples / "model_int8.tflite", tmp_path)
    with pytest.raises(OutputError, match="is a file"):
        export_web(samples / "model_int8.tflite", tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_without_zig(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glyphlite.emulation.toolchain.zig", lambda: None)
    with pytest.raises(ToolError, match="glyphlite\\[firmware\\]"):
        export_web(samples / "model_int8.tflite", tmp_path / "page")
    assert list(tmp_path.iterdir()) == []


def test_another_export_is_another_version(page: WebExport, tmp_path: Path) -> None:
    """What the service worker keeps hangs on the bytes of every file, not on when they were written."""
    written = {
        name: (page.folder / name).read_bytes() for name in map(str, (path.relative_to(page.folder) for path in page.files))
    }
    del written["sw.js"]
    assert web._service_worker(written, {}) == (page.folder / "sw.js").read_bytes()
    assert web._service_worker(written | {"preprocessing/ink.js": b"//"}, {}) != web._service_worker(written, {})
    assert web._service_worker(written, {"litert.wasm": b"1"}) != web._service_worker(written, {"litert.wasm": b"2"})
