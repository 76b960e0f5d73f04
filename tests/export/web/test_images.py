"""The page's preprocessing is Python's: the same pictures through both, equal within one grey level."""

import json
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.scenes import enlarged
from support.sheets import DESKS, PAPERS, desk_scene, school_sheet
from support.web_tools import node, on_paper

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.preprocessing.images import prepare_glyph

SCRIPTS = Path(str(files("glyphlite.export") / "templates" / "web" / "preprocessing"))


def with_marks(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A digit among bars and specks, some of them near it, some at the picture's rim."""
    picture = np.full((220, 220), 240, np.uint8)
    picture[40:180, 40:180] = 240 - np.kron(image, np.ones((5, 5), int)) * 200 // 255
    for _ in range(rng.integers(2, 9)):
        high, wide = rng.integers(3, 24, 2)
        top, left = rng.integers(0, 220 - high), rng.integers(0, 220 - wide)
        if rng.random() < 0.4:
            left = 0
        picture[top : top + high, left : left + wide] = 40
    return picture


def ruled_exactly(digit: np.ndarray, pitch: int) -> np.ndarray:
    """A digit on squared paper without any noise: every comparison is a tie or is none."""
    picture = np.full((480, 420), 240, np.uint8)
    picture[::pitch] = picture[1::pitch] = 190
    picture[:, ::pitch] = 190
    picture[100:324, 90:314] = np.minimum(picture[100:324, 90:314], 240 - np.kron(digit, np.ones((8, 8), int)) * 200 // 255)
    return picture


def pictures(mnist: Dataset) -> dict[str, np.ndarray]:
    """Vectors of every kind that the page meets, by what they are."""
    rng = np.random.default_rng(6)
    digits = mnist.test.images[..., 0] if mnist.test.images.ndim == 4 else mnist.test.images
    made = {f"canvas {i}": 255 - np.kron(digits[i], np.ones((10, 10), np.uint8)) for i in range(20)}
    made |= {f"as it is {i}": digits[i] for i in range(100, 125)}
    made |= {f"photo {i}": on_paper(digits[i], 200 + 13 * (i - 200), rng, turn=i % 31 - 15, noise=2) for i in range(200, 220)}
    made |= {f"marks {i}": with_marks(digits[i], rng) for i in range(500, 520)}
    small = [np.asarray(Image.fromarray(digit[4:24, 4:24]).resize((8, 8), Image.Resampling.BOX)) for digit in digits[600:612]]
    made |= {f"8x8 {i}": digit for i, digit in enumerate(small)}
    made["many spots"] = np.pad(255 - np.kron(digits[0], np.ones((8, 8), np.uint8)), 40, constant_values=255)
    made["many spots"][5:29, 5::24] = 0
    made["edge of the paper"] = np.pad(255 - np.kron(digits[3], np.ones((5, 5), np.uint8)), 40, constant_values=255)
    made["edge of the paper"][:, :20] = 10
    made["faint"] = np.clip(on_paper(digits[1], 150, rng) // 8 + 150 + 4 * rng.standard_normal((150, 150)), 0, 255).astype(
        np.uint8
    )
    made["lines"] = np.full((420, 420), 230, np.uint8)
    made["lines"][20:400, 100:320:36] = 10
    made["large photo"] = on_paper(digits[300], 1900, rng, noise=4)
    made["light on dark"] = 255 - on_paper(digits[301], 320, rng, noise=3)
    made["wide"] = np.pad(255 - digits[302], ((3, 0), (200, 700)), constant_values=255)
    made["several"] = 255 - np.hstack([np.kron(digit, np.ones((6, 6), np.uint8)) for digit in digits[400:404]])
    made["thin"] = np.full((240, 240), 235, np.uint8)
    made["thin"][20:220, 120] = 20
    made["blot"] = np.full((200, 200), 255, np.uint8)
    made["blot"][40:160, 50:150] = 0
    made["texture"] = rng.integers(0, 256, (150, 170)).astype(np.uint8)
    made["blank"] = np.full((120, 90), 200, np.uint8)
    made["one pixel"] = np.array([[7]], np.uint8)
    made["a row"] = np.array([[255] * 40 + [0] * 3 + [255] * 40], np.uint8)
    made["in the corner"] = np.full((100, 100), 255, np.uint8)
    made["in the corner"][:20, :4] = 0
    covers = {i: enlarged(digits[i]) for i in range(700, 712)}
    made |= {f"desk {i}": desk_scene(covers[i], rng, DESKS[i % 4], lines=i % 3 == 0) for i in range(700, 712)}
    made |= {f"school {i}": school_sheet(covers[i], rng, PAPERS[i % 5]) for i in range(700, 710)}
    made |= {f"exact lines {pitch}": ruled_exactly(digits[720 + pitch], pitch) for pitch in (18, 33, 60)}
    return made


def through_node(vectors: list[tuple[np.ndarray, int, int]], folder: Path) -> list[dict | None]:
    """Each picture, and the height and width to prepare it for, through the page's modules."""
    records = []
    for number, (picture, height, width) in enumerate(vectors):
        (folder / f"{number}.grey").write_bytes(np.ascontiguousarray(picture).tobytes())
        rows, columns = picture.shape
        records.append({"file": f"{number}.grey", "rows": rows, "columns": columns, "height": height, "width": width})
    (folder / "vectors.json").write_text(json.dumps(records))
    script = Path(__file__).parents[2] / "support" / "web_images.mjs"
    command = [node(), script, SCRIPTS, folder / "vectors.json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
def test_equal_within_one_grey_level(mnist: Dataset, tmp_path: Path) -> None:
    vectors = [(name, picture, 28, 28) for name, picture in pictures(mnist).items()]
    vectors += [("32 high", vectors[0][1], 32, 40), ("20 high", vectors[30][1], 20, 20)]
    results = through_node([vector[1:] for vector in vectors], tmp_path)
    refused = 0
    for (name, picture, height, width), found in zip(vectors, results, strict=True):
        try:
            expected = prepare_glyph(picture, height, width)
        except DataError:
            assert found is None, name
            refused += 1
            continue
        assert found is not None, name
        difference = np.abs(np.array(found["pixels"]) - expected.pixels.reshape(-1).astype(int))
        assert difference.max() <= 1, name
        assert found["box"] == vars(expected.box), name
        assert (found["doubt"] is None) == (expected.doubt is None), name
        assert found["others"] == expected.others, name
    assert 1 <= refused <= 4
    assert sum(found is not None and found["doubt"] is not None for found in results) >= 2
