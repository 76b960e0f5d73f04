"""Which files a page offers on LiteRT.js: the run's variants, with float32 edges, and nothing that it would answer wrongly."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from glyphlite.conversion.variants import VARIANT_NAMES
from glyphlite.errors import ArtifactError
from glyphlite.export.web.litertjs import LICENSE, MEMBERS, LiteRtJs
from glyphlite.export.web.second_engine import SecondEngine, _check, second_engine
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph, read_graph
from glyphlite.tflite.rewrite.float_io import with_float_edges
from glyphlite.tflite.writer import pack_model, unpack_model

ENGINE = LiteRtJs({file: file.encode() for file in (*MEMBERS, LICENSE)}, "here")


def of(artifact: Path) -> SecondEngine:
    return second_engine(artifact, artifact.read_bytes(), read_graph(artifact), ENGINE)


def test_the_variants_of_a_run(samples: Path) -> None:
    engine = of(samples / "model_int8.tflite")
    assert engine.variants == VARIANT_NAMES
    assert engine.left_out == ()
    assert set(engine.files) == {*ENGINE.files, *(f"litert-{variant}.tflite" for variant in VARIANT_NAMES)}
    for entry in engine.record["variants"]:
        original = (samples / f"model_{entry['variant']}.tflite").read_bytes()
        served = engine.files[entry["file"]]
        assert (entry["name"], entry["bytes"]) == (f"model_{entry['variant']}.tflite", len(original))
        assert (entry["fileBytes"], served) == (len(served), with_float_edges(original))
        graph = parse_graph(served)
        assert graph.input.dtype == graph.output.dtype == "float32"
    ports = {entry["variant"]: entry["ports"] for entry in engine.record["variants"]}
    assert ports == dict.fromkeys(VARIANT_NAMES, "float32") | {"int8": "int8", "int16x8": "int16"}


def test_a_lone_file_is_all_there_is(samples: Path, tmp_path: Path) -> None:
    for name in ("digits.tflite", "mine_int8.tflite"):
        shutil.copy(samples / "model_int8.tflite", tmp_path / name)
    shutil.copy(samples / "model_float32.tflite", tmp_path / "model_float32.tflite")
    assert of(tmp_path / "digits.tflite").variants == ("int8",)
    assert of(tmp_path / "mine_int8.tflite").variants == ("int8",)
    shutil.copy(samples / "model_float32.tflite", tmp_path / "mine_float32.tflite")
    assert of(tmp_path / "mine_int8.tflite").variants == ("float32", "int8")


def test_what_is_left_out_and_why(samples: Path, tmp_path: Path) -> None:
    shutil.copy(samples / "model_int8.tflite", tmp_path)
    free = unpack_model((samples / "model_float32.tflite").read_bytes())
    for tensor in free.subgraphs[0].tensors:
        if tensor.shape is not None and len(tensor.shape) > 1 and free.buffers[tensor.buffer].data is None:
            tensor.shapeSignature = [-1, *map(int, tensor.shape[1:])]
    (tmp_path / "model_float32.tflite").write_bytes(pack_model(free))
    (tmp_path / "model_dynamic.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(40))
    engine = of(tmp_path / "model_int8.tflite")
    assert engine.variants == ("int8",)
    reasons = sorted(engine.left_out)
    assert len(reasons) == 2
    assert "model_dynamic.tflite" in reasons[0]
    assert reasons[1].startswith("model_float32.tflite is left out: LiteRT.js accepts one image per inference; convert it")


def test_what_it_would_answer_wrongly(samples: Path) -> None:
    page = read_graph(samples / "model_int8.tflite")

    def refused(model: Graph, words: str) -> None:
        with pytest.raises(ArtifactError, match=words):
            _check(model, page, "x.tflite")

    flex = replace(page.operators[0], custom_code="FlexErf")
    refused(replace(page, operators=(flex, *page.operators[1:])), "LiteRT.js has no kernels for FlexErf")
    refused(replace(page, outputs=(*page.outputs, page.operators[0].outputs[0])), "not those of the int8 file")
    wide = replace(page.input, shape=(1, 32, 32, 1))
    refused(replace(page, tensors=tuple(wide if one is page.input else one for one in page.tensors)), "not those of the int8")
