"""The page's export with and without a second engine to be had: what is written, what is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glyphlite.errors import ArtifactError, ToolError
from glyphlite.export.web.litertjs import LICENSE, MEMBERS, LiteRtJs
from glyphlite.export.web.page import export_web
from glyphlite.pipeline import export
from glyphlite.pipeline.evaluate import evaluate_files
from glyphlite.pipeline.export import PAGE_WEIGHTS, PICTURE_TARGETS, WITHOUT_SAMPLE, Exported, draw_page, export_file
from glyphlite.pipeline.inputs.files import default_artifact
from glyphlite.pipeline.predict import predict_pictures
from glyphlite.tflite.writer import pack_model, unpack_model

ENGINE = LiteRtJs({file: file.encode() for file in (*MEMBERS, LICENSE)}, "here")
Write = Callable[..., Exported]
GIVEN: dict[str, Any] = {"name": "model", "language": "cc", "dataset": None, "sample": 0, "data_dir": None}


@pytest.fixture
def write(samples: Path, tmp_path: Path) -> Write:
    def write(**options: Any) -> Exported:
        return export_file(
            samples, "web", tmp_path / "page", name="model", language="cc", dataset="mnist", sample=0, data_dir=None, **options
        )

    return write


def unobtainable() -> LiteRtJs:
    raise ToolError("LiteRT.js is fetched with npm, which is not installed: install Node.js")


def test_sizes_apart(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "obtain_litertjs", lambda: ENGINE)
    exported = write()
    first, second = exported.document["first_load_bytes"], exported.document["second_engine_bytes"]
    assert exported.document["second_engine_variants"] == ["float32", "float16", "dynamic", "int8", "int16x8"]
    assert f"{first:,} bytes for a first visit" in exported.words
    assert f"{second:,} bytes more when LiteRT.js is chosen there, with float32, float16" in exported.words
    assert json.loads(json.dumps(exported.document)) == exported.document


def test_not_to_be_had_is_one_line(write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(export, "obtain_litertjs", unobtainable)
    exported = write()
    assert (exported.document["second_engine_bytes"], exported.document["second_engine_variants"]) == (0, [])
    assert "LiteRT.js" not in exported.words
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "The page has no second engine: LiteRT.js is fetched with npm, which is not installed: install Node.js"
    )
    assert "--no-litertjs" in line


def test_unwanted_is_not_asked_for(write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(export, "obtain_litertjs", lambda: pytest.fail("asked for"))
    assert write(litertjs=False).document["second_engine_bytes"] == 0
    assert capsys.readouterr().err == ""


def test_draw_serves_both(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[set[str]] = []
    monkeypatch.setattr(export, "obtain_litertjs", lambda: ENGINE)
    monkeypatch.setattr(export, "serve", lambda folder, **_: served.append({path.name for path in folder.iterdir()}))
    draw_page(samples / "model_int8.tflite", host="127.0.0.1", port=0)
    draw_page(samples / "model_int8.tflite", host="127.0.0.1", port=0, litertjs=False)
    both, one = served
    assert {"litert.wasm", "litert-float32.tflite", "litert.js"} <= both
    assert not [name for name in one if name.startswith("litert")]


def test_the_page_served_without_a_model_named_is_light(tmp_path: Path) -> None:
    page = export_web(default_artifact(PAGE_WEIGHTS), tmp_path / "page")
    assert page.name.startswith("glyph")
    assert page.first_load_bytes <= 100_000


def test_a_library_is_optimized_for_what_is_asked(samples: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"name": "model", "language": "c", "dataset": None, "sample": 0, "data_dir": None, "inputs": "random"}
    for goal in ("speed", "size"):
        export_file(samples / "model_int8.tflite", "cmake", tmp_path / goal, optimize=goal, **given)
    fast, small = ((tmp_path / goal / "src" / "model.c").read_text() for goal in ("speed", "size"))
    assert fast.count("\n") > small.count("\n")
    with pytest.raises(ToolError, match="leave it out for c-array"):
        export_file(samples / "model_int8.tflite", "c-array", tmp_path / "array", optimize="size", **given)


def _predict(file: Path) -> Any:
    return predict_pictures([file], model_path=None, samples=[0], show=None, every=False, dataset="mnist", data_dir=None)


def _export(target: str) -> Callable[[Path], Any]:
    return lambda file: export_file(file, target, file.with_suffix(""), **GIVEN)


@pytest.mark.parametrize(
    "use",
    [
        *map(_export, PICTURE_TARGETS),
        lambda file: draw_page(file, host="127.0.0.1", port=0),
        _predict,
        lambda file: evaluate_files([file], "mnist", keras=None, latency=False, seed=None, data_dir=None),
    ],
    ids=[*PICTURE_TARGETS, "draw", "predict", "evaluate"],
)
def test_no_classifier_of_one_picture_is_refused_before_its_pixels_are_assumed(
    samples: Path, tmp_path: Path, use: Callable[[Path], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    model.subgraphs[0].outputs = [*model.subgraphs[0].outputs, model.subgraphs[0].operators[-1].inputs[0]]
    file = tmp_path / "two.tflite"
    file.write_bytes(pack_model(model))
    with pytest.raises(ArtifactError, match=r"two.tflite has 1 input and 2 outputs"):
        use(file)
    assert "is assumed to take pixels" not in capsys.readouterr().err


def test_an_app_is_checked_on_the_inputs_that_are_named(samples: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.full((1, 28, 28, 1), 7, np.int8))
    given = {**GIVEN, "inputs": str(tmp_path / "one.npy")}
    exported = export_file(samples / "model_int8.tflite", "android", tmp_path / "app", **given)
    assert exported.document["sample"] == "input 0 of 1 input of one.npy"
    assert "7, 7, 7, 7, 7, 7, 7, 7, 7, 7," in (tmp_path / "app/app/src/main/cpp/model_check.c").read_text()


@pytest.mark.parametrize("target", WITHOUT_SAMPLE)
def test_inputs_are_refused_where_no_sample_is_written(samples: Path, tmp_path: Path, target: str) -> None:
    with pytest.raises(ToolError, match=f"leave it out for {target}"):
        export_file(samples / "model_int8.tflite", target, tmp_path / "out", **{**GIVEN, "inputs": "random"})
