"""Runs the commands that generate files, in the current folder, with the arguments that name nothing outside it.

    python commands.py SAMPLES_DIR UMASK

Circumstances (folder, hash seed, time zone, locale, user) are the caller's; the bytes of what is written must not depend on them.
"""

import os
import shutil
import sys
from pathlib import Path

import keras
import numpy as np

from glyphlite.cli import app
from glyphlite.models.registry import resolve_model
from glyphlite.models.saving import save_keras
from glyphlite.pipeline.convert import convert_model

LABELS = ("Ä", "ñ", "3")


def make_data(path: Path) -> None:
    """Write 60 images of three shades, with class names that are not ASCII."""
    rng = np.random.default_rng(0)
    labels = np.arange(60, dtype=np.uint8) % 3
    images = (rng.integers(0, 60, (60, 28, 28)) + 60 * labels[:, None, None]).astype(np.uint8)
    names = np.array(LABELS)
    np.savez(path, x_train=images[:40], y_train=labels[:40], x_test=images[40:], y_test=labels[40:], class_names=names)


def make_models(folder: Path) -> None:
    """Save an untrained model of the glyph family, and convert it in this process."""
    keras.utils.set_random_seed(0)
    folder.mkdir()
    save_keras(resolve_model("glyph-700", (28, 28, 1), len(LABELS)).build(), folder / "model.keras")
    convert_model(
        folder / "model.keras",
        None,
        variants="float32,int8",
        batch="1",
        dataset="data.npz",
        samples=9,
        show_calibration=False,
        seed=0,
        data_dir=None,
        input_range="0..1",
    )


def run(*words: str) -> None:
    """Run one command in this process."""
    assert not app(list(words), prog_name="glyphlite", standalone_mode=False), words


def main() -> None:
    """Generate every kind of file once."""
    samples, umask = Path(sys.argv[1]), int(sys.argv[2], 8)
    os.umask(umask)
    make_data(Path("data.npz"))
    make_models(Path("models"))
    run("compile", "models/model_int8.tflite", "--out", "c", "--dataset", "data.npz", "--no-compare")
    run("simulate", "c", "--cpu", "cortex-m0", "--images", "1")
    run("export", "models/model_int8.tflite", "--for", "tflm", "--out", "tflm", "--dataset", "data.npz")
    run("export", "models/model_int8.tflite", "--for", "c-array", "--out", "array")
    run("export", "models/model_int8.tflite", "--for", "web", "--out", "web", "--dataset", "data.npz", "--no-litertjs")
    for target in ("android", "cmake", "python", "rust"):
        run("export", "models/model_int8.tflite", "--for", target, "--out", target, "--dataset", "data.npz")
    run("optimize", "models/model_int8.tflite", "--out", "models/smaller.tflite")
    run("inspect", "models/model_int8.tflite", "--graph", "graph.svg", "--no-runtimes")
    run("predict", "--model", "models/model_int8.tflite", "--dataset", "data.npz", "--sample", "0", "--show", "seen.png")
    shutil.copytree(samples, "run")
    # As a run leaves it: where its data lies on this machine.
    Path("run", "run.toml").write_bytes(b'[dataset]\nnamed = "%s/data.npz"\n' % os.fsencode(Path.cwd()))
    run("report", "run")
    Path("run", "run.toml").unlink()
    run("report", "run", "run", "--out", "comparison.html")


if __name__ == "__main__":
    main()
