"""libsimavr, the library of the simavr program: an ATmega1284P whose every cycle is counted, called through ctypes.

The library exports functions that make a core and run it; program counter, cycles and memory are fields of its ``avr_t``
(sim_avr.h), whose places are known here for simavr 1.6 to 1.8 and checked against what a fresh core holds. Knows no model.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glyphlite.emulation.system_tools import SystemTool, find_tool
from glyphlite.errors import ArtifactError, ToolError

_CORE = b"atmega1284p"  # 128 KB of flash and a program counter of 16 bits, as all smaller ones have
_LAST_ADDRESS = 0xFFFF  # of RAM: as far as pointers reach, whatever the chip has
_RUNNING, _DONE = 2, 6  # cpu_Running; cpu_Done, after a sleep with interrupts off
_FIRST_HERTZ = 1_000_000  # of a fresh core
_STACK_POINTER, _STATUS = 0x5D, 0x5F
_SLEEP = bytes([0x88, 0x95])
_RETURN = 0x1FFF0
"""Where functions return to: beyond every image, an instruction that ends the run."""

_TRAP = bytes([0xFF, 0xCF]) * 2
"""Before that: jumps to themselves, for what runs through erased flash. The first may be skipped."""

_SLICE = 1000
"""Cycles that one call into the library runs at most."""


@dataclass(frozen=True)
class _Layout:
    """Offsets of fields of ``avr_t``. The same in every version: ``ramend`` and ``flashend``, at 10 and 12."""

    state: int
    frequency: int
    cycle: int
    run_cycle_limit: int
    status_bits: int
    counter: int
    data: int


_LAYOUTS = (_Layout(60, 64, 80, 96, 192, 204, 11720), _Layout(68, 72, 88, 104, 216, 228, 12520))  # 1.6 and 1.7, 1.8
_RAMEND, _FLASHEND = 10, 12


class Simavr:
    """One core: registers, RAM and flash as bytes, run until a function returns or instruction by instruction.

    Raises:
        ToolError: the library is not here, or of a version whose core is laid out in another way.
    """

    def __init__(self) -> None:
        self._library = _library()
        self._avr: int = self._library.avr_make_mcu_by_name(_CORE) or 0
        if not self._avr:
            raise ToolError(f"this simavr has no {_CORE.decode()}")
        ctypes.c_uint16.from_address(self._avr + _RAMEND).value = _LAST_ADDRESS
        self._library.avr_init(self._avr)
        layout = self._checked_layout()
        self._state = ctypes.c_int.from_address(self._avr + layout.state)
        self._cycle = ctypes.c_uint64.from_address(self._avr + layout.cycle)
        self._limit = ctypes.c_uint64.from_address(self._avr + layout.run_cycle_limit)
        self._count = ctypes.c_uint64.from_address(self._avr + layout.run_cycle_limit - 8)  # left of it
        self._status_bits = (ctypes.c_uint8 * 8).from_address(self._avr + layout.status_bits)
        self._counter = ctypes.c_uint32.from_address(self._avr + layout.counter)
        self.memory = (ctypes.c_uint8 * (_LAST_ADDRESS + 1)).from_address(self._pointer(layout.data))
        self.program(_RETURN - len(_TRAP), _TRAP + _SLEEP)

    def close(self) -> None:
        """Frees the core; it is not used after it."""
        if self._avr:
            self._library.avr_terminate(self._avr)
            self._avr = 0

    def program(self, address: int, content: bytes) -> None:
        """Puts bytes into flash."""
        self._library.avr_loadcode(self._avr, content, len(content), address)

    def word(self, register: int) -> int:
        """Returns the 16 bits of a pair of registers."""
        return self.memory[register] | self.memory[register + 1] << 8

    @property
    def stack_pointer(self) -> int:
        """Returns the address of the next byte that is pushed."""
        return self.word(_STACK_POINTER)

    @property
    def counter(self) -> int:
        """Returns the address, in bytes, of the next instruction."""
        return self._counter.value

    @property
    def cycle(self) -> int:
        """Returns the cycles since the core was made."""
        return self._cycle.value

    def start(self, address: int, registers: Mapping[int, int], stack: int) -> None:
        """Makes a function the next to run, as if called by what ends the run.

        Args:
            address: of its first instruction, in bytes.
            registers: pairs of registers, by the number of the lower one, and their 16 bits.
            stack: the stack pointer before the call.
        """
        for register, value in registers.items():
            self.memory[register], self.memory[register + 1] = value & 0xFF, value >> 8 & 0xFF
        self.memory[1] = 0  # which compiled code takes for granted
        self.memory[_STATUS] = 0
        for bit in range(8):
            self._status_bits[bit] = 0
        back = _RETURN // 2
        self.memory[stack], self.memory[stack - 1] = back & 0xFF, back >> 8
        stack -= 2
        self.memory[_STACK_POINTER], self.memory[_STACK_POINTER + 1] = stack & 0xFF, stack >> 8
        self._counter.value = address
        self._state.value = _RUNNING

    def run(self) -> bool:
        """Runs some hundred instructions; returns whether the function is still running.

        Raises:
            ArtifactError: the core crashed.
        """
        self._limit.value = self._count.value = _SLICE
        self._library.avr_run(self._avr)
        return self._state.value == _RUNNING or self._ended()

    def steps(self) -> Iterator[tuple[int, int]]:
        """Runs one instruction after the other until the function returns; yields the counter and the cycles before each.

        Raises:
            ArtifactError: the core crashed.
        """
        self._limit.value = self._count.value = 1
        counter, cycle, state, run, avr = self._counter, self._cycle, self._state, self._library.avr_run, self._avr
        while state.value == _RUNNING:
            yield counter.value, cycle.value
            run(avr)
        self._ended()

    def _ended(self) -> bool:
        if self._state.value != _DONE or self._counter.value != _RETURN + len(_SLEEP):
            raise ArtifactError(f"the emulated AVR crashed at {self._counter.value:#x}")
        return False

    def _pointer(self, at: int) -> int:
        return ctypes.c_uint64.from_address(self._avr + at).value

    def _checked_layout(self) -> _Layout:
        """Returns the layout by which a fresh core holds its clock, a limit of one cycle, and memory that can be written."""
        for layout in _LAYOUTS:
            fresh = ctypes.c_uint32.from_address(self._avr + layout.frequency).value == _FIRST_HERTZ
            if fresh and ctypes.c_uint64.from_address(self._avr + layout.run_cycle_limit).value == 1:
                self._library.avr_core_watch_write(self._avr, _LAST_ADDRESS, 0xA5)
                if ctypes.c_uint8.from_address(self._pointer(layout.data) + _LAST_ADDRESS).value == 0xA5:
                    return layout
        raise ToolError("this version of simavr is none that is known here (1.6 to 1.8)")


def find_simavr() -> SystemTool:
    """Returns the simavr program, beside which its library lies.

    Raises:
        ToolError: it is not installed.
    """
    return find_tool("simavr", "gcc-avr avr-libc simavr")


def _library() -> Any:
    """Returns the library: beside the simavr program, or where the system looks.

    Raises:
        ToolError: there is none.
    """
    root = find_simavr().program.resolve().parents[1]
    for needed in sorted(root.glob("lib/*/libelf.so*"))[:1]:  # of unpacked packages
        ctypes.CDLL(str(needed), mode=ctypes.RTLD_GLOBAL)
    for name in (*map(str, sorted(root.glob("lib/**/libsimavr.so*"))), ctypes.util.find_library("simavr")):
        if name is None:
            continue
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.avr_make_mcu_by_name.restype = ctypes.c_void_p
        library.avr_make_mcu_by_name.argtypes = [ctypes.c_char_p]
        for function in (library.avr_init, library.avr_run, library.avr_terminate):
            function.argtypes = [ctypes.c_void_p]
        library.avr_loadcode.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint32]
        library.avr_core_watch_write.argtypes = [ctypes.c_void_p, ctypes.c_uint16, ctypes.c_uint8]
        library.avr_global_logger_set.argtypes = [ctypes.c_void_p]
        library.avr_global_logger_set(ctypes.cast(_SILENT, ctypes.c_void_p))
        return library
    raise ToolError("no libsimavr beside simavr; on Debian and Ubuntu: apt install simavr")


@ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
def _SILENT(*_: object) -> None:  # noqa: N802 - kept for the library, which calls it
    """Says nothing: a crash is seen by the core's state."""
