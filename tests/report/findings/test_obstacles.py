"""The readiness of a model: not ready at chance, with classes never recognized or a validation curve that rises; else ready."""

import pytest
from support.made_up import artifact

from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.records import KerasReport, TrainingReport
from glyphlite.report.findings.obstacles import at_chance, obstacles, still_rises
from glyphlite.results import Results


def training(*accuracies: float, images: int = 5000, rates: list[float] | None = None) -> TrainingReport:
    return TrainingReport(
        validation_images=images,
        learning_rate=rates or [0.001] * len(accuracies),
        accuracy=list(accuracies),
        validation_accuracy=list(accuracies),
    )


def annealed(epochs: int) -> list[float]:
    return [0.01 * (epochs - 1 - epoch) / epochs for epoch in range(epochs)]


def keras(*right: int, images: int = 100) -> KerasReport:
    per_class = [wilson_interval(each, images) for each in right]
    whole = wilson_interval(sum(right), images * len(right))
    return KerasReport(parameters=1, macs=1, bytes=1, accuracy=whole, per_class=per_class)


def run(report: KerasReport, history: TrainingReport | None = None) -> Results:
    return Results(model="m", dataset="d", seed=0, labels=["a", "b", "c"], keras=report, training=history)


@pytest.mark.parametrize(
    "rising",
    [
        training(0.97),
        training(0.93, 0.965),
        training(0.93, 0.965, 0.975, rates=annealed(3)),
        training(0.8, 0.85, 0.88, 0.9, 0.92, images=1000),
        training(0.5, 0.6, 0.7, 0.8, images=60),
        training(0.1, 0.3, 0.6, 0.8, 0.88, images=52, rates=annealed(5)),
    ],
)
def test_curves_that_still_rise(rising: TrainingReport):
    assert still_rises(rising)
    [obstacle] = obstacles(run(keras(99, 98, 99), rising))
    assert obstacle.topic == "unfinished"
    assert "--epochs" in obstacle.advice


@pytest.mark.parametrize(
    "level",
    [
        training(0.97, 0.985, 0.99, 0.9905, 0.991, 0.9908),
        training(0.98, 0.986, 0.989, 0.991, 0.992, 0.9925, 0.993, 0.9935, 0.9938, 0.994, rates=annealed(10)),
        training(0.9, 0.95, 0.94, 0.93),
        training(0.99, 0.99),
    ],
)
def test_curves_that_have_come_to_their_end(level: TrainingReport):
    assert not still_rises(level)
    assert obstacles(run(keras(99, 98, 99), level)) == ()


def test_a_model_at_chance_is_not_ready_and_nothing_else_is_said():
    [obstacle] = obstacles(run(keras(100, 0, 2), training(0.34)))
    assert obstacle.topic == "chance"
    assert "34.00 % of 300 test images right, on 3 classes" in obstacle.title


def test_always_answering_a_common_class_is_chance():
    per_class = [wilson_interval(900, 900), wilson_interval(0, 100)]
    report = KerasReport(parameters=1, macs=1, bytes=1, accuracy=wilson_interval(900, 1000), per_class=per_class)
    assert at_chance(report)
    assert not at_chance(report.model_copy(update={"per_class": []}))


def test_files_that_all_lose_accuracy_are_not_ready():
    report = keras(99, 98, 99)
    lossy = artifact("int8", size=10).model_copy(update={"accuracy": wilson_interval(90, 100), "mcnemar_p": 0.001})
    [obstacle] = obstacles(run(report).model_copy(update={"artifacts": [lossy]}))
    assert obstacle.title == "No file keeps the accuracy of the Keras model: model_int8.tflite loses 8.67 points"
    kept = artifact("float32", size=90).model_copy(update={"accuracy": report.accuracy})
    assert obstacles(run(report).model_copy(update={"artifacts": [lossy, kept]})) == ()


def test_classes_never_recognized_are_named_but_not_those_without_images():
    report = keras(100, 0, 97)
    [obstacle] = obstacles(run(report))
    assert obstacle.topic == "unrecognized"
    assert obstacle.title == "One class is never recognized: b (100 images)"
    absent = report.model_copy(update={"per_class": [report.per_class[0], wilson_interval(0, 0), report.per_class[2]]})
    assert obstacles(run(absent)) == ()
