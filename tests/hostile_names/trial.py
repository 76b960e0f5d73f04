"""A place in which everything has one hostile name, the commands run in it, and what has to hold after each.

Every command runs in a forked child of a process that has imported what it needs, with files in place of the standard streams.
"""

import ast
import csv
import html.parser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from hostile_names.strings import in_file_name
from support.forked import fork, wait_for

PATIENCE_S = 300
BENIGN = b"seven"
"""The name that all others are held against."""

_RUNNING = frozenset((0, 2))


@dataclass(frozen=True)
class Command:
    """A command line in a place.

    Attributes:
        name: of the command, in the campaign's counts.
        words: the command line, given the place.
        out: what it may write, relative to the place; ``run`` is the folder of the finished run.
        costly: whether it takes several seconds.
        quick: whether the tests run it.
        codes: exit codes that it may have.
    """

    name: str
    words: Callable[["Place"], list[str]]
    out: tuple[str, ...] = ()
    costly: bool = False
    quick: bool = False
    codes: frozenset[int] = _RUNNING


class Place:
    """A folder of files that are all called alike: an artifact, a model, a picture, datasets, a finished run.

    Args:
        folder: an empty folder.
        name: what everything is called.
        samples: the folder of a trained micro-cnn.
    """

    def __init__(self, folder: Path, name: bytes, samples: Path) -> None:
        self.text = os.fsdecode(name)
        self.file = os.fsdecode(in_file_name(name))
        self.home = folder / "home"
        self.folder = folder / f"in{self.file}"
        for each in (self.home, self.folder, self.folder / "out"):
            each.mkdir(parents=True)
        self.labels = [f"{self.text}{each}" for each in range(10)]
        self.artifact = self.folder / f"{self.file}.tflite"
        self.artifact.write_bytes(_artifact((samples / "model_int8.tflite").read_bytes(), self.text, self.labels))
        self.keras = self.folder / f"{self.file}.keras"
        self.keras.write_bytes(_keras((samples / "model.keras").read_bytes(), self.text))
        self.picture = self.folder / f"{self.file}.png"
        self._data()
        self.run = self.folder / f"run{self.file}"[:200]
        self.run.mkdir()
        document = json.loads((samples / "results.json").read_text())
        document |= {"labels": self.labels, "model": self.text, "dataset": self.text}
        (self.run / "results.json").write_text(json.dumps(document))
        (self.run / "labels.txt").write_bytes(b"\n".join(os.fsencode(in_file_name(os.fsencode(each))) for each in self.labels))

    def __truediv__(self, name: str) -> str:
        return str(self.folder / name)

    def _data(self) -> None:
        from PIL import Image

        rng = np.random.default_rng(0)
        images = np.zeros((60, 28, 28), np.uint8)
        images[:, 6:22, 12:16] = rng.integers(150, 255, (60, 16, 4))
        labels = np.arange(60) % 10
        Image.fromarray(images[0]).save(self.folder / "picture.png")
        (self.folder / "picture.png").rename(self.picture)
        arrays: dict[str, Any] = {"x_train": images, "y_train": labels, "x_test": images[:20], "y_test": labels[:20]}
        arrays |= {"class_names": np.array([os.fsencode(each) for each in self.labels])}
        arrays |= {self.file[:60]: np.zeros(1)} if self.file[:60].isprintable() else {}
        with (self.folder / f"{self.file}.npz").open("wb") as stream:
            np.savez(stream, **arrays)
        np.save(self.folder / "inputs.npy", images[:1, :, :, None].astype(np.float32) / 255)
        (self.folder / "inputs.npy").rename(self.folder / f"{self.file}.npy")
        with (self.folder / f"{self.file}.csv").open("w", errors="surrogateescape", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["label", *(f"pixel{each}" for each in range(784))])
            rows.writerows(
                [self.labels[label].replace("\0", ""), *image.ravel()] for image, label in zip(images, labels, strict=True)
            )
        for label, image in zip(labels[:40], images, strict=False):
            place = self.folder / f"data{self.file}"[:200] / f"{self.file}{label}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / "x.png")
            (place / "x.png").rename(place / f"{self.file}{len(list(place.iterdir()))}.png")


COMMANDS: tuple[Command, ...] = (
    Command(
        "inspect",
        lambda at: ["inspect", str(at.artifact), "--no-runtimes", "--graph", at / "out/graph.svg"],
        ("out",),
        quick=True,
    ),
    Command("inspect --json", lambda at: ["inspect", str(at.artifact), "--no-runtimes", "--json"]),
    Command("inspect, missing", lambda at: ["inspect", at / f"no{at.file}"]),
    Command("inspect, no artifact", lambda at: ["inspect", "--no-runtimes", str(at.picture)]),
    Command(
        "predict",
        lambda at: ["predict", str(at.picture), "--model", str(at.artifact), "--show", at / f"out/{at.file}.png"],
        ("out",),
        quick=True,
    ),
    Command("predict --json", lambda at: ["predict", "--json", "--model", str(at.artifact), "--", str(at.picture), at / at.file]),
    Command("predict, unknown model", lambda at: ["predict", str(at.picture), f"--model={at.file}"]),
    Command("report", lambda at: ["report", str(at.run), "--out", at / "out/report.html"], ("out", "run")),
    Command(
        "report, several",
        lambda at: ["report", str(at.run), str(at.run), "--out", at / "out/several.html"],
        ("out", "run"),
        quick=True,
    ),
    Command("report, no run", lambda at: ["report", str(at.picture.parent), at / f"no{at.file}"]),
    Command("datasets", lambda at: ["datasets", f"--data-dir={at.file}"]),
    Command(
        "export c-array",
        lambda at: ["export", str(at.artifact), "--for", "c-array", "--out", at / f"out/{at.file}"],
        ("out",),
        quick=True,
    ),
    Command(
        "export --name",
        lambda at: ["export", str(at.artifact), "--for", "c-array", f"--name={at.file}", "--out", at / "out/c"],
        ("out",),
    ),
    Command(
        "export cmake",
        lambda at: [
            *("export", str(at.artifact), "--for", "cmake", "--inputs", at / f"{at.file}.npy", "--out", at / "out/library"),
        ],
        ("out",),
        quick=True,
    ),
    Command(
        "export python",
        lambda at: ["export", str(at.artifact), "--for", "python", "--dataset", at / f"{at.file}.npz", "--out", at / "out/py"],
        ("out",),
        quick=True,
    ),
    Command(
        "export rust",
        lambda at: ["export", str(at.artifact), "--for", "rust", "--dataset", at / f"{at.file}.npz", "--out", at / "out/rust"],
        ("out",),
        quick=True,
    ),
    Command(
        "export android",
        lambda at: ["export", str(at.artifact), "--for", "android", "--dataset", at / f"{at.file}.npz", "--out", at / "out/app"],
        ("out",),
        quick=True,
    ),
    Command(
        "data check",
        lambda at: ["data", "check", "--no-suspects", at / f"data{at.file}"[:200], "--out", at / "out/check.html"],
        ("out",),
        quick=True,
    ),
    Command("search, no storage", lambda at: ["search", f"--join={at.folder / f'no{at.file}'}"]),
    Command("models, no definition", lambda at: ["train", f"--out={at.folder / 'out'}", "--", f"{at.file}.toml"]),
    Command("optimize", lambda at: ["optimize", str(at.artifact), "--out", at / f"out/{at.file}.tflite"], ("out",)),
    Command("fits", lambda at: ["fits", str(at.artifact), "--board", "pico"], codes=frozenset((0, 1, 2))),
    Command("fits, unknown board", lambda at: ["fits", str(at.artifact), f"--board={at.file}"]),
    Command("predict --all", lambda at: ["predict", "--all", "--model", str(at.artifact), "--", str(at.picture)]),
    Command("evaluate, no data", lambda at: ["evaluate", str(at.artifact), f"--dataset={at.file}", "--no-latency"], quick=True),
    Command("train, unknown model", lambda at: ["train", f"--out={at.folder / 'out'}", "--", at.file]),
    Command("run, unknown model", lambda at: ["run", f"--model={at.file}"]),
    Command("convert, missing", lambda at: ["convert", at / f"no{at.file}.keras"]),
    Command("verify, unknown runtime", lambda at: ["verify", str(at.artifact), f"--runtimes={at.file}"]),
    Command("unknown option", lambda at: ["models", f"--{at.file}"]),
    Command("unknown command", lambda at: [f"x{at.file}"], quick=True),
    Command("draw, unknown host", lambda at: ["draw", str(at.artifact), f"--input-range={at.file}"]),
    Command(
        "evaluate",
        lambda at: ["evaluate", str(at.artifact), "--dataset", at / f"{at.file}.npz", "--no-latency", "--per-class"],
        ("results.json", ".glyphlite.json"),
    ),
    Command(
        "evaluate --json",
        lambda at: ["evaluate", str(at.artifact), "--dataset", at / f"{at.file}.csv", "--no-latency", "--json"],
        ("results.json", ".glyphlite.json"),
        costly=True,
    ),
    Command(
        "verify",
        lambda at: ["verify", str(at.artifact), "--dataset", at / f"data{at.file}"[:200], "--images", "2"],
        ("results.json", ".glyphlite.json"),
        costly=True,
        codes=frozenset((0, 1, 2)),
    ),
    Command(
        "export tflm", lambda at: ["export", str(at.artifact), "--for", "tflm", "--out", at / "out/tflm"], ("out",), costly=True
    ),
    Command(
        "export web",
        lambda at: ["export", str(at.artifact), "--for", "web", "--no-litertjs", "--out", at / "out/web"],
        ("out",),
        costly=True,
    ),
    Command(
        "compile",
        lambda at: [
            *("compile", str(at.artifact), "--name", "net", "--no-compare", "--no-check"),
            *("--dataset", at / f"{at.file}.npz", "--out", at / "out/c"),
        ],
        ("out",),
    ),
    Command(
        "simulate",
        lambda at: ["simulate", str(at.artifact), "--images", "1", "--dataset", at / f"{at.file}.npz"],
        costly=True,
    ),
    Command(
        "train",
        lambda at: [
            *("train", str(at.keras), "--epochs", "1", "--dataset", at / f"data{at.file}"[:200]),
            *("--out", at / f"out/train{at.file}"[:200]),
        ],
        ("out",),
        costly=True,
    ),
    Command(
        "convert",
        lambda at: [
            *("convert", str(at.keras), "--to", "float32,int8", "--calibration-samples", "10"),
            *("--dataset", at / f"{at.file}.npz", "--out", at / "out/converted"),
        ],
        ("out",),
        costly=True,
    ),
)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and the bytes that it wrote to standard output and standard error."""

    code: int
    out: bytes
    err: bytes


def faults_of(command: Command, place: Place, like: dict[str, Any]) -> tuple[int, list[str]]:
    """Runs a command in a place; returns its exit code and what is wrong.

    Args:
        command: what to run.
        place: where.
        like: the shapes of what the command wrote where everything has a benign name, by file; filled for that name itself.
    """
    before = set(_files(place.folder))
    ended = run(command, place)
    faults = list(_said(command, ended))
    allowed = [place.run if each == "run" else place.folder / each for each in command.out]
    written = sorted(set(_files(place.folder)) - before)
    faults += [f"wrote {path!r}" for path in written if not any(path == each or each in path.parents for each in allowed)]
    faults += [f"wrote {path!r} into the working folder" for path in _files(place.home) if ".cache" not in path.parts]
    shapes = {}
    for path in written:
        try:
            shapes[path.name] = shape_of(path)
        except Exception as error:
            faults.append(f"{path.name!r} cannot be read: {type(error).__name__}: {error}")
    if place.text == os.fsdecode(BENIGN):
        like.update(shapes)
    faults += [f"{name!r} has another shape" for name, shape in shapes.items() if name in like and like[name] != shape]
    for target in (place.folder / "out", *allowed):
        if target == place.run:
            continue
        shutil.rmtree(target, ignore_errors=True) if target.is_dir() else target.unlink(missing_ok=True)
    (place.folder / "out").mkdir(exist_ok=True)
    return ended.code, faults


def run(command: Command, place: Place) -> Ended:
    """Runs a command line in a forked child whose working folder, home and caches are the place's."""
    streams = [place.home.parent / name for name in ("stdout", "stderr")]
    ends = wait_for(fork(lambda: _become(command.words(place), place, streams)))
    return Ended(ends, *(stream.read_bytes() for stream in streams))


def _become(words: list[str], place: Place, streams: list[Path]) -> int:
    """Is the command, in a forked child; returns its exit code."""
    signal.alarm(PATIENCE_S)
    for number, stream in enumerate(streams, 1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", errors="strict", closefd=False) for number in (1, 2))
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
    os.environ |= {"XDG_CACHE_HOME": str(place.home / ".cache"), "TMPDIR": str(place.home.parent), "COLUMNS": "120"}
    os.chdir(place.home)
    sys.argv = ["glyphlite", *words]
    from glyphlite.__main__ import main

    try:
        main()
        code = 99  # it always exits
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    return code


def _said(command: Command, ended: Ended) -> Iterator[str]:
    if ended.code not in command.codes:
        yield f"exit code {ended.code}: {ended.err[-300:]!r}"
    for stream, content in (("stdout", ended.out), ("stderr", ended.err)):
        try:
            text = content.decode()
        except UnicodeDecodeError:
            yield f"{stream} is no UTF-8"
            continue
        if hidden := {each for each in text if each != "\n" and _is_hidden(each)}:
            yield f"{stream} holds {sorted(hidden)!r}"
        if "Traceback" in text:
            yield f"{stream} holds a traceback"
    lines = ended.err.decode(errors="replace").split("\n")
    errors = [line for line in lines if line.startswith("glyphlite: ")]
    if len(errors) != (ended.code != 0) or (errors and lines[-2:] != [errors[0], ""]):
        yield f"{len(errors)} lines of errors at exit code {ended.code}: {ended.err[-300:]!r}"
    if ended.code == 0 and "--json" in command.name:
        try:
            json.loads(ended.out)
        except ValueError as error:
            yield f"no JSON: {error}"


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        category in ("Cc", "Cs", "Zl", "Zp", "Cn", "Co") or character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


def shape_of(path: Path) -> object:
    """Returns what a name may not change of a file: the tags of a page, the elements of a picture, the code of C."""
    content = path.read_bytes()
    if path.suffix == ".html":
        return _tags(content.decode())
    if path.suffix == ".svg":
        root = ET.fromstring(content)
        return sorted({(each.tag, *sorted(each.attrib)) for each in root.iter()})
    if path.suffix == ".json":
        return isinstance(json.loads(content), dict)
    if path.suffix in (".c", ".cc", ".h"):
        return _code(path)
    if path.suffix == ".py":
        return _python(content.decode())
    if path.suffix in (".rs", ".kt", ".kts"):
        return _rust(content.decode())
    if path.suffix == ".xml":
        return sorted({(each.tag, *sorted(each.attrib)) for each in ET.fromstring(content).iter()})
    if path.suffix == ".md":
        return _markdown(content.decode())
    if path.suffix == ".toml":
        import tomllib

        return sorted(tomllib.loads(content.decode()))
    if path.suffix == ".png":
        from PIL import Image

        return Image.open(path).format
    if path.name == "labels.txt":
        return len(content.decode().splitlines())
    return None


def _tags(page: str) -> object:
    """Returns the kinds of elements of a page with their attributes' names; fails where text is hidden."""
    found: set[tuple[str, ...]] = set()

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.add((tag, *sorted(name for name, _ in attrs)))

    Parser().feed(page)
    if hidden := {each for each in page if each not in "\n\t" and _is_hidden(each)}:
        raise ValueError(f"holds {sorted(hidden)!r}")
    return sorted(found)


def _code(path: Path) -> str:
    """Returns the signs of C without comments, texts, names and numbers, which depend on the file."""
    standard = ["-x", "c++", "-std=c++17"] if path.suffix == ".cc" else ["-x", "c", "-std=c99", "-trigraphs"]
    done = subprocess.run(
        ["gcc", *standard, "-fpreprocessed", "-dD", "-E", "-P", path], capture_output=True, check=True, timeout=60
    )
    if b"comment" in done.stderr or b"missing terminating" in done.stderr:
        raise ValueError(done.stderr.decode(errors="replace")[:200])
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', done.stdout.decode().replace("\\\n", ""))
    return re.sub(r"\w+", "w", re.sub(r"\b0x[0-9a-f]+, ?|\s+", "", text))


def _python(text: str) -> str:
    """Returns the syntax tree of Python without what its strings hold; fails where it is none."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def _rust(text: str) -> str:
    """Returns Rust or Kotlin without comments, texts and numbers."""
    code = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|//[^\n]*', lambda found: '""' if found[0].startswith('"') else "", text)
    return re.sub(r"\d+", "0", re.sub(r"-?\d+, ?|\s+", "", code))


def _markdown(text: str) -> object:
    """Returns the headings, tables' widths and fences of Markdown; fails where text is hidden."""
    if hidden := {each for each in text if each != "\n" and _is_hidden(each)}:
        raise ValueError(f"holds {sorted(hidden)!r}")
    bare = re.sub(r"\\.", "", text)
    return [(line.count("|"), line.startswith("#"), "```" in line, len(re.findall(r"<\w", line))) for line in bare.split("\n")]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def _artifact(content: bytes, name: str, labels: list[str]) -> bytes:
    """Returns a .tflite file whose description, tensors, signatures, metadata and labels are called so."""
    import io

    from glyphlite.tflite.metadata import add_metadata, read_metadata
    from glyphlite.tflite.writer import pack_model, unpack_model

    raw = os.fsencode(name)
    model = unpack_model(content)
    model.description = raw
    for graph in model.subgraphs:
        graph.name = raw
        for number, tensor in enumerate(graph.tensors):
            tensor.name = raw + str(number).encode()
    for signature in model.signatureDefs or []:
        signature.signatureKey = raw
        for port in (*signature.inputs, *signature.outputs):
            port.name = raw
    named = replace(read_metadata(content), name=raw.decode(errors="replace"), labels=())
    stream = io.BytesIO(add_metadata(pack_model(model), named))
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("labels.txt", b"".join(os.fsencode(each).replace(b"\n", b" ") + b"\n" for each in labels))
    return stream.getvalue()


def _keras(content: bytes, name: str) -> bytes:
    """Returns a .keras file whose model and layers are called so."""
    import io

    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(stream, "w") as after:
        for entry in before.infolist():
            data = before.read(entry)
            if entry.filename == "config.json":
                document = json.loads(data)
                document["config"]["name"] = name
                data = json.dumps(document).encode()
            after.writestr(entry.filename, data)
    return stream.getvalue()
