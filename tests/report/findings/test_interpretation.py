"""What the page says of a run: true to the records, good news and bad."""

from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.records import KerasReport, TrainingReport, UnverifiedReport
from glyphlite.report.findings.interpretation import Finding, commonest_mistakes, hardest_class, interpret
from glyphlite.results import Results
from glyphlite.runtimes.registry import GENERATED


def finding(results: Results, topic: str) -> Finding:
    return next(each for each in interpret(results).findings if each.topic == topic)


def topics(results: Results) -> set[str]:
    return {each.topic for each in interpret(results).findings}


def text(each: Finding) -> str:
    return " ".join(each.sentences)


def changed(results: Results, variant: str, **update: object) -> Results:
    artifacts = [each.model_copy(update=update) if each.variant == variant else each for each in results.artifacts]
    return results.model_copy(update={"artifacts": artifacts})


def test_a_real_run_is_read_right(results: Results):
    said = interpret(results)
    assert said.recommendation is not None
    assert said.recommendation.artifact.variant == "int8"
    int8 = results.artifacts[3]
    wrong = round((1 - int8.accuracy.value) * int8.accuracy.n)
    assert f"int8 gets {wrong} of 300 images wrong." in text(finding(results, "mistakes"))
    assert finding(results, "quantization").tone == "good"
    assert finding(results, "acceptance").tone == "warning"
    assert "TFLite Micro refuses dynamic: no kernel; use int8." in text(finding(results, "acceptance"))
    assert "int16x8" in text(finding(results, "acceptance")).split(".")[0]


def test_a_significant_loss_is_a_warning_with_its_size(results: Results):
    worse = changed(results, "int8", mcnemar_p=0.003, accuracy=wilson_interval(240, 300), agreement_with_keras=0.8)
    said = finding(worse, "quantization")
    assert said.tone == "warning"
    assert said.title.startswith("Conversion costs accuracy: int8 loses ")
    assert "a significant loss of" in text(said)
    assert "p = 0.003" in text(said)


def test_untested_accuracy_is_not_called_unharmed(results: Results):
    untested = results.model_copy(
        update={
            "artifacts": [each.model_copy(update={"mcnemar_p": None, "agreement_with_keras": None}) for each in results.artifacts]
        }
    )
    assert finding(untested, "quantization").tone == "note"
    assert "significance not tested" in text(finding(untested, "quantization"))


def test_runtimes_that_give_other_classes_are_a_warning_where_no_generated_c_was_run(results: Results):
    records = [each.model_copy(update={"same_class": 0.99} if each.runtime == "litert" else {}) for each in results.verify]
    said = finding(results.model_copy(update={"verify": records}), "agreement")
    assert (said.tone, said.title) == ("note", "Generated C is TFLite Micro's equal; other runtimes depart")
    others = [each for each in records if each.runtime not in GENERATED]
    said = finding(results.model_copy(update={"verify": others}), "agreement")
    assert (said.tone, said.title) == ("warning", "Not all runtimes give the same classes")
    assert "99.00 % of the classes are the same" in text(said)
    assert finding(results, "agreement").tone == "good"


def test_a_generated_c_of_other_bytes_is_a_warning(results: Results):
    records = [each.model_copy(update={"identical": 0.99} if each.runtime == "cortex_m4" else {}) for each in results.verify]
    said = finding(results.model_copy(update={"verify": records}), "agreement")
    assert (said.tone, said.title) == ("warning", "Generated C does not give TFLite Micro's bytes")


def test_bytes_are_called_the_same_only_where_some_runtime_gave_them(results: Results):
    others = [each for each in results.verify if each.runtime != "cortex_m4"]
    said = finding(results.model_copy(update={"verify": others}), "agreement")
    assert (said.tone, said.title) == ("note", "The runtimes agree on every class, not on every byte")


def test_agreement_names_who_is_identical_and_where_the_others_part(results: Results):
    said = text(finding(results, "agreement"))
    assert "On 300 images, generated C on Cortex-M4 gave outputs bit-identical to TFLite Micro's." in said
    assert (
        "LiteRT with XNNPACK gives bit-identical outputs on 97.00 % of the images; maximum difference 8 steps; "
        "every class is the same" in said
    )
    assert "The first op that differs is CONV_2D (conv/Relu), maximum difference 1 step" in said


def test_certainty_far_off_is_a_warning(results: Results):
    off = changed(results, "int8", mean_certainty=0.99, expected_calibration_error=0.09)
    assert finding(off, "certainty").tone == "warning"
    assert "overconfident" in text(finding(off, "certainty"))
    near = changed(results, "int8", mean_certainty=0.95, expected_calibration_error=0.01)
    assert "At a temperature of" in text(finding(near, "certainty"))
    assert "Answers below the rejection threshold of" in text(finding(near, "certainty"))
    assert "temperature" not in text(finding(changed(near, "int8", certainty=None), "certainty"))
    assert finding(near, "certainty").tone == "note"


def test_a_validation_that_promised_too_much_is_named(results: Results):
    keras = results.keras.model_copy(update={"accuracy": wilson_interval(9_500, 10_000), "validation_accuracy": 0.985})
    assert "Validation accuracy was 98.50 %, 3.50 points more." in text(
        finding(results.model_copy(update={"keras": keras}), "accuracy")
    )


def test_memory_is_compared_only_with_what_was_measured(results: Results):
    assert "TFLite Micro takes 9,472 bytes of arena" in text(finding(results, "firmware"))
    without = changed(results, "int8", runtimes={})
    assert "TFLite Micro" not in text(finding(without, "firmware"))


def test_what_could_not_be_verified_is_said(results: Results):
    flex = UnverifiedReport(variant="float32", path="model_float32.tflite", bytes=9, sha256="", reason="needs SELECT_TF_OPS")
    said = finding(results.model_copy(update={"unverified": [flex]}), "unverified")
    assert said.tone == "warning"
    assert said.sentences == ("model_float32.tflite was converted but not verified here: needs SELECT_TF_OPS.",)


def test_nothing_is_said_of_what_was_not_measured():
    keras = KerasReport(parameters=1, macs=1, bytes=1, accuracy=wilson_interval(9, 10))
    assert topics(Results(model="m", dataset="d", seed=0, keras=keras)) == {"accuracy"}


def test_classes_without_test_images_are_not_measured(results: Results):
    per_class = [wilson_interval(0, 0), *results.keras.per_class[1:]]
    said = finding(results.model_copy(update={"keras": results.keras.model_copy(update={"per_class": per_class})}), "unmeasured")
    assert (said.title, text(said)) == ("1 class not measured", "There is no test image of 0.")
    assert "unmeasured" not in topics(results)


def test_a_model_without_mistakes_and_classes_without_images(results: Results):
    perfect = changed(results, "int8", accuracy=wilson_interval(20, 20), confusion=[[10, 0], [0, 10]])
    assert finding(perfect, "mistakes").title == "It made no mistake"
    assert commonest_mistakes([[5, 2, 0], [2, 7, 1], [0, 0, 0]]) == [(2, 0, 1), (2, 1, 0), (1, 1, 2)]
    lopsided = results.artifacts[3].model_copy(update={"per_class": [wilson_interval(1, 2), wilson_interval(0, 0)]})
    assert hardest_class(lopsided) == 0


def test_of_a_training_on_all_images_no_validation_figure_is_told(results: Results):
    training = TrainingReport(
        validation_images=0, learning_rate=[0.1] * 3, accuracy=[0.9] * 3, validation_accuracy=[], all_images=True
    )
    keras = results.keras.model_copy(update={"validation_accuracy": None})
    artifacts = [each.model_copy(update={"certainty": None}) for each in results.artifacts]
    joined = results.model_copy(update={"training": training, "keras": keras, "artifacts": artifacts})
    words = " ".join(sentence for finding in interpret(joined).findings for sentence in finding.sentences)
    assert "It was trained on all images for a fixed number of epochs (3): none was held out" in words
    assert "Validation accuracy" not in words
    assert "rejection threshold of" not in words


def test_a_threshold_of_a_twin_is_told_as_such(results: Results):
    certainty = results.artifacts[3].certainty
    assert certainty is not None
    twin = changed(results, "int8", certainty=certainty.model_copy(update={"twin": True}))
    words = " ".join(sentence for finding in interpret(twin).findings for sentence in finding.sentences)
    assert "validation images that a twin of the model was not trained on" in words
