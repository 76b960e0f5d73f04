"""Draws docs/pictures/frames.png: what a camera of 96x96 pixels sees, and what the generated C makes of it.

    python tools/frames_picture.py

Frames are digits of MNIST's validation images on drawn paper (tests/support/scenes.py). The C is built for this host; the class
below is glyph-4k's, with the certainty that the C says.
"""

import ctypes
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.picture_c import PictureC  # noqa: E402
from support.scenes import enlarged, photograph  # noqa: E402

from glyphlite.compiler.compile import compile_artifact  # noqa: E402
from glyphlite.datasets.registry import load_dataset  # noqa: E402
from glyphlite.evaluation.recorded_confidence import certainty_of  # noqa: E402
from glyphlite.host_compiler import compile_shared  # noqa: E402
from glyphlite.pipeline.inputs.files import artifact_in  # noqa: E402
from glyphlite.report.figures.style import empty_figure, save_png  # noqa: E402

PICTURE = ROOT / "docs" / "pictures" / "frames.png"
SIDE = 96
SEED = 12
WORDS = {
    "blank": "blank",
    "faint": "hardly stands out",
    "texture": "texture",
    "several": "several glyphs",
    "blot": "a blot, no strokes",
    "boxed": "in a box",
}


def main() -> int:
    """Draws the picture."""
    validation = load_dataset("mnist").validation
    frames = drawn_frames([validation.images[validation.labels == digit][5, ..., 0] for digit in (2, 5, 7, 4, 3, 8)])
    with tempfile.TemporaryDirectory() as folder:
        c, answer = PictureC(Path(folder)), answering(Path(folder) / "net")
        found = [(frame, *c.grey(frame)[:2]) for frame in frames]
        words = [f"{answer(pixels)}" if result == "ok" else WORDS[result] for _, result, pixels in found]
    figure = empty_figure(9, 3)
    grid = figure.subplots(2, len(found))
    for column, ((frame, result, pixels), said) in enumerate(zip(found, words, strict=True)):
        shown = frame, pixels if result not in ("blank", "blot") else np.zeros_like(pixels)
        for axes, image, title in zip(grid[:, column], shown, ("", said), strict=True):
            axes.axis("off")
            axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_title(title, fontsize=7.5, fontweight="normal", pad=3, loc="left")
    sys.stdout.write(f"{save_png(figure, PICTURE)}\n")
    return 0


def drawn_frames(digits: list[np.ndarray]) -> list[np.ndarray]:
    """Returns frames, uint8 ``(SIDE, SIDE)``: paper and boards in other lights, two digits, a spot, none."""
    rng = np.random.default_rng(SEED)
    coverages = [_placed(enlarged(digits[i], 2 + i % 2), 10 + 7 * (i % 4), 12 + 9 * (i % 3)) for i in range(4)]
    both = np.maximum(_placed(enlarged(digits[4], 2), 26, 2), _placed(enlarged(digits[5], 2), 26, 50))
    spot = np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE / 2)) < 22
    return [photograph(each, rng) for each in (*coverages, both, spot.astype(float), np.zeros((SIDE, SIDE)))]


def _placed(coverage: np.ndarray, top: int, left: int) -> np.ndarray:
    sheet = np.zeros((SIDE, SIDE))
    part = coverage[: SIDE - top, : SIDE - left]
    sheet[top : top + part.shape[0], left : left + part.shape[1]] = part
    return sheet


def answering(folder: Path) -> Callable[[np.ndarray], str]:
    """Returns what the generated C of a pretrained model says of pixels, in words."""
    artifact = artifact_in(Path("glyph-4k"))
    report = compile_artifact(artifact, folder, name="net", with_picture=True, certainty=certainty_of(artifact))
    library = ctypes.CDLL(str(compile_shared([folder / "net.c", folder / "net_sure.c"], folder / "net.so")))
    library.net_certainty.restype = ctypes.c_uint16
    arena, scores = np.zeros(report.classify_arena_bytes // 4 + 4096, np.uint32), np.zeros(10, np.int8)

    def said(pixels: np.ndarray) -> str:
        pointers = [each.ctypes.data_as(ctypes.c_void_p) for each in (np.ascontiguousarray(pixels), scores, arena)]
        answer = library.net_classify_sure(*pointers)
        return "not sure" if answer < 0 else f"{answer}, {library.net_certainty(pointers[1]) / 100:.2f} %"

    return said


if __name__ == "__main__":
    sys.exit(main())
