"""The Rust crate: built without the standard library, its own test run with cargo, and Debian's cc crate in place of an index."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.debian import NoPackagesError, unpack
from support.streaming import running_sum

from glyphlite.datasets.dataset import Dataset
from glyphlite.emulation.system_tools import unpacked_packages
from glyphlite.errors import OutputError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.export.rust.crate import export_rust, rust_string
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.models.interface.input_convention import OURS
from glyphlite.pipeline.inputs.files import artifact_in
from glyphlite.preprocessing.images import find_glyph
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import read_graph

CLASSIFY = """
#[test]
fn the_class_is_that_of_the_largest_score() {
    let mut model = glyphlite_digits::Model::new();
    let (class, scores) = model.classify(&[0; glyphlite_digits::INPUT_SIZE]);
    assert_eq!(scores[class], *scores.iter().max().unwrap());
    assert_eq!(glyphlite_digits::LABELS[class].len(), 1);
    let mut output = [0; glyphlite_digits::OUTPUT_SIZE];
    model.invoke(&[-128; glyphlite_digits::INPUT_SIZE], &mut output);
    assert_eq!(output, scores);
}

#[test]
fn values_are_rounded_as_c_rounds_them() {
    let stored = |real| glyphlite_digits::stored(real, 0.5, 3, -128, 127);
    assert_eq!([stored(0.25), stored(-0.25), stored(0.2), stored(1e9), stored(-1e9)], [4, 2, 3, 127, -128]);
    assert_eq!(glyphlite_digits::real(5, 0.5, 3), 1.0);
}
"""


PICTURES = """
use glyphlite_digits::{bits_words, grey_words, prepare_bits, prepare_grey, prepare_strokes, Found, Model, Point, Verdict};

const WIDTH: u16 = 96;
const FRAME: &[u8; 96 * 96] = include_bytes!("frame.bin");
const PIXELS: &[u8; 784] = include_bytes!("pixels.bin");
const WORK: usize = grey_words(WIDTH, WIDTH);

#[test]
fn a_frame_becomes_predicts_pixels_and_its_answer() {
    let (mut frame, mut work, mut pixels) = (*FRAME, [0; WORK], [0; 784]);
    let (verdict, found) = prepare_grey(&mut frame, WIDTH, WIDTH, &mut work, &mut pixels);
    assert_eq!(verdict, Verdict::Glyph);
    assert_eq!((found.left, found.top, found.right, found.bottom), BOX);
    assert!(!found.light_on_dark && found.contrast > 20 && found.others == 0);
    assert_eq!(&pixels, PIXELS);
    let mut model = Model::new();
    let (class, certainty, scores) = model.classify_sure(&pixels);
    assert_eq!(class, Some(CLASS));
    assert_eq!(certainty, glyphlite_digits::certainty(&scores));
    assert!((f64::from(certainty) / 10_000.0 - CERTAINTY).abs() < 2e-4);
    assert_eq!(model.classify(&pixels), (CLASS, scores));
    let noise: [u8; 784] = core::array::from_fn(|i| (i * 7919 % 251) as u8);
    assert_eq!(model.classify_sure(&noise).0, NOISE);
}

#[test]
fn what_cannot_be_read_is_told() {
    let (mut work, mut pixels) = ([0; WORK], [0; 784]);
    assert_eq!(prepare_grey(&mut [200; 96 * 96], WIDTH, WIDTH, &mut work, &mut pixels).0, Verdict::Blank);
    assert_eq!(prepare_grey(&mut [0; 9], 0, 9, &mut work, &mut pixels), (Verdict::BadSize, Found::default()));
    assert_eq!(prepare_grey(&mut [0; 9], 801, 1, &mut work, &mut pixels).0, Verdict::BadSize);
    assert_eq!(prepare_bits(&mut [0; 9], 65535, 65535, &mut work, &mut pixels).0, Verdict::BadSize);
    assert_eq!(prepare_grey(&mut [0; 95 * 96], WIDTH, WIDTH, &mut work, &mut pixels).0, Verdict::TooShort);
    assert_eq!(prepare_grey(&mut [0; 96 * 96], WIDTH, WIDTH, &mut work[1..], &mut pixels).0, Verdict::TooShort);
    assert_eq!(prepare_bits(&mut [0; 511], 64, 64, &mut work, &mut pixels).0, Verdict::TooShort);
    assert!(!prepare_strokes(&[], 4, &mut pixels));
}

#[test]
fn the_memory_stated_is_what_c_asks_for() {
    let (mut picture, mut pixels) = (vec![0; 800 * 800], [0; 784]);
    for (width, height) in [(1, 1), (8, 8), (28, 28), (63, 65), (96, 96), (64, 800), (800, 3), (320, 240), (1, 800), (127, 31)] {
        for (words, is_grey) in [(grey_words(width, height), true), (bits_words(width, height), false)] {
            let prepare = if is_grey { prepare_grey } else { prepare_bits };
            let mut work = vec![0; words];
            assert_eq!(prepare(&mut picture, width, height, &mut work[1..], &mut pixels).0, Verdict::TooShort);
            assert_ne!(prepare(&mut picture, width, height, &mut work, &mut pixels).0, Verdict::TooShort);
        }
    }
}

#[test]
fn strokes_and_bits_are_drawn() {
    let points: Vec<Point> = (0..40).map(|i| Point { x: 50 + i, y: 20 + 4 * i, down: u8::from(i > 0) }).collect();
    let mut pixels = [0; 784];
    assert!(prepare_strokes(&points, 10, &mut pixels));
    assert!(pixels[14 * 28 + 14] > 100 && pixels[0] == 0);
    let (mut canvas, mut work) = ([0u8; 512], [0; bits_words(64, 64)]);
    for row in 10..50 {
        canvas[8 * row + 3] = 0xff;
    }
    let (verdict, found) = prepare_bits(&mut canvas, 64, 64, &mut work, &mut pixels);
    assert_eq!((verdict, found.left, found.top, found.right, found.bottom), (Verdict::Glyph, 24, 10, 32, 50));
}
"""


@pytest.fixture(scope="module")
def registry() -> Path:
    if shutil.which("cargo") is None:
        pytest.skip("no cargo here")
    cache = unpacked_packages() / "librust-cc-dev"
    try:
        unpack(["librust-cc-dev"], cache, "usr/share/cargo/registry")
    except NoPackagesError as error:
        pytest.skip(str(error))
    return cache / "usr" / "share" / "cargo" / "registry"


def crate(artifact: Path, folder: Path, name: str) -> Path:
    sample = random_set(inputs_of(read_graph(artifact)), 8).chosen(slice(-1, None))
    export_rust(artifact, folder, name=name, sample=sample.arrays, sample_words=sample.source)
    return folder


def cargo_test(folder: Path, registry: Path, target: Path) -> subprocess.CompletedProcess[str]:
    source = ("--config", 'source.crates-io.replace-with="debian"', "--config", f'source.debian.directory="{registry}"')
    command = ("cargo", "test", "--offline", "--target-dir", str(target), *source)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_its_own_test_passes_and_its_classes_are_those_of_the_scores(samples: Path, registry: Path, tmp_path: Path) -> None:
    folder = crate(samples / "model_int8.tflite", tmp_path / "digits", "digits")
    (folder / "tests" / "classify.rs").write_text(CLASSIFY)
    done = cargo_test(folder, registry, tmp_path / "target")
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    assert "outputs_are_tensorflow_lite_micros ... ok" in done.stdout
    assert "warning" not in done.stderr
    check = (folder / "tests" / "check.rs").read_text()
    start = check.index("const OUTPUT")
    first = check[start:].split("[\n", 1)[1].split(",", 1)[0].strip()
    (folder / "tests" / "check.rs").write_text(check[:start] + check[start:].replace(f"    {first},", f"    {~int(first)},", 1))
    assert cargo_test(folder, registry, tmp_path / "target").returncode != 0


def test_pictures_are_prepared_and_doubted_as_predict_does(registry: Path, mnist: Dataset, tmp_path: Path) -> None:
    artifact = artifact_in(Path("glyph-1k"))
    folder = crate(artifact, tmp_path / "digits", "digits")
    frame = np.full((96, 96), 215, np.uint8)
    frame[10:94, 8:92] -= np.kron(mnist.validation.images[3, ..., 0] // 2, np.ones((3, 3), np.uint8))
    expected, certainty = find_glyph(frame), certainty_of(artifact)
    assert expected is not None
    assert certainty is not None
    noise = (np.arange(784) * 7919 % 251).astype(np.uint8).reshape(28, 28)
    with get_runtime("tflm").load(artifact) as model:
        seen = np.stack([expected.pixels, noise])[..., np.newaxis]
        believed = calibrated(predict_probabilities(model, seen, OURS), certainty)
    refused = is_refused(believed, certainty)
    assert not refused[0]
    answers = {
        "BOX": str(tuple(vars(expected.box).values())),
        "CLASS": str(int(believed[0].argmax())),
        "CERTAINTY": repr(float(believed[0].max())),
        "NOISE": "None" if refused[1] else f"Some({int(believed[1].argmax())})",
    }
    types = {"BOX": "(u16, u16, u16, u16)", "CLASS": "usize", "CERTAINTY": "f64", "NOISE": "Option<usize>"}
    constants = "".join(f"const {name}: {types[name]} = {value};\n" for name, value in answers.items())
    (folder / "tests" / "pictures.rs").write_text(PICTURES + constants)
    (folder / "tests" / "frame.bin").write_bytes(frame.tobytes())
    (folder / "tests" / "pixels.bin").write_bytes(expected.pixels.tobytes())
    done = cargo_test(folder, registry, tmp_path / "target")
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    assert done.stdout.count("... ok") >= 5
    assert "warning" not in done.stderr


def test_a_model_with_state_is_reset(registry: Path, tmp_path: Path) -> None:
    model = tmp_path / "stream.tflite"
    model.write_bytes(running_sum())
    done = cargo_test(crate(model, tmp_path / "sums", "sums"), registry, tmp_path / "target")
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]


def test_int16_is_taken(samples: Path, registry: Path, tmp_path: Path) -> None:
    done = cargo_test(crate(samples / "model_int16x8.tflite", tmp_path / "wide", "wide_digits"), registry, tmp_path / "target")
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]


def test_a_folder_of_the_users_is_kept(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lib.rs").write_text("fn mine() {}")
    with pytest.raises(OutputError, match=r"did not write: lib\.rs"):
        crate(samples / "model_int8.tflite", tmp_path / "mine", "digits")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["lib.rs"]


def test_labels_become_rust_strings() -> None:
    assert rust_string('a"\\é\n') == 'a\\"\\\\\\u{e9}\\\\n'
