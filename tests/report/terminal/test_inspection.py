"""Inspect on a terminal: complete at any width, and blind to what a hostile file would have it print."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from glyphlite.evaluation.inspection import describe, inspect_artifact
from glyphlite.records import RuntimeReport
from glyphlite.report.terminal.inspection import render_inspection
from glyphlite.tflite.reader import parse_graph, read_graph


def shown(renderable: object, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_ops_totals_and_numbers_are_there(samples: Path, width: int) -> None:
    text = shown(render_inspection(inspect_artifact(samples / "model_int8.tflite", runtimes=False)), width)
    for words in ("CONV_2D", "3x3, valid, ReLU", "48,672", "21,696", "70,464", "21,898", "1x26x26x8 int8", "6,760"):
        assert words in text
    assert "8 scales" in text or width == 80
    assert max(map(len, text.splitlines())) <= width


def test_runtimes_and_their_words(samples: Path) -> None:
    inspection = inspect_artifact(samples / "model_int8.tflite", runtimes=False)
    reports = {
        "tflm": RuntimeReport(accepts=True, arena_bytes=9472),
        "litert": RuntimeReport(accepts=False, reason="[bold]no[/nope]"),
    }
    text = shown(render_inspection(inspection.model_copy(update={"runtimes": reports})), 100)
    assert "9,472 bytes of arena" in text
    assert "[bold]no[/nope]" in text


def test_a_file_of_endless_ops_is_cut_with_a_word(samples: Path) -> None:
    graph = read_graph(samples / "model_int8.tflite")
    relu = replace(graph.operators[5], name="RELU", builtin_code=19, options={})
    operators = tuple(replace(relu, index=index) for index in range(2000))
    text = shown(render_inspection(describe(replace(graph, operators=operators), b"", "m")), 100)
    assert "the first 500 of 2,000" in text
    assert text.count("RELU") == 500


def test_hostile_names_are_shown_not_obeyed(samples: Path) -> None:
    graph = read_graph(samples / "model_int8.tflite")
    evil = "[red]\033]0;gone\a[/nope]\r\n" + "y" * 100_000
    tensors = tuple(replace(tensor, name=evil) for tensor in graph.tensors)
    operators = (replace(graph.operators[0], builtin_code=32, name="CUSTOM", custom_code=evil), *graph.operators[1:])
    hostile = replace(
        graph, tensors=tensors, operators=operators, description=evil, labels=(evil,) * 1000, signatures=(evil,), metadata=(evil,)
    )
    text = shown(render_inspection(describe(hostile, b"", evil)), 80)
    assert "\033" not in text
    assert "\a" not in text
    assert "[red]" in text
    assert len(text) < 20_000


def test_variables_and_initializers_are_shown() -> None:
    from support.streaming import running_sum

    content = running_sum()
    text = shown(render_inspection(describe(parse_graph(content), content, "sum.tflite")), 120)
    assert "sum: 1x4 int8, scale 0.5, zero point 5, 4 bytes" in text
    assert "2: the model and its initializers" in text
    assert "VAR_HANDLE" in text


def test_a_model_of_values_is_told_by_what_it_takes_and_gives(samples: Path) -> None:
    inspection = inspect_artifact(samples / "model_int8.tflite", runtimes=False)
    assert "an image and the scores of its classes" in shown(render_inspection(inspection), 120)
    reason = "its input is a row of 1 numbers; not an image classifier"
    values = inspection.model_copy(
        update={
            "is_image_classifier": False,
            "no_image_classifier_because": reason,
            "runtimes": {"litert": RuntimeReport(accepts=False, runs=True, reason=reason)},
        }
    )
    text = shown(render_inspection(values), 200)
    assert "values: 1x28x28x1 int8 in, 1x10 int8 out; they are not the classes of an image: its input is a row" in text
    assert text.count("a row of 1 numbers") == 1
