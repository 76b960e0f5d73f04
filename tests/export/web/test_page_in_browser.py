"""The page in a real browser answers what Python answers, to strokes, pictures and keys, from its own host alone, offline too."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from support.browsing import CANVAS, STROKES, Visit, encoded, served, visit
from support.web_tools import FIRST_LOAD_BYTES, names_in, on_paper, tflm_scores

from glyphlite.datasets.dataset import Dataset
from glyphlite.export.web.page import WebExport
from glyphlite.export.web.server import page_server
from glyphlite.preprocessing.images import prepare_glyph, read_picture

pytestmark = pytest.mark.slow

SIZES = {"phone": (360, 780), "landscape": (740, 360), "desktop": (1280, 800)}

UPLOAD = """async (files) => {
    const { openPicture } = await import("./app.js");
    const answers = [];
    for (const [name, encoded] of files) {
        const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
        const result = await openPicture(new File([bytes], name));
        answers.push({ index: result.index, pixels: Array.from(result.pixels) });
    }
    return answers;
}"""

LABELS_APART = """() => {
    const values = [...document.querySelectorAll("#bars .part")];
    for (const value of values) value.firstChild.textContent = "> 99";
    const boxes = values.map((value) => value.getBoundingClientRect());
    return boxes.length === 10 && boxes.every(({ left }, place) => !place || left >= boxes[place - 1].right);
}"""
"""Script that checks that the figures above the columns fit if all are of full length: probabilities may be independent."""

SCORES = """async ([encoded, build]) => {
    const { Engine } = await import("./engine.js");
    const model = await (await fetch("model.json")).json();
    const engine = await Engine.load(await (await fetch(model.engines[build].file)).arrayBuffer(), model);
    const pixels = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    const size = model.input.height * model.input.width;
    const scores = [];
    for (let start = 0; start < pixels.length; start += size) scores.push(...engine.scores(pixels.subarray(start, start + size)));
    return scores;
}"""


@pytest.fixture(scope="module")
def address(page: WebExport) -> Iterator[str]:
    with served(page.folder) as address:
        yield address


def check_answers(answers: list[dict[str, Any]], pictures: list[np.ndarray], artifact: Path) -> None:
    """The page's pixels are Python's within one grey level, its classes those of TFLite Micro on Python's pixels."""
    expected = np.stack([prepare_glyph(picture).pixels for picture in pictures])
    found = np.array([answer["pixels"] for answer in answers]).reshape(expected.shape)
    assert np.abs(found - expected.astype(int)).max() <= 1
    classes = tflm_scores(artifact, expected).argmax(axis=1)
    assert [answer["index"] for answer in answers] == classes.tolist()


def test_test_images_drawn_on_the_canvas(opened: Visit, samples: Path, mnist: Dataset) -> None:
    digits = mnist.test.images[:100].reshape(-1, 28, 28)
    pictures = [255 - np.kron(digit, np.ones((8, 8), np.uint8)) for digit in digits]
    answers = opened.page.evaluate(CANVAS, [encoded(np.stack(pictures).tobytes()), 224])
    check_answers(answers, pictures, samples / "model_int8.tflite")
    assert [answer["shown"] for answer in answers] == [str(answer["index"]) for answer in answers]


def test_test_images_as_uploaded_files(opened: Visit, samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    digits = mnist.test.images[100:200].reshape(-1, 28, 28)
    rng = np.random.default_rng(7)
    files, pictures = [], []
    for number, digit in enumerate(digits):
        path = tmp_path / f"{number}.png"
        grey = Image.fromarray(on_paper(digit, 120 + number, rng, turn=number % 21 - 10, noise=2))
        Image.merge("RGB", [grey, grey.point(lambda value: value * 0.95), grey.point(lambda value: value * 0.8)]).save(path)
        files.append((path.name, encoded(path.read_bytes())))
        pictures.append(read_picture(path))
    check_answers(opened.page.evaluate(UPLOAD, files), pictures, samples / "model_int8.tflite")


def test_a_photo_is_chosen(opened: Visit, mnist: Dataset) -> None:
    content = io.BytesIO()
    Image.fromarray(on_paper(mnist.test.images[0].reshape(28, 28), 700, np.random.default_rng(1), noise=3)).save(content, "JPEG")
    opened.page.locator("#file").set_input_files({"name": "seven.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()})
    expect(opened.page.locator("#class")).to_have_text("7")
    opened.page.locator("#clear").click()
    expect(opened.page.locator("#class")).to_have_text("?")
    opened.page.locator("#undo").click()
    expect(opened.page.locator("#class")).to_have_text("7")


def test_clearing_and_pictures_are_undone_like_strokes(opened: Visit) -> None:
    opened.draw(STROKES["7"])
    opened.page.locator("#clear").click()
    opened.page.locator("#clear").click()
    opened.draw(STROKES["1"])
    content = io.BytesIO()
    Image.new("L", (20, 20), 200).save(content, "PNG")
    opened.page.locator("#file").set_input_files({"name": "blank.png", "mimeType": "image/png", "buffer": content.getvalue()})
    expect(opened.page.locator("#class")).to_have_text("?")
    for shown in ("1", "?", "7", "?", "?"):
        opened.page.keyboard.press("Control+z")  # the focus is on the file button, not on the paper
        expect(opened.page.locator("#class")).to_have_text(shown)


def test_what_is_no_picture(opened: Visit) -> None:
    opened.page.locator("#file").set_input_files({"name": "cv.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    expect(opened.page.locator("#doubt")).to_have_text("cv.pdf is not a picture that this browser can read.")
    opened.draw(STROKES["1"])
    expect(opened.page.locator("#class")).to_have_text("1")


def test_what_is_no_glyph_is_doubted(opened: Visit) -> None:
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(2).integers(0, 256, (150, 170)).astype(np.uint8)).save(content, "PNG")
    opened.page.locator("#file").set_input_files({"name": "noise.png", "mimeType": "image/png", "buffer": content.getvalue()})
    expect(opened.page.locator("#doubt")).to_contain_text("Perhaps no glyph: ")


@pytest.mark.parametrize("build", ["simd", "plain"])
def test_scores_are_tflite_micros_in_the_browser(opened: Visit, samples: Path, mnist: Dataset, build: str) -> None:
    images = mnist.test.images[:1000]
    scores = opened.page.evaluate(SCORES, [encoded(np.ascontiguousarray(images).tobytes()), build])
    assert np.array_equal(np.array(scores, np.int8).reshape(1000, -1), tflm_scores(samples / "model_int8.tflite", images))


def test_digits_drawn_with_the_mouse(opened: Visit, record_property: Callable[[str, object], None]) -> None:
    times = []
    for digit, points in STROKES.items():
        opened.draw(points)
        assert opened.text("class") == digit
        expect(opened.page.locator("#spoken")).to_contain_text(f"{digit}, ")
        assert opened.page.locator("#bars .best .label").inner_text() == digit
        times.append(float(opened.text("total").removesuffix(" ms")))
        assert float(opened.text("inference").removesuffix(" ms")) > 0
        opened.page.locator("#undo").click()
        assert opened.text("class") == "?"
    record_property("answer_ms", times)
    record_property("inference", opened.text("inference"))
    assert min(times) > 0


def test_eraser_and_undo(opened: Visit) -> None:
    opened.draw(STROKES["7"])
    opened.page.locator("#eraser").click()
    opened.draw([(x, 0.18) for x in np.linspace(0.2, 0.62, 20)])
    assert opened.text("class") != "7"
    opened.page.locator("#undo").click()
    assert opened.text("class") == "7"


def test_drawn_with_the_keyboard_alone(opened: Visit) -> None:
    keyboard = opened.page.keyboard
    keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.id") == "pad"
    for key in ["ArrowUp"] * 6 + [" "] + ["ArrowDown"] * 12 + [" "]:
        keyboard.press("Space" if key == " " else key)
    assert opened.text("class") == "1"
    assert opened.text("spoken").startswith("1, ")
    keyboard.press("Control+z")
    assert opened.text("class") == "?"
    for name in ("pen", "eraser", "undo", "photo", "clear"):
        keyboard.press("Tab")
        assert opened.page.evaluate("document.activeElement.id") == name


def test_with_a_finger(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 780}, has_touch=True, is_mobile=True)
    visited = visit(context, address)
    box = visited.page.locator("#pad").bounding_box()
    assert box is not None
    client = context.new_cdp_session(visited.page)
    for number, (x, y) in enumerate(STROKES["3"]):
        point = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        client.send("Input.dispatchTouchEvent", {"type": "touchMove" if number else "touchStart", "touchPoints": [point]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(visited.page.locator("#class")).to_have_text("3")
    assert visited.page.evaluate("scrollY") == 0
    assert visited.complaints == []
    context.close()


def test_first_load_and_then_offline(browser: Browser, page: WebExport) -> None:
    sent: list[tuple[str, int]] = []
    with page_server(page.folder, port=0) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        handler: Any = server.RequestHandlerClass
        original = handler.func.copyfile
        handler.func.copyfile = lambda self, source, target: (
            sent.append((self.path, os.fstat(source.fileno()).st_size)),
            original(self, source, target),
        )
        try:
            context = browser.new_context()
            visited = visit(context, f"http://127.0.0.1:{server.server_port}/")
            visited.wait_for_service_worker()
        finally:
            handler.func.copyfile = original
            server.shutdown()
    files = {path.split("?")[0] for path, _ in sent}
    assert files == {"/", *(f"/{name}" for name in names_in(page.folder))} - {"/index.html", "/engine-plain.wasm"}
    assert sum(size for _, size in sent) <= FIRST_LOAD_BYTES, sent
    visited.page.reload()
    visited.page.wait_for_selector("body[data-ready]")
    visited.draw(STROKES["3"])
    assert visited.text("class") == "3"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", SIZES)
def test_pictures_of_the_page(browser: Browser, both: WebExport, tmp_path: Path, device: str, scheme: str) -> None:
    """Screenshots; GLYPHLITE_PICTURES=docs/pictures writes them there."""
    with served(both.folder) as address:
        take_picture(browser, address, Path(os.environ.get("GLYPHLITE_PICTURES") or tmp_path), device, scheme)


def take_picture(browser: Browser, address: str, folder: Path, device: str, scheme: str) -> None:
    width, height = SIZES[device]
    phone = device != "desktop"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if phone else 1,
        has_touch=phone,
        is_mobile=phone,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    visited = visit(context, address)
    visited.draw(STROKES["3"])
    visited.page.evaluate("document.activeElement.blur()")
    visited.page.wait_for_timeout(250)  # the bars' way up
    place = folder / f"draw-{device}-{scheme}.png"
    with Image.open(io.BytesIO(visited.page.screenshot())) as picture:
        background = picture.convert("L").getpixel((2, 300))
        picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(place, optimize=True)
    assert isinstance(background, int)
    assert (background < 60) if scheme == "dark" else (background > 200)
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= width
    bottom = visited.page.locator("#bars").bounding_box()
    assert bottom is not None
    assert bottom["y"] + bottom["height"] <= height, "the answer is seen without scrolling"
    assert place.stat().st_size < 80_000
    assert visited.page.evaluate(LABELS_APART)
    context.close()
