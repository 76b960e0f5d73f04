"""A fresh virtual environment with a built wheel, and the commands that have to work in it without TensorFlow.

Used by ``make release`` and by tests/packaging.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".venv" / "tools" / "bin" / "uv"

_DATA = """
import numpy as np
rng = np.random.default_rng(0)
images, labels = rng.integers(0, 255, (60, 28, 28), dtype=np.uint8), np.arange(60) % 10
np.savez("data.npz", x_train=images[:40], y_train=labels[:40], x_test=images[40:], y_test=labels[40:])
from PIL import Image, ImageDraw
picture = Image.new("L", (200, 200), 255)
ImageDraw.Draw(picture).line([(100, 30), (100, 170)], fill=0, width=14)
picture.save("one.png")
"""

LIGHT = (
    ("models", "--json"),
    ("datasets", "--json"),
    ("inspect", "glyph-700", "--json"),
    ("compile", "glyph-700", "--out", "c", "--dataset", "data.npz", "--no-compare"),
    ("predict", "one.png", "--model", "glyph-700", "--show", "seen.png", "--json"),
    ("evaluate", "glyph-700", "--dataset", "data.npz", "--json"),
    ("verify", "glyph-700", "--dataset", "data.npz", "--images", "5", "--tolerance", "1", "--json"),
    ("simulate", "c", "--images", "1", "--json"),
    ("export", "glyph-700", "--for", "tflm", "--out", "tflm", "--dataset", "data.npz"),
)
"""Commands of an installation without extras."""

LACKING = (
    ("run", "--dataset", "data.npz"),
    ("train", "micro-cnn", "--dataset", "data.npz"),
    ("convert", "model.keras", "--dataset", "data.npz"),
    ("evaluate", "model.keras", "--dataset", "data.npz"),
    ("predict", "one.png", "--model", "model.keras"),
)
"""Commands that need the extra ``train``; each says so in one line."""


class NoIndexError(Exception):
    """No package index can be reached for what a wheel depends on."""


def build(folder: Path, epoch: int) -> list[Path]:
    """Builds source distribution and wheel, the same bytes for the same sources; returns their paths."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("glyphlite-*"))


def environment_with(wheel: Path, folder: Path, extras: str = "", python: str = sys.executable) -> Path:
    """Creates a virtual environment that holds a wheel and its dependencies at the versions of requirements.lock.

    Returns:
        The folder of its programs.

    Raises:
        NoIndexError: a dependency cannot be had.
    """
    subprocess.run([UV, "venv", "--quiet", "--python", python, folder], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "--constraint", ROOT / "requirements.lock"]
    done = subprocess.run([*install, f"{wheel}{extras}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoIndexError(done.stderr)
    return folder / "bin"


def run(programs: Path, command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs one command of an environment in a folder."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [programs / "glyphlite", *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def check_light(programs: Path, folder: Path, light: Sequence[Sequence[str]] = LIGHT) -> list[str]:
    """Runs commands of an installation without extras, and those that lack one; returns what went wrong, a line per command."""
    subprocess.run([programs / "python", "-c", _DATA], cwd=folder, check=True)
    faults = []
    for command in light:
        done = run(programs, command, folder)
        if done.returncode:
            faults.append(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    (folder / "model.keras").write_bytes((ROOT / "tests" / "samples" / "micro-cnn" / "model.keras").read_bytes())
    for command in LACKING:
        done = run(programs, command, folder)
        last = done.stderr.strip().splitlines()[-1:]
        if done.returncode != 2 or not last or "pip install 'glyphlite[train]'" not in last[0]:
            faults.append(
                f"{' '.join(command)}: exit code {done.returncode}, expected 2 and the missing extra: {done.stderr[-500:]}"
            )
    return faults
