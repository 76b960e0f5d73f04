"""A run's results for the report's tests: real models on real MNIST images, with what other packages add filled in by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.records import ArenaPart, FirmwareReport, LayerReport, RuntimeReport, TensorDifference, VerifyReport
from glyphlite.report.figures.samples import SampleSheet, choose_samples
from glyphlite.results import Results

IMAGES = 300


@pytest.fixture(scope="session")
def measured(mnist: Dataset, samples: Path) -> tuple[Results, SampleSheet]:
    """The sample micro-cnn and its five variants, measured on 300 test images."""
    from glyphlite.evaluation.model_evaluation import evaluate_artifact, evaluate_keras

    few = replace(mnist, test=Split(mnist.test.images[:IMAGES], mnist.test.labels[:IMAGES]))
    keras = evaluate_keras(samples / "model.keras", few, validation_accuracy=0.96, best_epoch=2, latency=False)
    runs = [
        evaluate_artifact(
            samples / f"model_{variant}.tflite", few, keras_predictions=keras.predictions, latency=False, runtimes=False
        )
        for variant in ("float32", "float16", "dynamic", "int8", "int16x8")
    ]
    artifacts = []
    for number, run in enumerate(runs):
        takes = run.report.variant not in ("float16", "dynamic")
        tflm = RuntimeReport(accepts=False, reason="no kernel; use int8")
        if takes:
            parts = [ArenaPart(name="activations", bytes=7_200), ArenaPart(name="records", bytes=2_272, count=12)]
            tflm = RuntimeReport(accepts=True, arena_bytes=9_472, recommended_arena_bytes=10_016, arena_breakdown=parts)
        runtimes = {"litert": RuntimeReport(accepts=True), "tflm": tflm}
        artifacts.append(run.report.model_copy(update={"latency_us": 6.0 + number / 10, "runtimes": runtimes}))
    results = Results(
        glyphlite="0.1.0",
        model="micro-cnn",
        dataset="mnist",
        seed=0,
        labels=list(mnist.labels),
        seconds={"train": 61.2, "evaluate": 9.5},
        keras=keras.report.model_copy(update={"latency_us": 512.0}),
        artifacts=artifacts,
        verify=_verify(artifacts[3].accuracy),
        firmware=_firmware(),
    )
    sheet = choose_samples(few.test.images, few.test.labels, runs[3].probabilities, artifact="model_int8.tflite")
    return results, sheet


@pytest.fixture
def results(measured: tuple[Results, SampleSheet]) -> Results:
    """The results of that run."""
    return measured[0]


@pytest.fixture
def sheet(measured: tuple[Results, SampleSheet]) -> SampleSheet:
    """Its sample predictions."""
    return measured[1]


def _verify(accuracy) -> list[VerifyReport]:
    first = TensorDifference(tensor="conv/Relu", op="CONV_2D", op_index=0, largest_difference=1, differing_images=9)
    common = {"artifact": "model_int8.tflite", "reference": "tflm", "images": IMAGES, "accuracy": accuracy}
    return [
        VerifyReport(
            runtime="litert",
            identical=0.97,
            largest_difference=8,
            same_class=1.0,
            first_difference=first,
            differing_tensors=[first],
            **common,
        ),
        VerifyReport(runtime="tflm", identical=1.0, largest_difference=0, same_class=1.0, **common),
        VerifyReport(runtime="cortex_m4", identical=1.0, largest_difference=0, same_class=1.0, **common),
    ]


def _firmware() -> list[FirmwareReport]:
    layers = [
        LayerReport(name="conv_conv2d_3x3", op="CONV_2D", macs=48_672, instructions=100_000, constant_bytes=104),
        LayerReport(name="fc_fully_connected", op="FULLY_CONNECTED", macs=21_632, instructions=51_234, constant_bytes=21_696),
    ]
    return [
        FirmwareReport(
            cpu=cpu,
            instructions=151_234,
            instructions_per_mac=2.146,
            code_bytes=2_950,
            constant_bytes=22_500,
            arena_bytes=900,
            stack_bytes=180,
            stack_bound_bytes=216,
            ram_bytes=1_874,
            layers=layers,
        )
        for cpu in ("cortex-m0", "cortex-m4")
    ]
