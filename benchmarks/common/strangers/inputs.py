"""Section 1, what goes into a model: ranges inside, before and around .keras and .tflite models, down to the generated C."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .harness import Desk, Done, Measured, NotMeasuredError, row
from .strokes import (
    NAMES,
    RAW,
    SIDE,
    SIGNED,
    STANDARD,
    UNIT,
    Convention,
    Strokes,
    accuracy_of,
    matched_filter,
    strokes,
    to_tflite,
)

SECTION = "inputs"


def shared_strokes(desk: Desk) -> Strokes:
    """The strokes of every row, made once."""
    return desk.once("strokes", strokes)


def shared_npz(desk: Desk) -> Path:
    """The strokes as an .npz that every row can name."""
    return desk.once("npz", lambda: shared_strokes(desk).save_npz(desk.folder.parent / "strokes.npz"))


def accuracies(done: Done) -> dict[str, float]:
    """The accuracy of each file by its name, from what ``evaluate --json`` printed."""
    document = done.json()
    return {Path(each["path"]).name: each["accuracy"]["value"] for each in document["keras"] + document["artifacts"]}


def evaluate(desk: Desk, *files: object, dataset: object = None, options: Sequence[object] = ()) -> dict[str, float]:
    """``glyphlite evaluate`` on the strokes: accuracy by file name."""
    named = shared_npz(desk) if dataset is None else dataset
    return accuracies(desk.glyphlite("evaluate", *files, "--dataset", named, "--no-latency", "--json", *options))


def all_hundred(found: dict[str, float], files: int) -> Measured:
    """Every file has to be right on every image."""
    words = ", ".join(f"{name} {value:.0%}" for name, value in found.items())
    return Measured(words, len(found) == files and all(value == 1 for value in found.values()))


def convert_and_evaluate(
    desk: Desk, model: Any, *, to: str = "float32,int8", options: Sequence[object] = (), dataset: object = None
) -> Measured:
    """Saves a model, converts it and measures the file and its artifacts."""
    path = desk.folder / "theirs.keras"
    model.save(path)
    named = shared_npz(desk) if dataset is None else dataset
    done = desk.glyphlite("convert", path, "--dataset", named, "--to", to, "--out", desk.folder / "out", "--json", *options)
    artifacts = [each["path"] for each in done.json()["artifacts"]]
    found = evaluate(desk, path, *artifacts, dataset=named, options=options)
    return all_hundred(found, 1 + len(to.split(",")))


def keras_front(kind: str, desk: Desk) -> tuple[Any, Convention]:
    """Returns a model that prepares its own pixels, and what it takes."""
    import keras

    layers, data = keras.layers, shared_strokes(desk)
    if kind == "normalization-of-pixels":
        front = layers.Normalization(axis=None)
        front.adapt(data.images.astype(np.float32))
        mean, deviation = float(data.images.mean()), float(data.images.std())
        return matched_filter(Convention(1 / deviation, -mean / deviation), front=[front]), RAW
    if kind == "normalization-of-fractions":
        front = layers.Normalization(axis=None)
        front.adapt(data.images / np.float32(255))
        deviation = float(data.images.std())
        return matched_filter(Convention(1 / deviation), front=[front]), UNIT
    if kind == "normalization-per-pixel":
        front = layers.Normalization(axis=None, mean=33.3, variance=78.6**2)
        return matched_filter(Convention(1 / 78.6), front=[front]), RAW
    if kind == "nested-rescaling":
        return matched_filter(SIGNED, front=[keras.Sequential([layers.Rescaling(1 / 127.5, offset=-1)], name="preparation")]), RAW
    if kind == "mobilenet-preprocessing":
        pixels = keras.Input((SIDE, SIDE, 1))
        prepared = keras.applications.mobilenet_v2.preprocess_input(pixels)
        return keras.Model(pixels, matched_filter(SIGNED)(prepared)), RAW
    if kind == "uint8-input":
        return matched_filter(UNIT, front=[layers.Rescaling(1 / 255)], dtype="uint8"), RAW
    if kind == "int32-input":
        return matched_filter(SIGNED, front=[layers.Rescaling(1 / 127.5, offset=-1)], dtype="int32"), RAW
    if kind == "resizing-first":
        return matched_filter(UNIT, front=[layers.Resizing(SIDE, SIDE), layers.Rescaling(1 / 255)]), RAW
    if kind == "centre-crop-first":
        crop = [layers.CenterCrop(24, 24), layers.Rescaling(1 / 255), layers.ZeroPadding2D(2)]
        return matched_filter(UNIT, front=crop), RAW
    if kind == "raw-pixels":
        return matched_filter(RAW), RAW
    if kind == "minus-one-to-one":
        return matched_filter(SIGNED), SIGNED
    if kind == "standardized":
        return matched_filter(STANDARD), STANDARD
    scale, offset = {
        "rescaling-255": (1 / 255, 0.0),
        "rescaling-127": (1 / 127.5, -1.0),
        "rescaling-128": (1 / 128, -1.0),
        "rescaling-256": (1 / 256, 0.0),
        "rescaling-of-fractions": (2.0, -1.0),
    }[kind]
    takes = UNIT if kind == "rescaling-of-fractions" else RAW
    reaches = Convention(scale * takes.scale, offset)
    return matched_filter(reaches, front=[layers.Rescaling(scale, offset=offset)]), takes


_KERAS = {
    "rescaling-255": ("a .keras model that begins with Rescaling(1/255)", True),
    "rescaling-127": ("a .keras model that begins with Rescaling(1/127.5, offset=-1)", False),
    "rescaling-128": ("a .keras model that begins with Rescaling(1/128, offset=-1)", False),
    "rescaling-256": ("a .keras model that begins with Rescaling(1/256)", False),
    "rescaling-of-fractions": ("a .keras model for 0..1 that begins with Rescaling(2, offset=-1)", False),
    "nested-rescaling": ("Rescaling inside a nested Sequential", False),
    "normalization-of-pixels": ("a Normalization layer adapted on pixels of 0..255", True),
    "normalization-of-fractions": ("a Normalization layer adapted on pixels / 255", False),
    "normalization-per-pixel": ("a Normalization layer with given mean 33.3 and variance 78.6^2", False),
    "mobilenet-preprocessing": ("keras.applications.mobilenet_v2.preprocess_input in the graph", False),
    "uint8-input": ("keras.Input of dtype uint8, then Rescaling", True),
    "int32-input": ("keras.Input of dtype int32, then Rescaling to -1..1", False),
    "resizing-first": ("Resizing(28, 28) before Rescaling(1/255)", False),
    "centre-crop-first": ("CenterCrop(24, 24) before Rescaling(1/255)", False),
    "raw-pixels": ("a model of 0..255 without any layer that says so", True),
    "minus-one-to-one": ("a model of -1..1 without any layer that says so", True),
    "standardized": ("a model of (pixel / 255 - 0.1307) / 0.3081 without any layer that says so", False),
}


def _enter_keras(kind: str, example: str, small: bool) -> None:
    @row(SECTION, f"keras-{kind}", example, "100 % for the .keras file, float32 and int8, as the model has", small=small)
    def measure(desk: Desk) -> Measured:
        model, takes = keras_front(kind, desk)
        data = shared_strokes(desk)
        given = takes.of(data.test_images)
        if accuracy_of(model, given, data.test_labels) != 1:
            raise NotMeasuredError("the example itself is not right on every image")
        return convert_and_evaluate(desk, model)


for _kind, (_example, _small) in _KERAS.items():
    _enter_keras(_kind, _example, _small)


@row(
    SECTION,
    "input-range-mean-std",
    "a standardized model, --input-range 33.3285,78.5655 (in pixels, as TFLite's metadata)",
    "100 % for the .keras file, float32 and int8",
)
def mean_and_deviation(desk: Desk) -> Measured:
    return convert_and_evaluate(desk, matched_filter(STANDARD), options=("--input-range", "33.3285,78.5655"))


@row(
    SECTION,
    "input-range-of-fractions",
    "a standardized model, --input-range 0.1307,0.3081 (of pixel / 255, as PyTorch's examples)",
    "100 %, or one line with the numbers in pixels; not chance",
    small=True,
)
def mean_of_fractions(desk: Desk) -> Measured:
    path = desk.folder / "standardized.keras"
    matched_filter(STANDARD).save(path)
    options = ("--no-latency", "--json", "--input-range", "0.1307,0.3081")
    done = desk.glyphlite("evaluate", path, "--dataset", shared_npz(desk), *options)
    return refuses_or_hundred(done, lambda: all_hundred(accuracies(done), 1), r"33\.3")


@row(
    SECTION, "input-range-decides", "a model of 0..255, told --input-range 0..1 and then 0..255", "chance, then 100 %", small=True
)
def input_range_decides(desk: Desk) -> Measured:
    path = desk.folder / "raw.keras"
    matched_filter(RAW).save(path)
    wrong = evaluate(desk, path, options=("--input-range", "0..1"))["raw.keras"]
    right = evaluate(desk, path, options=("--input-range", "0..255"))["raw.keras"]
    return Measured(f"{wrong:.0%}, then {right:.0%}", wrong <= 0.5 and right == 1)


@row(
    SECTION,
    "at-chance-is-said",
    "a model that confuses every class (its outputs in another order)",
    "a line that says what was fed and names --input-range",
    small=True,
)
def at_chance(desk: Desk) -> Measured:
    model = matched_filter(UNIT)
    last = model.get_layer("scores")
    last.set_weights([0 * last.get_weights()[0], np.array([1.0, 0, 0, 0])])
    path = desk.folder / "lost.keras"
    model.save(path)
    done = desk.glyphlite("evaluate", path, "--dataset", shared_npz(desk), "--no-latency")
    said = done.says(r"chance") and done.says(r"--input-range")
    return Measured("said" if said else f"silent, exit code {done.code}", said)


@row(SECTION, "input-range-wrong-word", "--input-range 0..7up", "one line, exit code 2", small=True)
def wrong_range(desk: Desk) -> Measured:
    path = desk.folder / "raw.keras"
    matched_filter(RAW).save(path)
    done = desk.glyphlite("evaluate", path, "--dataset", shared_npz(desk), "--no-latency", "--input-range", "0..7up")
    right = done.code == 2 and done.says("0..255") and done.err.count("\n") == 1
    return Measured(f"exit code {done.code}: {done.last_line}", right)


# --- .tflite files of others -----------------------------------------------------------------------------------------------

_TFLITE: dict[str, tuple[str, Convention, str, bool]] = {
    "float-unit": ("a float file for 0..1", UNIT, "float32", False),
    "float-raw": ("a float file for 0..255", RAW, "float32", True),
    "float-signed": ("a float file for -1..1", SIGNED, "float32", True),
    "int8-unit": ("an int8 file for 0..1 (scale 1/255)", UNIT, "int8", False),
    "int8-raw": ("an int8 file for 0..255 (scale 1)", RAW, "int8", True),
    "int8-signed": ("an int8 file for -1..1 (scale 1/127.5)", SIGNED, "int8", True),
    "int8-standardized": ("an int8 file for (pixel / 255 - 0.1307) / 0.3081", STANDARD, "int8", False),
    "uint8-unit": ("a uint8 file for 0..1 (scale 1/255)", UNIT, "uint8", False),
    "uint8-raw": ("a uint8 file whose stored number is the pixel (scale 1, zero point 0)", RAW, "uint8", True),
    "uint8-signed": ("a uint8 file for -1..1 (scale 1/127.5, zero point 128)", SIGNED, "uint8", True),
}


def foreign(desk: Desk, kind: str) -> Path:
    """Writes one of the .tflite files above, without metadata, as TensorFlow's converter alone makes it."""
    _, convention, type_, _ = _TFLITE[kind]

    def make() -> bytes:
        seen = convention.of(shared_strokes(desk).images[:60])
        model = matched_filter(convention, batch=1)
        return to_tflite(model, kind=type_, seen=seen)

    path = desk.folder / f"{kind.replace('-', '_')}.tflite"
    path.write_bytes(desk.once(f"tflite {kind}", make))
    return path


def stroke_pictures(desk: Desk, classes: int = 4) -> list[Path]:
    """One picture of each class as a PNG, white on black, at three times the size."""
    from PIL import Image

    from .strokes import templates

    paths = []
    for index, pattern in enumerate(templates(classes)):
        paths.append(desk.folder / f"picture{index}.png")
        pixels = np.pad(pattern.repeat(3, 0).repeat(3, 1), 12).astype(np.uint8) * 235
        Image.fromarray(pixels).save(paths[-1])
    return paths


def labels_read(done: Done) -> list[str]:
    """The classes that ``predict --json`` printed, in its order."""
    document = done.json()
    return [each["label"] for each in (document["predictions"] if isinstance(document, dict) else document)]


def _enter_tflite(kind: str, example: str, small: bool) -> None:
    @row(SECTION, f"tflite-{kind}", example, "100 % in evaluate; predict names all four pictures", small=small)
    def measure(desk: Desk) -> Measured:
        path = foreign(desk, kind)
        accuracy = evaluate(desk, path)[path.name]
        # What predict may know: the numbers in the file, or for float files the data that it is told.
        read = labels_read(desk.glyphlite("predict", path, *stroke_pictures(desk), "--dataset", shared_npz(desk), "--json"))
        return Measured(f"{accuracy:.0%}; read {' '.join(read)}", accuracy == 1 and read == list("0123"))


for _kind, (_example, _convention, _type, _small) in _TFLITE.items():
    _enter_tflite(_kind, _example, _small)


@row(
    SECTION,
    "tflite-metadata",
    "a float file whose TFLite metadata says mean 127.5 and std 127.5",
    "100 % in evaluate; predict names all four pictures",
    small=True,
)
def with_metadata(desk: Desk) -> Measured:
    from glyphlite.tflite.metadata import ModelMetadata, add_metadata

    path = foreign(desk, "float-signed")
    described = ModelMetadata("strokes", "Bars", "1", NAMES, mean=(127.5,), std=(127.5,))
    path.write_bytes(add_metadata(path.read_bytes(), described))
    accuracy = evaluate(desk, path)[path.name]
    read = labels_read(desk.glyphlite("predict", path, *stroke_pictures(desk), "--json"))
    return Measured(f"{accuracy:.0%}; read {' '.join(read)}", accuracy == 1 and read == list(NAMES))


# --- generated C of others' files --------------------------------------------------------------------------------------------

_MAIN = """
#include <stdio.h>
#include "theirs.h"
static uint8_t pixels[784];
int main(void) {{
    static theirs_arena_t arena;
    {type} scores[THEIRS_OUTPUT_SIZE];
    while (fread(pixels, 1, 784, stdin) == 784) printf("%d\\n", theirs_classify(pixels, scores, &arena));
    return 0;
}}
"""


def classes_of_c(folder: Path, images: np.ndarray, header: str) -> list[int]:
    """Compiles a program around ``theirs_classify`` and gives it raw pixels.

    Raises:
        NotMeasuredError: gcc or the program fails.
    """
    scores = "uint8_t" if "uint8_t output" in header else "int8_t"
    (folder / "mine.c").write_text(_MAIN.format(type=scores))
    sources = ["mine.c", *(each.name for each in folder.glob("*.c") if each.name not in ("mine.c", "example.c"))]
    built = subprocess.run(["gcc", "-O1", "-o", "mine", *sources, "-lm"], cwd=folder, capture_output=True, text=True, check=False)
    if built.returncode:
        raise NotMeasuredError(f"gcc refuses the generated C: {built.stderr[:200]}")
    ran = subprocess.run(["./mine"], cwd=folder, input=images.tobytes(), capture_output=True, check=False)
    if ran.returncode:
        raise NotMeasuredError(f"the program around theirs_classify ends with {ran.returncode}")
    return [int(line) for line in ran.stdout.split()]


def make_example(folder: Path) -> int:
    """The exit code of ``make`` where the example's Makefile is."""
    place = next((each for each in (folder, folder / "example") if (each / "Makefile").is_file()), folder)
    return subprocess.run(["make", "-s", "-C", place], capture_output=True, check=False).returncode


def _enter_c(kind: str) -> None:
    example = f"{_TFLITE[kind][0]}, compiled to C"
    expected = "make's example is right; theirs_classify gives the class of 40 of 40 test images; verify: all runtimes agree"

    @row(SECTION, f"c-{kind}", example, expected, small=kind in ("int8-signed", "uint8-raw"))
    def measure(desk: Desk) -> Measured:
        path, folder, data = foreign(desk, kind), desk.folder / "c", shared_strokes(desk)
        npz = shared_npz(desk)
        done = desk.glyphlite("compile", path, "--name", "theirs", "--dataset", npz, "--no-compare", "--out", folder, "--json")
        done.json()
        code = make_example(folder)
        found = classes_of_c(folder, data.test_images[:40], (folder / "theirs.h").read_text())
        right = int(np.sum(np.array(found) == data.test_labels[:40]))
        verified = desk.glyphlite("verify", path, "--dataset", npz, "--images", 40, "--json")
        words = f"make ends with {code}; {right} of 40; verify ends with {verified.code}"
        return Measured(words, code == 0 and right == 40 and verified.code == 0)


for _kind in ("int8-raw", "int8-signed", "int8-standardized", "uint8-raw", "uint8-signed"):
    _enter_c(_kind)


def refuses_or_hundred(done: Done, measure: Callable[[], Measured], helps: str) -> Measured:
    """A kind that may be read or refused: refused, the line has to hold what helps (a regular expression)."""
    if done.code == 2:
        return Measured(f"refused: {done.last_line}", done.says(helps))
    return measure()
