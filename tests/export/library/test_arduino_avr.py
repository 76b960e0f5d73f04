"""The exported library in sketches for Arduino Uno and Mega: built with Arduino's own core, run under simavr, the UART read."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.avr import MEGA, UNO, AvrBoard, build_sketch, printed_by, require_avr, sizes_of
from support.exported import library_of, with_a_wrong_byte

from glyphlite.datasets.dataset import Dataset
from glyphlite.evaluation.simulation import simulate
from glyphlite.runtimes.registry import get_runtime

CLASSIFY = """
#include <digits.h>
static const PROGMEM uint8_t picture[DIGITS_INPUT_SIZE] = { @PIXELS@ };
static digits_memory_t memory;
static const char *const labels[] = DIGITS_LABELS;
void setup() {
  Serial.begin(115200);
  memcpy_P(digits_memory_input(&memory), picture, sizeof picture);
  const int answer = digits_memory_classify(&memory);
  const int8_t *scores = digits_memory_output(&memory);
  for (int i = 0; i < DIGITS_OUTPUT_SIZE; ++i) {
    Serial.print(scores[i]);
    Serial.print(' ');
  }
  Serial.println(labels[answer]);
}
void loop() {}
"""


@pytest.fixture(scope="module")
def library(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_avr()
    folder = tmp_path_factory.mktemp("avr") / "digits"
    library_of(samples / "model_int8.tflite", folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("board", [UNO, MEGA], ids=lambda board: board.name)
def test_the_exported_sketch_gives_tflite_micros_bytes(library: Path, samples: Path, board: AvrBoard, tmp_path: Path) -> None:
    elf = build_sketch(library / "examples/digits_serial/digits_serial.ino", library, board, tmp_path)
    flash, ram = sizes_of(elf)
    assert flash <= board.flash_bytes
    assert ram <= board.ram_bytes - 400  # which stack and interrupts need
    [line] = printed_by(elf, board, 1)
    found = re.fullmatch(r"digits: 0 bytes differ from TensorFlow Lite Micro's, (\d+) microseconds", line)
    assert found, line
    cycles = simulate(samples / "model_int8.tflite", "avr", np.zeros((1, 784), np.int8)).report.cycles
    assert cycles is not None
    assert 0.97 < int(found[1]) * 16 / cycles < 1.1  # of the check, with its copies and the clock's interrupts


@pytest.mark.slow
def test_a_sketch_classifies_a_picture_on_an_uno(library: Path, samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    image, label = mnist.test.images[3:4], int(mnist.test.labels[3])
    sketch = tmp_path / "classify.ino"
    sketch.write_text(CLASSIFY.replace("@PIXELS@", ", ".join(map(str, image.reshape(-1)))))
    [line] = printed_by(build_sketch(sketch, library, UNO, tmp_path), UNO, 1)
    with get_runtime("tflm", isolated=False).load(samples / "model_int8.tflite") as model:
        [expected] = model.run([(image.astype(np.int16) - 128).astype(np.int8).reshape(1, *model.input.shape)])
    *scores, answer = line.split()
    assert [int(score) for score in scores] == expected.reshape(-1).tolist()
    assert answer == str(label)


@pytest.mark.slow
def test_the_sketch_sees_a_wrong_byte(library: Path, tmp_path: Path) -> None:
    """The check can fail on the board, too."""
    broken = shutil.copytree(library, tmp_path / "broken")
    with_a_wrong_byte(broken / "src")
    [line] = printed_by(build_sketch(broken / "examples/digits_serial/digits_serial.ino", broken, UNO, tmp_path), UNO, 1)
    assert line.startswith("digits: 1 bytes differ")
