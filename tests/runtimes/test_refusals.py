"""What runtimes print, as reasons that a person can act on."""

import pytest

from glyphlite.runtimes.refusals import LONGEST, RefusedError, reason_for


@pytest.mark.parametrize(
    ("noise", "error", "said"),
    [
        (
            "tensorflow/lite/micro/kernels/dequantize_common.cc:42 input->type == kTfLiteInt8 || input->type was not true.",
            "TFLM failed to allocate tensors",
            "its weights are float16, which TFLite Micro cannot dequantize; convert the model with --to int8",
        ),
        ("Input type: FLOAT32 with filter type: INT8 not supported.\nNode 3 failed", "", "dynamic range"),
        ("", "Select TensorFlow op(s), included in the given model, is(are) not supported", "SELECT_TF_OPS"),
        ("ERROR: Didn't find op for builtin opcode 'RANK'", "", "the runtime has no kernel for the op RANK"),
        ("", "Didn't find op for builtin opcode 'CONV_2D' version '99'.", "no kernel for version 99 of the op CONV_2D"),
        ("Failed to resize buffer. Requested: 10, available 5, missing: 5", "", "more memory"),
        ("", "Model provided has model identifier 'TFLX', should be 'TFL3'", "not a .tflite file"),
        ("", "'utf-8' codec can't decode byte 0xff", "not UTF-8"),
        ("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomething new broke", "RuntimeError", "something new broke"),
        ("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.", "it broke", "it broke"),
    ],
)
def test_reasons(noise: str, error: str, said: str) -> None:
    assert said in reason_for(noise, error)


def test_reasons_are_one_short_printable_line() -> None:
    reason = reason_for("first\x1b[31m " + "long " * 200 + "\nsecond", "")
    assert reason.isprintable()
    assert len(reason) <= LONGEST


def test_a_refusal_names_file_runtime_and_reason() -> None:
    error = RefusedError("model.tflite", "tflm", "it is broken")
    assert str(error) == "model.tflite: tflm refuses it: it is broken"
    assert error.reason == "it is broken"
