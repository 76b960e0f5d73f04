"""Section 5, honest words: names that C already has, what a file is called, and what each tool says of it."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .harness import Desk, Measured, all_right, row
from .inputs import foreign, shared_npz
from .strokes import to_tflite

SECTION = "words"

_NAMES = {
    "c-header": (
        "math",
        "time",
        "string",
        "complex",
        "signal",
        "assert",
        "limits",
        "float",
        "setjmp",
        "threads",
        "inttypes",
        "errno",
    ),
    "cpp-header": ("vector", "thread", "atomic", "memory", "queue", "array", "random", "span", "cmath", "utility", "chrono"),
    "keyword": (
        "int",
        "new",
        "class",
        "template",
        "typename",
        "register",
        "restrict",
        "constexpr",
        "inline",
        "namespace",
        "void",
    ),
    "posix": ("unistd", "pthread", "fcntl", "dirent", "syslog", "termios", "regex", "semaphore", "poll", "grp", "netdb", "sched"),
    "function": ("main", "malloc", "printf", "read", "write", "exit", "abs"),
    "arduino": ("setup", "loop", "Arduino"),
}


def _enter_names(kind: str, names: tuple[str, ...]) -> None:
    @row(
        SECTION,
        f"name-{kind}",
        f"--name {', '.join(names[:4])}, ...",
        "each refused, exit code 2, with a substitute",
        small=kind == "posix",
    )
    def measure(desk: Desk) -> Measured:
        taken, bare = [], []
        for name in names:
            done = desk.glyphlite("compile", "glyph-4kflash", "--name", name, "--no-compare", "--out", name)
            if done.code != 2 or (desk.folder / name).exists():
                taken.append(name)
            elif not done.says(rf"{name}_\w+|\w+_{name}|--name \w+"):
                bare.append(name)
        words = f"{len(names)} names: taken {' '.join(taken) or 'none'}; without a substitute {' '.join(bare) or 'none'}"
        return Measured(words, not taken and not bare)


for _kind, _names in _NAMES.items():
    _enter_names(_kind, _names)


@row(SECTION, "name-of-export", "--name time for export tflm and c-array", "refused, exit code 2", small=True)
def name_of_export(desk: Desk) -> Measured:
    codes = [
        desk.glyphlite("export", "glyph-4kflash", "--for", to, "--name", "time", "--out", to).code for to in ("tflm", "c-array")
    ]
    return Measured(f"exit codes {codes}", codes == [2, 2])


@row(
    SECTION,
    "name-from-file",
    "a file math.tflite compiled without --name",
    "compiled under another name, which is said",
    small=True,
)
def name_from_file(desk: Desk) -> Measured:
    path = foreign(desk, "int8-unit").rename(desk.folder / "math.tflite")
    done = desk.glyphlite("compile", path, "--dataset", shared_npz(desk), "--no-compare", "--out", "c")
    headers = [each.name for each in (desk.folder / "c").glob("*.h")]
    return Measured(f"exit code {done.code}: {' '.join(headers)}", "math.h" not in headers and (done.code == 2 or bool(headers)))


@row(SECTION, "name-good", "--name digits, my_model2, strokes", "all three compiled")
def name_good(desk: Desk) -> Measured:
    codes = [
        desk.glyphlite("compile", "glyph-4kflash", "--name", name, "--no-compare", "--out", name).code
        for name in ("digits", "my_model2", "strokes")
    ]
    return Measured(f"exit codes {codes}", codes == [0, 0, 0])


@row(SECTION, "uint8-called-uint8", "a uint8 file through evaluate and inspect", "called uint8 by both, int8 by none", small=True)
def uint8_called(desk: Desk) -> Measured:
    path = foreign(desk, "uint8-unit")
    done = desk.glyphlite("evaluate", path, "--dataset", shared_npz(desk), "--no-latency", "--json")
    variant = done.json()["artifacts"][0]["variant"]
    seen = desk.glyphlite("inspect", path, "--no-runtimes")
    return Measured(
        f"evaluate: {variant}; inspect {'says uint8' if seen.says('uint8') else 'does not'}",
        variant == "uint8" and seen.says("uint8"),
    )


@row(
    SECTION,
    "int16-state",
    "an int8 file with a variable tensor of int16, as an LSTM's state",
    "called int8, not int16x8",
    small=True,
)
def int16_state(desk: Desk) -> Measured:
    from ai_edge_litert import schema_py_generated as schema

    def add_state(model: Any) -> None:
        state: Any = schema.TensorT()
        state.name, state.shape, state.type, state.isVariable = "state", [1, 4], schema.TensorType.INT16, True
        state.buffer = 0
        state.quantization = schema.QuantizationParametersT()
        state.quantization.scale, state.quantization.zeroPoint = [2.0**-15], [0]
        model.subgraphs[0].tensors.append(state)

    path = desk.folder / "rows.tflite"
    path.write_bytes(changed(foreign(desk, "int8-unit").read_bytes(), add_state))
    done = desk.glyphlite("evaluate", path, "--dataset", shared_npz(desk), "--no-latency", "--json")
    variant = done.json()["artifacts"][0]["variant"]
    return Measured(variant, variant == "int8")


@row(
    SECTION,
    "no-image-classifier",
    "an int8 regression from 8 numbers to 2 through inspect",
    "TFLite Micro: yes; as an image classifier: no",
    small=True,
)
def no_classifier(desk: Desk) -> Measured:
    import keras

    model = keras.Sequential([keras.Input((8,), batch_size=1), keras.layers.Dense(2)])
    path = desk.folder / "regression.tflite"
    path.write_bytes(to_tflite(model, kind="int8", seen=np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)))
    done = desk.glyphlite("inspect", path)
    document = desk.glyphlite("inspect", path, "--json").json()
    runtimes = [each for each in _runtimes(document) if isinstance(each, dict)]
    return all_right(
        [
            ("a runtime runs it", any(each.get("runs") for each in runtimes)),
            ("none takes it as an image classifier", not any(each.get("accepts") for each in runtimes)),
            (
                "no image classifier",
                done.says(r"classifier\S*:? *no|no\w* (an )?image classifier|not an image|not the\s+classes\s+of\s+an\s+image"),
            ),
        ]
    )


def _runtimes(document: dict[str, object]) -> list[object]:
    found = document.get("runtimes") or {}
    return list(found.values()) if isinstance(found, dict) else list(found) if isinstance(found, list) else []


@row(
    SECTION,
    "versus-float32",
    "an int8 file and the float32 file of another model, in two folders",
    "the int8 file is not held against the stranger",
)
def versus_float32(desk: Desk) -> Measured:
    for name in ("ours", "theirs"):
        (desk.folder / name).mkdir()
    first = foreign(desk, "int8-unit").rename(desk.folder / "ours/model_int8.tflite")
    other = foreign(desk, "float-raw").rename(desk.folder / "theirs/model_float32.tflite")
    done = desk.glyphlite("evaluate", first, other, "--dataset", shared_npz(desk), "--no-latency")
    held = re.search(r"model_int8\.tflite +int8 +[\d,]+ +[\d,]+ +[\d.]+", done.out) is not None
    return Measured(f"exit code {done.code}, {'held' if held else 'not held'} against float32", done.code == 0 and not held)


@row(
    SECTION,
    "damaged-file-everywhere",
    "the same cut-off .tflite through inspect, evaluate, verify, compile, export, predict",
    "six times exit code 2",
)
def damaged(desk: Desk) -> Measured:
    path = desk.folder / "cut.tflite"
    path.write_bytes(foreign(desk, "int8-unit").read_bytes()[:-3000])
    npz = shared_npz(desk)
    codes = [
        desk.glyphlite(*words).code
        for words in (
            ("inspect", path),
            ("evaluate", path, "--dataset", npz),
            ("verify", path, "--dataset", npz),
            ("compile", path, "--out", "c", "--dataset", npz),
            ("export", path, "--for", "tflm", "--out", "t", "--dataset", npz),
            ("predict", path, "--sample", 0, "--dataset", npz),
        )
    ]
    return Measured(f"exit codes {codes}", codes == [2] * 6)


@row(
    SECTION,
    "same-runtimes",
    "a float64-free file with an op that no runtime here has (a custom op), through inspect and evaluate",
    "both go on: inspect ends with 0, evaluate with 2 and one line",
)
def same_runtimes(desk: Desk) -> Measured:
    path = desk.folder / "custom.tflite"
    path.write_bytes(changed(foreign(desk, "int8-unit").read_bytes(), _make_softmax_custom))
    seen = desk.glyphlite("inspect", path)
    measured = desk.glyphlite("evaluate", path, "--dataset", shared_npz(desk), "--no-latency")
    return Measured(f"inspect {seen.code}, evaluate {measured.code}: {measured.last_line}", seen.code == 0 and measured.code == 2)


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    """A .tflite file after ``change`` was made to its model in the schema's object form."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    change(model)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _make_softmax_custom(model: Any) -> None:
    """Call the softmax a custom op that nobody has."""
    from ai_edge_litert import schema_py_generated as schema

    code = next(each for each in model.operatorCodes if each.builtinCode == schema.BuiltinOperator.SOFTMAX)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"Theirs"


@row(SECTION, "function-measured", "simulate on a Cortex-M4", "says invoke or classify, in words and in JSON", small=True)
def function_measured(desk: Desk) -> Measured:
    arguments = ("simulate", foreign(desk, "int8-unit"), "--dataset", shared_npz(desk), "--images", 1)
    text, document = desk.glyphlite(*arguments), desk.glyphlite(*arguments, "--json")
    pattern = r"_?(invoke|classify)"
    in_json = "invoke" in json.dumps(document.json()) or "classify" in json.dumps(document.json())
    return all_right([("said in words", text.says(pattern)), ("said in JSON", in_json)])
