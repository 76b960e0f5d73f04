"""Counts and stacks against functions written in assembly, whose instructions and bytes a reader can count."""

import os
import signal
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from glyphlite import cores
from glyphlite.emulation.elf import read_elf
from glyphlite.emulation.emulator import Emulator
from glyphlite.emulation.stack import stack_bound
from glyphlite.emulation.toolchain import TARGETS, compile_and_link
from glyphlite.errors import ArtifactError, ToolError

CORES = [core.name for core in cores.CORES if core.architecture == "riscv" or core.unicorn_model]

# sum10: 2 instructions, ten rounds of 3, 1 return. framed: 40 bytes of stack on Arm (two registers, 32), 48 on RISC-V.
SOURCE = r"""
#include <stdint.h>
#include <stddef.h>
#define NAKED __attribute__((naked, noinline))
#ifdef __riscv
NAKED int sum10(void) { __asm__("li a0, 0\n li a1, 10\n 1: add a0, a0, a1\n addi a1, a1, -1\n bnez a1, 1b\n ret"); }
NAKED int framed(int x) { __asm__("addi sp, sp, -48\n sw a0, 0(sp)\n lw a0, 0(sp)\n addi sp, sp, 48\n ret"); }
NAKED int forever(void) { __asm__("1: j 1b"); }
#else
NAKED int sum10(void) { __asm__("movs r0, #0\n movs r1, #10\n 1: adds r0, r0, r1\n subs r1, #1\n bne 1b\n bx lr"); }
NAKED int framed(int x) { __asm__("push {r4, lr}\n sub sp, #32\n str r0, [sp]\n ldr r0, [sp]\n add sp, #32\n pop {r4, pc}"); }
NAKED int forever(void) { __asm__("1: b 1b"); }
#endif
#ifdef __ARM_ARCH_6M__
/* 8 bytes of stack. Thumb-1's b reaches 2 KB: clang jumps farther by bl, which changes lr, here over 3,000 bytes and back. */
NAKED int far(int x) {
    __asm__("push {r4, lr}\n bl 2f\n 1: pop {r4, pc}\n .rept 1500\n nop\n .endr\n 2: adds r0, #1\n cmp r0, #5\n blt 2b\n bl 1b");
}
NAKED int again(int x) { __asm__("push {r4, lr}\n bl again\n pop {r4, pc}"); }
#endif
int twice(void) { return sum10() + sum10(); }
int nine(int a, int b, int c, int d, int e, int f, int g, int h, int i) {
    return a + 2*b + 3*c + 4*d + 5*e + 6*f + 7*g + 8*h + 9*i;
}
int64_t wide(int32_t a, int32_t b) { return ((int64_t)a * b) >> 31; }
int divide(int a, int b) { return a / b; }
void add_one(const int8_t *in, int8_t *out, int n) { for (int i = 0; i < n; i++) out[i] = (int8_t)(in[i] + 1); }
int fill(int n) { volatile char buffer[4200]; for (int i = 0; i < 4200; i++) buffer[i] = (char)n; return buffer[9] + sum10(); }
int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
int apply(int (*function)(int), int x) { return function(x) + 1; }
int sized(int n) { volatile char buffer[n]; buffer[n - 1] = 1; return buffer[n - 1]; }
static const int table[5] = {2, 3, 5, 7, 11};
int constant(int n) { return table[n]; }
static int calls;
int variable(void) { static int seed = 40; return seed + ++calls; }
"""
KEEP = ["sum10", "framed", "forever", "twice", "nine", "wide", "divide", "add_one", "fill", "fibonacci", "apply", "sized",
        "constant", "variable"]  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("image")
    source = folder / "sample.c"
    source.write_text(SOURCE)

    @cache
    def build(core: str) -> Path:
        keep = [*KEEP, "far", "again"] if core == "cortex-m0" else KEEP
        return compile_and_link(TARGETS[core], [source], folder / f"{core}.elf", keep=keep, optimize="-O1")

    return build


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_calls_counts_and_stacks_on_every_core(core: str, image):
    with Emulator(image(core), TARGETS[core]) as machine:
        assert machine.call("nine", 1, 2, 3, 4, 5, 6, 7, 8, -9) == 204 - 81
        assert machine.call("wide", 1 << 30, -6) == -3
        assert machine.call("divide", -100, 7) == -14
        assert machine.call("constant", 4) == 11
        assert [machine.call("variable"), machine.call("variable")] == [41, 42]

        counted = machine.measure("sum10")
        assert (counted.result, counted.instructions, counted.stack_bytes) == (55, 33, 0)
        assert machine.measure("framed", 42).stack_bytes == (48 if core.startswith("rv32") else 40)
        assert machine.call("sum10") == 55  # the hooks are gone, the core still works

        counted = machine.measure("twice")
        assert counted.inclusive["sum10"] == counted.by_function["sum10"] == 66
        assert counted.inclusive["twice"] == counted.instructions == 66 + counted.by_function["twice"]

        for function, arguments in (("wide", (3, 4)), ("divide", (1000, 7)), ("fill", (1,)), ("twice", ()), ("framed", (1,))):
            measured = machine.measure(function, *arguments).stack_bytes
            bound = stack_bound(machine.image, machine.target, function)
            assert measured <= bound <= measured + 16, function  # alignment: a frame's last bytes may never be written


@pytest.mark.slow
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4", "rv32imc"])
def test_counting_blocks_equals_counting_each_instruction(core: str, image):
    import unicorn

    with Emulator(image(core), TARGETS[core]) as machine:
        here, there = machine.allocate(100), machine.allocate(100)
        calls = [("wide", (1 << 30, 77)), ("divide", (123456, 7)), ("fibonacci", (9,)), ("fill", (here,))]
        if core != "cortex-m4":  # unicorn's instruction hook leaves out what an IT block skips; the core still spends time on it
            calls.append(("add_one", (here, there, 99)))
        for function, arguments in calls:
            by_blocks = machine.measure(function, *arguments).instructions
            seen = []
            hook = machine._core.hook_add(unicorn.UC_HOOK_CODE, lambda core, address, size, _, seen=seen: seen.append(size))
            machine.call(function, *arguments)
            machine._core.hook_del(hook)
            machine._core.ctl_flush_tb()
            assert by_blocks == len(seen), function


def test_recursion_is_charged_once(image):
    with Emulator(image("cortex-m4"), TARGETS["cortex-m4"]) as machine:
        counted = machine.measure("fibonacci", 8)
    assert counted.result == 21
    assert counted.inclusive["fibonacci"] == counted.instructions


def test_a_batch_runs_each_input_and_reports_progress(image, mnist):
    images = mnist.test.images[:300].reshape(300, 784)
    steps = []
    with Emulator(image("cortex-m0"), TARGETS["cortex-m0"]) as machine:
        source, result = machine.allocate(784), machine.allocate(784)
        out = machine.call_batch("add_one", (source, result, 784), images, source, result, 784, steps.append)
    assert np.array_equal(out, images + np.uint8(1))
    assert sum(steps) == 300


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("fibonacci", "fibonacci calls itself"),
        ("apply", "through a pointer"),
        ("sized", "at run time"),
        ("nothing", "no symbol 'nothing'"),
    ],
)
def test_no_bound_is_guessed(function: str, words: str, image):
    elf = read_elf(image("cortex-m4"))
    elf = type(elf)(tuple(section for section in elf.sections if section.name != ".stack_sizes"), elf.symbols, elf.segments)
    with pytest.raises(ArtifactError, match=words):
        stack_bound(elf, TARGETS["cortex-m4"], function)


def test_a_far_jump_inside_a_function_is_no_call(image):
    with Emulator(image("cortex-m0"), TARGETS["cortex-m0"]) as machine:
        counted = machine.measure("far", 3)
        assert (counted.result, counted.stack_bytes, counted.instructions) == (5, 8, 10)
        assert counted.inclusive["far"] == counted.by_function["far"] == 10
        assert stack_bound(machine.image, machine.target, "far") == 8
        with pytest.raises(ArtifactError, match="again calls itself"):
            stack_bound(machine.image, machine.target, "again")


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4", "rv32imc"])
def test_the_disassembly_finds_the_frames_that_the_compiler_states(core: str, image):
    elf = read_elf(image(core))
    bare = type(elf)(tuple(section for section in elf.sections if section.name != ".stack_sizes"), elf.symbols, elf.segments)
    for function in ("twice", "nine", "wide", "divide", "fill"):
        assert stack_bound(bare, TARGETS[core], function) == stack_bound(elf, TARGETS[core], function), function


def test_faults_runaways_and_overflows_name_the_place(image):
    with Emulator(image("cortex-m4"), TARGETS["cortex-m4"], stack_bytes=4096) as machine:
        with pytest.raises(ArtifactError, match=r"add_one faulted in add_one at 0x"):
            machine.call("add_one", 0x3000_0000, 0x2000_0000, 4)
        with pytest.raises(ArtifactError, match=r"forever had not returned after 0\.2 s, in forever"):
            machine.call("forever", timeout_s=0.2)
        with pytest.raises(ArtifactError, match="fill faulted"):
            machine.call("fill", 0)
        assert machine.call("sum10") == 55


def test_a_signal_ends_a_count_and_is_handled(image):
    """In a hook Python drops what a handler raises, and the count would go on."""
    told: list[int] = []
    for handler in (signal.default_int_handler, lambda number, _: told.append(number)):
        before = signal.signal(signal.SIGINT, handler)
        try:
            with Emulator(image("cortex-m4"), TARGETS["cortex-m4"]) as machine:
                sender = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
                sender.start()
                with pytest.raises(KeyboardInterrupt):
                    machine.measure("forever", timeout_s=60)
                sender.join()
                assert signal.getsignal(signal.SIGINT) is handler
                assert machine.measure("sum10").result == 55
        finally:
            signal.signal(signal.SIGINT, before)
    assert told == [signal.SIGINT]


def test_footprints_split_code_constants_and_variables(image):
    footprint = read_elf(image("cortex-m4")).footprint()
    assert footprint.constant_bytes == 20
    assert footprint.data_bytes + footprint.bss_bytes in (4, 8)  # a compiler may fold the initial 40 into the code
    assert footprint.flash_bytes == footprint.code_bytes + footprint.constant_bytes + footprint.data_bytes


def test_memory_that_does_not_fit_is_refused(image):
    with Emulator(image("cortex-m4"), TARGETS["cortex-m4"]) as machine:
        first, second = machine.allocate(10), machine.allocate(10)
        assert second >= first + 10 + 64
        with pytest.raises(ArtifactError, match="do not fit"):
            machine.allocate(1 << 24)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(60), b"\x7fELF\x01\x01" + b"\xff" * 200, b"\x7fELF\x01\x01" + bytes(60)],
)
def test_what_is_not_an_image_is_refused(content: bytes, tmp_path: Path):
    path = tmp_path / "not.elf"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"not\.elf is not a little-endian 32-bit ELF image"):
        read_elf(path)


def test_a_missing_image_and_a_missing_core_are_refused(tmp_path: Path, image):
    with pytest.raises(ArtifactError, match="cannot read the image"):
        read_elf(tmp_path / "none.elf")
    with pytest.raises(ToolError, match="no emulator for wasm32; use one of cortex-m0"):
        Emulator(image("cortex-m4"), TARGETS["wasm32"])
