import re
from functools import cache

import pytest
from random_models import model_of
from support.slow import rest_slow

from glyphlite.compiler import compile_graph
from glyphlite.compiler.codegen.c_text import COLUMNS
from glyphlite.compiler.codegen.layout import tidy, wrapped
from glyphlite.tflite.reader import parse_graph


@cache
def files_of(seed: int, optimize: str) -> dict[str, str]:
    return compile_graph(parse_graph(model_of(seed)[1]), "net", optimize=optimize).files


@pytest.mark.parametrize("optimize", rest_slow(["speed", "size", "ram"]))
def test_no_line_of_generated_c_is_longer_than_120_columns(optimize: str):
    longest = 0
    for seed in range(1, 81, 4):
        for file, text in files_of(seed, optimize).items():
            for line in text.splitlines():
                assert len(line) <= COLUMNS, f"seed {seed}, {file}: {line}"
                longest = max(longest, len(line))
    assert longest > COLUMNS - 10, "some lines are wrapped"


@pytest.mark.parametrize("optimize", rest_slow(["speed", "size"]))
def test_at_most_one_level_of_the_preprocessor_in_layers(optimize: str):
    """Cores are told apart once per place: no #if inside another."""
    for seed in range(1, 121, 3):
        depth = 0
        for line in files_of(seed | 1, optimize)["net.c"].splitlines():
            depth += line.startswith("#if") - line.startswith("#endif")
            assert depth <= 1, f"seed {seed | 1}"


@pytest.mark.parametrize(
    "line",
    [
        "    static int32_t a_long_function(const uint8_t *input, " + ", ".join(f"int32_t number_{i}" for i in range(6)) + ") {",
        '    printf("a string, with commas, that must stay in one piece whatever its length is", '
        + ", ".join(["argument"] * 9)
        + ");",
        "    /* " + "A comment that goes on, continued on a second line, which begins with a star. " * 2 + "*/",
        "#define NET_LABELS { " + ", ".join(f'"label {index}"' for index in range(20)) + " }",
    ],
)
def test_long_lines_are_broken_at_blanks_alone(line: str):
    lines = wrapped(line)
    assert len(lines) > 1
    assert all(len(each) <= COLUMNS for each in lines)
    joined = "".join(each.strip().removesuffix("\\") for each in lines)
    assert re.sub(r"[\s*]", "", joined) == re.sub(r"[\s*]", "", line)
    strings = re.findall(r'"[^"]*"', line)
    assert [string for each in lines for string in re.findall(r'"[^"]*"', each)] == strings


def test_blank_lines_do_not_pile_up():
    assert tidy("a;  \n\n\n\nb;\n\n") == "a;\n\nb;\n"


@pytest.mark.parametrize(
    "line",
    [
        "            && " + "a_name_" * 20 + " < " + "another_" * 20 + " + 2; ++" + "a_name_" * 20 + ") {",
        "    " + "x" * 300,
        "    /* " + "x" * 300 + " */",
        " * " + "x" * 300 + " " + "y" * 300,
        "    " + "f(" * 60 + "1, 2" + ")" * 60 + ";",
        "#define A " + "x" * 200,
        "    * " + "y" * 150,
        "  ? : + - * & " * 30,
    ],
)
def test_names_longer_than_a_line_end_too(line: str):
    lines = wrapped(line)
    assert re.sub(r"[\s*\\]", "", "".join(lines)) == re.sub(r"[\s*\\]", "", line)
    assert all(each.strip() for each in lines)


def test_loops_in_many_loops_stay_within_the_columns():
    loop = "for (; ready_block_11_expand < 48 && ready_block_11_expand < ready_block_11_pool * 1 + 1; ++ready_block_11_expand) {"
    lines = tidy("\n".join(" " * (4 * depth) + loop for depth in range(40))).splitlines()
    assert max(map(len, lines)) <= 120
    assert "".join("".join(lines).split()) == "".join((loop * 40).split())


def test_a_comment_that_was_broken_goes_on_on_the_same_line() -> None:
    words = "/* " + "word " * 23 + "that\n * goes on\n * Title   of a table */\nint a;\n"
    assert tidy(words) == "/* " + "word " * 22 + "word\n * that goes on\n * Title   of a table */\nint a;\n"
