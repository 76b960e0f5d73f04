"""Generated C in a browser: the page's WebAssembly with SIMD against that without, beside LiteRT.js on the same int8 file.

    python benchmarks/wasm_inference.py

Each model is exported as a page with both engines, served on this host and opened in Chromium. There the three take
turns, each timed by its own ``time``, and the least milliseconds of one inference are kept. Every score of both builds must equal
TensorFlow Lite Micro's on 1,000 MNIST images, or there is no row. LiteRT.js is fetched with npm, once. Writes
benchmarks/results/wasm_inference.json and the table of the docs.
"""

import argparse
import base64
import sys
import tempfile
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from common.artifacts import artifact_of
from common.figures import write_pages

from glyphlite.console import say
from glyphlite.datasets.registry import load_dataset
from glyphlite.export.web.litertjs import VERSION, obtain_litertjs
from glyphlite.export.web.page import export_web
from glyphlite.export.web.server import page_server
from glyphlite.files.single import sha256_of, write_json
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.runtimes.registry import get_runtime

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from support.chromium import find_chromium, launched

RESULT = Path(__file__).parent / "results" / "wasm_inference.json"
REFERENCE = ("micro-cnn", "mlp", "edge-cnn", "classic-cnn")
PRETRAINED = ("glyph-4kflash", "glyph-4k", "glyph-16kflash", "glyph-50kmac")
BUILDS = ("plain", "simd")
IMAGES = 1000

_MEASURE = """async ([encoded, rounds]) => {
    const { Engine } = await import("./engine.js");
    const { LiteRtModel, start } = await import("./litert.js");
    const bytes = async (file) => (await fetch(file)).arrayBuffer();
    const model = await (await fetch("model.json")).json();
    await start(await bytes(model.litert.wasm.file), model.litert);
    const file = model.litert.variants.find((each) => each.variant === "int8").file;
    const engines = { litert: await LiteRtModel.load(await bytes(file), model.input) };
    const pixels = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    const size = model.input.height * model.input.width;
    const scores = {}, ms = {};
    for (const build of ["plain", "simd"]) {
        const engine = await Engine.load(await bytes(model.engines[build].file), model);
        engines[build] = engine;
        scores[build] = [];
        for (let at = 0; at < pixels.length; at += size) {
            scores[build].push(...engine.scores(pixels.subarray(at, at + size)));
        }
    }
    await engines.litert.scores(pixels.subarray(0, size));
    for (const name of Object.keys(engines)) ms[name] = [];
    for (let round = 0; round < rounds; round++) {
        for (const [name, engine] of Object.entries(engines)) ms[name].push(await engine.time(8));
    }
    return { scores, ms, bytes: Object.fromEntries(Object.entries(model.engines).map(([build, each]) => [build, each.bytes])) };
}"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="*", default=[*REFERENCE, *PRETRAINED])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    images = load_dataset("mnist").test.images[:IMAGES]
    rows = []
    with launched(find_chromium()) as browser:
        for model in options.models:
            say(model)
            artifact = pretrained_artifact(model) if model in PRETRAINED else artifact_of(model)
            rows.append({"model": model, "sha256": sha256_of(artifact), **_measure(browser, artifact, images, options.rounds)})
        versions = {"browser": f"Chromium {browser.version}", "litertjs": VERSION}
    write_json(options.output, {"schema": 1, "images": IMAGES, "versions": versions, "rows": rows})
    for row in rows:
        print(row["model"], {name: round(each, 4) for name, each in row["ms"].items()}, f"first load {row['first_load_bytes']:,}")
    if options.output == RESULT:
        write_pages()
    return 0


def _measure(browser: Any, artifact: Path, images: np.ndarray, rounds: int) -> dict[str, Any]:
    """The least milliseconds of each engine, and the bytes of modules and first load."""
    with tempfile.TemporaryDirectory() as folder:
        exported = export_web(artifact, Path(folder) / "page", litertjs=obtain_litertjs())
        with page_server(exported.folder, port=0) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            encoded = base64.b64encode(np.ascontiguousarray(images).tobytes()).decode()
            found = page.evaluate(_MEASURE, [encoded, rounds])
            page.close()
            server.shutdown()
    expected = _reference(artifact, images)
    for build in BUILDS:
        if not np.array_equal(np.array(found["scores"][build], np.int8).reshape(expected.shape), expected):
            raise SystemExit(f"{artifact.name}: the {build} build gives other bytes than TensorFlow Lite Micro")
    ms = {name: min(each) for name, each in found["ms"].items()}
    return {"ms": ms, "module_bytes": found["bytes"], "first_load_bytes": exported.first_load_bytes}


def _reference(artifact: Path, images: np.ndarray) -> np.ndarray:
    with get_runtime("tflm").load(artifact) as model:
        stored = (images.astype(np.int16) - 128).astype(np.int8).reshape(len(images), *model.input.shape)
        return model.predict(stored).reshape(len(images), -1)


if __name__ == "__main__":
    sys.exit(main())
