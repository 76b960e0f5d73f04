import ctypes
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.compiler import compile_artifact, compile_graph
from glyphlite.datasets.dataset import Dataset
from glyphlite.emulation.toolchain import compile_program, compile_shared
from glyphlite.errors import ArtifactError, OutputError
from glyphlite.files.manifest import MANIFEST
from glyphlite.models.interface.input_convention import OURS
from glyphlite.tflite.quantization import Quantization, quantize
from glyphlite.tflite.reader import read_graph

HOST_ACLE = Path(__file__).parent / "host_acle"
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
ZIG = (sys.executable, "-m", "ziglang", "cc")
BUILDS = {
    "gcc": ("gcc",),
    "gcc, plain": ("gcc", "-DMODEL_INT8_PLAIN=1"),
    "gcc, wide": ("gcc", "-mavx2"),
    "gcc, many": ("gcc", "-DMODEL_INT8_MANY=1"),
    "gcc, DSP": ("gcc", "-D__ARM_FEATURE_DSP=1", "-D__ARM_FEATURE_SIMD32=1", f"-I{HOST_ACLE}"),
    "gcc, Cortex-M0": ("gcc", "-D__ARM_ARCH_6M__=1"),
    "clang": ZIG,
    "clang for Cortex-M4": (*ZIG, "-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"),
}


@pytest.fixture(scope="module")
def int8(samples: Path) -> Path:
    return samples / "model_int8.tflite"


@pytest.mark.slow
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("optimize", ["speed", "size", "ram"])
def test_no_compiler_warns(int8: Path, tmp_path: Path, build: str, optimize: str):
    report = compile_artifact(int8, tmp_path / "c", optimize=optimize)
    source = tmp_path / "c" / f"{report.name}.c"
    command = [*BUILDS[build], "-O2", *STRICT, "-c", source, "-o", tmp_path / "model.o"]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert outcome.returncode == 0, outcome.stderr


def test_the_example_builds_with_make_and_names_the_class(int8: Path, mnist: Dataset, tmp_path: Path):
    image, label = mnist.test.images[0], int(mnist.test.labels[0])
    labels = ["zero", "one", "two", "three", "four", "five", "six", 'se"ven', "eight\\", "nü??/n"]
    compile_artifact(int8, tmp_path / "c", sample=(image, label), labels=labels)
    outcome = subprocess.run(["make", "-C", tmp_path / "c"], capture_output=True, timeout=120, check=True)
    assert f"class: {labels[label]}\n".encode() in outcome.stdout
    assert b'se"ven' in outcome.stdout
    assert "nü??/n".encode() in outcome.stdout


@pytest.mark.parametrize(("scores", "prints"), [("logits", True), ("none", False)])
def test_scores_may_be_logits_or_only_the_class(int8: Path, mnist: Dataset, tmp_path: Path, scores: str, prints: bool):
    for index in range(3):
        image, label = mnist.test.images[index], int(mnist.test.labels[index])
        report = compile_artifact(int8, tmp_path / "c", scores=scores, sample=(image, label))
        command = ["make", "-s", "--no-print-directory", "-C", tmp_path / "c"]
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        lines = outcome.stdout.splitlines()
        assert lines[-1] == f"class: {label}"
        assert len(lines) == (11 if prints else 1)
        assert report.output_bytes == (10 if prints else 0)
        assert not any(layer.op == "SOFTMAX" for layer in report.layers)


def test_the_memory_map_is_what_the_header_says(int8: Path, tmp_path: Path):
    report = compile_artifact(int8, tmp_path / "c", name="digits")
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == sorted(
        ["digits.h", "digits.c", "digits_weights.h", "digits_vectors.h", "example", "Makefile", "digits.json", MANIFEST]
    )
    assert sorted(path.name for path in (tmp_path / "c" / "example").iterdir()) == ["Makefile", "example.c"]
    document = json.loads((tmp_path / "c" / "digits.json").read_text())
    assert document["arena_bytes"] == report.arena_bytes
    assert f"#define DIGITS_ARENA_BYTES {report.arena_bytes}\n" in (tmp_path / "c" / "digits.h").read_text()
    assert max(item["offset"] + item["bytes"] for item in document["buffers"]) <= report.arena_bytes
    assert document["macs"] == 70464
    assert report.arena_bytes < 26 * 26 * 8 / 8, "no full-size map"


@pytest.mark.parametrize("optimize", ["speed", "size", "ram"])
def test_the_same_artifact_gives_the_same_files(int8: Path, optimize: str):
    graph = read_graph(int8)
    assert compile_graph(graph, "net", optimize=optimize).files == compile_graph(graph, "net", optimize=optimize).files


def test_ram_and_size_cost_no_more_memory_than_speed(int8: Path):
    graph = read_graph(int8)
    arenas = {
        optimize: compile_graph(graph, "net", optimize=optimize).report.arena_bytes for optimize in ("speed", "size", "ram")
    }
    assert max(arenas["ram"], arenas["size"]) <= arenas["speed"]


def test_generated_c_needs_no_library_and_no_float(int8: Path):
    files = compile_graph(read_graph(int8), "net").files
    includes = [line for line in files["net.c"].splitlines() if line.startswith("#include <")]
    assert set(includes) <= {"#include <stddef.h>", "#include <arm_acle.h>"}
    for word in ("float", "double", "malloc", "memcpy", "static int", " goto "):
        assert word not in files["net.c"].replace("static int32_t", "").replace("static inline", "").replace(
            "static int net_best", ""
        )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimize": "fun"}, "speed, size, ram"),
        ({"scores": "all"}, "probabilities, logits, none"),
        ({"name": "9 Lives"}, "--name model_9_lives"),
        ({"name": "while"}, "--name model_while"),
        ({"name": "math"}, "--name model_math"),
        ({"name": "Digits"}, "--name digits"),
        ({"labels": ["a", "b"]}, "2 labels for a model of 10 classes"),
        ({"sample": (np.zeros((5, 5), np.uint8), 0)}, "takes 784 pixels"),
        ({"sample": (np.zeros((28, 28)), 0)}, "float64"),
        ({"sample": (np.zeros((28, 28), np.uint8), 10)}, "class 10"),
    ],
)
def test_bad_requests_are_refused_in_one_line(int8: Path, tmp_path: Path, options: dict, words: str):
    with pytest.raises(ArtifactError, match=words):
        compile_artifact(int8, tmp_path / "c", **options)
    assert not (tmp_path / "c").exists()


def test_a_failure_leaves_the_folder_as_it_was(int8: Path, samples: Path, tmp_path: Path):
    compile_artifact(int8, tmp_path / "c")
    before = {path: path.read_bytes() for path in (tmp_path / "c").rglob("*") if path.is_file()}
    with pytest.raises(ArtifactError):
        compile_artifact(samples / "model_float32.tflite", tmp_path / "c")
    assert {path: path.read_bytes() for path in (tmp_path / "c").rglob("*") if path.is_file()} == before
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        compile_artifact(int8, tmp_path / "file" / "c")


def test_the_folder_in_a_sketch_leaves_main_to_the_sketch(int8: Path, tmp_path: Path):
    """Builds as a board's core does: every C file beside the sketch, with a main of the core's that calls setup and loop."""
    compile_artifact(int8, tmp_path / "sketch", name="digits")
    (tmp_path / "core.c").write_text(
        "#include <stdio.h>\nvoid setup(void);\nvoid loop(void);\nint main(void) { setup(); loop(); return 0; }\n"
        '#include "sketch/digits.h"\nvoid setup(void) { puts("setup"); }\nstatic digits_arena_t arena;\n'
        "void loop(void) { static uint8_t picture[DIGITS_INPUT_SIZE]; static int8_t scores[DIGITS_OUTPUT_SIZE];\n"
        '  printf("%d\\n", digits_classify(picture, scores, &arena) >= 0); }\n'
    )
    sources = [tmp_path / "core.c", *sorted((tmp_path / "sketch").glob("*.c"))]
    program = compile_program(sources, tmp_path / "program", include=[tmp_path])
    assert subprocess.run([program], capture_output=True, text=True, timeout=60, check=True).stdout == "setup\n1\n"


def relative_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_was_compiled_before_is_replaced_whatever_its_name(int8: Path, tmp_path: Path):
    for name in ("first", "second"):
        report = compile_artifact(int8, tmp_path / "c", name=name)
        assert relative_files(tmp_path / "c") == {*report.files, MANIFEST}
        (tmp_path / "c" / "example" / "example").write_text("built by its Makefile")


@pytest.mark.parametrize("json", [None, "[1]", "{}", "no JSON"])
def test_a_folder_of_the_users_is_not_replaced(int8: Path, tmp_path: Path, json: str | None):
    compile_artifact(int8, tmp_path / "c")
    (tmp_path / "c" / "main.c").write_text("mine")
    if json:
        (tmp_path / "c" / "mine.json").write_text(json)
    before = {path.name for path in (tmp_path / "c").iterdir()}
    with pytest.raises(
        OutputError, match=r"c holds files that glyphlite did not write: main\.c.*choose another folder with --out"
    ):
        compile_artifact(int8, tmp_path / "c")
    assert {path.name for path in (tmp_path / "c").iterdir()} == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="file is a file; choose a folder with --out"):
        compile_artifact(int8, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("flags", [(), ("-D__ARM_FEATURE_DSP=1", "-D__ARM_FEATURE_SIMD32=1", f"-I{HOST_ACLE}")])
def test_pixels_are_quantized_where_the_network_does_not_hold_them_as_they_are(
    int8: Path, mnist: Dataset, tmp_path: Path, flags: tuple[str, ...]
):
    """An input scale other than 1/255: classify() goes through a table, row by row, and so does what we compare it with."""
    graph = read_graph(int8)
    odd = Quantization((0.011,), (-17,))
    tensors = tuple(replace(t, quantization=odd) if t.index == graph.inputs[0] else t for t in graph.tensors)
    compilation = compile_graph(replace(graph, tensors=tensors), "net", convention=OURS)
    compilation.write(tmp_path)
    report = compilation.report
    assert report.arena_bytes == compile_graph(graph, "net").report.arena_bytes, "invoke pays nothing for classify's pixels"
    assert report.classify_arena_bytes <= report.arena_bytes + 4 * 28, "four rows, not the picture"
    probe = tmp_path / "probe.c"
    probe.write_text('#include "net.h"\nint arena_bytes(void);\nint arena_bytes(void) { return (int)sizeof(net_arena_t); }\n')
    sources = [tmp_path / "net.c", probe]
    library = ctypes.CDLL(str(compile_shared(sources, tmp_path / "net.so", flags=flags, include=[tmp_path])))
    size = library.arena_bytes()
    assert size <= report.classify_arena_bytes
    arena = np.full(size + 64, 77, np.uint8)
    pointer = ctypes.c_void_p
    for image in mnist.test.images[:20]:
        scores, expected = np.zeros(10, np.int8), np.zeros(10, np.int8)
        best = library.net_classify(pointer(image.ctypes.data), pointer(scores.ctypes.data), pointer(arena.ctypes.data))
        stored = quantize(image.astype(np.float32) / np.float32(255), odd, np.dtype(np.int8))
        library.net_invoke(pointer(stored.ctypes.data), pointer(expected.ctypes.data), pointer(arena.ctypes.data))
        assert scores.tolist() == expected.tolist()
        assert best == expected.argmax()
    assert (arena[size:] == 77).all()


def test_the_arena_is_that_of_the_core(int8: Path, tmp_path: Path):
    """What only cores with the DSP extension need is not in the others' arena, and without classify() no rows of pixels are."""
    graph = read_graph(int8)
    odd = Quantization((0.011,), (-17,))
    tensors = tuple(replace(t, quantization=odd) if t.index == graph.inputs[0] else t for t in graph.tensors)
    compilation = compile_graph(replace(graph, tensors=tensors), "net", convention=OURS)
    compilation.write(tmp_path)
    report = compilation.report
    probe = tmp_path / "probe.c"
    probe.write_text(
        '#include "net.h"\n#include <stdio.h>\nint main(void) { printf("%d %d", NET_ARENA_BYTES, (int)sizeof(net_arena_t)); }\n'
    )
    dsp = ("-D__ARM_FEATURE_DSP=1", "-D__ARM_FEATURE_SIMD32=1")
    only = ("-DNET_INVOKE_ONLY=1",)
    for flags, expected in (((*dsp, *only), report.arena_bytes), (only, report.plain_arena_bytes)):
        program = compile_program([probe], tmp_path / "probe", flags=flags, include=[tmp_path])
        printed = subprocess.run([program], capture_output=True, text=True, timeout=20, check=True).stdout.split()
        assert printed == [str(expected)] * 2
    assert report.plain_arena_bytes < report.arena_bytes
    command = ["gcc", *STRICT, *only, "-c", tmp_path / "net.c", "-o", tmp_path / "net.o"]
    subprocess.run(command, check=True, timeout=120)


def test_layers_may_be_called_like_anything(int8: Path, tmp_path: Path):
    """A layer named as one of our helpers, or as another layer's helper, gets a name of its own."""
    graph = read_graph(int8)
    names = iter(["m/fc_output/x", "m/x/y", "m/x/y", "m/fc/x", "m/best/x", "m/rows/x"])
    renamed = {operator.outputs[0]: next(names) for operator in graph.operators}
    tensors = tuple(replace(tensor, name=renamed.get(tensor.index, tensor.name)) for tensor in graph.tensors)
    compilation = compile_graph(replace(graph, tensors=tensors), "net")
    compilation.write(tmp_path)
    compile_shared([tmp_path / "net.c"], tmp_path / "net.so", include=[tmp_path])
    assert [layer.name for layer in compilation.report.layers] == ["fc_output", "fc", "best", "rows"]
