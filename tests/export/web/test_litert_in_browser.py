"""The page's second engine in a real browser: fetched when chosen and not before, answering as Python's LiteRT, offline too."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect
from support.browsing import CANVAS, STROKES, Visit, encoded, served, visit
from support.web_tools import FIRST_LOAD_BYTES

from glyphlite.conversion.variants import VARIANT_NAMES
from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.export.web.litertjs import LiteRtJs
from glyphlite.export.web.page import WebExport, export_web
from glyphlite.export.web.server import page_server
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.cost import weight_bits
from glyphlite.tflite.quantization import dequantize, quantize
from glyphlite.tflite.reader import read_graph

pytestmark = pytest.mark.slow

LOADING_MS = 20_000
"""9 MB over localhost, and their compilation, beside whatever else this machine does."""


SCORES = """async ([encoded, variant]) => {
    const { LiteRtModel } = await import("./litert.js");
    const file = await (await fetch(`litert-${variant}.tflite`)).arrayBuffer();
    const model = await LiteRtModel.load(file, { channels: 1, mean: [0], std: [255] });
    const pixels = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    const scores = [];
    for (let i = 0; i < pixels.length; i += 784) scores.push(...(await model.scores(pixels.subarray(i, i + 784))));
    return scores;
}"""


@pytest.fixture(scope="module")
def address(both: WebExport) -> Iterator[str]:
    with served(both.folder) as address:
        yield address


def choose(visited: Visit, name: str) -> None:
    """Click on one of the switches."""
    visited.page.get_by_role("radio", name=name, exact=True).click()


def expect_answers_of(visited: Visit, variant: str, engine: str) -> None:
    expect(visited.page.locator("#engine")).to_contain_text(engine, timeout=LOADING_MS)
    expect(visited.page.locator("#model")).to_contain_text(f" {variant} ", timeout=LOADING_MS)
    assert chosen(visited) == [variant, "c" if engine.startswith("generated") else "litert"]


def chosen(visited: Visit) -> list[str]:
    return visited.page.evaluate("[...document.querySelectorAll('#switches input:checked')].map((input) => input.value)")


def litert_scores(artifact: Path, images: np.ndarray) -> tuple[np.ndarray, float]:
    """What Python's LiteRT gives for raw images, as real numbers, and how far apart two engines' may lie."""
    with get_runtime("litert").load(artifact) as model:
        stored = quantize(as_float(images).reshape(len(images), *model.input.shape), model.input.quantization, model.input.dtype)
        scores = dequantize(model.predict(stored), model.output.quantization).reshape(len(images), -1)
        # DESIGN.md: kernels differ by one step of a logit, which the softmax of an int8 file makes a few.
        return scores, 8 * model.output.quantization.scale if model.output.quantization else 1e-4


def test_drawings_answered_as_in_python(opened: Visit, samples: Path, mnist: Dataset) -> None:
    digits = mnist.test.images[:100].reshape(-1, 28, 28)
    drawn = encoded(np.stack([255 - np.kron(digit, np.ones((8, 8), np.uint8)) for digit in digits]).tobytes())
    for variant in ("int8", "float32"):
        choose(opened, "LiteRT.js")
        choose(opened, variant)
        expect_answers_of(opened, variant, "LiteRT.js 2.5.3")
    answers = opened.page.evaluate(CANVAS, [drawn, 224])
    pixels = np.array([answer["pixels"] for answer in answers], np.uint8)
    classes = {
        variant: litert_scores(samples / f"model_{variant}.tflite", pixels)[0].argmax(axis=1) for variant in ("int8", "float32")
    }
    assert [answer["index"] for answer in answers] == classes["float32"].tolist()
    assert [answer["shown"] for answer in answers] == [str(answer["index"]) for answer in answers]
    for place, words in enumerate(("int8 as generated C", "int8 on LiteRT.js")):
        assert {answer["compared"][place]["words"] for answer in answers} == {words}
        assert [answer["compared"][place]["index"] for answer in answers] == classes["int8"].tolist()


def test_every_variant_scores_as_in_python(opened: Visit, samples: Path, mnist: Dataset) -> None:
    images = mnist.test.images[:100]
    for variant in VARIANT_NAMES:
        choose(opened, variant)
        choose(opened, "LiteRT.js")
        expect_answers_of(opened, variant, "LiteRT.js 2.5.3")
        scores = opened.page.evaluate(SCORES, [encoded(np.ascontiguousarray(images).tobytes()), variant])
        expected, tolerance = litert_scores(samples / f"model_{variant}.tflite", images)
        assert np.abs(np.reshape(scores, expected.shape) - expected).max() <= tolerance
        assert np.reshape(scores, expected.shape).argmax(axis=1).tolist() == expected.argmax(axis=1).tolist()
        size = (samples / f"model_{variant}.tflite").stat().st_size
        assert opened.text("file-name") == f"model_{variant}.tflite, {size:,} bytes"
        assert ("edges were converted to float32" in opened.text("note")) == (variant in ("int8", "int16x8"))


def test_weights_of_four_bits(browser: Browser, litertjs: LiteRtJs, mnist: Dataset, tmp_path: Path) -> None:
    artifact = tmp_path / "model_int8.tflite"
    shutil.copyfile(pretrained_artifact("glyph-4k"), artifact)
    assert weight_bits(read_graph(artifact)) == 4
    exported = export_web(artifact, tmp_path / "page", litertjs=litertjs)
    images = mnist.validation.images[:100]
    context = browser.new_context()
    with served(exported.folder) as address:
        visited = visit(context, address)
        choose(visited, "LiteRT.js")
        expect_answers_of(visited, "int8", "LiteRT.js 2.5.3")
        scores = visited.page.evaluate(SCORES, [encoded(np.ascontiguousarray(images).tobytes()), "int8"])
    context.close()
    expected, tolerance = litert_scores(artifact, images)
    found = np.reshape(scores, expected.shape)
    # Eleven layers, of which each may round otherwise: a doubtful image moves by more than the sample's do.
    assert np.mean(np.abs(found - expected).max(axis=1) <= tolerance) >= 0.97
    assert np.mean(found.argmax(axis=1) == expected.argmax(axis=1)) >= 0.99


def test_the_present_drawing_compared(opened: Visit) -> None:
    opened.draw(STROKES["3"])
    choose(opened, "LiteRT.js")
    expect(opened.page.locator("#agreement")).to_have_text("int8 as generated C agrees", timeout=LOADING_MS)
    choose(opened, "float32")
    expect(opened.page.locator("#agreement")).to_have_text("2 others agree", timeout=LOADING_MS)
    assert opened.text("class") == "3"
    assert float(opened.text("inference").removesuffix(" ms")) > 0
    opened.page.locator("#undo").click()
    assert "agree" not in opened.text("agreement")
    opened.draw(STROKES["7"])
    assert (opened.text("class"), opened.text("agreement")) == ("7", "2 others agree")
    choose(opened, "generated C")
    expect_answers_of(opened, "int8", "generated C as WebAssembly")
    assert opened.text("class") == "7"


def test_fetched_when_chosen_and_kept(browser: Browser, both: WebExport) -> None:
    """By keyboard, at once on the first visit, and then with the host gone."""
    sent: list[tuple[str, int]] = []
    with page_server(both.folder, port=0) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        handler: Any = server.RequestHandlerClass
        original = handler.func.copyfile
        handler.func.copyfile = lambda self, source, target: (
            sent.append((self.path.split("?")[0], os.fstat(source.fileno()).st_size)),
            original(self, source, target),
        )
        try:
            context = browser.new_context()
            visited = visit(context, f"http://127.0.0.1:{server.server_port}/")
            assert not [path for path, _ in sent if "litert" in path]
            visited.draw(STROKES["3"])
            expect(visited.page.locator("#agreement")).to_be_hidden()
            keyboard = visited.page.keyboard
            for identifier in ("pen", "eraser", "undo", "photo", "clear", ""):
                keyboard.press("Tab")
                assert visited.page.evaluate("document.activeElement.id") == identifier
            assert visited.page.evaluate("document.activeElement.value") == "int8"
            keyboard.press("Tab")
            assert visited.page.evaluate("document.activeElement.value") == "c"
            keyboard.press("ArrowRight")
            expect_answers_of(visited, "int8", "LiteRT.js 2.5.3")
            keyboard.press("Shift+Tab")
            keyboard.press("ArrowLeft")
            expect_answers_of(visited, "dynamic", "LiteRT.js 2.5.3")
            expect(visited.page.locator("#agreement")).to_have_text("2 others agree")
            assert visited.text("class") == "3"
        finally:
            handler.func.copyfile = original
            server.shutdown()
    first = [size for path, size in sent if "litert" not in path]
    assert sum(first) <= FIRST_LOAD_BYTES, sent
    later = sorted(path for path, _ in sent if "litert" in path)
    names = ("litert-core.js", "litert-dynamic.tflite", "litert-int8.tflite", "litert-loader.js", "litert-wasm.js")
    assert later == sorted([*(f"/{name}" for name in names), "/litert.js", "/litert.wasm"]), "each once"
    context.set_offline(True)
    visited.page.reload()
    visited.page.wait_for_selector("body[data-ready]")
    visited.draw(STROKES["7"])
    assert visited.text("class") == "7"
    choose(visited, "dynamic")
    expect_answers_of(visited, "dynamic", "LiteRT.js 2.5.3")
    assert visited.text("class") == "7"
    choose(visited, "float32")
    problem = "LiteRT.js cannot be loaded (no network, and not kept from before); dynamic on LiteRT.js goes on answering."
    expect(visited.page.locator("#loading")).to_have_text(problem)
    assert chosen(visited) == ["dynamic", "litert"]
    context.close()


def test_chosen_offline_for_the_first_time(browser: Browser, both: WebExport) -> None:
    with served(both.folder) as address:
        context = browser.new_context()
        visited = visit(context, address)
        visited.wait_for_service_worker()
    for again in ("float32", "LiteRT.js"):
        choose(visited, again)
        problem = "LiteRT.js cannot be loaded (no network, and not kept from before); int8 as generated C goes on answering."
        expect(visited.page.locator("#loading")).to_have_text(problem)
        assert chosen(visited) == ["int8", "c"]
        expect(visited.page.locator("#progress")).to_be_hidden()
    visited.draw(STROKES["1"])
    assert visited.text("class") == "1"
    context.close()


def test_a_host_that_lacks_a_file(browser: Browser, address: str) -> None:
    context = browser.new_context(service_workers="block")
    context.route("**/litert-float32.tflite", lambda route: route.fulfill(status=404))
    visited = visit(context, address)
    choose(visited, "float32")
    problem = "LiteRT.js cannot be loaded (litert-float32.tflite: 404); int8 as generated C goes on answering."
    expect(visited.page.locator("#loading")).to_have_text(problem, timeout=LOADING_MS)
    choose(visited, "LiteRT.js")
    expect_answers_of(visited, "int8", "LiteRT.js 2.5.3")
    context.close()


def test_an_old_browser(browser: Browser, address: str) -> None:
    """What does not know WebAssembly's newer instructions refuses to compile the module."""
    context = browser.new_context(service_workers="block")
    context.route("**/litert.wasm", lambda route: route.fulfill(body=b"\0asm\1\0\0\0\1\2\1\x99"))
    visited = visit(context, address)
    choose(visited, "LiteRT.js")
    problem = "This browser is too old for LiteRT.js; int8 as generated C goes on answering."
    expect(visited.page.locator("#loading")).to_have_text(problem)
    assert chosen(visited) == ["int8", "c"]
    context.close()


def test_another_choice_while_it_loads(browser: Browser, address: str) -> None:
    asked: list[Route] = []
    context = browser.new_context(service_workers="block")
    context.route("**/litert.wasm", lambda route: asked.append(route))
    visited = visit(context, address)
    visited.draw(STROKES["3"])
    choose(visited, "float32")
    expect(visited.page.locator("#loading")).to_have_text("Loading float32 on LiteRT.js …")
    expect(visited.page.locator("#progress")).to_be_visible()
    assert chosen(visited) == ["float32", "litert"]
    assert visited.text("engine").startswith("generated C"), "what answers, not what is awaited"
    choose(visited, "generated C")
    expect(visited.page.locator("#progress")).to_be_hidden()
    visited.page.wait_for_timeout(100)
    [route] = asked
    route.continue_()
    visited.page.wait_for_event(
        "requestfinished", lambda request: request.url.endswith("litert-float32.tflite"), timeout=LOADING_MS
    )
    visited.page.locator("#undo").click()
    visited.draw(STROKES["7"])
    assert chosen(visited) == ["int8", "c"]
    choose(visited, "float32")
    expect_answers_of(visited, "float32", "LiteRT.js 2.5.3")
    assert visited.text("class") == "7"
    context.close()


def test_without_a_second_engine_there_are_no_switches(browser: Browser, page: WebExport) -> None:
    with served(page.folder) as address:
        visited = visit(browser.new_context(), address)
        expect(visited.page.locator("#switches")).to_be_hidden()
        visited.draw(STROKES["1"])
        assert visited.text("class") == "1"
        visited.page.context.close()


def test_read_aloud(opened: Visit) -> None:
    """The switches by their roles and names, as a screen reader tells them."""
    for group, names in {"Variant": VARIANT_NAMES, "Engine": ("generated C", "LiteRT.js")}.items():
        radios = opened.page.get_by_role("group", name=group).get_by_role("radio")
        assert [radios.nth(index).evaluate("(input) => input.labels[0].innerText") for index in range(radios.count())] == [*names]
    assert opened.page.locator("#loading").get_attribute("role") == "status"


def test_picture_of_the_second_engine(browser: Browser, address: str, tmp_path: Path) -> None:
    """A phone's page with float32 on LiteRT.js, all of it; GLYPHLITE_PICTURES=docs/pictures writes it there."""
    context = browser.new_context(
        viewport={"width": 360, "height": 1060}, device_scale_factor=2, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    visited = visit(context, address)
    visited.draw(STROKES["3"])
    choose(visited, "float32")
    expect_answers_of(visited, "float32", "LiteRT.js 2.5.3")
    visited.page.evaluate("document.activeElement.blur()")
    visited.page.wait_for_timeout(250)  # the bars' way up
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= 360
    clipped = visited.page.evaluate(
        "[...document.querySelectorAll('.segments span')].filter((e) => e.scrollWidth > e.clientWidth).length"
    )
    assert clipped == 0, "every name is seen whole"
    folder = Path(os.environ.get("GLYPHLITE_PICTURES") or tmp_path)
    place = folder / "draw-phone-litert.png"
    visited.page.screenshot(path=place)
    with Image.open(place) as picture:
        picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(place, optimize=True)
    assert place.stat().st_size < 100_000
    context.close()
