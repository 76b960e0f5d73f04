"""Every command that writes, on a model and data so small that a trial takes a second or two."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from support.faults.trial import SCENARIOS, Command, run_apart

MODEL = """
def tiny(input_shape, classes):
    import keras

    return keras.Sequential([
        keras.Input(input_shape),
        keras.layers.Conv2D(2, 3, strides=2, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(classes, activation="softmax"),
    ])
"""
SEED = 7


def write_inputs(folder: Path) -> Path:
    """Writes a model's source, an .npz and a folder of pictures of three classes of bars, 10x10; returns the folder."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.py").write_text(MODEL)
    rng = np.random.default_rng(SEED)
    labels = np.arange(180, dtype=np.uint8) % 3
    images = rng.integers(0, 60, (180, 10, 10), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 3 * label : 3 * label + 3] = rng.integers(180, 255)
    np.savez(folder / "bars.npz", x_train=images[:120], y_train=labels[:120], x_test=images[120:], y_test=labels[120:])
    for index, (image, label) in enumerate(zip(images[:60], labels[:60], strict=True)):
        (folder / "pictures" / f"bar{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / "pictures" / f"bar{label}" / f"{index}.png")
    return folder


def import_what_exports() -> None:
    """Imports what the commands on .tflite files import and reads every template of C, once for all trials."""
    import glyphlite.pipeline.check_data
    import glyphlite.pipeline.compile
    import glyphlite.pipeline.export
    import glyphlite.pipeline.optimize
    import glyphlite.report.terminal.command_output  # noqa: F401
    from glyphlite.compiler.codegen import c_text

    environment = c_text._environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


def import_everything() -> None:
    """Imports what the commands import, once for all trials; starts none of TensorFlow's threads, so that forks are safe."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401

    from glyphlite.conversion import isolation, worker

    import_what_exports()
    worker.import_converter()
    import keras  # noqa: F401

    import glyphlite.pipeline.convert
    import glyphlite.pipeline.evaluate
    import glyphlite.pipeline.inspect
    import glyphlite.pipeline.predict
    import glyphlite.pipeline.report
    import glyphlite.pipeline.run
    import glyphlite.pipeline.train  # noqa: F401

    assert not isolation._has_runtime_started()


def all_commands(inputs: Path) -> list[Command]:
    """Returns every command."""
    return [*export_commands(inputs), *training_commands(inputs), *other_commands(inputs)]


def training_commands(inputs: Path) -> list[Command]:
    """Returns train, convert and run."""
    data = ("--dataset", str(inputs / "bars.npz"))
    size = ("--input-size", "10x10")
    model = f"{inputs / 'tiny.py'}:tiny"
    train = Command(
        "train",
        ("train", model, *data, *size, "--epochs", "2", "--batch-size", "16"),
        ("train", model, *data, *size, "--epochs", "1", "--seed", "1"),
        failing=("new",),
        whole=False,
        again=("--overwrite",),
        overwrite=(),
        resume=("--resume",),
    )
    convert = Command(
        "convert",
        ("convert", str(inputs / "run" / "model.keras"), *data, "--to", "float32,int8", "--calibration-samples", "6"),
        ("convert", str(inputs / "other" / "model.keras"), *data, "--to", "float32,int8", "--calibration-samples", "6"),
        whole=False,
    )
    run = Command(
        "run",
        ("run", "--model", model, *data, *size, "--epochs", "1", "--calibration-samples", "6", "--verify-images", "5"),
        (
            "run",
            "--model",
            model,
            *data,
            *size,
            "--epochs",
            "1",
            "--seed",
            "1",
            "--calibration-samples",
            "6",
            "--verify-images",
            "5",
        ),
        scenarios=("new", "again", "theirs"),
        failing=("new",),
        whole=False,
        again=("--overwrite",),
        overwrite=(),
        resume=("--resume",),
        less="Not compared:",
        of_commands=True,
    )
    return [train, convert, run]


def export_commands(inputs: Path) -> list[Command]:
    """Returns compile and export in each kind."""
    new, old = (str(inputs / name / "model_int8.tflite") for name in ("run", "other"))
    quick = ("--no-compare", "--no-check")
    kinds = [
        Command(
            f"export {kind}",
            ("export", new, "--for", kind, *more),
            ("export", old, "--for", kind, *more),
            failing=SCENARIOS if kind == "c-array" else ("again", "theirs") if kind in ("tflm", "web") else ("again",),
            whole=kind != "c-array",
        )
        for kind, more in (
            ("c-array", ()),
            ("tflm", ()),
            ("web", ("--no-litertjs",)),
            ("cmake", ()),
            ("python", ("--dataset", str(inputs / "bars.npz"))),
            ("rust", ("--dataset", str(inputs / "bars.npz"))),
            ("android", ("--dataset", str(inputs / "bars.npz"))),
        )
    ]
    return [
        Command(
            "compile",
            ("compile", new, "--name", "second", *quick),
            ("compile", new, "--name", "first", *quick),
            failing=SCENARIOS,
        ),
        *kinds,
    ]


def other_commands(inputs: Path) -> list[Command]:
    """Returns the commands that write one file, or that only keep something: report, evaluate, optimize, predict, draw, ..."""
    run = {name: inputs / "run" / name for name in ("model.keras", "model_int8.tflite")}
    whole_run = {path.relative_to(inputs / "run").as_posix(): path for path in (inputs / "run").rglob("*") if path.is_file()}
    data = ("--dataset", str(inputs / "bars.npz"))
    picture = str(inputs / "pictures" / "bar1" / "1.png")
    model = str(inputs / "run" / "model_int8.tflite")
    return [
        Command("report", ("report", "{out}"), scenarios=("new",), whole=False, out=None, needs=whole_run),
        Command(
            "compare",
            ("report", str(inputs / "run"), str(inputs / "other"), "--out", "{out}/both.html"),
            scenarios=("new",),
            whole=False,  # its manifest names the page before it is there
            out=None,
        ),
        Command(
            "evaluate",
            ("evaluate", "{out}/model.keras", "{out}/model_int8.tflite", *data, "--no-latency"),
            scenarios=("new",),
            out=None,
            unkept="cannot write",
            needs=run,
        ),
        Command(
            "verify",
            ("verify", "{out}/model_int8.tflite", *data, "--images", "3"),
            scenarios=("new",),
            out=None,
            unkept="cannot write",
            needs=run,
        ),
        Command("fits", ("fits", model, "--board", "pico"), scenarios=("new",), out=None),
        Command(
            "optimize",
            ("optimize", model, "--out", "{out}/small.tflite", "--strip-names"),
            scenarios=("new",),
            out=None,
        ),
        Command("inspect", ("inspect", model, "--no-runtimes", "--graph", "{out}/graph.svg"), scenarios=("new",), out=None),
        Command(
            "predict", ("predict", picture, "--model", model, *data, "--show", "{out}/seen.png"), scenarios=("new",), out=None
        ),
        Command(
            "data check",
            ("data", "check", str(inputs / "pictures"), "--no-suspects", "--out", "{out}/check.html"),
            ("data", "check", str(inputs / "bars.npz"), "--no-suspects", "--out", "{out}/check.html"),
            scenarios=("new", "again"),
            out=None,
        ),
        Command("draw", _draw(model), scenarios=("new",)),
        Command("pictures", _read_pictures(inputs / "pictures"), scenarios=("new",), unkept="not cached for the next time"),
        Command("dataset", _keep_dataset, scenarios=("new",), unkept="is not cached for the next time"),
    ]


def make_inputs(folder: Path) -> None:
    """Writes the data and makes two small runs, converted and measured: what the commands take. Needs everything imported."""
    inputs = write_inputs(folder)
    data = ("--dataset", str(inputs / "bars.npz"))
    for name, seed in (("run", "0"), ("other", "1")):
        out = inputs / name
        train = ("train", f"{inputs / 'tiny.py'}:tiny", *data, "--input-size", "10x10", "--epochs", "3", "--seed", seed)
        convert = ("convert", str(out / "model.keras"), *data, "--to", "float32,int8", "--calibration-samples", "6")
        evaluate = ("evaluate", str(out / "model.keras"), str(out / "model_int8.tflite"), *data, "--no-latency")
        for words in ((*train, "--out", str(out)), convert, evaluate):
            code, said = run_apart(words, folder / "output.txt")
            assert code == 0, said


def _draw(model: str) -> Callable[[], None]:
    """Makes the page that is drawn on; instead of serving it for ever, ends."""

    def draw() -> None:
        from glyphlite.pipeline import export

        export.serve = lambda *_arguments, **_keywords: None
        export.draw_page(Path(model), host="127.0.0.1", port=0, litertjs=False)

    return draw


def _read_pictures(folder: Path) -> Callable[[], None]:
    """Reads a folder of pictures, which keeps them in the user's cache."""

    def read() -> None:
        from glyphlite.datasets.registry import load_dataset

        load_dataset(str(folder), size=(10, 10))

    return read


def _keep_dataset() -> None:
    """Keeps a dataset in the user's cache, as after its download."""
    from glyphlite.datasets.download.cache import fill_cache
    from glyphlite.datasets.download.catalogue import MNIST
    from glyphlite.datasets.download.checksums import Verified

    names = [file.name for file in MNIST.files]
    fill_cache(Verified(MNIST, {name: bytes(9999) for name in names}, "a test"))
