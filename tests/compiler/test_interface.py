"""The header of generated C: what it says of models that are no classifiers of pictures, and how real values are stored."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from random_models import model_of
from random_models.recurrent import draw_lstm

from glyphlite.compiler import compile_graph
from glyphlite.emulation.toolchain import compile_shared
from glyphlite.models.interface.input_convention import OURS
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization, dequantize, quantize
from glyphlite.tflite.reader import parse_graph

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")


USUAL = Quantization((0.037,), (-20,))


def values_model(shape: tuple[int, ...] = (1, 5), quantization: Quantization = USUAL) -> Graph:
    """A model of one RELU: no classes."""
    tensors = tuple(Tensor(i, name, shape, np.dtype(np.int8), quantization) for i, name in enumerate(("speed", "torque")))
    return Graph(tensors, (Operator(0, 0, "RELU", (0,), (1,)),), (0,), (1,))


def test_a_model_without_classes_has_outputs_and_no_labels(tmp_path: Path):
    compilation = compile_graph(values_model(), "drive")
    header, example = compilation.files["drive.h"], compilation.files["example/example.c"]
    for word in ("drive_classify", "DRIVE_LABELS", "probabilit", "pixel", "icture", "Accuracy"):
        assert word not in header + example + compilation.files["drive.c"]
    assert "Values, not classes" in header
    assert "speed, 1x5; real values -3.996 to 5.439" in header
    assert (compilation.report.classifies, compilation.report.takes_pictures, compilation.report.labels) == (False, False, ())
    compilation.write(tmp_path)
    outcome = subprocess.run(["make", "-s", "-C", tmp_path], capture_output=True, text=True, timeout=120, check=True)
    assert outcome.stdout.splitlines()[0] == "output[0] 0"


def test_a_picture_read_row_by_row_is_still_one_of_all_its_rows() -> None:
    rows = parse_graph(draw_lstm(0, layers=1, dense=True, features=28, steps=28))
    header = compile_graph(rows, "net", labels=("a", "b", "c"), convention=OURS).files["net.h"]
    assert "Picture   28 x 28, rows first, one byte per pixel: 0 dark ground to 255 light glyph" in header
    assert "#define NET_INPUT_HEIGHT 1\n" in header  # as before: programs may use it


@pytest.mark.parametrize(("seed", "kind"), [(49, "uint8"), (13, "float32")])
def test_the_header_says_how_the_files_own_values_are_stored(seed: int, kind: str):
    files = compile_graph(parse_graph(model_of(seed)[1]), "net").files
    assert f"The file's own values are {kind}" in " ".join(files["net.h"].replace(" * ", " ").split())
    assert ("net_input_from_uint8" in files["net.h"]) is (kind == "uint8")
    assert "net_quantize_input(float real)" in files["net.h"]


@pytest.mark.parametrize("quantization", [USUAL, Quantization((1 / 255,), (-128,)), Quantization((3.0,), (127,))])
def test_real_values_are_stored_as_the_reference_stores_them(quantization: Quantization, tmp_path: Path):
    compile_graph(values_model(quantization=quantization), "net").write(tmp_path)
    (tmp_path / "shim.c").write_text(
        '#include "net.h"\n'
        "void convert(const float *real, int8_t *stored, float *back, int count);\n"
        "void convert(const float *real, int8_t *stored, float *back, int count) {\n"
        "    for (int i = 0; i < count; ++i) {\n"
        "        stored[i] = net_quantize_input(real[i]);\n"
        "        back[i] = net_dequantize_output(stored[i]);\n"
        "    }\n}\n"
    )
    sources = [tmp_path / "net.c", tmp_path / "shim.c"]
    library = ctypes.CDLL(str(compile_shared(sources, tmp_path / "net.so", flags=STRICT, include=[tmp_path])))
    scale = np.float32(quantization.scale)
    real = np.arange(-700, 700, dtype=np.float32) * (scale / 2)
    real = np.concatenate(
        [real, np.nextafter(real, np.float32(np.inf)), np.array([np.inf, -np.inf, 1e30, -1e30, 0, -0.0], np.float32)]
    )
    stored, back = np.empty(len(real), np.int8), np.empty(len(real), np.float32)
    library.convert(*(ctypes.c_void_p(each.ctypes.data) for each in (real, stored, back)), ctypes.c_int(len(real)))
    np.testing.assert_array_equal(stored, quantize(real, quantization, np.dtype(np.int8)))
    np.testing.assert_array_equal(back, dequantize(stored, quantization))


def test_the_header_is_cpp_too(tmp_path: Path):
    compile_graph(values_model(), "net").write(tmp_path)
    (tmp_path / "use.cc").write_text('#include "net.h"\nint main() { return net_quantize_input(1.0f) == 7 ? 0 : 1; }\n')
    command = ["g++", "-std=c++11", *STRICT[1:], "use.cc", "-o", "use"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    subprocess.run([tmp_path / "use"], check=True, timeout=20)


def test_a_large_input_does_not_swell_the_example():
    files = compile_graph(values_model((1, 2, 2_000_000)), "net").files
    assert max(map(len, files.values())) < 20_000
