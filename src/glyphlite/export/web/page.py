"""An int8 .tflite file as a page to draw on: static files that any host serves, and that work offline once loaded.

Composes the compiler, the wasm32 toolchain, the files of ``templates/web`` and, where it is given one, the second engine; knows
nothing of servers or browsers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from glyphlite import __version__
from glyphlite.compiler.compile import compile_artifact
from glyphlite.compiler.report import CompilationReport
from glyphlite.emulation.toolchain import compile_and_link, target_named
from glyphlite.errors import ArtifactError
from glyphlite.escaping import name_of
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.export.model_name import model_name
from glyphlite.export.picture_record import picture_shape
from glyphlite.export.templating import render
from glyphlite.export.web.litertjs import LICENSE, LiteRtJs
from glyphlite.export.web.minified import served
from glyphlite.export.web.second_engine import GLUE, SecondEngine, second_engine
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.files.scratch import temporary_folder
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.outputs import class_count
from glyphlite.tflite.reader import parse_graph, read_artifact

STATIC = (
    "index.html",
    "style.css",
    "app.js",
    "confidence.js",
    "engine.js",
    "pad.js",
    "switches.js",
    "words.js",
    "preprocessing/arrays.js",
    "preprocessing/connected_components.js",
    "preprocessing/glyphs.js",
    "preprocessing/images.js",
    "preprocessing/ink.js",
    "preprocessing/light.js",
    "preprocessing/normalize.js",
    "preprocessing/pictures.js",
    "preprocessing/reduction.js",
    "preprocessing/rules.js",
    "preprocessing/sheet.js",
    "icon.svg",
    "touch-icon.png",
    "manifest.webmanifest",
)
"""The same in every page."""

BUILDS = ("plain", "simd")
"""The engine without and with WebAssembly's vector instructions; a browser loads one of them."""

ALWAYS = frozenset({*STATIC, *(f"engine-{build}.wasm" for build in BUILDS), "model.json", "sw.js"})
"""What every page holds."""

_NAME = "network"
_STACK_BYTES = 256 << 10  # a layer of wide vectors lays its inputs down there
_SHIM = f"""\
#include "{_NAME}.h"

static uint8_t pixels[{_NAME.upper()}_INPUT_SIZE];
static int8_t scores[{_NAME.upper()}_OUTPUT_SIZE];
static {_NAME}_arena_t arena;
#ifdef {_NAME.upper()}_STATE_BYTES
static {_NAME}_state_t state;
#endif

uint8_t *glyphlite_pixels(void);
int8_t *glyphlite_scores(void);
int glyphlite_classify(void);

uint8_t *glyphlite_pixels(void) {{ return pixels; }}
int8_t *glyphlite_scores(void) {{ return scores; }}
int glyphlite_classify(void) {{
#ifdef {_NAME.upper()}_STATE_BYTES
    {_NAME}_reset(&state); /* a picture is a sequence of its own */
    return {_NAME}_classify(pixels, scores, &state, &arena);
#else
    return {_NAME}_classify(pixels, scores, &arena);
#endif
}}
"""


@dataclass(frozen=True)
class WebExport:
    """A page that was written.

    Attributes:
        folder: to be served as it is.
        files: every file in it.
        name: of the model, as the page shows it.
        variant: that the page starts with: always int8, what generated C expresses.
        labels: the classes.
        model_bytes: size of the .tflite file.
        engine_bytes: size of the larger build of the engine, the model's weights included.
        first_load_bytes: all that a browser fetches before the page works offline, uncompressed: one engine and all else but the
            second engine.
        second_engine_bytes: what it fetches besides when LiteRT.js is chosen, one variant included; 0 without it.
        second_engine_variants: that LiteRT.js answers with.
        left_out: one line for each variant beside the model that it does not take.
    """

    folder: Path
    files: tuple[Path, ...]
    name: str
    variant: str
    labels: tuple[str, ...]
    model_bytes: int
    engine_bytes: int
    first_load_bytes: int
    second_engine_bytes: int = 0
    second_engine_variants: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def export_web(
    artifact: Path,
    folder: Path,
    *,
    labels: Sequence[str] | None = None,
    convention: InputConvention | None = None,
    litertjs: LiteRtJs | None = None,
    overwrite: bool = False,
) -> WebExport:
    """Writes the page; the folder appears whole or not at all.

    Args:
        artifact: an int8 .tflite file of a classifier of grey or RGB images.
        folder: created, or replaced where it holds an earlier page and nothing else.
        overwrite: also replace files of the earlier page that were changed, and keep the user's own.
        labels: the classes' names; by default those packed into the file, else their numbers.
        convention: how the model takes a pixel; by default what the file says, else pixel / 255.
        litertjs: the second engine; without it the page has one, and no switches.

    Raises:
        ArtifactError: the file is malformed, no classifier of images, or holds what generated C cannot express.
        OutputError: the folder holds other files or cannot be written.
        ToolError: zig, which builds WebAssembly, is not installed or fails.
    """
    artifact, folder = Path(artifact), Path(folder)
    require_own(folder, overwrite=overwrite)
    content = read_artifact(artifact)
    graph = parse_graph(content, artifact.name)
    shape = picture_shape(graph, artifact.name)
    with temporary_folder() as scratch:
        report = compile_artifact(
            artifact,
            scratch / "c",
            name=_NAME,
            labels=labels or graph.labels or tuple(map(str, range(class_count(graph)))),
            convention=convention,
            pictures=True,
        )
        if not report.takes_pictures:
            raise ArtifactError(f"{artifact.name} classifies no pictures that are stored as int8, which the page draws")
        engines = {f"engine-{build}.wasm": _engine(scratch, build) for build in BUILDS}
    name = model_name(artifact, content)
    taken = second_engine(artifact, content, graph, litertjs) if litertjs else None
    second = taken if taken and taken.variants else None
    written = {file: served(file) for file in STATIC} | engines
    written["model.json"] = _json(_model_record(name, artifact, content, shape, report, engines, second))
    later = {} if second is None else {file: served(file) for file in GLUE} | second.files
    written["sw.js"] = _service_worker(written, later)
    with owned_folder(folder, overwrite=overwrite) as new:
        for file, data in (written | later).items():
            (new / file).parent.mkdir(exist_ok=True)
            (new / file).write_bytes(data)
    smaller = min(len(engine) for engine in engines.values())
    return WebExport(
        folder=folder,
        files=tuple(folder / file for file in written | later),
        name=name,
        variant="int8",
        labels=report.labels,
        model_bytes=len(content),
        engine_bytes=max(len(engine) for engine in engines.values()),
        first_load_bytes=sum(len(data) for data in written.values()) - smaller,
        second_engine_bytes=_second_load_bytes(later),
        second_engine_variants=second.variants if second else (),
        left_out=taken.left_out if taken else (),
    )


def _second_load_bytes(later: dict[str, bytes]) -> int:
    """Returns the second engine with the largest of its variants; nobody fetches the licence."""
    models = [len(data) for file, data in later.items() if file.endswith(".tflite")]
    return sum(len(data) for file, data in later.items() if file != LICENSE) - sum(models) + max(models, default=0)


def _engine(folder: Path, build: str) -> bytes:
    """Returns the generated C in ``folder`` as a WebAssembly module."""
    shim = folder / "engine.c"
    shim.write_text(_SHIM)
    target = target_named("wasm32")
    if build == "simd":
        target = replace(target, zig_flags=(*target.zig_flags[:-1], f"{target.zig_flags[-1]}+simd128"))
    output = compile_and_link(
        target,
        [folder / "c" / f"{_NAME}.c", shim],
        folder / f"engine-{build}.wasm",
        keep=["glyphlite_pixels", "glyphlite_scores", "glyphlite_classify"],
        flags=["-fno-unroll-loops", "-Wl,--strip-all", f"-Wl,-z,stack-size={_STACK_BYTES}"],
        include=[folder / "c"],
    )
    return output.read_bytes()


def _model_record(
    name: str,
    artifact: Path,
    content: bytes,
    shape: tuple[int, int, int],
    report: CompilationReport,
    engines: dict[str, bytes],
    second: SecondEngine | None,
) -> dict[str, Any]:
    """Returns what the page knows of the model."""
    return {
        "name": name,
        "file": name_of(artifact.name),
        "variant": "int8",
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
        "labels": list(report.labels),
        "input": {"height": shape[0], "width": shape[1], "channels": shape[2], **_normalization(report.convention)},
        "output": {
            "scale": report.output_scale,
            "zeroPoint": report.output_zero_point,
            "size": report.output_bytes,
            "kind": report.outputs,
        },
        "macs": report.macs,
        "arenaBytes": report.arena_bytes,
        "certainty": _certainty(artifact),
        "engines": {build: {"file": file, "bytes": len(engines[file])} for build in BUILDS for file in [f"engine-{build}.wasm"]},
        "litert": second.record if second else None,
        "madeBy": f"glyphlite {__version__}",
    }


def _normalization(convention: InputConvention) -> dict[str, list[float]]:
    """Returns mean and deviation of a pixel, one number or one per channel each, for LiteRT.js; generated C knows them itself."""
    return {"mean": list(convention.mean), "std": list(convention.std)}


def _certainty(artifact: Path) -> dict[str, float | bool] | None:
    """Returns what confidence.js needs to know, None where nothing was fitted for this very file."""
    known = certainty_of(artifact)
    if known is None:
        return None
    return {
        "temperature": known.temperature,
        "leastCertainty": known.least_certainty,
        "floor": known.floor,
        "independent": known.independent,
        "twin": known.twin,
    }


def _service_worker(written: dict[str, bytes], later: dict[str, bytes]) -> bytes:
    """Keeps these very files, the later ones once they were asked for; another export has another name in browsers' storage."""
    digest = sha256()
    for file, data in sorted((written | later).items()):
        digest.update(file.encode() + b"\0" + sha256(data).digest())
    always = ["./", *(file for file in written if not file.startswith("engine-") and file != "index.html")]
    asked = [file for file in later if file != LICENSE]
    values = {"version": digest.hexdigest()[:16], "files": json.dumps(always), "later": json.dumps(asked)}
    return render("web/sw.js.j2", values).encode()


def _json(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
