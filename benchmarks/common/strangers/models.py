"""Section 2, models that people really have: layers, shapes, outputs and file formats that are not the textbook's."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .harness import FAULT_OF_OURS, Desk, Measured, all_right, row
from .inputs import (
    all_hundred,
    classes_of_c,
    convert_and_evaluate,
    evaluate,
    labels_read,
    refuses_or_hundred,
    shared_npz,
    stroke_pictures,
)
from .strokes import SIDE, UNIT, matched_filter, set_filters, strokes, to_tflite

SECTION = "models"

RANDOM_OPS = re.compile(rb"Random|StatelessRandom|ImageProjectiveTransform|Flex")


# --- augmentation ---------------------------------------------------------------------------------------------------------


def _nested(layers: list[Any]) -> Any:
    import keras

    return keras.Sequential(layers, name="augmentation")


def _noise(layers: Any) -> list[Any]:
    return [layers.GaussianNoise(0.1), layers.GaussianDropout(0.1), layers.SpatialDropout2D(0.1)]


_AUGMENTATION: dict[str, tuple[str, Callable[[Any], list[Any]], bool]] = {
    "rotation-zoom-nested": (
        "RandomRotation and RandomZoom in a nested Sequential",
        lambda has: [_nested([has.RandomRotation(0.1), has.RandomZoom(0.2)])],
        True,
    ),
    "translation": ("RandomTranslation", lambda has: [has.RandomTranslation(0.1, 0.1)], False),
    "flip": ("RandomFlip", lambda has: [has.RandomFlip("horizontal")], False),
    "contrast": ("RandomContrast", lambda has: [has.RandomContrast(0.2)], False),
    "brightness": ("RandomBrightness of 0..1", lambda has: [has.RandomBrightness(0.2, value_range=(0, 1))], False),
    "noise-and-dropout": ("GaussianNoise, GaussianDropout, SpatialDropout2D", _noise, False),
    "shear": ("RandomShear", lambda has: [has.RandomShear((0.0, 0.1), (0.0, 0.1))], False),
    "erasing": ("RandomErasing of 0..1", lambda has: [has.RandomErasing(value_range=(0, 1))], False),
    "crop": ("RandomCrop to the whole size", lambda has: [has.RandomCrop(SIDE, SIDE)], False),
    "pipeline": (
        "keras.layers.Pipeline of two random layers",
        lambda has: [has.Pipeline([has.RandomFlip(), has.RandomZoom(0.1)])],
        False,
    ),
}


def _enter_augmentation(kind: str, example: str, make: Callable[[Any], list[Any]], small: bool) -> None:
    expected = "100 % for the .keras file, float32 and int8; no random op in the files"

    @row(SECTION, f"augmentation-{kind}", f"{example} inside the model", expected, small=small)
    def measure(desk: Desk) -> Measured:
        import keras

        measured = convert_and_evaluate(desk, matched_filter(UNIT, front=make(keras.layers)))
        files = list((desk.folder / "out").glob("*.tflite"))
        random = [path.name for path in files if RANDOM_OPS.search(path.read_bytes())]
        words = f"{measured.words}; random ops in {', '.join(random) or 'none'}"
        return Measured(words, measured.right and len(files) == 2 and not random)


for _kind, (_example, _make, _small) in _AUGMENTATION.items():
    _enter_augmentation(_kind, _example, _make, _small)


@row(
    SECTION,
    "augmentation-in-run",
    "`run` on a model with RandomRotation inside, one epoch",
    "every variant is written and measured, none at chance",
)
def augmentation_in_run(desk: Desk) -> Measured:
    import keras

    path = desk.folder / "augmented.keras"
    matched_filter(UNIT, front=[keras.layers.RandomRotation(0.02)]).save(path)
    done = desk.glyphlite(
        "run", "--model", path, "--dataset", shared_npz(desk), "--epochs", 1, "--verify-images", 20, "--out", desk.folder / "run",
        "--json", process=True,
    )  # fmt: skip
    found = {each["variant"]: each["accuracy"]["value"] for each in done.json()["artifacts"]}
    return Measured(f"{found}", len(found) == 5 and all(value > 0.9 for value in found.values()))


# --- shapes and outputs ----------------------------------------------------------------------------------------------------

_SHAPES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "shape-28-28": ("Input((28, 28)) and Flatten, softmax", {"shape": (SIDE, SIDE)}, True),
    "shape-784": ("Input((784,)), softmax", {"shape": (SIDE * SIDE,)}, True),
    "quickstart-logits": ("Input((28, 28)), Flatten, Dense without softmax", {"shape": (SIDE, SIDE), "head": "logits"}, False),
    "logits": ("Input((28, 28, 1)), Dense without softmax", {"head": "logits"}, True),
    "shape-784-logits": ("Input((784,)), Dense without softmax", {"shape": (SIDE * SIDE,), "head": "logits"}, False),
    "several-sigmoids": ("four independent sigmoids", {"head": "sigmoids"}, False),
}


def _enter_shape(kind: str, example: str, settings: dict[str, Any], small: bool) -> None:
    @row(SECTION, kind, example, "converted; 100 % for the .keras file, float32 and int8; all four pictures read", small=small)
    def measure(desk: Desk) -> Measured:
        measured = convert_and_evaluate(desk, matched_filter(UNIT, **settings))
        read = labels_read(desk.glyphlite("predict", desk.folder / "out/model_int8.tflite", *stroke_pictures(desk), "--json"))
        said = "softmax" in " ".join(done.text.lower() for done in desk.done) or "logits" not in kind
        words = f"{measured.words}; read {' '.join(read)}{'' if said else '; not said that a softmax was added'}"
        return Measured(words, measured.right and said and read == list("0123"))


for _kind, (_example, _settings, _small) in _SHAPES.items():
    _enter_shape(_kind, _example, _settings, _small)


def two_classes(desk: Desk) -> Path:
    """Two classes of strokes as an .npz."""
    return desk.once("two", lambda: strokes(2, 300, 60).save_npz(desk.folder.parent / "two.npz"))


@row(
    SECTION,
    "one-sigmoid",
    "two classes, Dense(1, sigmoid), a .keras file",
    "converted; 100 %; predict and theirs_classify tell both classes",
    small=True,
)
def one_sigmoid(desk: Desk) -> Measured:
    data = two_classes(desk)
    measured = convert_and_evaluate(desk, matched_filter(UNIT, classes=2, head="sigmoid"), dataset=data)
    int8 = desk.folder / "out/model_int8.tflite"
    read = labels_read(desk.glyphlite("predict", int8, *stroke_pictures(desk, 2), "--json"))
    folder = desk.folder / "c"
    desk.glyphlite("compile", int8, "--name", "theirs", "--dataset", data, "--no-compare", "--out", folder, "--json").json()
    found = classes_of_c(folder, strokes(2, 300, 60).test_images[:10], (folder / "theirs.h").read_text())
    words = f"{measured.words}; read {' '.join(read)}; C {found}"
    return Measured(words, measured.right and read == ["0", "1"] and found == [0, 1] * 5)


@row(
    SECTION,
    "one-sigmoid-tflite",
    "two classes, one sigmoid, a float .tflite of somebody else's",
    "predict: 0 and 1 with probabilities of the class named; evaluate 100 %",
    small=True,
)
def one_sigmoid_tflite(desk: Desk) -> Measured:
    path = desk.folder / "binary.tflite"
    path.write_bytes(to_tflite(matched_filter(UNIT, classes=2, head="sigmoid", batch=1)))
    done = desk.glyphlite("predict", path, *stroke_pictures(desk, 2), "--json")
    document = done.json()
    document = document["predictions"] if isinstance(document, dict) else document
    read = [(each["label"], round(each["probability"], 3)) for each in document]
    accuracy = evaluate(desk, path, dataset=two_classes(desk))[path.name]
    right = [label for label, _ in read] == ["0", "1"] and all(probability > 0.9 for _, probability in read) and accuracy == 1
    return Measured(f"{read}; {accuracy:.0%}", right)


@row(
    SECTION,
    "sigmoids-independent",
    "four sigmoids, a picture that is upright and level at once",
    "both classes above a half: no softmax over them",
    small=True,
)
def sigmoids_independent(desk: Desk) -> Measured:
    from PIL import Image

    from .strokes import templates

    path = desk.folder / "several.tflite"
    path.write_bytes(to_tflite(matched_filter(UNIT, head="sigmoids", batch=1)))
    cross = templates(4)[0] | templates(4)[1]
    Image.fromarray(np.pad(cross.repeat(3, 0).repeat(3, 1), 12).astype(np.uint8) * 255).save(desk.folder / "cross.png")
    document = desk.glyphlite("predict", path, desk.folder / "cross.png", "--json").json()
    top = dict((document["predictions"] if isinstance(document, dict) else document)[0]["top"])
    words = ", ".join(f"{label} {value:.2f}" for label, value in top.items())
    return Measured(words, top.get("0", 0) > 0.5 and top.get("1", 0) > 0.5)


def _enter_classes(classes: int, small: bool) -> None:
    @row(
        SECTION, f"{classes}-classes", f"{classes} classes", "converted; 100 % for the .keras file, float32 and int8", small=small
    )
    def measure(desk: Desk) -> Measured:
        data = strokes(classes, 6 * classes, 2 * classes)
        npz = data.save_npz(desk.folder / "many.npz")
        return convert_and_evaluate(desk, matched_filter(UNIT, classes=classes), dataset=npz)


_enter_classes(26, small=False)
_enter_classes(62, small=True)
_enter_classes(1000, small=False)


# --- files -----------------------------------------------------------------------------------------------------------------


@row(SECTION, "file-h5", "the model as one .h5 file", "read (100 %), or one line with load_model and save", small=True)
def file_h5(desk: Desk) -> Measured:
    path = desk.folder / "theirs.h5"
    matched_filter(UNIT).save(path)
    out = desk.folder / "out"
    done = desk.glyphlite("convert", path, "--dataset", shared_npz(desk), "--to", "int8", "--out", out)

    def measure() -> Measured:
        return all_hundred(evaluate(desk, *out.glob("*.tflite")), 1)

    return refuses_or_hundred(done, measure, r"load_model\(.*\.save\(")


@row(
    SECTION,
    "file-weights-only",
    "only model.weights.h5, which holds no architecture",
    "one line, exit code 2, that says so and names load_weights",
    small=True,
)
def file_weights(desk: Desk) -> Measured:
    path = desk.folder / "theirs.weights.h5"
    matched_filter(UNIT).save_weights(path)
    done = desk.glyphlite("convert", path, "--dataset", shared_npz(desk), "--to", "int8", "--out", desk.folder / "out")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2 and done.says(r"load_weights"))


@row(SECTION, "file-saved-model", "a SavedModel folder", "read (100 %), or one line with what helps", small=True)
def file_saved_model(desk: Desk) -> Measured:
    from glyphlite.console import captured_noise

    path = desk.folder / "saved"
    with captured_noise():
        matched_filter(UNIT).export(path, verbose=False)
    out = desk.folder / "out"
    done = desk.glyphlite("convert", path, "--dataset", shared_npz(desk), "--to", "int8", "--out", out)

    def measure() -> Measured:
        return all_hundred(evaluate(desk, *out.glob("*.tflite")), 1)

    return refuses_or_hundred(done, measure, r"TFSMLayer|save\(|from_saved_model|\.keras")


@row(
    SECTION,
    "mixed-float16",
    "a model built under the policy mixed_float16",
    "100 % for the .keras file, float32 and int8; no Flex op",
    small=True,
)
def mixed_float16(desk: Desk) -> Measured:
    import keras

    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = matched_filter(UNIT)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    measured = convert_and_evaluate(desk, model)
    flex = [path.name for path in (desk.folder / "out").glob("*.tflite") if b"Flex" in path.read_bytes()]
    return Measured(f"{measured.words}; Flex in {', '.join(flex) or 'none'}", measured.right and not flex)


@row(SECTION, "mixed-bfloat16", "a model built under the policy mixed_bfloat16", "100 % for the .keras file, float32 and int8")
def mixed_bfloat16(desk: Desk) -> Measured:
    import keras

    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = matched_filter(UNIT)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    return convert_and_evaluate(desk, model)


def _own_layer(name: str) -> Any:
    """A layer of a class that only this function knows, registered and forgotten again as in another program."""
    import keras

    class Doubled(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2.0

    keras.saving.register_keras_serializable(package="theirs", name=name)(Doubled)
    return Doubled()


@row(
    SECTION,
    "own-layer",
    "a registered custom layer, its class in the user's program",
    "one line, exit code 2: names the layer and file.py:function, not safe_mode",
    small=True,
)
def own_layer(desk: Desk) -> Measured:
    import keras

    path = desk.folder / "own.keras"
    try:
        matched_filter(UNIT, front=[_own_layer("Doubled")]).save(path)
    finally:
        keras.saving.get_custom_objects().pop("theirs>Doubled", None)
    return _names_the_way(desk, path, "Doubled")


@row(
    SECTION,
    "lambda-layer",
    "a Lambda layer, called squeeze_range",
    "one line, exit code 2: names the layer and file.py:function, not safe_mode",
    small=True,
)
def lambda_layer(desk: Desk) -> Measured:
    import keras

    path = desk.folder / "lambda.keras"
    front = keras.layers.Lambda(lambda t: t * 2 - 1, output_shape=(SIDE, SIDE, 1), name="squeeze_range")
    matched_filter(UNIT, front=[front]).save(path)
    return _names_the_way(desk, path, "squeeze_range|Lambda")


def _names_the_way(desk: Desk, path: Path, layer: str) -> Measured:
    done = desk.glyphlite("convert", path, "--dataset", shared_npz(desk), "--to", "int8", "--out", desk.folder / "out")
    words = f"exit code {done.code}: {done.last_line}"
    right = done.refused and done.says(layer) and done.says(r"\.py:\w+") and not done.says("safe_mode")
    return Measured(words, right)


@row(
    SECTION,
    "own-layer-by-function",
    "`convert`/`run` of a custom layer through file.py:function",
    "`train` takes it: exit code 0",
)
def own_layer_by_function(desk: Desk) -> Measured:
    (desk.folder / "theirs.py").write_text(
        "import keras\n"
        "@keras.saving.register_keras_serializable(package='theirs')\n"
        "class Halved(keras.layers.Layer):\n"
        "    def call(self, inputs):\n"
        "        return inputs * 0.5\n"
        "def build(input_shape, classes):\n"
        "    return keras.Sequential([keras.Input(input_shape), Halved(), keras.layers.Flatten(),\n"
        "                             keras.layers.Dense(classes, activation='softmax')])\n"
    )
    done = desk.glyphlite(
        "run", "--model", "theirs.py:build", "--dataset", shared_npz(desk), "--epochs", 1, "--verify-images", 20, "--out", "run",
        "--json", process=True,
    )  # fmt: skip
    found = {each["variant"]: each["accuracy"]["value"] for each in done.json()["artifacts"]}
    return Measured(f"{found}", len(found) == 5)


# --- converter -------------------------------------------------------------------------------------------------------------


def _recurrent(desk: Desk, layer: str) -> Measured:
    import keras

    layers = keras.layers
    inner = layers.Bidirectional(layers.LSTM(8)) if layer == "Bidirectional" else getattr(layers, layer)(8)
    path, out = desk.folder / "rows.keras", desk.folder / "out"
    keras.Sequential(
        [keras.Input((SIDE, SIDE, 1)), layers.Reshape((SIDE, SIDE)), inner, layers.Dense(4, activation="softmax")]
    ).save(path)
    done = desk.glyphlite("convert", path, "--dataset", shared_npz(desk), "--to", "float32,int8", "--out", out, process=True)
    written = sorted(each.name for each in out.glob("*.tflite"))
    named = "model_int8.tflite" in written or done.says(r"int8")
    words = f"exit code {done.code}; {', '.join(written) or 'nothing'} written; {done.last_line}"
    return Measured(words, "model_float32.tflite" in written and named and done.code in (0, 1, 2))


for _layer in ("LSTM", "GRU", "SimpleRNN", "Bidirectional"):
    row(
        SECTION,
        f"{_layer.lower()}-to-int8",
        f"{_layer} over the rows of an image, converted to float32 and int8",
        "float32 is written; int8, too, or one line names it; no signal",
        small=_layer == "LSTM",
    )(lambda desk, layer=_layer: _recurrent(desk, layer))


@row(
    SECTION,
    "lstm-in-run",
    "`run` on a user's LSTM, one epoch",
    "model.keras and the variants that can be made are there, whatever int8 does",
)
def lstm_in_run(desk: Desk) -> Measured:
    (desk.folder / "theirs.py").write_text(
        "import keras\n"
        "def rows(input_shape, classes):\n"
        "    return keras.Sequential([keras.Input(input_shape), keras.layers.Reshape(input_shape[:2]), keras.layers.LSTM(8),\n"
        "                             keras.layers.Dense(classes, activation='softmax')])\n"
    )
    done = desk.glyphlite(
        "run", "--model", "theirs.py:rows", "--dataset", shared_npz(desk), "--epochs", 1, "--verify-images", 20, "--out", "run",
        process=True,
    )  # fmt: skip
    names = sorted(each.name for each in (desk.folder / "run").glob("model*"))
    needed = {"model.keras", "model_float32.tflite"}
    return Measured(f"exit code {done.code}; {', '.join(names)}", done.code in (0, 1, 2) and needed <= set(names))


@row(SECTION, "many-keras-files", "`evaluate` on eight .keras files at once", "eight accuracies, nothing else", small=False)
def many_keras_files(desk: Desk) -> Measured:
    paths = [desk.folder / f"theirs{number}.keras" for number in range(8)]
    for path in paths:
        matched_filter(UNIT).save(path)
    done = desk.glyphlite("evaluate", *paths, "--dataset", shared_npz(desk), "--no-latency", "--json", process=True)
    return Measured(f"{len(done.json()['keras'])} files; {done.last_line}", len(done.json()["keras"]) == 8 and not done.crashed)


@row(
    SECTION,
    "fault-of-ours",
    "a RuntimeError raised inside `inspect`",
    "exit code 70 and one line: a fault of glyphlite, and the file with the traceback",
    small=True,
)
def fault_of_ours(desk: Desk) -> Measured:
    from unittest.mock import patch

    desk.expects_fault = True
    with patch("glyphlite.pipeline.inspect.inspect_file", side_effect=RuntimeError("a boom of nobody's making")):
        done = desk.glyphlite("inspect", "glyph-4kflash")
    files = [Path(word.strip("'\"().,;:")) for word in done.err.split() if "/" in word]
    kept = any(path.is_file() and "a boom of nobody's making" in path.read_text() for path in files)
    return all_right(
        [
            (f"exit code 70 (it is {done.code})", done.code == FAULT_OF_OURS),
            ("called a fault of glyphlite", done.says("fault of glyphlite")),
            ("the traceback in the file named", kept),
            ("one line", len(done.err.strip().splitlines()) == 1),
        ]
    )


@row(
    SECTION,
    "two-outputs",
    "a Keras model of two outputs",
    "one line, exit code 2",
)
def two_outputs(desk: Desk) -> Measured:
    import keras

    model = matched_filter(UNIT)
    path = desk.folder / "two.keras"
    keras.Model(model.inputs, [model.outputs[0], model.get_layer("filters").output]).save(path)
    done = desk.glyphlite("convert", path, "--dataset", shared_npz(desk), "--to", "int8", "--out", desk.folder / "out")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2)


@row(SECTION, "functional-graph", "a functional model with BatchNormalization and a residual Add", "100 % for all three files")
def functional_graph(desk: Desk) -> Measured:
    import keras

    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 1))
    kept = layers.BatchNormalization(epsilon=0)(layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones")(pixels))
    mean = layers.Average()([kept, pixels])
    filters, last = layers.Dense(4, activation="relu6"), layers.Dense(4, activation="softmax")
    model = keras.Model(pixels, last(filters(layers.Flatten()(mean))))
    set_filters(filters, last, UNIT, 4, "softmax")
    return convert_and_evaluate(desk, model)


def unreadable(desk: Desk, content: bytes, name: str) -> Measured:
    """`convert` on a file that is no model."""
    path = desk.folder / name
    path.write_bytes(content)
    done = desk.glyphlite("convert", path, "--dataset", shared_npz(desk), "--out", desk.folder / "out")
    return Measured(f"exit code {done.code}: {done.last_line}", done.refused)


@row(SECTION, "file-pytorch", "a PyTorch file called model.pt", "one line, exit code 2", small=True)
def file_pytorch(desk: Desk) -> Measured:
    return unreadable(desk, b"PK\x03\x04" + bytes(100), "model.pt")


@row(SECTION, "file-empty", "an empty model.keras", "one line, exit code 2", small=True)
def file_empty(desk: Desk) -> Measured:
    return unreadable(desk, b"", "model.keras")
