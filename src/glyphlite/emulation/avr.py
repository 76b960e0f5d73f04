"""Functions of a linked image on an emulated AVR: the calls of :class:`glyphlite.emulation.emulator.Emulator`, in true cycles.

simavr executes and counts; this file lays out memory, calls by avr-gcc's convention and charges functions. Knows images; nothing
of models.
"""

import re
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glyphlite.emulation.elf import ElfImage, Symbol, read_elf
from glyphlite.emulation.measurement import Measurement
from glyphlite.emulation.one_by_one import OneByOne
from glyphlite.emulation.simavr import Simavr
from glyphlite.emulation.toolchain import Target
from glyphlite.errors import ArtifactError

_RAM_ORIGIN, _STACK_TOP = 0x0100, 0xFFFF
_ELF_RAM = 0x80_0000  # where images have their RAM, which is another space
_GUARD = 16
_CLONE = re.compile(r"\.(constprop|isra|part)\.\d+")
_FIRST_ARGUMENT, _LAST_ARGUMENT = 24, 8  # pairs of registers that hold arguments of 16 bits


class AvrEmulator(OneByOne):
    """An ATmega with an image in its flash, ready to be called. RAM is as large as pointers reach.

    Args:
        image: what :func:`glyphlite.emulation.toolchain.compile_and_link` built for ``target``.
        target: the core.
        stack_bytes: the stack's size, looked at for the deepest byte.

    Raises:
        ArtifactError: the image is not one, or does not fit.
        ToolError: simavr is not installed.
    """

    def __init__(self, image: Path | ElfImage, target: Target, *, stack_bytes: int = 4096) -> None:
        self.image = image if isinstance(image, ElfImage) else read_elf(image)
        self.target = target
        self._stack_bytes = stack_bytes
        self._core = Simavr()
        self._free = _RAM_ORIGIN
        for segment in self.image.segments:
            if segment.address >= _ELF_RAM:
                self._free = max(self._free, segment.address - _ELF_RAM + segment.memory_bytes)
                self.write(segment.address - _ELF_RAM, segment.content)
            else:
                self._core.program(segment.address, segment.content)

    def close(self) -> None:
        """Frees the core; the emulator is not used after it."""
        self._core.close()

    def allocate(self, size: int, align: int = 2) -> int:
        """Sets aside RAM for the caller (arena, input, output), guard bytes on either side.

        Raises:
            ArtifactError: the RAM is full.
        """
        address = -(-(self._free + _GUARD) // align) * align
        if address + size + _GUARD > _STACK_TOP - self._stack_bytes:
            room = _STACK_TOP - self._stack_bytes - _RAM_ORIGIN
            raise ArtifactError(f"{self.target.name}: {size} bytes more do not fit the {room} bytes of RAM that an AVR can have")
        self._free = address + size
        return address

    def write(self, address: int, content: bytes | np.ndarray) -> None:
        """Puts bytes (or an array's bytes) into RAM."""
        data = content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()
        self._core.memory[address : address + len(data)] = data

    def read(self, address: int, size: int) -> bytes:
        """Returns bytes of RAM."""
        return bytes(self._core.memory[address : address + size])

    def call(self, function: str, *arguments: int, timeout_s: float = 60) -> int:
        """Calls a function at full speed.

        Args:
            function: its symbol.
            arguments: 16-bit integers and addresses.
            timeout_s: after this it counts as a runaway.

        Returns:
            What it returned, as a signed 16-bit integer (meaningless for ``void``).

        Raises:
            ArtifactError: no such function, a fault, or a runaway.
        """
        self._start(function, arguments)
        deadline = time.monotonic() + timeout_s
        while self._core.run():
            if time.monotonic() > deadline:
                raise self._runaway(function, timeout_s)
        result = self._core.word(_FIRST_ARGUMENT)
        return result - (1 << 16) if result >> 15 else result

    def measure(self, function: str, *arguments: int, timeout_s: float = 300) -> Measurement:
        """Calls a function and counts its cycles, function by function.

        Raises:
            ArtifactError: as :meth:`call`.
        """
        paint = self._paint_stack()
        self._start(function, arguments)
        charges = _Charges(self.image, self._core)
        deadline = time.monotonic() + timeout_s
        first, last, count = self._core.cycle, 0, 0
        for count, (counter, last) in enumerate(self._core.steps()):
            if not charges.low <= counter < charges.high:
                charges.enter(counter, count, last)
            if count % 65536 == 65535 and time.monotonic() > deadline:
                raise self._runaway(function, timeout_s)
        charges.finish(count, last)
        left = np.frombuffer(self.read(_STACK_TOP + 1 - self._stack_bytes, self._stack_bytes), np.uint8)
        touched = np.flatnonzero(left != paint)
        result = self._core.word(_FIRST_ARGUMENT)
        return Measurement(
            result=result - (1 << 16) if result >> 15 else result,
            instructions=count,
            by_function=charges.own,
            inclusive=charges.inclusive,
            stack_bytes=self._stack_bytes - int(touched[0]),
            cycles=last - first,
            inclusive_cycles=charges.inclusive_cycles,
        )

    def _start(self, function: str, arguments: Sequence[int]) -> None:
        registers: dict[int, int] = {}
        pairs = iter(range(_FIRST_ARGUMENT, _LAST_ARGUMENT - 1, -2))
        on_stack: list[int] = []
        for value in arguments:
            pair = next(pairs, None)
            if pair is None:
                on_stack.append(value)
            else:
                registers[pair] = value
        stack = _STACK_TOP - 2 * len(on_stack)
        for index, value in enumerate(on_stack):
            self.write(stack + 1 + 2 * index, (value & 0xFFFF).to_bytes(2, "little"))
        self._core.start(self.image.symbol(function).address, registers, stack)

    def _runaway(self, function: str, timeout_s: float) -> ArtifactError:
        return ArtifactError(f"{self.target.name}: {function} had not returned after {timeout_s:g} s; stopped it")

    def _paint_stack(self) -> np.ndarray:
        """Fills the stack with a pattern that differs from byte to byte, so that no plain store matches a run of it."""
        positions = np.arange(self._stack_bytes, dtype=np.uint32)
        paint = ((positions * 2654435761) >> 13).astype(np.uint8)
        self.write(_STACK_TOP + 1 - self._stack_bytes, paint)
        return paint


class _Charges:
    """Charges cycles to functions as the counter moves from one to another; ``low`` and ``high`` bound the one that runs.

    A function beside which the image has a ``FUNCTION_table`` is charged by what its first argument points at in there, as for
    other cores: ``FUNCTION+48``.
    """

    def __init__(self, image: ElfImage, core: Simavr) -> None:
        self.own: defaultdict[str, int] = defaultdict(int)
        self.inclusive: defaultdict[str, int] = defaultdict(int)
        self.inclusive_cycles: defaultdict[str, int] = defaultdict(int)
        self.low = self.high = 0
        self._core = core
        self._places = sorted(_code(image), key=lambda symbol: symbol.address)
        self._starts = [symbol.address for symbol in self._places]
        objects = {symbol.name: symbol.address for symbol in image.symbols if symbol.kind == "object"}
        names = (_CLONE.sub("", symbol.name) for symbol in self._places)
        self._tables = {name: objects[f"{name}_table"] for name in names if f"{name}_table" in objects}
        self._calls: list[tuple[int, str, int, int]] = []  # place, name, instructions and cycles at entry
        self._since = 0

    def enter(self, counter: int, count: int, cycle: int) -> None:
        """Takes note that another function runs from now on: one that was called, or one that is returned to."""
        self._charge(count)
        at = bisect_right(self._starts, counter) - 1
        symbol = self._places[at]
        self.low, self.high = symbol.address, self._starts[at + 1] if at + 1 < len(self._starts) else 1 << 32
        if counter != symbol.address:
            while self._calls and self._calls[-1][0] != at:
                self._leave(count, cycle)
            return
        name = _CLONE.sub("", symbol.name)
        if name in self._tables:
            name = f"{name}+{self._core.word(_FIRST_ARGUMENT) - self._tables[name]}"
        self._calls.append((at, name, count, cycle))

    def finish(self, count: int, cycle: int) -> None:
        """Ends every call that is open."""
        self._charge(count)
        while self._calls:
            self._leave(count, cycle)

    def _charge(self, count: int) -> None:
        if self._calls:
            self.own[self._calls[-1][1]] += count - self._since
        self._since = count

    def _leave(self, count: int, cycle: int) -> None:
        _, name, count_before, cycle_before = self._calls.pop()
        if all(call[1] != name for call in self._calls):
            self.inclusive[name] += count - count_before
            self.inclusive_cycles[name] += cycle - cycle_before


def _code(image: ElfImage) -> list[Symbol]:
    """Returns what code can be in: functions, and labels of the compiler's own library, which say no type."""
    executable = [section for section in image.sections if section.executable]
    named: dict[int, Symbol] = {}
    for symbol in image.symbols:
        inside = any(section.address <= symbol.address < section.address + section.size for section in executable)
        if inside and (symbol.kind == "function" or (symbol.kind == "other" and symbol.is_global)):
            other = named.get(symbol.address)
            if other is None or (symbol.kind, not symbol.is_global) < (other.kind, not other.is_global):
                named[symbol.address] = symbol
    return list(named.values())
