"""Section 6, where new users stumbled: runs that remember their data, finished folders, compile's folder, options, and words."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .harness import Desk, Measured, NotMeasuredError, all_right, row
from .inputs import convert_and_evaluate, foreign, make_example, shared_npz, shared_strokes
from .strokes import NAMES, UNIT, Strokes, matched_filter

SECTION = "borders"


def finished_run(desk: Desk) -> Path:
    """A finished run on picture folders named bar, dash, fall and rise, made once; each row gets a copy.

    The model is a user's: one epoch of training moves the matched filters by next to nothing.
    """

    def make() -> Path:
        from PIL import Image

        root = desk.folder.parent / "remembered"
        data = shared_strokes(desk)
        for part, images, labels in (
            ("train", data.images[:200], data.labels),
            ("test", data.test_images[:40], data.test_labels),
        ):
            for index, image in enumerate(images):
                folder = root / "strokes" / part / NAMES[labels[index]]
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(folder / f"{index:03}.png")
        matched_filter(UNIT).save(root / "theirs.keras")
        done = desk.glyphlite(
            "run", "--model", root / "theirs.keras", "--dataset", root / "strokes", "--epochs", 1, "--verify-images", 20,
            "--out", root / "run", "--json",
        )  # fmt: skip
        done.json()
        return root / "run"

    return desk.once("run", make)


@row(
    SECTION,
    "run-remembers-predict",
    "predict RUN --sample 2, the run's data being folders of strokes",
    "an image of the run's data: fall, not MNIST's image 2",
    small=True,
)
def remembers_predict(desk: Desk) -> Measured:
    done = desk.glyphlite("predict", finished_run(desk), "--sample", 2, "--json")
    document = done.json()
    answer = (document["predictions"] if isinstance(document, dict) else document)[0]
    words = f"{answer['label']}, true {answer['true_label']}"
    return Measured(words, answer["label"] == answer["true_label"] and answer["label"] in NAMES)


@row(SECTION, "run-remembers-evaluate", "evaluate RUN without --dataset", "the strokes: 40 images, above 90 %", small=True)
def remembers_evaluate(desk: Desk) -> Measured:
    done = desk.glyphlite("evaluate", finished_run(desk), "--no-latency", "--json")
    document = done.json()
    accuracy = (document["artifacts"] + document["keras"])[0]["accuracy"]
    words = f"{document['dataset']}: {accuracy['value']:.0%} of {accuracy['n']}"
    return Measured(words, accuracy["n"] == 40 and accuracy["value"] > 0.9)


@row(SECTION, "run-remembers-verify", "verify RUN without --dataset", "exit code 0, on the strokes")
def remembers_verify(desk: Desk) -> Measured:
    done = desk.glyphlite("verify", finished_run(desk), "--json")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 0 and '"images": 40' in done.out)


@row(
    SECTION,
    "run-remembers-compile",
    "compile RUN without --dataset",
    "the example holds a stroke with its class; the header the four names",
    small=True,
)
def remembers_compile(desk: Desk) -> Measured:
    done = desk.glyphlite("compile", finished_run(desk), "--no-compare", "--out", "c", "--json")
    done.json()
    text = "".join(path.read_text() for path in (desk.folder / "c").rglob("*.[ch]"))
    code = make_example(desk.folder / "c")
    names = all(f'"{name}"' in text for name in NAMES)
    return Measured(f"names {'there' if names else 'missing'}; make ends with {code}", names and code == 0)


@row(SECTION, "run-remembers-export", "export RUN --for tflm without --dataset", "the test image is a stroke of the run's data")
def remembers_export(desk: Desk) -> Measured:
    done = desk.glyphlite("export", finished_run(desk), "--for", "tflm", "--out", "t")
    text = "".join(path.read_text() for path in (desk.folder / "t").rglob("test_image*"))
    source = re.search(r"/\*.*|//.*", text)
    right = done.code == 0 and "mnist" not in text.lower() and any(name in text for name in NAMES)
    return Measured(f"exit code {done.code}: {source.group(0)[:120] if source else text[:80]}", right)


@row(SECTION, "run-cpu-seconds", "results.json of a run", "cpu_seconds beside seconds, stage by stage", small=True)
def cpu_seconds(desk: Desk) -> Measured:
    document = json.loads((finished_run(desk) / "results.json").read_text())
    seconds, cpu = document.get("seconds"), document.get("cpu_seconds")
    return Measured(f"seconds {seconds}, cpu_seconds {cpu}", isinstance(cpu, dict) and bool(cpu) and set(cpu) <= set(seconds))


@row(
    SECTION,
    "run-not-overwritten",
    "`run --out` of a finished run again",
    "refused, or a new folder RUN-2 that is said",
    small=True,
)
def not_overwritten(desk: Desk) -> Measured:
    source = finished_run(desk)
    shutil.copytree(source, desk.folder / "kept")
    before = _state(desk.folder / "kept")
    data = source.parent / "strokes"
    done = desk.glyphlite(
        "run", "--model", source.parent / "theirs.keras", "--dataset", data, "--epochs", 1, "--verify-images", 20, "--out", "kept"
    )
    kept = _state(desk.folder / "kept") == before
    said = (done.code == 2 and done.says("--overwrite")) or (done.code == 0 and done.says(r"kept-2"))
    return Measured(f"exit code {done.code}, {'untouched' if kept else 'changed'}: {done.last_line}", kept and said)


def _state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def trained(desk: Desk) -> Path:
    """A folder that ``train mlp`` left, one epoch on the strokes; made once, rows get copies."""

    def make() -> Path:
        folder = desk.folder.parent / "trained"
        done = desk.glyphlite("train", "mlp", "--dataset", shared_npz(desk), "--epochs", 1, "--out", folder)
        if done.code:
            raise NotMeasuredError(f"train ends with {done.code}: {done.last_line}")
        return folder

    kept = desk.once("trained", make)
    return Path(shutil.copytree(kept, desk.folder / "trained"))


@row(
    SECTION,
    "train-not-overwritten",
    "`train --out` of a finished training again",
    "refused, or a new folder that is said",
    small=True,
)
def train_not_overwritten(desk: Desk) -> Measured:
    folder = trained(desk)
    before = _state(folder)
    done = desk.glyphlite("train", "mlp", "--dataset", shared_npz(desk), "--epochs", 1, "--out", folder)
    kept = _state(folder) == before
    said = (done.code == 2 and done.says("--overwrite")) or (done.code == 0 and done.says("trained-2"))
    return Measured(f"exit code {done.code}, {'untouched' if kept else 'changed'}: {done.last_line}", kept and said)


@row(SECTION, "train-overwrite-asked", "the same with --overwrite", "exit code 0, another model.keras")
def train_overwrites(desk: Desk) -> Measured:
    folder = trained(desk)
    before = _state(folder)["model.keras"]
    done = desk.glyphlite(
        "train", "mlp", "--dataset", shared_npz(desk), "--epochs", 1, "--seed", 9, "--out", folder, "--overwrite"
    )
    changed = _state(folder)["model.keras"] != before
    return Measured(f"exit code {done.code}, {'changed' if changed else 'untouched'}", done.code == 0 and changed)


@row(SECTION, "train-same-bytes", "`train mlp` twice with the same seed", "model.keras has the same SHA-256", small=True)
def same_bytes(desk: Desk) -> Measured:
    first = _state(trained(desk))["model.keras"]
    done = desk.glyphlite("train", "mlp", "--dataset", shared_npz(desk), "--epochs", 1, "--out", "again")
    if done.code:
        raise NotMeasuredError(f"train ends with {done.code}: {done.last_line}")
    second = _state(desk.folder / "again")["model.keras"]
    return Measured("equal" if first == second else f"{first[:8]} and {second[:8]}", first == second)


@row(SECTION, "train-results", "`train` on the strokes", "leaves a results.json that `report` takes", small=True)
def train_results(desk: Desk) -> Measured:
    folder = trained(desk)
    there = (folder / "results.json").is_file()
    done = desk.glyphlite("report", folder)
    return Measured(f"results.json {'there' if there else 'missing'}; report ends with {done.code}", there and done.code == 0)


@row(
    SECTION, "resume-without-checkpoint", "train --resume into a folder without a checkpoint", "one line, exit code 2", small=True
)
def resume(desk: Desk) -> Measured:
    done = desk.glyphlite("train", "mlp", "--dataset", shared_npz(desk), "--epochs", 1, "--out", "nothing", "--resume")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2 and done.says("checkpoint"))


# --- compile -----------------------------------------------------------------------------------------------------------------


@row(SECTION, "compile-without-out", "compile digits.tflite without --out", "a folder named after the file, said", small=True)
def compile_without_out(desk: Desk) -> Measured:
    path = foreign(desk, "int8-unit").rename(desk.folder / "digits.tflite")
    done = desk.glyphlite("compile", path, "--dataset", shared_npz(desk), "--no-compare")
    headers = [str(each.relative_to(desk.folder)) for each in desk.folder.rglob("*.h")]
    right = done.code == 0 and any(re.match(r"digits[^/]*/", header) for header in headers) and done.says("digits")
    return Measured(f"exit code {done.code}: {' '.join(headers) or done.last_line}", right)


@row(
    SECTION,
    "compile-keeps-main",
    "the compiled folder's .c files linked with a sketch's own main, as Arduino does",
    "no other main among them; the sketch's program runs",
    small=True,
)
def keeps_main(desk: Desk) -> Measured:
    path = foreign(desk, "int8-unit")
    desk.glyphlite(
        "compile", path, "--name", "digits", "--dataset", shared_npz(desk), "--no-compare", "--out", "c", "--json"
    ).json()
    folder = desk.folder / "c"
    (desk.folder / "sketch.c").write_text(
        '#include "digits.h"\n#include <stdio.h>\nvoid setup(void);\nvoid setup(void) { puts("setup ran"); }\n'
    )
    # The core's main comes from an archive: a main in the sketch's folder is taken instead of it, without an error.
    (desk.folder / "core.c").write_text("void setup(void);\nint main(void) { setup(); return 0; }\n")
    commands = (
        ["gcc", "-c", "core.c"],
        ["ar", "rcs", "libcore.a", "core.o"],
        ["gcc", "-Ic", "-o", "sketch", "sketch.c", *(f"c/{each.name}" for each in folder.glob("*.c")), "-L.", "-lcore", "-lm"],
        ["./sketch"],
    )
    ran = [subprocess.run(each, cwd=desk.folder, capture_output=True, text=True, check=False) for each in commands][-1]
    return Measured(ran.stdout.strip()[:60] or ran.stderr[:100], ran.stdout.strip() == "setup ran")


@row(
    SECTION,
    "compile-header-facts",
    "the header of a run's compiled model",
    "polarity, centring, the model's SHA-256, licence, how to build",
    small=True,
)
def header_facts(desk: Desk) -> Measured:
    run = finished_run(desk)
    desk.glyphlite("compile", run, "--name", "digits", "--no-compare", "--out", "c", "--json").json()
    header = (desk.folder / "c/digits.h").read_text()
    digest = hashlib.sha256((run / "model_int8.tflite").read_bytes()).hexdigest()
    return all_right(
        [
            (
                "polarity",
                re.search(r"light on dark|white on black|dark ground|bright.* on (a )?dark", header, re.IGNORECASE) is not None,
            ),
            ("centring", re.search(r"cent(re|er)", header, re.IGNORECASE) is not None),
            ("the SHA-256", digest[:16] in header),
            ("accuracy", re.search(r"\d %|accuracy", header) is not None),
            ("licence", re.search(r"licen[cs]e", header, re.IGNORECASE) is not None),
            ("how to build", re.search(r"\b(cc|gcc|make)\b", header) is not None),
        ]
    )


def operator_versions(content: bytes) -> dict[str, int]:
    """The declared version of each operator code, and nothing of glyphlite's own reader."""
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    used = {operator.opcodeIndex for operator in model.subgraphs[0].operators}
    return {
        f"{names[code.builtinCode]}{'' if index in used else ' (unused)'}": code.version
        for index, code in enumerate(model.operatorCodes)
    }


@row(
    SECTION,
    "int4-op-versions",
    "glyph-4k's .keras (weights of 4 bits) converted to int8",
    "CONV_2D and DEPTHWISE_CONV_2D of version 7, no unused operator code",
)
def int4_versions(desk: Desk) -> Measured:
    import glyphlite

    shutil.copy(Path(glyphlite.__file__).parent / "pretrained/glyph-4k/model.keras", desk.folder / "model.keras")
    done = desk.glyphlite("convert", "model.keras", "--to", "int8", "--out", "out", "--json")
    versions = operator_versions(Path(desk.folder / done.json()["artifacts"][0]["path"]).read_bytes())
    wanted = {name: version for name, version in versions.items() if "CONV_2D" in name}
    right = bool(wanted) and all(version == 7 for version in wanted.values()) and not any("unused" in name for name in versions)
    return Measured(", ".join(f"{name} {version}" for name, version in versions.items()), right)


# --- options and early checks --------------------------------------------------------------------------------------------------


@row(SECTION, "did-you-mean", "train mikro-cnn", "one line, exit code 2: did you mean micro-cnn?", small=True)
def did_you_mean(desk: Desk) -> Measured:
    done = desk.glyphlite("train", "mikro-cnn", "--dataset", shared_npz(desk), "--out", "o")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2 and done.says(r"did you mean .*micro-cnn"))


@row(SECTION, "did-you-mean-dataset", "run --dataset fashon-mnist", "one line, exit code 2: did you mean fashion-mnist?")
def did_you_mean_dataset(desk: Desk) -> Measured:
    done = desk.glyphlite("train", "mlp", "--dataset", "fashon-mnist", "--out", "o")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2 and done.says(r"did you mean .*fashion-mnist"))


@row(
    SECTION,
    "train-options",
    "train --rate --batch-size --augmentation --class-weights --early-stopping",
    "exit code 0",
    small=True,
)
def train_options(desk: Desk) -> Measured:
    help_words = desk.glyphlite("train", "--help")
    options = ("--rate", "--batch-size", "--augmentation", "--class-weights", "--early-stopping", "--input-size")
    missing = [name for name in options if name not in help_words.text]
    done = desk.glyphlite(
        "train", "mlp", "--dataset", shared_npz(desk), "--epochs", 1, "--rate", "0.001", "--batch-size", 32, "--out", "o"
    )
    return Measured(
        f"missing {' '.join(missing) or 'none'}; exit code {done.code}: {done.last_line}", not missing and done.code == 0
    )


@row(
    SECTION, "no-pydantic-words", "train --rate -1, --batch-size 0, --epochs 0", "exit code 2, no word of pydantic's", small=True
)
def no_pydantic(desk: Desk) -> Measured:
    tries = [
        desk.glyphlite("train", "mlp", "--dataset", shared_npz(desk), "--epochs", 1, "--out", "o", *options)
        for options in (("--rate", "-1"), ("--batch-size", "0"), ("--rate", "nan"))
    ]
    foul = [
        done.last_line
        for done in tries
        if done.code != 2 or done.says(r"pydantic|input should be|validation error|no such option")
    ]
    return Measured("; ".join(foul) or "three plain lines", not foul)


def _large_colour(desk: Desk) -> Any:
    """A user's model of 32x32x3, and the picture folders d/ for it."""
    import keras

    from .data import put

    data: Strokes = shared_strokes(desk)
    put(desk.folder / "d/train", data, 0, 120)
    put(desk.folder / "d/test", data, 120, 40)
    third: Any = keras.initializers.Constant(1 / 3)
    pixels = keras.Input((32, 32, 3))
    grey = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer=third)(pixels)
    return keras.Model(pixels, matched_filter(UNIT)(keras.layers.Resizing(28, 28)(grey)))


@row(SECTION, "own-input-size", "`run` on a user's 32x32x3 model and picture folders", "every variant above 90 %")
def own_size(desk: Desk) -> Measured:
    _large_colour(desk).save(desk.folder / "large.keras")
    done = desk.glyphlite(
        "run", "--model", "large.keras", "--dataset", "d", "--epochs", 1, "--verify-images", 10, "--out", "run", "--json"
    )
    found = {each["variant"]: each["accuracy"]["value"] for each in done.json()["artifacts"]}
    return Measured(f"{found}", len(found) == 5 and min(found.values()) > 0.9)


@row(SECTION, "own-input-size-convert", "`convert` of that model", "converted; above 90 % in float32 and int8")
def own_size_convert(desk: Desk) -> Measured:
    measured = convert_and_evaluate(desk, _large_colour(desk), dataset=desk.folder / "d")
    shares = [int(each) for each in re.findall(r"(\d+)%", measured.words)]
    return Measured(measured.words, len(shares) == 3 and min(shares) > 90)


@row(SECTION, "wrong-shape-early", "run a 16x16x1 model on MNIST-sized arrays", "one line with both shapes, or resized and said")
def wrong_shape(desk: Desk) -> Measured:
    import keras

    model = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
    model.save(desk.folder / "small.keras")
    done = desk.glyphlite("run", "--model", "small.keras", "--dataset", shared_npz(desk), "--epochs", 1, "--out", "o")
    said = (
        done.says("28x28 are resized to 16x16") if done.code == 0 else done.refused and done.says("16x16") and done.says("28x28")
    )
    return Measured(f"exit code {done.code}, {'said' if said else 'not said'}", said)


@row(SECTION, "models-long", "models, at 100 columns", "at most two lines per model; --long shows the recipes", small=True)
def models_long(desk: Desk) -> Measured:
    short, long = desk.glyphlite("models"), desk.glyphlite("models", "--long")
    names = len(desk.glyphlite("models", "--json").json())
    lines = len([line for line in short.out.splitlines() if line.strip()])
    return Measured(
        f"{lines} lines for {names} models; --long ends with {long.code}",
        short.code == 0 and lines <= 2 * names + 8 and long.code == 0 and len(long.out) > len(short.out),
    )


@row(
    SECTION,
    "evaluate-conclusion",
    "evaluate two files in words",
    "no matrices without --per-class; a conclusion; with it, matrices",
    small=True,
)
def evaluate_conclusion(desk: Desk) -> Measured:
    path = foreign(desk, "int8-unit")
    arguments = ("evaluate", path, "--dataset", shared_npz(desk), "--no-latency")
    short, long = desk.glyphlite(*arguments), desk.glyphlite(*arguments, "--per-class")
    return Measured(
        f"{len(short.out.splitlines())} lines, with --per-class {len(long.out.splitlines())}",
        short.code == long.code == 0 and len(long.out.splitlines()) > len(short.out.splitlines()) and not short.says("recall"),
    )


# --- the report ----------------------------------------------------------------------------------------------------------------


@row(SECTION, "report-per-target", "the report of a run", "recommends for phone, microcontroller and browser by name", small=True)
def per_target(desk: Desk) -> Measured:
    page = (finished_run(desk) / "report.html").read_text()
    found = [word for word in ("phone", "microcontroller", "browser") if word in page.lower()]
    return Measured(", ".join(found) or "none", len(found) == 3)


@row(
    SECTION,
    "report-does-not-ship-chance",
    "`run` of one epoch on a model that cannot learn (its filters are zeros)",
    "the report does not say ship it; it says why not",
)
def not_shipped(desk: Desk) -> Measured:
    import keras

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Rescaling(0.0),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.save(desk.folder / "dead.keras")
    done = desk.glyphlite(
        "run", "--model", "dead.keras", "--dataset", shared_npz(desk), "--epochs", 1, "--verify-images", 10, "--out", "run",
        process=True,
    )  # fmt: skip
    page = (desk.folder / "run/report.html").read_text() if done.code == 0 else ""
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    said = re.search(r"(do not|don't|not) (yet )?ship|not ready|chance|0 % recall|never recognized", text, re.IGNORECASE)
    return Measured(
        f"exit code {done.code}; {said.group(0) if said else done.last_line}",
        done.code in (0, 2) and (done.code == 2 or said is not None),
    )


@row(SECTION, "help-of-every-command", "--help of every command", "exit code 0 each")
def help_of_all(desk: Desk) -> Measured:
    commands = (
        "run",
        "train",
        "convert",
        "evaluate",
        "predict",
        "inspect",
        "verify",
        "export",
        "compile",
        "simulate",
        "draw",
        "report",
    )
    codes = {name: desk.glyphlite(name, "--help").code for name in commands}
    wrong = [name for name, code in codes.items() if code]
    return Measured(", ".join(wrong) or f"{len(commands)} commands", not wrong)
