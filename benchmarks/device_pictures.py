"""Pictures prepared on the device: memory and instructions by core, and whether the pixels and the classes are predict's.

    python benchmarks/device_pictures.py             (benchmarks/results/device_pictures.json and its tables in docs)

Costs are counted on emulated cores by `glyphlite simulate --frame --canvas --strokes`'s own functions. The comparison runs the C
on this host on every picture of real_pictures.py, with its seed, and on the digits once more as a small camera sees them; a
pretrained model says the class of both pixels. Pictures that `predict` cuts a sheet out of, or takes printed lines off, are
counted apart: the C leaves both out. What it makes of them is the last table: validation digits on school paper and on desks, at
320 pixels a side. Ends with exit code 1 if a pixel differs on any of the others.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common.figures import ROOT, write_pages
from real_pictures import LETTERS, fetch_fonts, fetch_sklearn, load_classifier, non_glyphs, render

from glyphlite.compiler.picture.sources import picture_sources
from glyphlite.console import progress_bar, quiet_tensorflow, say
from glyphlite.datasets.registry import load_dataset
from glyphlite.emulation.picture_cost import measure_picture
from glyphlite.emulation.toolchain import target_named
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.files.single import write_json
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.pipeline.inputs.files import artifact_in
from glyphlite.preprocessing import images as preprocessing
from glyphlite.preprocessing.images import PreparedGlyph
from glyphlite.preprocessing.ink import Ink, find_ink

RESULT = ROOT / "benchmarks" / "results" / "device_pictures.json"
COSTS = {
    "cortex-m4": (("frame", 96, 96), ("frame", 160, 120), ("canvas", 64, 64), ("strokes", 240, 240)),
    "cortex-m0": (("frame", 96, 96), ("canvas", 64, 64), ("strokes", 240, 240)),
    "avr": (("canvas", 64, 64), ("strokes", 240, 240)),
}
"""Pictures prepared on each core: an Arduino Mega's 8 KB of RAM hold no frame of 96x96."""
READ = ("ok", "several")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="glyph-8k", help="whose classes are compared (glyph-8k)")
    parser.add_argument("--seed", type=int, default=2026, help="of the pictures (2026, real_pictures.py's)")
    parser.add_argument("--most", type=int, default=1_000_000, help="pictures of each set (all)")
    parser.add_argument("--sheets", type=int, default=100, help="sheets of school paper, and half as many desks (100)")
    options = parser.parse_args()
    quiet_tensorflow()
    sys.path.insert(0, str(ROOT / "tests"))
    artifact = artifact_in(Path(options.model))
    with tempfile.TemporaryDirectory() as folder:
        costs = measure_costs(Path(folder))
        twins = Twins(Path(folder), artifact)
        alike = {name: twins.compare(pictures[: options.most]) for name, pictures in sets_of(options.seed).items()}
        sheets = twins.read_sheets(options.sheets, options.seed)
    document = {"schema": 2, "model": options.model, "seed": options.seed, "costs": costs, "alike": alike, "sheets": sheets}
    write_json(RESULT, document)
    write_pages()
    return 1 if any(row["compared"] > row["identical"] for row in alike.values()) else 0


def sets_of(seed: int) -> dict[str, list[np.ndarray]]:
    """Returns the pictures of real_pictures.py by what they are, and those of its digits that a small camera makes."""
    mnist, fonts, (scanned, _), photos = load_dataset("mnist"), fetch_fonts(), *fetch_sklearn()
    drawn = [picture for picture, _ in render(fonts, "0123456789", 3, seed)]
    return {
        "digits of 20 fonts, photographed": drawn,
        "the same, 96 pixels a side": [reduced(picture, 96) for picture in drawn],
        "MNIST's test images, the first 1,000": list(mnist.test.images[:1000, ..., 0]),
        "scikit-learn's digits, 8x8": scanned,
        "letters of 20 fonts, photographed": [picture for picture, _ in render(fonts, LETTERS, 1, seed + 1)],
        **non_glyphs(photos, seed),
        "Fashion-MNIST, the first 1,000": list(load_dataset("fashion-mnist").test.images[:1000, ..., 0]),
    }


def measure_costs(folder: Path) -> list[dict[str, Any]]:
    """Counts each picture on each core that has the memory for it."""
    for file, text in picture_sources("net", 28, 28, "Generated.").items():
        (folder / file).write_text(text)
    rows = []
    for core, pictures in COSTS.items():
        for kind, width, height in pictures:
            say(f"{core}, {kind} of {width}x{height}")
            report = measure_picture(folder, "net", target_named(core), height, width, kind, folder)
            rows.append(report.model_dump(mode="json", exclude={"functions"}))
    return rows


class Twins:
    """The C on this host and `predict`'s preparation, and a model that says what both have prepared."""

    def __init__(self, folder: Path, artifact: Path) -> None:
        self._c = importlib.import_module("support.picture_c").PictureC(folder)
        self._classify, self._certainty = load_classifier(artifact), certainty_of(artifact)

    def compare(self, pictures: list[np.ndarray]) -> dict[str, int]:
        """Counts how often pixels, verdict and class of the C are others than predict's."""
        pairs: list[tuple[np.ndarray, np.ndarray]] = []
        apart = verdicts = 0
        with progress_bar("pictures", len(pictures)) as advance:
            for picture in pictures:
                advance()
                expected, ink = predicts(picture)
                if ink.rules or (ink.on_paper is not None and not ink.on_paper.all()):
                    apart += 1
                    continue
                result, pixels, found = self._c.grey(picture)
                verdicts += verdict(expected, expected.others if expected else 0) != verdict_of(result, found.others)
                if expected is not None and expected.doubt is None and result in READ:
                    pairs.append((expected.pixels, pixels))
        row = {"pictures": len(pictures), "apart": apart, "other verdict": verdicts, "compared": len(pairs)}
        if not pairs:
            return row | {"identical": 0, "within one": 0, "other class": 0}
        predicted, device = (np.stack(each) for each in zip(*pairs, strict=True))
        largest = np.abs(predicted.astype(int) - device).max(axis=(1, 2))
        classes = [self._classify(each).argmax(axis=1) for each in (predicted, device)]
        return row | {
            "identical": int((largest == 0).sum()),
            "within one": int((largest <= 1).sum()),
            "other class": int((classes[0] != classes[1]).sum()),
        }

    def read_sheets(self, number: int, seed: int) -> dict[str, dict[str, int]]:
        """Counts what the C alone, without the search for sheet and lines, makes of a digit on a sheet."""
        tools = importlib.import_module("common.sheets_of_digits")
        counts: dict[str, dict[str, int]] = {}
        for sheet in tools.sheets(load_dataset("mnist").validation, number, seed):
            result, pixels, _ = self._c.grey(reduced(sheet.picture, 320))
            answer = self._classify(pixels[np.newaxis])
            refused = bool(is_refused(calibrated(answer, self._certainty), self._certainty)[0]) if self._certainty else False
            is_read = result in READ and not refused
            right = int(answer.argmax()) == sheet.label
            row = counts.setdefault(sheet.group, {"pictures": 0, **dict.fromkeys(tools.OUTCOMES, 0)})
            row["pictures"] += 1
            row[f"{'right' if right and result in READ else 'wrong'} and {'believed' if is_read else 'doubted'}"] += 1
        return counts


def predicts(picture: np.ndarray) -> tuple[PreparedGlyph | None, Ink]:
    """Returns predict's preparation and the ink that it went through, which is found once."""
    ink = find_ink(picture)
    original = preprocessing.find_ink
    preprocessing.find_ink = lambda _: ink
    try:
        return preprocessing.find_glyph(picture), ink
    finally:
        preprocessing.find_ink = original


def verdict(expected: PreparedGlyph | None, others: int) -> str:
    """Returns what predict says of a picture: blank, doubtful, or read beside so many others."""
    if expected is None:
        return "blank"
    return f"read beside {others}" if expected.doubt is None else "doubtful"


def verdict_of(result: str, others: int) -> str:
    """Returns the same of the C's result."""
    return f"read beside {others}" if result in READ else "blank" if result == "blank" else "doubtful"


def reduced(picture: np.ndarray, side: int) -> np.ndarray:
    """Returns a picture as a small camera sees it."""
    image = importlib.import_module("PIL.Image").fromarray(picture)
    scale = side / max(picture.shape)
    return np.asarray(image.resize([max(1, round(extent * scale)) for extent in image.size]))


if __name__ == "__main__":
    sys.exit(main())
