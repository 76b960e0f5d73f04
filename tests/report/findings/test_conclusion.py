"""The conclusion of `evaluate`: the best file, the cost of conversion, the problems, each on cases with a plain answer."""

import io

from rich.console import Console

from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.report.findings.conclusion import evaluation_conclusion
from glyphlite.report.terminal.command_output import evaluation_view
from glyphlite.results import Results


def test_the_best_the_cost_and_the_smallest_come_first(results: Results):
    artifacts = [each.model_copy(update={"keras_path": "model.keras"}) for each in results.artifacts]
    said = evaluation_conclusion({"model.keras": results.keras}, artifacts, results.labels)
    best = max([results.keras, *results.artifacts], key=lambda each: (each.accuracy.value, -each.bytes))
    assert f"recognizes {best.accuracy.value * 100:.2f} % of 300 test images" in said[0]
    assert said[1] == "No file is significantly less accurate than Keras."
    smallest = min(results.artifacts, key=lambda each: each.bytes)
    assert said[2].startswith(f"The smallest file that keeps the accuracy: {smallest.path}, ")


def test_losses_chance_and_classes_never_recognized_are_said(results: Results):
    lossy = results.artifacts[3].model_copy(
        update={"accuracy": wilson_interval(200, 300), "mcnemar_p": 0.0004, "keras_path": "model.keras"}
    )
    said = evaluation_conclusion({"model.keras": results.keras}, [lossy], results.labels)
    assert said[1].startswith("Significantly less accurate than Keras: model_int8.tflite ")
    assert "(p < 0.001)" in said[1]
    [_, *others] = evaluation_conclusion({"other.keras": results.keras}, [lossy], results.labels)
    assert others == [], "a file is held against its own Keras model alone"
    chance = lossy.model_copy(update={"accuracy": wilson_interval(31, 300)})
    [_, said_of_it] = evaluation_conclusion({}, [chance], results.labels)
    assert said_of_it.startswith("model_int8.tflite is no better than chance, 10.33 % accuracy on 10 classes")
    classes = [wilson_interval(0, 30), *lossy.per_class[1:]]
    [_, missing] = evaluation_conclusion({}, [lossy.model_copy(update={"per_class": classes})], results.labels)
    assert missing == "model_int8.tflite recognizes no image of the class 0 (30 images)."


def test_unequal_classes_get_their_mean_recall(results: Results):
    per_class = [wilson_interval(10, 20), wilson_interval(60, 60), *[wilson_interval(0, 0)] * 8]
    report = results.artifacts[3].model_copy(update={"per_class": per_class})
    assert report.balanced_accuracy == 0.75
    said = evaluation_conclusion({}, [report], results.labels)
    assert (
        "The classes are unequal, 20 to 60 test images: the balanced accuracy (mean recall) of model_int8.tflite is 75.00 %; "
        "least recognized is 0, 50.00 % of 20." in said
    )
    assert not any("unequal" in each for each in evaluation_conclusion({}, [results.artifacts[3]], results.labels))
    document = report.model_dump(mode="json")
    assert document["balanced_accuracy"] == 0.75
    assert type(report).model_validate(document) == report


def test_matrices_are_shown_on_request_only(results: Results):
    shown = {}
    for per_class in (False, True):
        stream = io.StringIO()
        view = evaluation_view({}, {"a.tflite": results.artifacts[3]}, results.labels, per_class=per_class)
        Console(file=stream, width=100).print(view)
        shown[per_class] = stream.getvalue()
    assert "Confusion matrix" not in shown[False]
    assert "--per-class" in shown[False]
    assert "Confusion matrix" in shown[True]
    assert shown[True].startswith("a.tflite recognizes ")
