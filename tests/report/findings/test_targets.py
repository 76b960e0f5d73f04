"""The best file for each target: the right one on cases where it is plain, and advice if no file is suitable."""

from support.made_up import KERAS, artifact

from glyphlite.records import ArtifactReport, FirmwareReport
from glyphlite.report.findings.targets import Target, choose_targets, targets_of
from glyphlite.results import Results

CORE = FirmwareReport(
    cpu="cortex-m4",
    instructions=991_603,
    instructions_per_mac=5.8,
    code_bytes=6_000,
    constant_bytes=2_000,
    arena_bytes=3_100,
    stack_bytes=400,
    ram_bytes=4_300,
)


def chosen(*artifacts: ArtifactReport, firmware: bool = True) -> dict[str, Target]:
    results = Results(model="m", dataset="d", seed=0, keras=KERAS, artifacts=list(artifacts), firmware=[CORE] if firmware else [])
    return {each.name: each for each in choose_targets(results)}


def variant_of(target: Target) -> str | None:
    return target.artifact.variant if target.artifact else None


def test_int4_is_slow_in_litert_and_so_not_for_a_phone():
    float32, int4 = artifact("float32", size=40_000, us=20.0), artifact("int8", size=10_000, us=145.0)
    found = chosen(float32, int4)
    assert variant_of(found["phone"]) == "float32"
    assert found["phone"].reason == "In LiteRT on this host 7.2 times faster than model_int8.tflite, the smallest (145 µs)."
    assert variant_of(found["microcontroller"]) == "int8"
    assert [(each.name, each.value) for each in found["microcontroller"].figures] == [
        ("accuracy", KERAS.accuracy.value),
        ("flash", 8_000),
        ("RAM", 4_300),
    ]
    assert variant_of(found["browser"]) == "int8"
    assert targets_of(list(found.values()), int4) == ["microcontroller", "browser"]


def test_of_equally_fast_files_the_smallest_is_for_a_phone():
    found = chosen(artifact("float32", size=90_000, us=20.0), artifact("int8", size=25_000, us=24.0))
    assert variant_of(found["phone"]) == "int8"


def test_a_microcontroller_gets_integers_before_smaller_floats():
    found = chosen(artifact("float32", size=9_000), artifact("int16x8", size=20_000), firmware=False)
    assert variant_of(found["microcontroller"]) == "int16x8"
    floats = chosen(artifact("float32", size=9_000), firmware=False)["microcontroller"]
    assert "it computes in floats" in floats.reason


def test_what_is_not_compiled_is_for_litert_js_with_floats_at_the_edges():
    found = chosen(artifact("float32", size=90_000), artifact("int8", size=25_000), firmware=False)
    assert variant_of(found["browser"]) == "float32"
    assert "was not run in a browser here" in found["browser"].reason


def test_a_file_that_loses_accuracy_is_for_no_target():
    found = chosen(artifact("float32", size=90_000, refused=True), artifact("int8", size=25_000, right=9_000, p=1e-9))
    assert variant_of(found["phone"]) == "float32"
    assert found["microcontroller"].artifact is None
    assert found["microcontroller"].reason == (
        "No file that the compiler or TFLite Micro accepts keeps the accuracy of the Keras model."
    )
    none = chosen(artifact("int8", size=25_000, right=9_000, p=1e-9))
    assert {variant_of(each) for each in none.values()} == {None}
    assert "a significant loss of 9.00 points (p < 0.001)" in none["phone"].reason
    assert "quantization-aware" in none["phone"].reason


def test_untimed_files_are_chosen_by_size_and_nothing_converted_is_for_nobody():
    untimed = [artifact(name, size=size).model_copy(update={"latency_us": None}) for name, size in (("float32", 9), ("int8", 5))]
    assert variant_of(chosen(*untimed)["phone"]) == "int8"
    assert choose_targets(Results(model="m", dataset="d", seed=0, keras=KERAS)) == ()
