"""The Rust crate: built without the standard library, its own test run with cargo, and Debian's cc crate in place of an index."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.debian import NoPackagesError, unpack
from support.streaming import running_sum

from glyphlite.emulation.system_tools import unpacked_packages
from glyphlite.errors import OutputError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.export.rust.crate import export_rust, rust_string
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
