"""The Android project: its files as Gradle and Android read them, its Kotlin against glyphlite's own answers, its C through JNI.

Gradle and a phone are not here. Kotlin's compiler, a Java VM, Android's resource compiler and 64-bit ARM are.
"""

import re
import subprocess
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from random_models.foreign import foreign
from support.android_tools import STUBS, aapt, compile_kotlin, jdk, kotlin
from support.debian import NoPackagesError

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, OutputError
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.export.android.project import android_string, application_of
from glyphlite.export.android.versions import VERSIONS
from glyphlite.formatting import confidence
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.interface.outputs import outputs_of
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.pipeline.export import export_file
from glyphlite.preprocessing import images
from glyphlite.preprocessing.glyphs import ink_parts, main_glyph, other_glyphs
from glyphlite.preprocessing.images import PreparedGlyph, find_glyph
from glyphlite.preprocessing.ink import Ink
from glyphlite.preprocessing.normalize import fit_to_box, set_into_field
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.quantization import dequantize, quantize
from glyphlite.tflite.reader import read_graph

SIDE = 224
"""Of the app's drawings."""
CPP = "app/src/main/cpp"
ANDROID = "{http://schemas.android.com/apk/res/android}"


def exported(artifact: Path | str, folder: Path, name: str = "digits") -> Path:
    export_file(Path(artifact), "android", folder, name=name, language="cc", dataset=None, sample=0, data_dir=None)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported("glyph-1k", tmp_path_factory.mktemp("android") / "app")


def kotlin_files(project: Path) -> list[Path]:
    return sorted((project / "app/src/main/kotlin").rglob("*.kt"))


def test_gradle_and_android_find_what_they_need(project: Path) -> None:
    catalogue = tomllib.loads((project / "gradle/libs.versions.toml").read_text())
    assert catalogue["libraries"]["litert"]["module"] == "com.google.ai.edge.litert:litert"
    assert catalogue["versions"]["litert"] == VERSIONS.litert == version("ai-edge-litert")
    wrapper = (project / "gradle/wrapper/gradle-wrapper.properties").read_text()
    assert f"gradle-{VERSIONS.gradle}-bin.zip" in wrapper
    assert re.search(r"^distributionSha256Sum=[0-9a-f]{64}$", wrapper, re.MULTILINE)
    app = (project / "app/build.gradle.kts").read_text()
    for script in (app, *((project / name).read_text() for name in ("settings.gradle.kts", "build.gradle.kts"))):
        code = re.sub(r'"[^"]*"|//[^\n]*', "", script)
        assert all(code.count(opening) == code.count(closing) for opening, closing in ("()", "{}"))
    aliases = re.findall(r"libs\.([\w.]+?)\)", app)
    assert {each.removeprefix("plugins.") for each in aliases} == {"litert", "android.application"}
    [namespace], [application] = (re.findall(rf'{key} = "([\w.]+)"', app) for key in ("namespace", "applicationId"))
    for path in kotlin_files(project):
        assert path.read_text().startswith(f"package {namespace}\n")
        assert path.parent == project / "app/src/main/kotlin" / namespace.replace(".", "/")
    assert application == "com.example.glyphreader.digits"
    for xml in (project / "app/src/main").rglob("*.xml"):
        ET.parse(xml)
    manifest = ET.parse(project / "app/src/main/AndroidManifest.xml").getroot()
    [activity] = manifest.iter("activity")
    assert activity.get(f"{ANDROID}name") == ".MainActivity"
    assert activity.get(f"{ANDROID}exported") == "true"
    assert (project / "app/src/main/assets/labels.txt").read_text().split() == [str(digit) for digit in range(10)]
    assert not [path for path in project.rglob("*") if path.suffix in (".so", ".jar")]


def test_androids_own_tool_compiles_the_resources(project: Path, tmp_path: Path) -> None:
    badging = aapt(project, tmp_path)
    assert "application-label:'glyph_1k'" in badging
    assert "launchable-activity: name='com.example.glyphreader.MainActivity'" in badging
    assert "sdkVersion:'24'" in badging


@pytest.mark.parametrize("title", ['@it\'s <b>"x" & \\n \\u0041', "?%1$s", "]]> -- 漢字 é"])
def test_a_hostile_title_is_shown_as_it_is(project: Path, tmp_path: Path, title: str) -> None:
    strings = project / "app/src/main/res/values/strings.xml"
    before = strings.read_text(encoding="utf-8")
    try:
        strings.write_text(before.replace(">glyph_1k<", f">{android_string(title)}<"), encoding="utf-8")
        shown = re.findall(r"^application-label:'(.*)'$", aapt(project, tmp_path), re.MULTILINE)
    finally:
        strings.write_text(before, encoding="utf-8")
    assert [re.sub(r"\\(.)", r"\1", each) for each in shown] == [title]


@dataclass(frozen=True)
class Found:
    """A line of the harness: what the app makes of a drawing."""

    pixels: np.ndarray
    box: tuple[int, ...]
    others: int
    doubtful: bool
    outputs: np.ndarray
    best: int
    refused: bool
    confidence: np.ndarray
    percent: str
    stored: np.ndarray


def pen(digit: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A digit of MNIST as a pen draws it: full ink with smooth edges."""
    large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), float)
    return np.clip((large - 128) * 4 + 128, 0, 255).astype(np.uint8)


def drawings(mnist: Dataset) -> list[np.ndarray]:
    digits = mnist.test.images[..., 0]
    made = [pen(digit) for digit in digits[:40]]
    made += [np.pad(pen(digit, 100), ((62, 62), (8, 116))) | np.pad(pen(other, 100), ((62, 62), (116, 8))) for digit, other in
             zip(digits[40:46], digits[46:52], strict=True)]  # fmt: skip
    made += [np.pad(pen(digit, 40), 92) for digit in digits[52:56]]
    made += [np.pad(pen(digit)[28:, :170], ((0, 28), (0, 54))) for digit in digits[56:60]]  # over the rim
    framed = [np.pad(pen(digit, 120), 52) for digit in digits[60:63]]
    for each in framed:
        each[30:38, 30:194] = each[186:194, 30:194] = 255
        each[30:194, 30:38] = each[30:194, 186:194] = 255
    spots = np.pad(pen(digits[63], 120), 52)
    spots[8:24:2, 10:210:16] = spots[9:24:2, 10:210:16] = 255
    y, x = np.mgrid[:SIDE, :SIDE]
    blot = np.where((y - 112) ** 2 + (x - 112) ** 2 < 70**2, 255, 0).astype(np.uint8)
    thin, dot, tall = (np.zeros((SIDE, SIDE), np.uint8) for _ in range(3))
    thin[30:190, 112] = 255
    dot[100:116, 100:116] = 255
    tall[40:60, 100:116] = tall[80:190, 100:116] = 255  # an i and its dot
    return [*made, *framed, spots, blot, thin, dot, tall, np.zeros((SIDE, SIDE), np.uint8)]


@pytest.fixture(scope="module")
def app(project: Path, mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> list[Found | None]:
    """What the app's Kotlin and C, run in a Java VM, make of the drawings."""
    folder, home, jars = tmp_path_factory.mktemp("jvm"), jdk(), kotlin()
    aapt(project, folder)
    compile_kotlin([*kotlin_files(project), *sorted(folder.rglob("R.java")), STUBS], folder / "app.jar")
    flags = [f"-DCMAKE_C_FLAGS=-I{home}/include -I{home}/include/linux -std=c99 -Wconversion -Werror", "-DCMAKE_BUILD_TYPE=Debug"]
    for command in (["-S", str(project / CPP), "-B", str(folder), *flags], ["--build", str(folder)]):
        subprocess.run(["cmake", *command], check=True, capture_output=True, timeout=300)
    (folder / "ink.bin").write_bytes(np.stack(drawings(mnist)).tobytes())
    classes = f"{folder / 'app.jar'}:{jars / 'kotlin-stdlib.jar'}"
    run = [home / "bin/java", f"-Djava.library.path={folder}", "-cp", classes, "HarnessKt", folder]
    done = subprocess.run([str(each) for each in run], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "refused: ArrayIndexOutOfBoundsException"
    check, *lines = (folder / "found.txt").read_text().splitlines()
    assert check == "check 0"
    return [_found(line) for line in lines]


def _found(line: str) -> Found | None:
    if line == "blank":
        return None
    pixels, box, others, doubtful, outputs, best, refused, believed, percent, stored = line.split()
    return Found(
        np.frombuffer(bytes.fromhex(pixels), np.uint8),
        tuple(map(int, box.split(","))),
        int(others),
        doubtful == "true",
        np.frombuffer(bytes.fromhex(outputs), np.int8),
        int(best),
        refused == "true",
        np.array([float(each) for each in believed.split(",")]),
        percent,
        np.frombuffer(bytes.fromhex(stored), np.int8),
    )


def of_ink(drawing: np.ndarray) -> PreparedGlyph | None:
    """What glyphlite's own functions make of ink that is known: all but the search for it."""
    ink = Ink(drawing / 255, 1, dark_on_light=True, contrast=1.0, noise=0.0)
    parts = ink_parts(ink.strength)
    glyph = main_glyph(ink.strength, parts)
    if glyph is None:
        return None
    others, cut = other_glyphs(glyph, ink.strength, parts), images.cut_out(ink.strength, parts, glyph)
    field = set_into_field(fit_to_box(cut, 20), 28, 28)
    doubt = images._doubt(ink, glyph, cut) or ("spots" if len(parts) > 12 else None)
    box = images.Box(glyph.left, glyph.top, glyph.right, glyph.bottom)
    return PreparedGlyph(np.floor(field * 255 + 0.5).astype(np.uint8), box, True, 1.0, doubt, others)


@pytest.mark.slow
@pytest.mark.parametrize("prepare", [of_ink, lambda drawing: find_glyph(255 - drawing)], ids=["known ink", "a picture"])
def test_kotlin_prepares_a_drawing_as_glyphlite_does(
    app: list[Found | None], mnist: Dataset, prepare: Callable[[np.ndarray], PreparedGlyph | None]
) -> None:
    pictures, doubts, several = drawings(mnist), 0, 0
    assert len(app) == len(pictures)
    for number, (drawing, found) in enumerate(zip(pictures, app, strict=True)):
        expected = prepare(drawing)
        assert (found is None) == (expected is None), number
        if found is None or expected is None:
            continue
        assert np.abs(found.pixels.astype(int) - expected.pixels.reshape(-1)).max() <= 1, number
        assert found.box == tuple(vars(expected.box).values()), number
        assert (found.doubtful, found.others) == (expected.doubt is not None, expected.others), number
        doubts, several = doubts + found.doubtful, several + bool(found.others)
    assert doubts >= 2
    assert several >= 5


@pytest.mark.slow
def test_c_through_jni_gives_tflite_micros_bytes_and_predicts_confidence(app: list[Found | None]) -> None:
    artifact = pretrained_artifact("glyph-1k")
    graph, certainty, answers = read_graph(artifact), certainty_of(artifact), [each for each in app if each is not None]
    assert certainty is not None
    pixels = np.stack([each.pixels.reshape(28, 28, 1) for each in answers])
    stored = quantize(OURS.real(pixels), graph.input.quantization, np.dtype("int8"))
    np.testing.assert_array_equal(np.stack([each.stored for each in answers]), stored.reshape(len(answers), -1))
    with get_runtime("tflm").load(artifact) as model:
        [expected] = model.run((stored.reshape(-1, *model.input.shape),))
    expected = expected.reshape(len(answers), -1)
    np.testing.assert_array_equal(np.stack([each.outputs for each in answers]), expected)
    scores = outputs_of(graph, artifact.name).probabilities(dequantize(expected, graph.output.quantization))
    believed = calibrated(scores, certainty)
    np.testing.assert_allclose(np.stack([each.confidence for each in answers]), believed, atol=1e-6)
    assert [each.best for each in answers] == np.argsort(-scores, axis=1, kind="stable")[:, 0].tolist()
    assert [each.refused for each in answers] == is_refused(believed, certainty).tolist()
    assert {each.refused for each in answers} == {True, False}
    assert [each.percent for each in answers] == [confidence(row.max()).replace(" ", "") for row in believed]


def test_litert_itself_gives_the_classes_that_the_app_reads(mnist: Dataset) -> None:
    """The app's own calls, ``CompiledModel`` with bytes in and out, in the Python package of the same version."""
    from ai_edge_litert.compiled_model import CompiledModel

    artifact = pretrained_artifact("glyph-1k")
    stored = (mnist.test.images[:20].astype(np.int16) - 128).astype(np.int8)
    with get_runtime("tflm").load(artifact) as reference:
        [expected] = reference.run((stored.reshape(-1, *reference.input.shape),))
    model = CompiledModel.from_file(str(artifact))
    [taken], [given] = model.create_input_buffers(0), model.create_output_buffers(0)
    for image, row in zip(stored, expected.reshape(20, -1), strict=True):
        taken.write(np.ascontiguousarray(image.reshape(-1)))
        model.run_by_index(0, [taken], [given])
        found = np.asarray(given.read(10, np.int8))
        assert found.argmax() == row.argmax()
        assert np.abs(found.astype(int) - row).max() <= 18  # of XNNPACK's arithmetic, behind a softmax


JAVA = """
#include <jni.h>
#include <stdio.h>
#include <string.h>

static int is_pending;

static void region(JNIEnv *env, jbyteArray array, jsize start, jsize length, jbyte *buffer) {
    (void)env;
    memcpy(buffer, (const jbyte *)array + start, (size_t)length);
}

static void set_region(JNIEnv *env, jbyteArray array, jsize start, jsize length, const jbyte *buffer) {
    (void)env;
    memcpy((jbyte *)array + start, buffer, (size_t)length);
}

static jboolean pending(JNIEnv *env) {
    (void)env;
    return is_pending != 0;
}

jint Java_com_example_glyphreader_NativeEngine_classify(JNIEnv *, jobject, jbyteArray, jbyteArray);
jint Java_com_example_glyphreader_NativeEngine_check(JNIEnv *, jobject);

int main(void) {
    static struct JNINativeInterface_ calls;
    static signed char pixels[784], outputs[10], untouched[10];
    JNIEnv env = &calls;
    calls.GetByteArrayRegion = region;
    calls.SetByteArrayRegion = set_region;
    calls.ExceptionCheck = pending;
    printf("%d\\n", (int)Java_com_example_glyphreader_NativeEngine_check(&env, NULL));
    for (int image = 0; fread(pixels, 1, sizeof pixels, stdin) == sizeof pixels; ++image) {
        const int found =
            (int)Java_com_example_glyphreader_NativeEngine_classify(&env, NULL, (jbyteArray)pixels, (jbyteArray)outputs);
        printf("%d", found);
        for (int i = 0; i < 10; ++i) {
            printf(" %d", outputs[i]);
        }
        printf("\\n");
    }
    is_pending = 1;
    return (int)Java_com_example_glyphreader_NativeEngine_classify(&env, NULL, (jbyteArray)pixels, (jbyteArray)untouched) != -1
        || memcmp(untouched, (signed char[10]){0}, 10) != 0;
}
"""


@pytest.mark.slow
def test_64_bit_arm_runs_it_and_its_library_is_laid_out_for_pages_of_16_kb(project: Path, mnist: Dataset, tmp_path: Path) -> None:
    try:
        arm = foreign("neon")
    except NoPackagesError as error:
        pytest.skip(str(error))
    home, cpp = jdk(), project / CPP
    [option] = re.findall(r"target_link_options\(glyphreader PRIVATE (.*)\)", (cpp / "CMakeLists.txt").read_text())
    include = [f"-I{home}/include", f"-I{home}/include/linux", f"-I{cpp}", "-std=gnu99", "-DDIGITS_DISPATCH=1"]
    sources = [str(path) for path in sorted(cpp.rglob("*.c")) if path.name != "digits.c"]
    target = [flag for flag in arm.flags if flag not in ("-w", "-static")]
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-sanitize=undefined"]
    library = [
        *arm.compiler.command,
        *target,
        *warnings,
        *include,
        "-shared",
        "-fPIC",
        option,
        *sources,
        "-o",
        str(tmp_path / "lib.so"),
    ]
    subprocess.run(library, check=True, timeout=300)
    assert load_alignments((tmp_path / "lib.so").read_bytes()) == {0x4000}
    (tmp_path / "main.c").write_text(JAVA)
    program = [*arm.compiler.command, *arm.flags, *include, *sources, str(tmp_path / "main.c"), "-o", str(tmp_path / "main")]
    subprocess.run(program, check=True, timeout=300)
    images = mnist.test.images[:30]
    said = set()
    for core in (arm, foreign("neon_i8mm")):
        command = [*core.command, str(tmp_path / "main")]
        done = subprocess.run(command, input=images.tobytes(), capture_output=True, env={**core.environment}, timeout=120)
        assert done.returncode == 0, done.stderr
        said.add(done.stdout.decode())
    [words] = said
    check, *lines = words.splitlines()
    assert check == "0"
    artifact = pretrained_artifact("glyph-1k")
    with get_runtime("tflm").load(artifact) as model:
        [expected] = model.run(((images.astype(np.int16) - 128).astype(np.int8).reshape(-1, *model.input.shape),))
    rows = [[int(word) for word in line.split()] for line in lines]
    np.testing.assert_array_equal(np.array(rows)[:, 1:], expected.reshape(30, -1))
    assert np.array(rows)[:, 0].tolist() == expected.reshape(30, -1).argmax(axis=1).tolist()


def load_alignments(elf: bytes) -> set[int]:
    """The alignments of a 64-bit ELF file's loaded segments."""
    at, size, count = (int.from_bytes(elf[start : start + wide], "little") for start, wide in ((32, 8), (54, 2), (56, 2)))
    headers = [elf[at + i * size : at + (i + 1) * size] for i in range(count)]
    return {int.from_bytes(each[48:56], "little") for each in headers if int.from_bytes(each[:4], "little") == 1}


def test_what_an_app_cannot_draw_is_refused(samples: Path, tmp_path: Path) -> None:
    for variant, words in {"float32": "takes float32", "int16x8": "takes int16"}.items():
        with pytest.raises(ArtifactError, match=words):
            exported(samples / f"model_{variant}.tflite", tmp_path / variant)
        assert not (tmp_path / variant).exists()


def test_a_file_of_the_users_is_kept(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "local.properties").write_text("sdk.dir=/opt/android")
    with pytest.raises(OutputError, match=r"did not write: local\.properties"):
        exported(samples / "model_int8.tflite", tmp_path / "mine")
    exported(samples / "model_int8.tflite", tmp_path / "new")
    (tmp_path / "new" / "local.properties").write_text("sdk.dir=/opt/android")
    export_file(
        *(samples / "model_int8.tflite", "android", tmp_path / "new"),
        name="digits",
        language="cc",
        dataset=None,
        sample=0,
        data_dir=None,
        overwrite=True,
    )
    assert (tmp_path / "new" / "local.properties").read_text() == "sdk.dir=/opt/android"


def test_an_application_has_a_name_that_android_takes() -> None:
    for name in ("digits", "_2digits", "class", "A_B_", "native"):
        parts = application_of(name).split(".")
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", part) for part in parts)
        assert not {"class", "native"} & set(parts)
