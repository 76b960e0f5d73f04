"""The second engine of a page: LiteRT.js, and the .tflite files that it takes, the run's other variants among them.

Knows what LiteRT.js asks of a file (measured with 2.5.3): float32 at the edges, one image per inference, no ops of TensorFlow's
own, which it answers with zeros and no error. Knows nothing of where LiteRT.js comes from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlite.conversion.variants import VARIANT_NAMES
from glyphlite.errors import ArtifactError
from glyphlite.escaping import name_of
from glyphlite.export.web.litertjs import CORE, SCRIPT, VERSION, WASM, LiteRtJs
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph, read_artifact
from glyphlite.tflite.rewrite.float_io import with_float_edges

GLUE = ("litert.js", "litert-loader.js")
"""The page's own modules for it, fetched with it."""


@dataclass(frozen=True)
class SecondEngine:
    """The second engine of one page.

    Attributes:
        files: content by file name, the page's own modules not among them.
        record: what the page knows of it.
        variants: that it answers with.
        left_out: one line for each file beside the model that it does not take.
    """

    files: dict[str, bytes]
    record: dict[str, Any]
    variants: tuple[str, ...]
    left_out: tuple[str, ...]


def page_file(variant: str) -> str:
    """Returns the name in the page's folder of what LiteRT.js runs for a variant."""
    return f"litert-{variant}.tflite"


def second_engine(artifact: Path, content: bytes, graph: Graph, litertjs: LiteRtJs) -> SecondEngine:
    """Returns LiteRT.js for a page.

    Args:
        artifact: the int8 file of the page; where it is called ``..._int8.tflite``, the variants beside it come along.
        content: its bytes.
        graph: what is in it.
        litertjs: the engine.
    """
    files, entries, left_out = dict(litertjs.files), [], []
    for variant, path in _files_of(artifact).items():
        try:
            own = variant == "int8"
            source = content if own else read_artifact(path)
            model = graph if own else parse_graph(source, path.name)
            _check(model, graph, path.name)
            converted = with_float_edges(source, path.name)
        except ArtifactError as error:
            left_out.append(str(error))
            continue
        files[page_file(variant)] = converted
        entries.append(
            {
                "variant": variant,
                "name": name_of(path.name),
                "bytes": len(source),
                "file": page_file(variant),
                "fileBytes": len(converted),
                "ports": str(model.input.dtype),
            }
        )
    record = {
        "name": f"LiteRT.js {VERSION}",
        "script": SCRIPT,
        "wasm": {"file": WASM, "bytes": len(litertjs.files[WASM])},
        "bytes": sum(len(litertjs.files[file]) for file in (CORE, SCRIPT, WASM)),
        "variants": entries,
    }
    return SecondEngine(files, record, tuple(entry["variant"] for entry in entries), tuple(left_out))


def _files_of(artifact: Path) -> dict[str, Path]:
    """Returns the page's file and the variants beside it, the nearest to the trained model first."""
    stem = artifact.stem
    if not stem.endswith("_int8"):
        return {"int8": artifact}
    beside = {variant: artifact.with_name(f"{stem.removesuffix('int8')}{variant}.tflite") for variant in VARIANT_NAMES}
    return {variant: path for variant, path in beside.items() if variant == "int8" or path.is_file()}


def _check(model: Graph, page: Graph, name: str) -> None:
    """Checks that LiteRT.js answers with this file what the page asks."""
    if custom := sorted({operator.custom_code or "" for operator in model.operators if operator.custom_code}):
        raise ArtifactError(f"{name} is left out: LiteRT.js has no kernels for {', '.join(custom)}")
    for tensor in (model.input, model.output):
        if -1 in tensor.shape or tensor.shape[0] != 1:
            raise ArtifactError(f"{name} is left out: LiteRT.js accepts one image per inference; convert it with --batch 1")
    shapes = [[one.input.elements, one.output.elements, len(one.inputs), len(one.outputs)] for one in (model, page)]
    if shapes[0] != shapes[1]:
        raise ArtifactError(f"{name} is left out: its input and output are not those of the int8 file")
