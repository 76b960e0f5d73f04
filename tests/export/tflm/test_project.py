"""The exported project: what it says against the file, its C++ with every warning an error, and the real thing where it is.

Set GLYPHLITE_TFLM_DIR to a TFLite Micro checkout in which ``make -f tensorflow/lite/micro/tools/make/Makefile microlite``
has run, and the project is built and run against it too, with make and with CMake.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from support.streaming import running_sum

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, DataError, OutputError
from glyphlite.export.tflm.project import ExportReport, export_tflm
from glyphlite.files.manifest import MANIFEST
from glyphlite.models.interface.input_convention import OURS
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime
from glyphlite.runtimes.tflm_arena import ArenaMeasurement, measure_arena

TFLM_DIR = os.environ.get("GLYPHLITE_TFLM_DIR")
needs_tflm = pytest.mark.skipif(
    TFLM_DIR is None, reason="set GLYPHLITE_TFLM_DIR to a TFLite Micro checkout with its library built"
)

STUBBED = (
    "tensorflow/lite/micro/micro_mutable_op_resolver.h",
    "tensorflow/lite/micro/micro_interpreter.h",
    "tensorflow/lite/micro/micro_log.h",
    "tensorflow/lite/micro/micro_resource_variable.h",
    "tensorflow/lite/micro/system_setup.h",
    "tensorflow/lite/micro/cortex_m_generic/debug_log_callback.h",
    "tensorflow/lite/schema/schema_generated.h",
)

Export = Callable[..., ExportReport]


@pytest.fixture(scope="module")
def arenas(samples: Path) -> dict[str, ArenaMeasurement]:
    return {variant: measure_arena(samples / f"model_{variant}.tflite") for variant in ("int8", "float32", "int16x8")}


@pytest.fixture
def export(samples: Path, mnist: Dataset, arenas: dict[str, ArenaMeasurement], tmp_path: Path) -> Export:
    def run(variant: str = "int8", index: int = 0, folder: Path = tmp_path / "project", **options: object) -> ExportReport:
        values = {
            "image": mnist.test.images[index],
            "label": int(mnist.test.labels[index]),
            "labels": mnist.labels,
            "arena": arenas.get(variant),
            "name": "micro_cnn",
            **options,
        }
        return export_tflm(samples / f"model_{variant}.tflite", folder, **values)

    return run


def test_the_project_is_complete_and_says_what_the_file_holds(export: Export, samples: Path) -> None:
    report = export(image_source="image 0 of the test split of mnist")
    texts = {path.name: path.read_text() for path in report.files}
    assert {*texts, MANIFEST} == {path.name for path in report.folder.iterdir()}
    assert set(texts) >= {
        "model_data.h",
        "model_data.cc",
        "op_resolver.h",
        "model_inference.cc",
        "Makefile",
        "CMakeLists.txt",
        "README.md",
    }
    assert report.builtin_codes == (3, 17, 22, 9, 9, 25)
    assert "tflite::MicroMutableOpResolver<5>" in texts["op_resolver.h"]
    calls = re.findall(r"resolver\.(Add\w+)\(\)", texts["op_resolver.h"])
    assert calls == ["AddConv2D", "AddMaxPool2D", "AddReshape", "AddFullyConnected", "AddSoftmax"]
    digest = sha256((samples / "model_int8.tflite").read_bytes()).hexdigest()
    assert digest == report.sha256
    assert all(digest in texts[name] for name in ("model_data.h", "model_data.cc", "README.md"))
    assert "image 0 of the test split of mnist" in texts["test_image.h"]
    assert "\t$(CXX)" in texts["Makefile"]  # a recipe is a tab


def test_both_arena_sizes_stand_in_the_header(export: Export) -> None:
    report = export()
    header = (report.folder / "tensor_arena.h").read_text()
    assert f"kMeasuredArenaBytes = {report.arena.host_bytes};" in header
    assert f"kArenaMarginBytes = {report.arena.margin_bytes};" in header
    assert report.arena.recommended_bytes < 10_000
    assert all(part.name in header for part in report.arena.parts)


def test_the_embedded_image_is_the_test_image(export: Export, mnist: Dataset) -> None:
    report = export(index=3)
    header = (report.folder / "test_image.h").read_text()
    pixels = re.search(r"kTestImage\[784\] = \{(.*?)\};", header, re.DOTALL)
    assert pixels is not None
    embedded = np.array([int(number) for number in pixels[1].split(",") if number.strip()], np.uint8)
    np.testing.assert_array_equal(embedded, mnist.test.images[3].ravel())
    assert f"kTestImageClass = {mnist.test.labels[3]};" in header
    assert report.expected_class == mnist.test.labels[3]


@pytest.mark.parametrize(("variant", "language"), [("int8", "cc"), ("int16x8", "c"), ("float32", "cc")])
@pytest.mark.parametrize(
    "defines",
    [[], ["-DMODEL_NO_STDIN", "-DMODEL_LOG_TO_STDOUT"], ["-DMODEL_NO_MAIN", "-DMODEL_ARENA_BYTES=640"]],
    ids=["host", "board", "library"],
)
def test_the_cpp_compiles_without_a_warning(
    export: Export, tmp_path: Path, variant: str, language: str, defines: list[str]
) -> None:
    report = export(variant, language=language)
    _compile(report.folder, tmp_path, defines)


def test_variables_get_their_place_and_their_ops(tmp_path: Path) -> None:
    """Without it TFLite Micro refuses VAR_HANDLE; the op that only the initializer uses is registered, too."""
    (tmp_path / "sum.tflite").write_bytes(running_sum())
    image, labels = np.zeros((2, 2, 1), np.uint8), ["a", "b", "c", "d"]
    report = export_tflm(tmp_path / "sum.tflite", tmp_path / "project", image=image, label=None, labels=labels)
    text = (report.folder / "model_inference.cc").read_text()
    assert "MicroResourceVariables::Create(allocator, 1)" in text
    assert {entry.name for entry in report.resolver} >= {"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}
    _compile(report.folder, tmp_path, [])


def _compile(folder: Path, tmp_path: Path, defines: list[str]) -> None:
    for path in STUBBED:
        stub = tmp_path / "stubs" / path
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f'#include "{Path(__file__).parent / "tflm_stub.h"}"\n')
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Wshadow", "-Werror"]
    command = [
        "g++",
        "-std=c++17",
        "-fsyntax-only",
        *warnings,
        *defines,
        "-isystem",
        str(tmp_path / "stubs"),
        "model_inference.cc",
    ]
    subprocess.run(command, check=True, cwd=folder)


def test_labels_that_are_not_identifiers_stay_strings(export: Export, tmp_path: Path) -> None:
    labels = ['"', "\\", "*/", "??/", "ä", "\n", "// x", "%s", "a" * 300, ""]
    report = export(labels=labels, label=2, image_source='*/ "\n#error')
    test_the_cpp_compiles_without_a_warning(lambda *_, **__: report, tmp_path, "int8", "cc", [])


@pytest.mark.parametrize(("variant", "reason"), [("float16", "float16"), ("dynamic", "dynamic range")])
def test_a_variant_that_tflite_micro_refuses_leaves_nothing_behind(
    export: Export, tmp_path: Path, variant: str, reason: str
) -> None:
    with pytest.raises(ArtifactError, match=f"{reason}.*int8"):
        export(variant)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_other_images_or_classes_is_refused(export: Export, mnist: Dataset) -> None:
    with pytest.raises(ArtifactError, match=r"28x28x1.*32x32x3"):
        export(image=np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(ArtifactError, match=r"10 classes.*26"):
        export(labels=[chr(65 + index) for index in range(26)])
    with pytest.raises(DataError, match="class 12"):
        export(label=12)


def test_an_earlier_export_is_replaced_and_anything_else_is_left(export: Export, tmp_path: Path) -> None:
    folder = export(language="c").folder
    export()
    assert not (folder / "model_data.c").exists()
    for name in ("thesis.tex", "build/notes.txt", "README.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("years of work")
        with pytest.raises(OutputError, match=name):
            export(language="c")
    export(language="c", overwrite=True)
    assert (folder / "thesis.tex").read_text() == (folder / "build" / "notes.txt").read_text() == "years of work"
    assert (folder / "README.md").read_text() != "years of work"
    with pytest.raises(OutputError):
        export(folder=folder / "README.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project"]


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", f"TFLM_DIR={TFLM_DIR or ''}", *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def test_make_says_what_it_needs(export: Export) -> None:
    folder = export().folder
    built = subprocess.run(["make", "TFLM_DIR=/nowhere"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode != 0
    assert "/nowhere is not a TFLite Micro checkout" in built.stderr
    assert subprocess.run(["make", "clean"], cwd=folder, capture_output=True, timeout=60, check=False).returncode == 0


def test_the_readme_says_where_cmsis_nn_will_not_do(export: Export, tmp_path: Path) -> None:
    assert "needs the library without" in (export("int16x8", folder=tmp_path / "wide").folder / "README.md").read_text()
    assert "needs the library without" not in (export("int8", folder=tmp_path / "narrow").folder / "README.md").read_text()


@needs_tflm
@pytest.mark.slow
@pytest.mark.parametrize(("variant", "language"), [("int8", "cc"), ("int16x8", "c"), ("float32", "cc")])
def test_the_project_builds_without_a_warning_and_gives_the_scores_of_python(
    export: Export, samples: Path, mnist: Dataset, variant: str, language: str
) -> None:
    report = export(variant, index=5, language=language)
    built = _make(report.folder)
    assert built.returncode == 0, built.stderr
    assert "warning" not in built.stdout + built.stderr
    program = report.folder / "build" / "model_inference"
    with get_runtime("tflm").load(samples / f"model_{variant}.tflite") as model:
        for index in (5, 11):
            source = [] if index == 5 else ["-"]
            ran = subprocess.run(
                [program, *source], input=mnist.test.images[index].tobytes(), capture_output=True, timeout=60, check=True
            )
            log = ran.stderr.decode()
            expected = predict_probabilities(model, mnist.test.images[index][np.newaxis], OURS)[0]
            scores = [float(score) for score in re.findall(r"Score of \d: ([\d.]+)", log)]
            np.testing.assert_allclose(scores, expected, atol=1e-6)
            assert f"Predicted class: {expected.argmax()} " in log
    assert "Model buffer length: " + str(report.model_bytes) in log
    assert re.findall(r"builtin code (\d+)", log) == [str(code) for code in report.builtin_codes]
    used = re.search(r"Arena: (\d+) of (\d+) bytes used", log)
    assert used is not None
    assert int(used[1]) <= report.arena.host_bytes < int(used[2])


@needs_tflm
@pytest.mark.slow
def test_the_program_says_what_to_do_when_something_is_wrong(export: Export) -> None:
    folder = export().folder
    assert _make(folder).returncode == 0
    assert _make(folder).stdout == ""  # nothing has changed, nothing is built
    assert _make(folder, "DEFINES=-DMODEL_ARENA_BYTES=8000").returncode == 0
    program = folder / "build" / "model_inference"
    small = subprocess.run([program], capture_output=True, text=True, timeout=60, check=False)
    assert small.returncode == 2
    assert re.search(r"arena of 8000 bytes is too small by \d+ bytes.*Raise MODEL_ARENA_BYTES", small.stderr)
    short = subprocess.run([program, "-"], input=b"x" * 700, capture_output=True, timeout=60, check=False)
    assert short.returncode == 2
    assert b"less than the 784 bytes" in short.stderr
    long = subprocess.run([program, "-"], input=b"x" * 785, capture_output=True, timeout=60, check=False)
    assert b"more than the 784 bytes" in long.stderr
    assert b"Usage" in subprocess.run([program, "image.raw"], capture_output=True, timeout=60, check=False).stderr


@needs_tflm
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_builds_it_too(export: Export) -> None:
    folder = export(language="c").folder
    subprocess.run(["cmake", "-B", "build", f"-DTFLM_DIR={TFLM_DIR}"], cwd=folder, check=True, capture_output=True, timeout=120)
    built = subprocess.run(["cmake", "--build", "build"], cwd=folder, check=True, capture_output=True, text=True, timeout=300)
    assert "warning" not in built.stdout + built.stderr
    subprocess.run([folder / "build" / "model_inference"], check=True, capture_output=True, timeout=60)
