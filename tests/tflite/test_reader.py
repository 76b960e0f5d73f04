"""Real artifacts are read whole; damaged ones are refused with one line."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glyphlite.errors import ArtifactError
from glyphlite.tflite.quantization import dequantize
from glyphlite.tflite.reader import parse_graph, read_artifact, read_graph

VARIANTS = ("float32", "float16", "dynamic", "int8", "int16x8")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_read_with_its_ports_and_names(samples: Path, variant: str) -> None:
    graph = read_graph(samples / f"model_{variant}.tflite")
    assert [operator.name for operator in graph.operators if operator.name != "DEQUANTIZE"] == [
        *("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX")
    ]
    assert graph.input.shape == (1, 28, 28, 1)
    assert graph.output.shape == (1, 10)
    assert graph.input.dtype == graph.output.dtype == {"int8": np.int8, "int16x8": np.int16}.get(variant, np.float32)
    assert graph.signatures == ("serving_default",)


def test_int8_builtin_codes_options_and_quantization(samples: Path) -> None:
    graph = read_graph(samples / "model_int8.tflite")
    assert [operator.builtin_code for operator in graph.operators] == [3, 17, 22, 9, 9, 25]
    conv, pool, reshape, dense, logits, softmax = graph.operators
    assert conv.options == {"padding": "valid", "strides": (1, 1), "dilations": (1, 1), "activation": "relu"}
    assert pool.options == {"padding": "valid", "strides": (2, 2), "window": (2, 2), "activation": "none"}
    assert reshape.options == {"new_shape": (1, 1352)}
    assert dense.options["activation"] == "relu"
    assert logits.options["activation"] == "none"
    assert softmax.options == {"beta": 1.0}
    weights = graph.tensors[conv.inputs[1]]
    assert weights.quantization is not None
    assert (len(weights.quantization.scales), weights.quantization.axis) == (8, 0)
    assert graph.output.quantization is not None
    assert (graph.output.quantization.scale, graph.output.quantization.zero_point) == (1 / 256, -128)


def test_weights_of_float_and_int8_are_the_same_numbers(samples: Path) -> None:
    exact, quantized = (read_graph(samples / f"model_{variant}.tflite") for variant in ("float32", "int8"))
    dense = [graph.tensors[graph.operators[-2].inputs[1]] for graph in (exact, quantized)]
    assert dense[0].data is not None
    assert dense[1].data is not None
    assert dense[1].quantization is not None
    scales = np.array(dense[1].quantization.scales, np.float32)[:, None]
    assert np.abs(dense[0].data - dense[1].data * scales).max() <= scales.max() / 2 * 1.001
    assert dequantize(dense[0].data, None) is not None


def test_the_reader_agrees_with_litert(samples: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    path = samples / "model_int8.tflite"
    graph = read_graph(path)
    details = Interpreter(str(path)).get_tensor_details()
    assert len(details) >= len(graph.tensors)
    for tensor, detail in zip(graph.tensors, details, strict=False):
        assert tensor.name == detail["name"]
        assert list(tensor.shape) == detail["shape"].tolist()
        assert tensor.dtype == detail["dtype"]
        scales = detail["quantization_parameters"]["scales"]
        assert (tensor.quantization.scales if tensor.quantization else ()) == tuple(scales.tolist())


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 100, b"\x1c\0\0\0TFL3", bytes(range(256)) * 8, b"PK\x03\x04" * 64])
def test_what_is_no_artifact_is_refused(content: bytes) -> None:
    with pytest.raises(ArtifactError, match="thing"):
        parse_graph(content, "thing")


def test_missing_file_folder_and_odd_names_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tflite", tmp_path, Path("a\0b.tflite"), Path("/dev/zero")):
        with pytest.raises(ArtifactError):
            read_graph(path)


def test_a_graph_in_use_is_not_validated_again_and_one_that_is_not_is_let_go(samples: Path) -> None:
    content = (samples / "model_int8.tflite").read_bytes()
    graph = parse_graph(content, "first")
    assert parse_graph(bytes(bytearray(content)), "second") is graph
    held = weakref.ref(graph)
    del graph
    gc.collect()
    assert held() is None


@pytest.mark.parametrize("read", [read_graph, read_artifact])
def test_what_is_named_in_place_of_a_file_is_told(samples: Path, tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(ArtifactError, match=r"model.keras is not a .tflite file, but a Keras model .* glyphlite convert makes"):
        read(samples / "model.keras")
    empty = tmp_path / "empty.tflite"
    empty.touch()
    with pytest.raises(ArtifactError, match="it is empty"):
        read(empty)
