"""Generated C that chooses among vector instructions when it runs: every build of it gives the same bytes."""

import ctypes
import platform
from pathlib import Path

import numpy as np
import pytest

from glyphlite.compiler import compile_artifact
from glyphlite.emulation.toolchain import compile_program, compile_shared, run_tool
from glyphlite.export.dispatch import VARIANTS, dispatch_files, functions_of

NEEDED = {
    "avx2": {"avx2"},
    "avx_vnni": {"avx2", "avx_vnni"},
    "avx512_vnni": {"avx512f", "avx512bw", "avx512vl", "avx512_vnni"},
}
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
COUNT = 15
on_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="this processor is no x86 of 64 bits")


def _written(samples: Path, folder: Path) -> Path:
    compile_artifact(samples / "model_int8.tflite", folder, name="digits")
    for path, text in dispatch_files("digits", (folder / "digits.h").read_text()).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return folder


def _answers(library: ctypes.CDLL, prefix: str, images: np.ndarray) -> bytes:
    """What a build gives, image by image, at once, and as a class of raw pixels."""
    one, many = (np.zeros((len(images), 10), np.int8) for _ in range(2))
    memory = np.zeros(1 << 16, np.uint8).ctypes.data_as(ctypes.c_void_p)
    classes = []
    for image, scores in zip(images, one, strict=True):
        library[f"{prefix}_invoke"](ctypes.c_void_p(image.ctypes.data), ctypes.c_void_p(scores.ctypes.data), memory)
        pixels = (image.astype(np.int16) + 128).astype(np.uint8)
        again = np.zeros(10, np.int8)
        classes.append(
            library[f"{prefix}_classify"](ctypes.c_void_p(pixels.ctypes.data), ctypes.c_void_p(again.ctypes.data), memory)
        )
    places = (ctypes.c_void_p(array.ctypes.data) for array in (images, many))
    library[f"{prefix}_invoke_many"](*places, ctypes.c_int32(len(images)), memory)
    assert (one == many).all()
    return one.tobytes() + bytes(classes)


@on_x86
def test_every_build_that_this_processor_runs_gives_the_bytes_of_plain_c(samples: Path, tmp_path: Path):
    folder = _written(samples, tmp_path / "c")
    images = np.random.default_rng(28).integers(-128, 128, (COUNT, 784), np.int8)
    flags = ("-O2", *STRICT)
    plain = compile_shared([folder / "digits.c"], tmp_path / "plain.so", flags=(*flags, "-DDIGITS_PLAIN=1", "-DDIGITS_MANY=1"))
    expected = _answers(ctypes.CDLL(str(plain)), "digits", images)
    sources = sorted((folder / "dispatch").glob("*.c"))
    whole = ctypes.CDLL(str(compile_shared(sources, tmp_path / "whole.so", flags=(*flags, "-DDIGITS_DISPATCH=1"))))
    assert _answers(whole, "digits", images) == expected
    assert _answers(whole, "digits_baseline", images) == expected
    features = set(Path("/proc/cpuinfo").read_text().split())
    for variant, needed in NEEDED.items():
        if features >= needed:
            assert _answers(whole, f"digits_{variant}", images) == expected, variant


@on_x86
def test_the_sanitizers_find_nothing_in_the_chosen_build(samples: Path, tmp_path: Path):
    folder = _written(samples, tmp_path / "c")
    (tmp_path / "main.c").write_text(
        '#include "digits.h"\nstatic digits_arena_t arena;\nint main(void) {\n'
        "  static int8_t image[DIGITS_INPUT_SIZE], scores[DIGITS_OUTPUT_SIZE];\n  digits_invoke(image, scores, &arena);\n"
        "  return 0;\n}\n"
    )
    sources = [tmp_path / "main.c", *sorted((folder / "dispatch").glob("*.c"))]
    flags = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DDIGITS_DISPATCH=1")
    program = compile_program(sources, tmp_path / "program", flags=flags, include=[folder])
    run_tool([program], what="the program", timeout_s=60, environment={"ASAN_OPTIONS": "detect_leaks=0"})


def test_without_the_macro_the_files_are_empty(samples: Path, tmp_path: Path):
    folder = _written(samples, tmp_path / "c")
    sources = sorted((folder / "dispatch").glob("*.c"))
    assert len(sources) == len(VARIANTS) + 2
    library = compile_shared([*sources, folder / "digits.c"], tmp_path / "plain.so", flags=("-O1", *STRICT))
    assert not hasattr(ctypes.CDLL(str(library)), "digits_baseline_invoke")


def test_functions_of_a_header_are_those_that_it_declares():
    header = (
        "static inline int8_t *net_memory_input(net_memory_t *memory) {\n}\n"
        "void net_invoke(const int8_t input[784], int8_t output[10],\n        net_arena_t *arena);\n"
        "int net_classify(const uint8_t pixels[NET_INPUT_SIZE], net_arena_t *arena);\n"
    )
    invoke, classify = functions_of("net", header)
    assert (invoke.type, invoke.name, invoke.arguments) == ("void", "invoke", "input, output, arena")
    assert invoke.parameters == "const int8_t input[784], int8_t output[10], net_arena_t *arena"
    assert (classify.type, classify.arguments) == ("int", "pixels, arena")
