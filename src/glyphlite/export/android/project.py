"""The project's folder: Gradle's files, the app in Kotlin, the model and its labels, and the generated C with its JNI glue."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.compile import check_name
from glyphlite.compiler.report import CompilationReport
from glyphlite.errors import ArtifactError
from glyphlite.escaping import xml_text
from glyphlite.export.android.versions import VERSIONS
from glyphlite.export.checked_edges import checked_c
from glyphlite.export.dispatch import dispatch_files
from glyphlite.export.picture_record import picture_record
from glyphlite.export.templating import render
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import quantize
from glyphlite.tflite.reader import parse_graph, read_artifact

PACKAGE = "com.example.glyphreader"
"""Of the Kotlin files; JNI's names hold it, too."""

MAIN = "app/src/main"
KOTLIN = tuple(
    f"{stem}.kt"
    for stem in (
        *("Image2D", "Components", "Glyphs", "Normalize", "Prepare", "Confidence", "Model"),
        *("Engine", "NativeEngine", "LiteRtEngine", "DrawingView", "MainActivity"),
    )
)
FILES = {
    "settings.gradle.kts": "settings.gradle.kts",
    "build.gradle.kts": "build.gradle.kts",
    "libs.versions.toml": "gradle/libs.versions.toml",
    "gradle-wrapper.properties": "gradle/wrapper/gradle-wrapper.properties",
    "gradle.properties": "gradle.properties",
    "gitignore": ".gitignore",
    "README.md": "README.md",
    "app.gradle.kts": "app/build.gradle.kts",
    "AndroidManifest.xml": f"{MAIN}/AndroidManifest.xml",
    "cpp/CMakeLists.txt": f"{MAIN}/cpp/CMakeLists.txt",
    "cpp/jni.c": f"{MAIN}/cpp/{{name}}_jni.c",
    "res/main.xml": f"{MAIN}/res/layout/main.xml",
    "res/strings.xml": f"{MAIN}/res/values/strings.xml",
    "res/themes.xml": f"{MAIN}/res/values/themes.xml",
    "res/themes-night.xml": f"{MAIN}/res/values-night/themes.xml",
    "res/icon.xml": f"{MAIN}/res/drawable/icon.xml",
    **{f"kotlin/{file}": f"{MAIN}/kotlin/{PACKAGE.replace('.', '/')}/{file}" for file in KOTLIN},
}
"""Where each template goes."""

_KEYWORDS = frozenset(
    """
    abstract assert boolean break byte case catch char class const continue default do double else enum extends final finally
    float for goto if implements import instanceof int interface long native new package private protected public return short
    static strictfp super switch synchronized this throw throws transient try void volatile while true false null
    """.split()  # noqa: SIM905 - a list of words is read more easily than one of strings
)
"""Java's words, which no part of an application's identifier may be."""


@dataclass(frozen=True)
class AndroidReport:
    """The record of what was written."""

    folder: Path
    files: tuple[str, ...]
    application: str
    labels: tuple[str, ...]
    model_bytes: int
    sha256: str
    compilation: CompilationReport


def export_android(
    artifact: Path,
    folder: Path,
    *,
    name: str,
    sample: Sequence[np.ndarray],
    sample_words: str,
    labels: Sequence[str],
    convention: InputConvention,
    overwrite: bool = False,
) -> AndroidReport:
    """Writes the project; the folder appears whole or not at all.

    Args:
        artifact: an int8 .tflite file of a classifier of grey or RGB images.
        folder: created, or replaced where it holds an earlier export and nothing else.
        name: of the C symbols and of the project.
        sample: what the file's input holds, ``(1, ...)``, for the check; TFLite Micro says what must come out.
        sample_words: where the sample comes from.
        labels: the classes' names.
        convention: how the model takes a pixel.
        overwrite: also replace files of an earlier export that were changed, and keep the user's own.

    Raises:
        ArtifactError: the file is malformed, no classifier of images, not int8, or holds what generated C cannot express.
        OutputError: the name is no C identifier, or the folder holds other files or cannot be written.
        ToolError: TFLite Micro's Python wheel is not installed.
    """
    check_name(name)
    require_own(folder, overwrite=overwrite)
    content = read_artifact(artifact)
    graph = parse_graph(content, artifact.name)
    record = picture_record(artifact, content, graph, labels, convention)
    _require_bytes(graph, artifact.name)
    c = checked_c(artifact, name=name, sample=sample, optimize="speed", labels=labels, convention=convention)
    if c.report.state_bytes or not c.report.takes_pictures:
        raise ArtifactError(f"{artifact.name} keeps a state or takes no pictures; --for cmake exports it as a C library")
    values = {
        **_values(name, record, graph, convention),
        "title": record["name"],
        "main": MAIN,
        "kotlin": f"{MAIN}/kotlin/{PACKAGE.replace('.', '/')}",
        "report": c.report,
        "pixels": c.report.input_bytes,
        "outputs_count": c.report.output_bytes,
        "sample_words": sample_words,
        "model_bytes": len(content),
        "inputs": c.inputs,
        "outputs": c.outputs,
        "has_state": False,
    }
    dispatched = dispatch_files(name, c.files[f"{name}.h"])
    values["dispatched"] = sorted(file for file in dispatched if file.endswith(".c"))
    sources = {f"{MAIN}/cpp/{file}": text for file, text in (c.files | dispatched).items()}
    sources |= {f"{MAIN}/cpp/{name}_check.{end}": render(f"library/check.{end}", values) for end in ("c", "h")}
    sources |= {path.format(name=name): render(f"android/{template}", values) for template, path in FILES.items()}
    sources[f"{MAIN}/assets/labels.txt"] = "".join(f"{label}\n" for label in record["labels"])
    with owned_folder(folder, overwrite=overwrite) as new:
        for path, text in sources.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_text(text, encoding="utf-8")
        (new / MAIN / "assets" / "model.tflite").write_bytes(content)
    files = (*sources, f"{MAIN}/assets/model.tflite")
    return AndroidReport(
        folder, tuple(sorted(files)), values["application"], tuple(record["labels"]), len(content), record["sha256"], c.report
    )


def application_of(name: str) -> str:
    """Returns an application's identifier for a C name: letters, digits and underscores, no word of Java's.

    Example:
        >>> application_of("_2digits"), application_of("class")
        ('com.example.glyphreader.n2digits', 'com.example.glyphreader.nclass')
    """
    last = name.lower().strip("_")
    plain = last[:1].isalpha() and last not in _KEYWORDS
    return f"{PACKAGE}.{last if plain else f'n{last}'}"


def android_string(text: str) -> str:
    r"""Returns text as the inside of an Android string resource, of one line.

    Example:
        >>> print(android_string("@it's <b>"))
        \@it\'s &lt;b&gt;
    """
    escaped = re.sub(r"[\\'\"]", r"\\\g<0>", text)
    # What begins with @ or ? would be a reference.
    escaped = re.sub(r"^[@?]", r"\\\g<0>", escaped)
    return xml_text(escaped).replace("\\&#x27;", "\\'").replace("\\&quot;", '\\"')


def _require_bytes(graph: Graph, name: str) -> None:
    """Refuses a file that the two engines do not take alike.

    Raises:
        ArtifactError: its input or output is not int8, or it takes several images at once.
    """
    types = [np.dtype(each.dtype).name for each in (graph.input, graph.output)]
    if types != ["int8", "int8"]:
        raise ArtifactError(
            f"{name} takes {types[0]} and gives {types[1]}; --for android runs int8 files: glyphlite convert --to int8"
        )
    if graph.input.shape[0] not in (1, -1):
        raise ArtifactError(f"{name} takes {graph.input.shape[0]} images at once; --for android runs files that take one")


def _values(name: str, record: dict[str, Any], graph: Graph, convention: InputConvention) -> dict[str, Any]:
    """Returns what the templates are told of the model, but for its C."""
    image, output = record["image"], graph.output.quantization
    tables = [
        quantize(convention.table(channel), graph.input.quantization, np.dtype("int8")) for channel in range(image["channels"])
    ]
    kind = OutputKind(record["output"]["kind"])
    return {
        **image,
        "name": name,
        "macro": name.upper(),
        "version": __version__,
        "banner": f"Generated by glyphlite {__version__}.",
        "versions": VERSIONS,
        "application": application_of(name),
        "android_name": android_string(record["name"]),
        "file": record["file"],
        "labels": record["labels"],
        "kind": str(kind),
        "kind_words": kind.words,
        "output_scale": repr(float(np.float32(output.scale if output else 1.0))),
        "output_zero_point": output.zero_point if output else 0,
        "certainty": record["certainty"],
        "range_words": record["input"]["range"],
        "tables": [textwrap.wrap(", ".join(map(str, table.tolist())), 110) for table in tables],
    }
