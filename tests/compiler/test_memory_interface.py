"""Inputs and outputs in the arena: the interface of the header, whose bytes every comparison of random models checks."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from random_models.one_op import Activation, Constant, one_op
from random_models.recurrent import draw_lstm

from glyphlite.compiler.compile import compile_artifact, compile_graph
from glyphlite.emulation.toolchain import compile_program
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.purpose import is_picture
from glyphlite.tflite.reader import parse_graph

STRICT = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wcast-align", "-Wshadow", "-Werror")

CALLER = """\
#include "digits.h"
#include <stdio.h>
#include <string.h>
int main(void) {
    static digits_memory_t memory;
    static digits_arena_t arena;
    static uint8_t pixels[DIGITS_INPUT_SIZE];
    int8_t scores[DIGITS_OUTPUT_SIZE];
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < DIGITS_INPUT_SIZE; ++i) pixels[i] = (uint8_t)(i * (round + 3) * 7 % 251);
        const int expected = digits_classify(pixels, scores, &arena);
        memcpy(digits_memory_input(&memory), pixels, sizeof pixels);
        if (digits_memory_classify(&memory) != expected) return 1;
        if (memcmp(digits_memory_output(&memory), scores, sizeof scores)) return 2;
        for (int i = 0; i < DIGITS_INPUT_SIZE; ++i) digits_memory_input(&memory)[i] = (int8_t)(pixels[i] - 128);
        digits_memory_invoke(&memory);
        if (memcmp(digits_memory_output(&memory), scores, sizeof scores)) return 3;
    }
    printf("%d", (int)sizeof memory);
    return 0;
}
"""


def test_pixels_and_stored_values_in_the_arena_give_the_same_answers(samples: Path, tmp_path: Path) -> None:
    report = compile_artifact(samples / "model_int8.tflite", tmp_path / "c", name="digits")
    (tmp_path / "main.c").write_text(CALLER)
    sources = [tmp_path / "main.c", tmp_path / "c/digits.c"]
    flags = (*STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    program = compile_program(sources, tmp_path / "main", flags=flags, include=[tmp_path / "c"])
    finished = subprocess.run([program], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) == report.plain_memory_bytes
    assert report.plain_memory_bytes < report.plain_arena_bytes + report.input_bytes + report.output_bytes


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_writes_over_the_rows_that_it_has_read(stride: int) -> None:
    extent = 16 // stride
    taps = Constant(np.ones((4, 3, 3, 4), np.int8), [0.01] * 4)
    content = one_op(
        "CONV_2D",
        [Activation((1, 16, 16, 4), 0.1, 0), taps, None],
        Activation((1, extent, extent, 4), 0.1, 0),
        "Conv2DOptions",
        padding=0,
        strideH=stride,
        strideW=stride,
    )
    report = compile_graph(parse_graph(content), "net").report
    assert report.plain_memory_bytes < report.plain_arena_bytes + report.input_bytes + report.output_bytes
    assert report.plain_memory_bytes <= report.plain_arena_bytes + report.input_bytes + 2 * 16 * 4


def test_memory_is_told_of_every_edge(samples: Path) -> None:
    compilation = compile_graph(parse_graph((samples / "model_int8.tflite").read_bytes()), "net")
    header = compilation.files["net.h"]
    assert re.findall(r"(net_memory_\w+)\(", header.split("extern")[1])[:3] == [
        "net_memory_input",
        "net_memory_output",
        "net_memory_invoke",
    ]
    edges = (*compilation.report.input_tensors, *compilation.report.output_tensors)
    assert all(edge.memory_offset is not None and edge.memory_offset % 4 == 0 for edge in edges)
    assert all(
        edge.memory_offset + edge.bytes <= compilation.report.memory_bytes for edge in edges if edge.memory_offset is not None
    )


STREAM = """\
#include "net.h"
#include <string.h>
int main(void) {
    static net_memory_t memory;
    static net_arena_t arena;
    static net_state_t one, other;
    static uint8_t pixels[NET_INPUT_SIZE];
    int8_t scores[NET_OUTPUT_SIZE];
    net_reset(&one);
    net_reset(&other);
    for (int call = 0; call < 6; ++call) {
        for (int i = 0; i < NET_INPUT_SIZE; ++i) pixels[i] = (uint8_t)(i * (call + 3) * 7 % 251);
        const int expected = net_classify(pixels, scores, &one, &arena);
        memcpy(net_memory_input(&memory), pixels, sizeof pixels);
        if (net_memory_classify(&other, &memory) != expected) return 1;
        if (memcmp(net_memory_output(&memory), scores, sizeof scores)) return 2;
    }
    return 0;
}
"""


def test_pixels_in_the_arena_of_a_model_that_keeps_state(tmp_path: Path) -> None:
    graph = next(
        graph for seed in range(60) if is_picture(graph := parse_graph(draw_lstm(seed, dense=True, features=9, steps=9)))
    )
    quantization = graph.input.quantization
    assert quantization is not None
    as_stored = InputConvention((float(128 + quantization.zero_point),), (1 / quantization.scale,), "the test")
    labels = [str(index) for index in range(graph.output.elements)]
    compilation = compile_graph(graph, "net", convention=as_stored, labels=labels)
    assert compilation.report.state_bytes
    compilation.write(tmp_path)
    (tmp_path / "main.c").write_text(STREAM)
    flags = (*STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    program = compile_program([tmp_path / "main.c", tmp_path / "net.c"], tmp_path / "main", flags=flags, include=[tmp_path])
    assert subprocess.run([program], check=False).returncode == 0
