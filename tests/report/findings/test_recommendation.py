"""Which file to ship: the rule on cases where the right answer is plain."""

import pytest
from support.made_up import KERAS, artifact

from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.records import ArtifactReport
from glyphlite.report.findings.recommendation import accuracy_verdict, keeps_accuracy, recommend
from glyphlite.results import Results


def run_with(*artifacts: ArtifactReport) -> Results:
    return Results(model="m", dataset="d", seed=0, keras=KERAS, artifacts=list(artifacts))


def test_the_smallest_that_runs_everywhere_is_shipped_not_the_smallest_of_all():
    found = recommend(
        run_with(artifact("float32", size=90_000), artifact("dynamic", size=25_000, refused=True), artifact("int8", size=25_600))
    )
    assert found is not None
    assert found.artifact.variant == "int8"
    assert any("3.5 times smaller than float32 and 12 times smaller than the .keras file" in each for each in found.reasons)
    assert any("9,472 bytes of arena" in each for each in found.reasons)
    assert found.alternatives == ("model_dynamic.tflite is 600 bytes smaller, but TFLite Micro refuses it.",)


def test_a_real_loss_of_more_than_half_a_point_rules_a_file_out():
    found = recommend(run_with(artifact("float32", size=90_000), artifact("int8", size=25_000, right=9_800, p=1e-6)))
    assert found is not None
    assert found.artifact.variant == "float32"


def test_a_real_but_tiny_loss_is_shipped_named_and_what_avoids_it_offered():
    found = recommend(run_with(artifact("float16", size=46_000), artifact("int8", size=25_000, right=9_880, p=0.004)))
    assert found is not None
    assert found.artifact.variant == "int8"
    assert "a significant loss of 0.20 points (p = 0.004)" in found.reasons[0]
    assert found.alternatives == ("If 0.20 points of accuracy matter more than size, model_float16.tflite has them at 44.9 KB.",)


def test_where_all_lose_the_best_is_shipped_and_the_loss_said_first():
    found = recommend(
        run_with(artifact("int8", size=25_000, right=9_000, p=1e-9), artifact("int16x8", size=26_000, right=9_500, p=1e-9))
    )
    assert found is not None
    assert found.artifact.variant == "int16x8"
    assert found.reasons[0] == "No variant keeps the accuracy of the Keras model; this one loses least, 4.00 points."


def test_a_much_faster_file_is_offered_with_its_price():
    found = recommend(run_with(artifact("float32", size=90_000, us=10.0), artifact("int8", size=25_000, us=24.0)))
    assert found is not None
    assert found.alternatives == ("model_float32.tflite is 2.4 times faster on this host (10.0 µs), but 3.6 times the size.",)


def test_few_images_cannot_rule_a_file_out():
    keras = KERAS.model_copy(update={"accuracy": wilson_interval(97, 100)})
    small = artifact("int8", size=25_000, p=0.5).model_copy(update={"accuracy": wilson_interval(95, 100)})
    assert keeps_accuracy(small, keras)
    assert not keeps_accuracy(small.model_copy(update={"mcnemar_p": None}), keras)


def test_a_file_that_loses_a_whole_class_does_not_keep_the_accuracy():
    classes = [wilson_interval(5, 10), wilson_interval(9_895, 9_990)]
    keras = KERAS.model_copy(update={"per_class": classes})
    lost = artifact("int8", size=25_000).model_copy(update={"per_class": [wilson_interval(0, 10), classes[1]]})
    assert keeps_accuracy(lost.model_copy(update={"per_class": classes}), keras)
    assert not keeps_accuracy(lost, keras)
    assert keeps_accuracy(lost, keras.model_copy(update={"per_class": lost.per_class})), "Keras does not recognize it either"


def test_nothing_converted_nothing_shipped():
    assert recommend(run_with()) is None


@pytest.mark.parametrize(
    ("right", "p", "agreement", "expected"),
    [
        (9_900, 1.0, 1.0, "every image gets the class that Keras gives it"),
        (9_900, 1.0, 0.99, "as many right as Keras (p = 1.00)"),
        (9_895, 0.3, 0.99, "no significant difference from Keras (0.05 points below, p = 0.30)"),
        (9_905, 0.3, 0.99, "no significant difference from Keras (0.05 points above, p = 0.30)"),
        (9_850, 0.01, 0.99, "a significant loss of 0.50 points (p = 0.01)"),
        (9_950, 0.01, 0.99, "a significant gain of 0.50 points (p = 0.01)"),
        (9_850, None, None, "0.50 points below Keras, significance not tested"),
    ],
)
def test_verdicts_say_what_p_allows(right: int, p: float | None, agreement: float | None, expected: str):
    report = artifact("int8", size=1, right=right, p=p).model_copy(update={"agreement_with_keras": agreement})
    assert accuracy_verdict(report, KERAS) == expected
