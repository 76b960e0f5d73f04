"""No generated file or symbol takes a name that means something else to a compiler, a board or a file system."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.compiler import compile_artifact
from glyphlite.compiler.codegen.c_names import LONGEST_NAME, identifier, is_reserved, objection
from glyphlite.emulation.toolchain import compile_shared


def shipped_headers() -> list[str]:
    """The names of the C and C++ headers that come with zig, which the project depends on."""
    spec = find_spec("ziglang")
    assert spec is not None
    assert spec.origin is not None
    lib = Path(spec.origin).parent / "lib"
    folders = ("libcxx/include", "libc/include/generic-glibc")
    names = {path.name.removesuffix(".h") for folder in folders for path in (lib / folder).iterdir() if path.is_file()}
    return sorted(name for name in names if name.isidentifier() and not name.startswith("_"))


def test_every_header_of_a_c_and_cpp_library_is_reserved():
    names = shipped_headers()
    assert {"math", "complex", "vector", "errno", "unistd", "pthread"} <= set(names)
    assert [name for name in names if not is_reserved(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        *("math", "time", "string", "signal", "complex", "thread", "errno", "stdint", "cmath", "vector", "print", "generator"),
        *("new", "class", "and", "bitor", "not_eq", "co_await", "char8_t", "requires", "typeof", "int", "while", "final"),
        *("main", "setup", "loop", "delay", "sqrtf", "malloc", "open", "pthread_create", "posix_net", "unistd", "sys"),
        *("arduino", "wire", "spi", "servo", "freertos", "sdkconfig", "zephyr", "arm_math", "con", "nul", "example", "makefile"),
    ],
)
@pytest.mark.parametrize("written", [str.lower, str.upper, str.title])
def test_a_name_of_somebody_elses_is_refused_with_one_that_is_free(name: str, written):
    words = objection(written(name))
    assert words is not None
    instead = words.split("--name ")[1]
    assert instead == f"model_{name}"
    assert objection(instead) is None


@pytest.mark.parametrize("name", ["model", "net", "network", "digits", "micro_cnn", "glyph_4k", "math2", "mathematics", "arm"])
def test_other_names_are_free(name: str):
    assert objection(name) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *(("model_int8", "model_int8"), ("Edge CNN-2", "edge_cnn_2"), ("int", "model_int"), ("", "model"), ("ünï", "n")),
        *(("math", "model_math"), ("MATH", "model_math"), ("9 lives", "model_9_lives"), ("x" * 100, "x" * LONGEST_NAME)),
    ],
)
def test_names_made_from_file_names(text: str, name: str):
    assert identifier(text) == name


@given(st.text())
def test_whatever_a_file_is_called_its_identifier_is_free(text: str):
    assert objection(identifier(text)) is None


def test_two_models_of_telling_names_stand_in_one_source_file(samples: Path, tmp_path: Path):
    """``digits`` and ``digits_weights``: neither headers nor guards of the one stand for those of the other."""
    sources = []
    for name in ("digits", "digits_weights"):
        compile_artifact(samples / "model_int8.tflite", tmp_path / name, name=name)
        sources.append(tmp_path / name / f"{name}.c")
    both = tmp_path / "both.c"
    both.write_text(
        '#include "digits/digits.h"\n#include "digits_weights/digits_weights.h"\n'
        "int both(void);\nint both(void) { return DIGITS_INPUT_SIZE + DIGITS_WEIGHTS_INPUT_SIZE; }\n"
    )
    compile_shared([*sources, both], tmp_path / "both.so", include=[tmp_path], flags=["-Wall", "-Wextra", "-Werror"])
