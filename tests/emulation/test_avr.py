"""Cycles and stacks on the emulated AVR against functions written in assembly, whose cycles the instruction set manual gives."""

from pathlib import Path

import numpy as np
import pytest
from support.avr import require_avr

from glyphlite.emulation.avr import AvrEmulator
from glyphlite.emulation.toolchain import TARGETS, compile_and_link
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.simulation import simulate

# sum10: 44 instructions; LDI, ADD, ADC, DEC 1 cycle, BRNE 2 taken and 1 not, RET 4 (AVR Instruction Set Manual DS40002198A).
SOURCE = r"""
#include <stdint.h>
#define NAKED __attribute__((naked, noinline))
NAKED int sum10(void) {
    __asm__("ldi r24, 0\n ldi r25, 0\n ldi r18, 10\n 1: add r24, r18\n adc r25, r1\n dec r18\n brne 1b\n ret");
}
NAKED void framed(void) { __asm__("push r16\n push r17\n pop r17\n pop r16\n ret"); }
NAKED void forever(void) { __asm__("1: rjmp 1b"); }
NAKED void lost(void) { __asm__("ldi r30, 0\n ldi r31, 0xE0\n ijmp"); }
int twice(void) { return sum10() + sum10(); }
int eleven(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k;
}
int divide(int a, int b) { return a / b; }
static const __flash int table[5] = {2, 3, 5, 7, 11};
int constant(int n) { return table[n]; }
static int calls;
int variable(void) { static int seed = 40; return seed++ + ++calls; }
void add_one(const int8_t *in, int8_t *out, int n) { for (int i = 0; i < n; i++) out[i] = (int8_t)(in[i] + 1); }
"""
KEEP = ["sum10", "framed", "forever", "lost", "twice", "eleven", "divide", "constant", "variable", "add_one"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_avr()
    folder = tmp_path_factory.mktemp("avr")
    (folder / "sample.c").write_text(SOURCE)
    return compile_and_link(TARGETS["avr"], [folder / "sample.c"], folder / "image.elf", keep=KEEP, optimize="-O1")


def test_calls_follow_the_convention_of_avr_gcc(image: Path) -> None:
    with AvrEmulator(image, TARGETS["avr"]) as machine:
        assert machine.call("sum10") == 55
        assert machine.call("eleven", *range(1, 11), -11) == 385 - 121
        assert machine.call("divide", -100, 7) == -14
        assert machine.call("constant", 4) == 11
        assert [machine.call("variable"), machine.call("variable")] == [41, 43]
        with pytest.raises(ArtifactError, match="no symbol 'missing'"):
            machine.call("missing")


def test_cycles_are_those_of_the_manual(image: Path) -> None:
    with AvrEmulator(image, TARGETS["avr"]) as machine:
        counted = machine.measure("sum10")
        assert (counted.result, counted.instructions, counted.cycles) == (55, 44, 3 + 10 * 5 - 1 + 4)
        assert counted.stack_bytes == 2  # the return address
        counted = machine.measure("framed")
        assert (counted.cycles, counted.stack_bytes) == (4 * 2 + 4, 4)
        counted = machine.measure("twice")
        assert counted.inclusive["sum10"] == counted.by_function["sum10"] == 88
        assert counted.inclusive_cycles["sum10"] == 112
        assert counted.inclusive["twice"] == counted.instructions == 88 + counted.by_function["twice"]
        assert counted.inclusive_cycles["twice"] == counted.cycles
        assert machine.call("sum10") == 55


def test_a_batch_runs_each_input(image: Path) -> None:
    with AvrEmulator(image, TARGETS["avr"]) as machine:
        there, back = machine.allocate(9), machine.allocate(9)
        inputs = np.arange(27, dtype=np.int8).reshape(3, 9)
        seen: list[int] = []
        found = machine.call_batch("add_one", (there, back, 9), inputs, there, back, 9, progress=seen.append)
        assert np.array_equal(found.view(np.int8), inputs + 1)
        assert sum(seen) == 3


def test_what_never_returns_or_leaves_the_program_is_stopped(image: Path) -> None:
    with AvrEmulator(image, TARGETS["avr"]) as machine:
        with pytest.raises(ArtifactError, match=r"forever had not returned after 0\.2 s"):
            machine.call("forever", timeout_s=0.2)
        with pytest.raises(ArtifactError, match="lost had not returned"):
            machine.call("lost", timeout_s=0.2)
        assert machine.call("sum10") == 55
        with pytest.raises(ArtifactError, match="do not fit the 61183 bytes of RAM that an AVR can have"):
            machine.allocate(62_000)


def test_flash_is_told_apart_into_code_and_constants(image: Path) -> None:
    with AvrEmulator(image, TARGETS["avr"]) as machine:
        footprint = machine.image.footprint()
    assert footprint.constant_bytes == 10
    assert (footprint.data_bytes, footprint.bss_bytes) == (2, 2)


def test_a_missing_compiler_is_named_with_its_packages(samples: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("glyphlite.emulation.system_tools.unpacked_packages", lambda: tmp_path)
    with pytest.raises(ToolError, match="no avr-gcc here; on Debian and Ubuntu: apt install gcc-avr avr-libc simavr"):
        simulate(samples / "model_int8.tflite", "avr", np.zeros((1, 784), np.int8))


def test_micro_cnn_fits_an_uno_and_its_layers_have_cycles(samples: Path) -> None:
    require_avr()
    report = simulate(samples / "model_int8.tflite", "avr", np.zeros((1, 784), np.int8)).report
    assert report.cycles is not None
    assert report.code_bytes + report.constant_bytes <= 32_256
    assert report.ram_bytes is not None
    assert report.ram_bytes <= 2_048
    layers = [layer.cycles for layer in report.layers]
    assert all(layers)
    assert 0.95 * report.cycles < sum(each for each in layers if each) < report.cycles
    assert report.instructions < report.cycles < 2 * report.instructions
