"""Pictures prepared on the device: memory and instructions by core, and whether the pixels and the classes are predict's.

    python benchmarks/device_pictures.py             (benchmarks/results/device_pictures.json and its tables in docs)

Costs are counted on emulated cores by `glyphlite simulate --frame --canvas --strokes`'s own functions. The comparison runs the C
on this host on the pictures of real_pictures.py (other seeds: nothing is chosen on them) and asks a pretrained model for the
class of both pixels. Pictures that `predict` cuts a sheet out of, or takes printed lines off, are counted apart: the C leaves
both out. Ends with exit code 1 if a class differs on any of the others.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common.figures import ROOT, write_pages
from real_pictures import fetch_fonts, fetch_sklearn, load_classifier, render

from glyphlite.compiler.picture.sources import picture_sources
from glyphlite.console import progress_bar, say
from glyphlite.datasets.registry import load_dataset
from glyphlite.emulation.picture_cost import measure_picture
from glyphlite.emulation.toolchain import target_named
from glyphlite.files.single import write_json
from glyphlite.pipeline.inputs.files import artifact_in
from glyphlite.preprocessing.images import find_glyph
from glyphlite.preprocessing.ink import find_ink
from glyphlite.preprocessing.sheet import find_sheet

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
    parser.add_argument("--seed", type=int, default=31, help="of the pictures (31)")
    parser.add_argument("--most", type=int, default=150, help="pictures of each set (150)")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    alike = compare(options.model, options.seed, options.most)
    with tempfile.TemporaryDirectory() as folder:
        costs = measure_costs(Path(folder))
    write_json(RESULT, {"schema": 1, "model": options.model, "seed": options.seed, "costs": costs, "alike": alike})
    write_pages()
    return 1 if any(row["other class"] for row in alike.values()) else 0


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


def compare(model: str, seed: int, most: int) -> dict[str, dict[str, Any]]:
    """Counts, for each set of pictures, how far the C's pixels are from predict's and how often the class differs."""
    picture_c = importlib.import_module("support.picture_c")
    mnist, (scanned, _) = load_dataset("mnist"), fetch_sklearn()[0]
    drawn = [picture for picture, _ in render(fetch_fonts(), "0123456789", 1, seed)]
    drawn = drawn[:: max(1, len(drawn) // most)][:most]
    sets = {
        "digits of 20 fonts, photographed": drawn,
        "the same, 96 pixels a side": [_reduced(picture, 96) for picture in drawn],
        "MNIST's validation images": list(mnist.validation.images[:most, ..., 0]),
        "scikit-learn's digits, 8x8": scanned[:most],
    }
    classify = load_classifier(artifact_in(Path(model)))
    with tempfile.TemporaryDirectory() as folder:
        c = picture_c.PictureC(Path(folder))
        return {name: _row(pictures, c, classify) for name, pictures in sets.items()}


def _row(pictures: list[np.ndarray], c: Any, classify: Any) -> dict[str, Any]:
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    apart = verdicts = 0
    with progress_bar("pictures", len(pictures)) as advance:
        for picture in pictures:
            advance()
            if find_sheet(picture) is not None or find_ink(picture).rules:
                apart += 1
                continue
            expected, (result, pixels, _) = find_glyph(picture), c.grey(picture)
            is_read = expected is not None and expected.doubt is None
            verdicts += is_read != (result in READ)
            if expected is not None and is_read and result in READ:
                pairs.append((expected.pixels, pixels))
    predicts, devices = (np.stack(each) for each in zip(*pairs, strict=True))
    largest = np.abs(predicts.astype(int) - devices).max(axis=(1, 2))
    return {
        "pictures": len(pictures),
        "apart": apart,
        "other verdict": verdicts,
        "identical": int((largest == 0).sum()),
        "within one": int((largest <= 1).sum()),
        "compared": len(pairs),
        "other class": int((classify(predicts).argmax(axis=1) != classify(devices).argmax(axis=1)).sum()),
    }


def _reduced(picture: np.ndarray, side: int) -> np.ndarray:
    """Returns a picture as a small camera sees it."""
    image = importlib.import_module("PIL.Image").fromarray(picture)
    scale = side / max(picture.shape)
    return np.asarray(image.resize([max(1, round(extent * scale)) for extent in image.size]))


if __name__ == "__main__":
    sys.exit(main())
