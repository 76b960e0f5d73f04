"""The tables at the widths they are made for: no figure cut, nothing from outside obeyed."""

import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.records import RuntimeReport, TrainingReport
from glyphlite.report.terminal import tables
from glyphlite.results import Results

FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def shown(renderable: RenderableType, width: int = 80, *, colour: bool = False) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False, force_terminal=colour).print(renderable)
    return stream.getvalue()


def everything(results: Results) -> list[RenderableType]:
    int8 = results.artifacts[3]
    return [
        tables.summary(results),
        tables.evaluation_table(results.artifacts, {"model.keras": results.keras}),
        tables.runtimes_table(results.artifacts),
        tables.per_class_table(int8, results.labels),
        tables.confusion_table(int8, results.labels),
        tables.verify_table(results.verify),
        tables.firmware_table(results.firmware),
        tables.layers_table(results.firmware[0]),
        tables.predictions_table([("seven.png", [("7", 0.973), ("1", 0.02)])]),
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_no_figure_is_cut_and_no_line_too_long(results: Results, width: int):
    for renderable in everything(results):
        text = shown(renderable, width)
        assert "…" not in text
        assert max(map(len, text.splitlines())) <= width


def test_the_summary_holds_the_records_figures_and_the_file_to_ship(results: Results):
    text = shown(tables.summary(results))
    for artifact in results.artifacts:
        line = next(each for each in text.splitlines() if each.startswith(f"{artifact.variant} "))
        accuracy = artifact.accuracy
        assert f"{artifact.bytes:,}" in line
        assert f"{accuracy.value * 100:.2f} ({accuracy.low * 100:.2f}-{accuracy.high * 100:.2f})" in line
        assert f"{artifact.latency_us:.2f} µs" in line
    assert "\nShip\n" in text
    chosen = {line.split()[0]: line.split()[1] for line in text.splitlines() if line.startswith(("phone ", "micro", "browser "))}
    assert chosen == {
        "phone": "model_dynamic.tflite",
        "microcontroller": "model_int8.tflite",
        "browser": "model_int8.tflite",
    }


def test_the_summary_of_a_model_that_is_not_ready_says_what_to_do_first(results: Results):
    training = TrainingReport(validation_images=5000, learning_rate=[0.1], accuracy=[0.9], validation_accuracy=[0.96])
    text = " ".join(shown(tables.summary(results.model_copy(update={"training": training}))).split())
    assert "Not ready for use" in text
    assert "train longer, for example with --epochs 10" in text
    assert "Ship" not in text


def test_a_share_is_100_only_where_it_is_all(results: Results):
    nearly = results.artifacts[3].model_copy(update={"accuracy": wilson_interval(59_999, 60_000), "agreement_with_keras": 1.0})
    text = shown(tables.evaluation_table([nearly]))
    assert "> 99.99 (" in text
    assert "100.00" in text


def test_refusals_come_with_their_reason(results: Results):
    text = shown(tables.runtimes_table(results.artifacts))
    assert "dynamic on TFLite Micro: no kernel; use int8" in text
    assert "9,472" in text


def test_sizes_are_held_against_the_same_models_files_alone(results: Results):
    """Two models' files in one table: no ratio where the model's own Keras or float32 file is not among them."""
    mine = {"keras_path": "a/model.keras", "float32_path": "a/model_float32.tflite"}
    float32, int8 = results.artifacts[0], results.artifacts[3]
    reports = [
        float32.model_copy(update={"path": "a/model_float32.tflite", **mine}),
        int8.model_copy(update={"path": "a/model_int8.tflite", **mine}),
        int8.model_copy(update={"path": "b/model_int8.tflite", "input_type": "uint8", "output_type": "int8"}),
    ]
    text = shown(tables.evaluation_table(reports, {"a/model.keras": results.keras}), 120)
    rows = {line.split()[0]: line.split() for line in text.splitlines()[-4:] if line.strip()}
    assert rows["a/model_int8.tflite"][-1] == f"{float32.bytes / int8.bytes:.1f}"
    assert rows["b/model_int8.tflite"][1:4] == ["int8,", "uint8", "to"]
    assert rows["b/model_int8.tflite"][-1] == f"{int8.weight_bytes:,}"
    text = shown(tables.runtimes_table(reports, by_path=True), 120)
    assert "a/model_int8.tflite" in text
    assert "b/model_int8.tflite" in text


def test_verify_names_the_reference_and_the_first_op_that_differs(results: Results):
    text = " ".join(shown(tables.verify_table(results.verify)).split())
    assert "model_int8.tflite: 300 images, compared with TFLite Micro" in text
    assert "LiteRT with XNNPACK first differs in op 0, CONV_2D (conv/Relu), by at most 1 step, on 9 images" in text
    assert "nothing was compared" in shown(tables.verify_table([]))


def test_verify_tells_floats_from_steps(results: Results):
    [record] = [each for each in results.verify if each.first_difference]
    assert record.first_difference is not None
    floats = record.first_difference.model_copy(update={"largest_difference": 5.96e-8, "difference_unit": "value"})
    text = " ".join(shown(tables.verify_table([record.model_copy(update={"first_difference": floats})])).split())
    assert "by at most 6e-08, on 9 images" in text


def test_nothing_from_outside_is_obeyed(results: Results):
    hostile = "\x1b]0;owned\x07\x1b[2J[red]x[/red][/bold]\n\u202eabc"
    runtimes = {hostile: RuntimeReport(accepts=False, reason=hostile)}
    update = {"path": hostile, "variant": hostile, "runtimes": runtimes}
    artifacts = [each.model_copy(update=update) for each in results.artifacts]
    changed = results.model_copy(
        update={
            "artifacts": artifacts,
            "labels": [hostile] * 10,
            "verify": [each.model_copy(update={"artifact": hostile, "runtime": hostile}) for each in results.verify],
            "firmware": [each.model_copy(update={"cpu": hostile}) for each in results.firmware],
        }
    )
    for renderable in [*everything(changed), tables.predictions_table([(hostile, [(hostile, 0.5), (hostile, 0.2)])])]:
        text = shown(renderable, 200)
        assert not {each for each in text if not each.isprintable()} - {"\n"}
    assert "[red]x[/red]" in shown(tables.per_class_table(artifacts[3], [hostile] * 10), 200)


def test_long_class_names_are_numbered_so_that_no_count_is_cut(results: Results):
    text = shown(tables.confusion_table(results.artifacts[3], FASHION))
    assert "9 Ankle boot" in text
    assert "…" not in text
    header = next(each for each in text.splitlines() if each.startswith("True"))
    assert header.split()[1:] == [str(each) for each in range(10)]


def test_many_classes_become_a_list_of_mistakes(results: Results):
    confusion = [[5 if row == column else int(column == row + 1) for column in range(40)] for row in range(40)]
    text = shown(tables.confusion_table(results.artifacts[3].model_copy(update={"confusion": confusion}), results.labels))
    assert "Read as" in text
    assert len(text.splitlines()) == 22


def test_piped_tables_are_wide_and_plain(results: Results, capsys: pytest.CaptureFixture[str]):
    tables.stdout_console().print(tables.variants_table(results))
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "int16x8" in text


def test_models_and_datasets_are_listed():
    from glyphlite.datasets.registry import DatasetInfo
    from glyphlite.models.registry import describe_models

    text = shown(tables.models_table([replace(each, all_images=False) for each in describe_models()]))
    assert "micro-cnn" in text
    assert "21,898" in text
    assert "all images" not in text
    joined = [replace(each, all_images=each.name == "glyph-4k") for each in describe_models()]
    assert "glyph-4k: accuracy before the training on all images." in shown(tables.models_table(joined))
    info = DatasetInfo(name="mnist", title="handwritten digits", sizes="60,000 + 10,000 images", available=True, location=None)
    assert "60,000 + 10,000 images" in shown(tables.datasets_table([info]))


def test_a_class_without_test_images_is_not_measured(results: Results):
    int8 = results.artifacts[3]
    confusion = [[0] * 10 if number == 4 else row for number, row in enumerate(int8.confusion)]
    per_class = [wilson_interval(0, 0) if number == 4 else each for number, each in enumerate(int8.per_class)]
    report = int8.model_copy(update={"confusion": confusion, "per_class": per_class})
    row = next(line for line in shown(tables.per_class_table(report, results.labels)).splitlines() if line.startswith("4"))
    assert row.split() == ["4", "0", "not", "measured"]
    assert [each["measured"] for each in report.model_dump()["per_class"]] == [number != 4 for number in range(10)]
