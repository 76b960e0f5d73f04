"""The verdict must say yes, no and how far, from records alone."""

from typing import Any

import pytest

from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.evaluation.verification.verdict import tolerated, verdict_of
from glyphlite.records import TensorDifference, VerifyReport

N = 10_000


def record(
    runtime: str, *, identical: float = 1.0, largest: float = 0.0, same_class: float = 1.0, **more: object
) -> VerifyReport:
    values = {
        "artifact": "model_int8.tflite",
        "runtime": runtime,
        "reference": "tflm",
        "images": N,
        "identical": identical,
        "largest_difference": largest,
        "same_class": same_class,
        "accuracy": wilson_interval(9545, N),
        **more,
    }
    return VerifyReport.model_validate(values)


REFERENCE = record("tflm")


def verdict(*records: VerifyReport, tolerance: float = 0.001, refused: dict[str, str] | None = None) -> tuple[bool, str]:
    return verdict_of([REFERENCE, *records], refused or {}, tolerance=tolerance, keras_tolerance=0.02)


def test_identical_runtimes_are_called_identical() -> None:
    agrees, words = verdict(record("litert_builtin"))
    assert agrees
    assert "the same class on every image" in words
    assert "LiteRT, built-in kernels: identical to TFLite Micro on every byte" in words


def test_a_difference_is_named_with_its_op_and_its_size() -> None:
    first = TensorDifference(tensor="conv", op="CONV_2D", op_index=0, largest_difference=1, differing_images=837)
    agrees, words = verdict(record("litert", identical=0.9873, largest=14, first_difference=first))
    assert agrees
    assert "identical on 98.73% of the images, maximum difference 14 steps; first in op 0, CONV_2D, by 1" in words


def test_one_step_is_one_step() -> None:
    assert "maximum difference 1 step" in verdict(record("litert", identical=0.5, largest=1))[1]
    assert (
        "maximum difference 1e-07 in probability"
        in verdict(record("litert", identical=0.5, largest=1e-7, difference_unit="probability"))[1]
    )


@pytest.mark.parametrize(
    ("differing", "tolerance", "agrees"), [(1, 0.0, False), (10, 0.001, True), (11, 0.001, False), (0, 0.0, True)]
)
def test_classes_are_held_against_the_tolerance(differing: int, tolerance: float, agrees: bool) -> None:
    found, words = verdict(record("litert", identical=0.9, largest=9, same_class=1 - differing / N), tolerance=tolerance)
    assert found == agrees
    assert ("disagree" in words) == (not agrees)
    if not agrees:
        assert f"LiteRT, XNNPACK on {differing} image" in words


def test_the_float_source_has_its_own_tolerance() -> None:
    assert verdict(record("keras", identical=0.5, largest=30, same_class=0.99), tolerance=0.0)[0]
    agrees, words = verdict(record("keras", identical=0.5, largest=30, same_class=0.97), tolerance=1.0)
    assert not agrees
    assert words.startswith("The runtimes agree on ")
    assert "but the float Keras model gives another class than" in words
    assert "(3.00%), above the limit of 2.00%." in words


def test_one_image_of_a_small_draw_is_tolerated_and_none_where_none_may_differ() -> None:
    assert [tolerated(100, 0.001), tolerated(1000, 0.001), tolerated(1001, 0.001), tolerated(10_000, 0.0)] == [1, 1, 2, 0]


def test_what_was_not_compared_is_said() -> None:
    assert (
        "Not compared: TFLite Micro (its weights are float16)"
        in verdict_of(
            [record("litert_builtin", reference="litert_builtin")],
            {"tflm": "its weights are float16"},
            tolerance=0,
            keras_tolerance=0,
        )[1]
    )


def unlabelled(runtime: str, *, differing: int = 0, largest: float = 0.0, **more: Any) -> VerifyReport:
    """A record of 1,000 inputs of 4 values without classes."""
    values: dict[str, Any] = {"images": 1000, "unit": "input", "same_class": None, "accuracy": None, "values": 4000, **more}
    return record(
        runtime, identical=1 - differing / 1000, largest=largest, differing_values=differing, differing_bytes=differing, **values
    )


def test_a_runtime_that_departs_is_named_and_is_no_disagreement() -> None:
    """XNNPACK is up to 45 steps off on DS-CNNs, and another class in places; what is promised holds all the same."""
    records = [record("litert", identical=0.7, largest=45, same_class=0.97), record("generated_c")]
    agrees, words = verdict(*records)
    assert agrees
    assert words.startswith("Generated C and TFLite Micro agree on every byte of model_int8.tflite over 10,000 images.")
    assert "LiteRT, XNNPACK: identical on 70.00% of the images, maximum difference 45 steps" in words
    assert "disagree" not in words
    agrees, words = verdict_of(
        [unlabelled("tflm"), unlabelled("litert", differing=200, largest=45), unlabelled("generated_c")],
        {},
        tolerance=0.001,
        keras_tolerance=0.02,
    )
    assert agrees
    assert words == (
        "Generated C and TFLite Micro agree on every byte of model_int8.tflite over 1,000 inputs. "
        "LiteRT with XNNPACK departs by up to 45 steps on 5.00% of the outputs (200 inputs)."
    )


@pytest.mark.parametrize("runtime", ["generated_c", "cortex_m0"])
def test_a_byte_of_generated_c_that_differs_is_a_fault_even_in_the_same_class(runtime: str) -> None:
    agrees, words = verdict(record(runtime, identical=0.9999, largest=1), record("litert_builtin"))
    assert not agrees
    assert "The runtimes disagree on model_int8.tflite over 10,000 images: generated C differs from TFLite Micro" in words
    assert "by up to 1 step on 1 image (0.01%). This is a fault of glyphlite" in words


def test_without_generated_c_a_departure_is_said_and_is_no_failure() -> None:
    agrees, words = verdict_of(
        [unlabelled("tflm"), unlabelled("litert", differing=3, largest=1)], {}, tolerance=0.001, keras_tolerance=0.02
    )
    assert agrees
    assert words.startswith("Compared with TFLite Micro on model_int8.tflite over 1,000 inputs: LiteRT with XNNPACK departs by")
    assert "class" not in words
