"""Takes the README's pictures of a report, in Chromium: ``python tools/report_pictures.py runs/edge-cnn``.

The drawing page's pictures come from its tests: ``GLYPHLITE_PICTURES=docs/pictures pytest tests/export -k picture``.
"""

import io
import sys
from pathlib import Path
from typing import Literal

from PIL import Image

ROOT = Path(__file__).parents[1]
PICTURES_FOLDER = ROOT / "docs" / "pictures"
sys.path.insert(0, str(ROOT / "tests"))

from support.chromium import find_chromium, launched  # noqa: E402

COLOURS = 96
PICTURES: dict[str, tuple[int, int, Literal["dark", "light"]]] = {
    "report-desktop-light.png": (1160, 1200, "light"),
    "report-desktop-dark.png": (1160, 1200, "dark"),
    "report-phone.png": (390, 900, "light"),
}
"""File name: width and height of the window in CSS pixels, colour scheme."""


def main(run: Path) -> None:
    """Take each picture of the page in a run's folder."""
    address = (run / "report.html").resolve().as_uri()
    with launched(find_chromium()) as browser:
        for name, (width, height, scheme) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(address)
            with Image.open(io.BytesIO(page.screenshot())) as picture:
                small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            small.save(PICTURES_FOLDER / name, optimize=True)
            page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
