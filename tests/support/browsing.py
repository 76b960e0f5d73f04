"""A visit to the page in a browser: what is drawn there, what it asks for and complains about. Knows no browsers."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import numpy as np
from playwright.sync_api import BrowserContext, Page, expect

from glyphlite.export.web.server import page_server

expect.set_options(timeout=30_000)  # a busy machine is no fault of the page's

STROKES = {
    "0": [(0.5 + 0.19 * np.sin(a), 0.5 - 0.33 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 40)],
    "1": [(0.5, y) for y in np.linspace(0.15, 0.85, 20)],
    "3": [(0.46 + 0.17 * np.sin(a), 0.31 - 0.17 * np.cos(a)) for a in np.linspace(-1.1, 2.9, 30)]
    + [(0.46 + 0.2 * np.sin(a), 0.67 - 0.19 * np.cos(a)) for a in np.linspace(0.1, 4.2, 30)],
    "7": [(x, 0.2) for x in np.linspace(0.3, 0.7, 15)] + [(0.7 - 0.25 * t, 0.2 + 0.62 * t) for t in np.linspace(0.05, 1, 20)],
}
"""Points of one stroke, as parts of the paper's side."""


CANVAS = """async ([encoded, side]) => {
    const { pad, answer } = await import("./app.js");
    const grey = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    const sheet = Object.assign(document.createElement("canvas"), { width: side, height: side });
    const answers = [];
    for (let start = 0; start < grey.length; start += side * side) {
        const image = new ImageData(side, side);
        for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : grey[start + (i >> 2)];
        sheet.getContext("2d").putImageData(image, 0, 0);
        pad.show(sheet);
        pad.strokes.push({ points: [[0, 0]], erase: true });  // from here on it counts as drawn, not as a photo
        pad.draw();
        const { index, pixels, scores, compared } = await answer(false);
        const shown = document.getElementById("class").innerText;
        answers.push({ index, shown, pixels: Array.from(pixels), scores: Array.from(scores), compared });
    }
    return answers;
}"""
"""Draws grey images of one size on the paper, one after the other; what the page answers to each."""

CONTROLLED = """async () => {
    await navigator.serviceWorker.ready;
    for (let tries = 0; !navigator.serviceWorker.controller; tries++) {
        if (tries === 1000) throw new Error("the page's service worker does not take it over");
        await new Promise((resolve) => setTimeout(resolve, 30));
    }
}"""
"""Resolves when the page's requests go through its service worker."""


@dataclass
class Visit:
    """A page in the browser, and what it did while it was open."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def draw(self, points: list[tuple[float, float]]) -> None:
        """One stroke with the mouse's real events."""
        box = self.page.locator("#pad").bounding_box()
        assert box is not None
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def wait_for_service_worker(self) -> None:
        """Until the page's requests go through its service worker.

        One promise: `wait_for_function` asks again by ``eval``, which the page's policy forbids, so it works only where the first
        answer is yes.
        """
        self.page.evaluate(CONTROLLED)

    def text(self, name: str) -> str:
        return self.page.locator(f"#{name}").inner_text()


def visit(context: BrowserContext, address: str) -> Visit:
    """Open the page; what it asks for and complains about is written down."""
    page = context.new_page()
    visit = Visit(page, address)
    context.on("request", lambda request: visit.requests.append(request.url))
    page.on("console", lambda message: visit.complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    return visit


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a page's folder while it is served."""
    with page_server(folder, port=0) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
