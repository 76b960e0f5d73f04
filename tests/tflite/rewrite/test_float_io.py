"""An integer file with float32 edges: the same integers come out, and nothing within it has changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.errors import ArtifactError
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.quantization import dequantize, quantize
from glyphlite.tflite.reader import parse_graph, read_graph
from glyphlite.tflite.rewrite.float_io import with_float_edges
from glyphlite.tflite.writer import pack_model, unpack_model


@pytest.mark.parametrize("runtime", ["litert", "litert_builtin", "litert_reference"])
@pytest.mark.parametrize("variant", ["int8", "int16x8"])
def test_the_very_integers(samples: Path, mnist: Dataset, tmp_path: Path, variant: str, runtime: str) -> None:
    original, rewritten = samples / f"model_{variant}.tflite", tmp_path / "rewritten.tflite"
    rewritten.write_bytes(with_float_edges(original.read_bytes()))
    images = as_float(mnist.test.images[:1000])
    with get_runtime(runtime).load(original) as plain, get_runtime(runtime).load(rewritten) as wrapped:
        expected = plain.predict(quantize(images, plain.input.quantization, plain.input.dtype))
        assert (wrapped.input.dtype, wrapped.output.dtype) == (np.float32, np.float32)
        found = wrapped.predict(images)
    assert np.array_equal(found, dequantize(expected, plain.output.quantization))
    assert np.array_equal(quantize(found, plain.output.quantization, plain.output.dtype), expected)


def test_all_within_is_as_it_was(samples: Path) -> None:
    before = read_graph(samples / "model_int8.tflite")
    after = parse_graph(with_float_edges((samples / "model_int8.tflite").read_bytes()))
    first, *inner, last = after.operators
    assert (first.name, first.inputs, first.outputs) == ("QUANTIZE", after.inputs, before.inputs)
    assert (last.name, last.inputs, last.outputs) == ("DEQUANTIZE", before.outputs, after.outputs)
    assert [replace(operator, index=operator.index - 1) for operator in inner] == list(before.operators)
    assert (after.input.shape, after.output.shape) == (before.input.shape, before.output.shape)
    for old, new in zip(before.tensors, after.tensors[: len(before.tensors)], strict=True):
        assert (old.name, old.shape, old.dtype, old.quantization) == (new.name, new.shape, new.dtype, new.quantization)
        assert (None if old.data is None else old.data.tolist()) == (None if new.data is None else new.data.tolist())
    assert after.signatures == before.signatures


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic"])
def test_float_edges_stay(samples: Path, variant: str) -> None:
    content = (samples / f"model_{variant}.tflite").read_bytes()
    assert with_float_edges(content) is content


def test_through_its_signature(samples: Path, mnist: Dataset) -> None:
    """Runtimes that call a model by its signature, as LiteRT.js does, must be led to the new ports."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=with_float_edges((samples / "model_int8.tflite").read_bytes()))
    answer = interpreter.get_signature_runner()(image=as_float(mnist.test.images[:1]))
    [scores] = answer.values()
    assert (scores.dtype, int(scores.argmax())) == (np.float32, 7)


def test_what_has_no_float_twin(samples: Path) -> None:
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    graph = model.subgraphs[0]
    bias = int(graph.operators[0].inputs[2])
    graph.outputs = [*map(int, graph.outputs), bias]
    with pytest.raises(ArtifactError, match=r"raw\.tflite: its port \S+ is int32; expected float32, or an integer type with one"):
        with_float_edges(pack_model(model), "raw.tflite")
    with pytest.raises(ArtifactError):
        with_float_edges(b"\x1c\0\0\0TFL3" + bytes(40))
