"""A core in QEMU: calls, memory, faults, and the same counts as the other emulator's."""

from pathlib import Path

import pytest
from support.debian import NoPackagesError, debian_tool

from glyphlite.emulation.emulator import Emulator
from glyphlite.emulation.qemu_core import QemuCore
from glyphlite.emulation.toolchain import compile_and_link, target_named
from glyphlite.errors import ArtifactError

SOURCE = """\
#include <stdint.h>
static __attribute__((noinline)) int32_t inner(const uint8_t *bytes, int32_t count) {
    int32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += bytes[i] * i;
        __asm__ volatile("" : "+r"(sum));
    }
    return sum;
}
int32_t outer(const uint8_t *bytes, int32_t count, int32_t a, int32_t b, int32_t c);
int32_t outer(const uint8_t *bytes, int32_t count, int32_t a, int32_t b, int32_t c) {
    return inner(bytes, count) + inner(bytes + 1, count - 1) + a * b * c;
}
typedef struct {
    int32_t factor, rounds;
} step_t;
const step_t step_table[3] = { { 1, 2 }, { 2, 5 }, { 3, 9 } };
static __attribute__((noinline)) int32_t step(const step_t *entry, int32_t value) {
    for (int32_t i = 0; i < entry->rounds; ++i) {
        value = inner((const uint8_t *)entry, 4) + value * entry->factor;
    }
    return value;
}
int32_t steps(int32_t *kept);
int32_t steps(int32_t *kept) {
    for (int32_t row = 0; row < 3; ++row) {
        *kept = step(step_table, *kept);
        *kept = step(step_table + 2, *kept);
    }
    return *kept;
}
int32_t lost(void);
int32_t lost(void) { return *(volatile int32_t *)0x70000001; }
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        debian_tool("qemu-system-arm", "qemu-system-arm")
    except NoPackagesError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("image")
    (folder / "image.c").write_text(SOURCE)
    keep = ["outer", "steps", "lost"]
    return compile_and_link(target_named("cortex-m4"), [folder / "image.c"], folder / "image.elf", keep=keep)


def test_calls_memory_and_counts_are_those_of_the_other_emulator(image: Path):
    values = bytes(range(3, 40))
    found = []
    for kind in (Emulator, QemuCore):
        with kind(image, target_named("cortex-m4")) as core:
            place = core.allocate(64)
            core.write(place, values)
            assert core.read(place, len(values)) == values
            counted = core.measure("outer", place, 37, 5, -6, 7)
            assert counted.result == core.call("outer", place, 37, 5, -6, 7)
            found.append((counted.result, counted.instructions, counted.by_function, counted.inclusive, counted.stack_bytes))
    assert found[0] == found[1]


def test_a_function_of_a_table_is_charged_by_its_entry_and_what_memory_holds_is_not_touched(image: Path):
    """As for layers that share one function: ``optimize="size"`` showed 0 instructions for each of them."""
    found = []
    for kind in (Emulator, QemuCore):
        with kind(image, target_named("cortex-m4")) as core:
            place = core.allocate(4)
            core.write(place, b"\1\0\0\0")
            counted = core.measure("steps", place)
            assert int.from_bytes(core.read(place, 4), "little", signed=True) == counted.result
            found.append((counted.result, counted.instructions, counted.inclusive, counted.stack_bytes))
    assert found[0] == found[1]
    assert {"step+0", "step+16"} < set(found[1][2])


def test_a_fault_and_an_unknown_function_are_told(image: Path):
    with QemuCore(image, target_named("cortex-m4")) as core, pytest.raises(ArtifactError, match="lost faulted"):
        core.call("lost")
    with QemuCore(image, target_named("cortex-m4")) as core, pytest.raises(ArtifactError):
        core.call("missing")
