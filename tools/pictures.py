"""Takes the pictures of README and docs again: the report, the learning curve, the drawing page, a notebook.

    python tools/pictures.py runs/edge-cnn --curve runs/micro-cnn

The report's come from a run's report.html in Chromium, the curve from a run's figures, the drawing page's from its tests, the
notebook's from its stored outputs (``make notebooks`` runs it again). Without a run only the drawing page's and the notebook's
are taken. frontier.png and corruptions.png come from ``benchmarks/frontier.py --from-json --write``.
"""

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PICTURES_FOLDER = ROOT / "docs" / "pictures"
sys.path.insert(0, str(ROOT / "tests"))

from notebook_page import page_of  # noqa: E402
from support.chromium import find_chromium, launched  # noqa: E402

COLOURS = 96
PICTURES: dict[str, tuple[int, int, Literal["dark", "light"]]] = {
    "report-desktop-light.png": (1160, 1200, "light"),
    "report-desktop-dark.png": (1160, 1200, "dark"),
    "report-phone.png": (390, 900, "light"),
}
"""File name: width and height of the window in CSS pixels, colour scheme."""


def main() -> int:
    """Takes each picture; returns pytest's exit code, which is not 0 where the drawing page's could not be taken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, nargs="?", help="a finished run, whose report is shown")
    parser.add_argument("--curve", type=Path, help="a finished run, whose learning curve the tutorial shows")
    arguments = parser.parse_args()
    if arguments.run:
        take_report(arguments.run)
    take_notebook()
    if arguments.curve:
        (PICTURES_FOLDER / "training.png").write_bytes((arguments.curve / "figures" / "training.png").read_bytes())
    command = [sys.executable, "-m", "pytest", "-q", str(ROOT / "tests" / "export"), "-k", "picture"]
    return subprocess.run(command, env={**os.environ, "GLYPHLITE_PICTURES": str(PICTURES_FOLDER)}, check=False).returncode


def take_report(run: Path) -> None:
    """Takes each picture of the page in a run's folder."""
    address = (run / "report.html").resolve().as_uri()
    with launched(find_chromium()) as browser:
        for name, (width, height, scheme) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(address)
            _save(page.screenshot(), name)
            page.close()


def take_notebook() -> None:
    """Takes the picture of the notebook's sections on what each file is worth."""
    text = page_of(ROOT / "notebooks" / "handwritten_digits_int8.ipynb", "## 6.", "## 7.")
    with launched(find_chromium()) as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_content(text, wait_until="load")
        _save(page.screenshot(full_page=True), "notebook.png")
        page.close()


def _save(picture: bytes, name: str) -> None:
    """Stores a picture with few colours, as small as it gets."""
    with Image.open(io.BytesIO(picture)) as opened:
        small = opened.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(PICTURES_FOLDER / name, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
