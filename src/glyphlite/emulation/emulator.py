"""Run functions of a linked image on an emulated core: fast, or counting every instruction and the deepest stack.

unicorn (QEMU's translator as a library) executes; this file lays out memory, calls by the platform's calling convention
and counts. Knows images and cores; nothing of models. Counts are instructions, never cycles: no emulator here knows a
core's pipeline.
"""

import math
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any, Self

import numpy as np

from glyphlite.cores import CORE_NAMES, CORES
from glyphlite.emulation.elf import ElfImage, read_elf, tables_of
from glyphlite.emulation.instruction_lengths import count_riscv, count_thumb
from glyphlite.emulation.instruction_mix import mix_of, thumb_decoder
from glyphlite.emulation.measurement import Measurement
from glyphlite.emulation.toolchain import FIRMWARE_EXTRA, FLASH_BYTES, FLASH_ORIGIN, RAM_BYTES, RAM_ORIGIN, Target
from glyphlite.errors import ArtifactError, ToolError

# Beyond the image's own memory, with unmapped pages between: a stack that overflows faults instead of writing elsewhere.
_STACK_TOP = 0x3000_0000
_RETURN_PAGE = 0x1000_0000
_PAGE = 0x1000
_GUARD = 64
_MODELS = {core.name: core.unicorn_model for core in CORES if core.unicorn_model}
"""Core to the name of unicorn's constant for it."""


class Emulator:
    """A core with an image in its memory, ready to be called. Not thread-safe.

    Args:
        image: what :func:`glyphlite.emulation.toolchain.compile_and_link` built for ``target``.
        target: the core.
        stack_bytes: the stack's size; reaching beyond it faults.

    Raises:
        ArtifactError: the image is not one, or does not fit.
        ToolError: unicorn is not installed, or does not have this core.
    """

    def __init__(self, image: Path | ElfImage, target: Target, *, stack_bytes: int = 32768) -> None:
        self.image = image if isinstance(image, ElfImage) else read_elf(image)
        self.target = target
        self._unicorn = _import_unicorn()
        self._stack_bytes = -(-stack_bytes // _PAGE) * _PAGE
        self._core: Any = self._make_core()
        self._load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Releases the core and its memory; the emulator is not used after it."""
        self._core = None

    def allocate(self, size: int, align: int = 8) -> int:
        """Sets aside RAM for the caller (arena, input, output), guard bytes on either side.

        Raises:
            ArtifactError: the RAM is full.
        """
        address = -(-(self._free + _GUARD) // align) * align
        if address + size + _GUARD > RAM_ORIGIN + RAM_BYTES:
            raise ArtifactError(f"{self.target.name}: {size} bytes more do not fit the emulated RAM of {RAM_BYTES} bytes")
        self._free = address + size
        return address

    def write(self, address: int, content: bytes | np.ndarray) -> None:
        """Puts bytes (or an array's bytes) into memory."""
        self._core.mem_write(address, content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes())

    def read(self, address: int, size: int) -> bytes:
        """Returns the bytes  of memory."""
        return bytes(self._core.mem_read(address, size))

    def call(self, function: str, *arguments: int, timeout_s: float = 60) -> int:
        """Calls a function at full speed.

        Args:
            function: its symbol.
            arguments: 32-bit integers and addresses.
            timeout_s: after this it counts as a runaway.

        Returns:
            What it returned, as a signed 32-bit integer (meaningless for ``void``).

        Raises:
            ArtifactError: no such function, a fault, or a runaway; the message names the place.
        """
        with _Watchdog(self._core, timeout_s) as watchdog:
            return self._run(self.image.symbol(function).address, function, arguments, watchdog)

    def call_batch(
        self,
        function: str,
        arguments: Sequence[int],
        inputs: np.ndarray,
        input_address: int,
        output_address: int,
        output_bytes: int,
        progress: Callable[[int], None] | None = None,
        timeout_s: float = 60,
    ) -> np.ndarray:
        """Calls a function once for each input, at full speed.

        Args:
            function: its symbol.
            arguments: the same for each call.
            inputs: ``(n, ...)``; each one's bytes are put at ``input_address`` before its call.
            input_address: where the function reads.
            output_address: where it leaves its answer.
            output_bytes: the answer's size.
            progress: called with the number of calls just finished, now and then.
            timeout_s: after this a call counts as a runaway.

        Returns:
            uint8 ``(n, output_bytes)``.

        Raises:
            ArtifactError: as :meth:`call`.
        """
        address = self.image.symbol(function).address
        outputs = np.empty((len(inputs), output_bytes), np.uint8)
        with _Watchdog(self._core, timeout_s) as watchdog:
            for index, values in enumerate(inputs):
                self.write(input_address, values)
                self._run(address, function, arguments, watchdog)
                outputs[index] = np.frombuffer(self._core.mem_read(output_address, output_bytes), np.uint8)
                if progress and index % 256 == 255:
                    progress(256)
        if progress:
            progress(len(inputs) % 256)
        return outputs

    def measure(self, function: str, *arguments: int, timeout_s: float = 300) -> Measurement:
        """Calls a function and counts. Slower than :meth:`call` by a factor of ten to twenty.

        Raises:
            ArtifactError: as :meth:`call`.
        """
        counter = _Counter(self.image, self._core, self._registers)
        paint = self._paint_stack()
        self._core.ctl_flush_tb()  # code translated before would run without the hook
        hook = self._core.hook_add(self._unicorn.UC_HOOK_BLOCK, counter.on_block)
        try:
            with _heeded_interrupts(self._core), _Watchdog(self._core, timeout_s) as watchdog:
                result = self._run(self.image.symbol(function).address, function, arguments, watchdog)
        finally:
            self._core.hook_del(hook)
            self._core.ctl_flush_tb()
        counter.finish()
        left = np.frombuffer(self.read(_STACK_TOP - self._stack_bytes, self._stack_bytes), np.uint8)
        touched = np.flatnonzero(left != paint)
        stack = self._stack_bytes - int(touched[0]) if len(touched) else 0
        return Measurement(result, counter.total, dict(counter.own), dict(counter.inclusive), stack, counter.mix())

    def _make_core(self) -> Any:
        unicorn = self._unicorn
        if self.target.architecture == "riscv":
            from unicorn import riscv_const

            names = (f"UC_RISCV_REG_A{index}" for index in range(self.target.argument_registers))
            self._registers = _Registers(
                tuple(getattr(riscv_const, name) for name in names),
                riscv_const.UC_RISCV_REG_SP,
                riscv_const.UC_RISCV_REG_RA,
                riscv_const.UC_RISCV_REG_PC,
                0,
            )
            return unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        if self.target.name not in _MODELS:
            raise ToolError(f"no emulator for {self.target.name}; use one of {', '.join(CORE_NAMES)}")
        from unicorn import arm_const

        names = (f"UC_ARM_REG_R{index}" for index in range(self.target.argument_registers))
        self._registers = _Registers(
            tuple(getattr(arm_const, name) for name in names),
            arm_const.UC_ARM_REG_SP,
            arm_const.UC_ARM_REG_LR,
            arm_const.UC_ARM_REG_PC,
            1,
        )
        core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        core.ctl_set_cpu_model(getattr(arm_const, _MODELS[self.target.name]))
        return core

    def _load(self) -> None:
        core = self._core
        core.mem_map(FLASH_ORIGIN, FLASH_BYTES, self._unicorn.UC_PROT_READ | self._unicorn.UC_PROT_EXEC)
        core.mem_map(RAM_ORIGIN, RAM_BYTES, self._unicorn.UC_PROT_READ | self._unicorn.UC_PROT_WRITE)
        core.mem_map(_STACK_TOP - self._stack_bytes, self._stack_bytes, self._unicorn.UC_PROT_READ | self._unicorn.UC_PROT_WRITE)
        core.mem_map(_RETURN_PAGE, _PAGE)
        self._free = RAM_ORIGIN
        for segment in self.image.segments:
            end = segment.address + segment.memory_bytes
            in_ram = segment.address >= RAM_ORIGIN
            if end > (RAM_ORIGIN + RAM_BYTES if in_ram else FLASH_ORIGIN + FLASH_BYTES):
                raise ArtifactError(f"the image does not fit the memory of the emulated {self.target.name}")
            core.mem_write(segment.address, segment.content)
            self._free = max(self._free, end)

    def _run(self, address: int, name: str, arguments: Sequence[int], watchdog: "_Watchdog") -> int:
        core, registers = self._core, self._registers
        in_registers, on_stack = arguments[: len(registers.arguments)], arguments[len(registers.arguments) :]
        stack = _STACK_TOP - -(-4 * len(on_stack) // 16) * 16
        for index, value in enumerate(on_stack):
            core.mem_write(stack + 4 * index, (value & 0xFFFF_FFFF).to_bytes(4, "little"))
        for register, value in zip(registers.arguments, in_registers, strict=False):
            core.reg_write(register, value & 0xFFFF_FFFF)
        core.reg_write(registers.stack, stack)
        core.reg_write(registers.link, _RETURN_PAGE | registers.thumb)
        watchdog.beat()
        try:
            core.emu_start(address | registers.thumb, _RETURN_PAGE)
        except self._unicorn.UcError as error:
            raise ArtifactError(f"{self.target.name}: {name} faulted in {self._place()}: {error}") from None
        if core.reg_read(registers.counter) & ~1 != _RETURN_PAGE:
            raise ArtifactError(
                f"{self.target.name}: {name} had not returned after {watchdog.timeout_s:g} s, in {self._place()}; stopped it"
            )
        result = core.reg_read(registers.arguments[0])
        return result - (1 << 32) if result >> 31 else result

    def _place(self) -> str:
        address = self._core.reg_read(self._registers.counter)
        function = self.image.function_at(address)
        return f"{function.name} at {address:#x}" if function else f"{address:#x}"

    def _paint_stack(self) -> np.ndarray:
        """Fills the stack with a pattern that differs from byte to byte, so that no plain store matches a run of it."""
        positions = np.arange(self._stack_bytes, dtype=np.uint32)
        paint = ((positions * 2654435761) >> 13).astype(np.uint8)
        self.write(_STACK_TOP - self._stack_bytes, paint)
        return paint


class _Watchdog:
    """Stops the core when a call takes longer than allowed. One thread a batch: unicorn's timeout costs milliseconds a call."""

    def __init__(self, core: Any, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._core = core
        self._done = threading.Event()
        self._deadline = math.inf
        self._thread = threading.Thread(target=self._watch, name="glyphlite-watchdog", daemon=True)

    def __enter__(self) -> Self:
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def beat(self) -> None:
        """Marks the start of a call."""
        self._deadline = time.monotonic() + self.timeout_s

    def _watch(self) -> None:
        while not self._done.wait(max(self._deadline - time.monotonic(), 0.01)):
            if time.monotonic() >= self._deadline:
                self._core.emu_stop()


@contextmanager
def _heeded_interrupts(core: Any) -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM end an emulation with hooks.

    Python runs their handlers where the library next calls a hook, and there drops what they raise: the emulation would go on. So
    a signal only stops the core, and is handled once that is out of the library.
    """
    told: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        told.append(number)
        core.emu_stop()

    before: dict[int, Callable[[int, FrameType | None], Any]] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if told:
            before[told[0]](told[0], None)
            raise KeyboardInterrupt  # where the handler itself raises nothing; the count is not whole


@dataclass(frozen=True)
class _Registers:
    """A calling convention: where arguments, stack pointer, return address and program counter are; Thumb's address bit."""

    arguments: tuple[int, ...]
    stack: int
    link: int
    counter: int
    thumb: int


class _Counter:
    """Counts instructions block by block, and follows calls so that each function is charged for what it calls.

    A function with a table is charged by what its first argument points at in there, as :func:`tables_of` says.

    A translated block runs from its first to its last instruction, so its count is fixed by its bytes.
    """

    def __init__(self, image: ElfImage, core: Any, registers: _Registers) -> None:
        self.total = 0
        self.own: defaultdict[str, int] = defaultdict(int)
        self.inclusive: defaultdict[str, int] = defaultdict(int)
        self._image, self._core, self._registers = image, core, registers
        self._blocks: dict[tuple[int, int], tuple[int, str, bool]] = {}
        self._tables = tables_of(image)
        self._calls: list[tuple[str, int, int, int]] = []  # function, return address, stack pointer, total at entry
        self._runs: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._left: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._last: tuple[int, int] | None = None

    def on_block(self, core: Any, address: int, size: int, _: Any) -> None:
        """Counts a block that is about to run (Unicorn's hook)."""
        place = (address, size)
        block = self._blocks.get(place)
        if block is None:
            block = self._blocks[place] = self._describe(address, size)
        if self._last and self._last[0] + self._last[1] != address:
            self._left[self._last] += 1
        self._runs[place] += 1
        self._last = place
        instructions, name, is_entry = block
        while self._calls and self._calls[-1][1] == address and core.reg_read(self._registers.stack) >= self._calls[-1][2]:
            self._leave()
        if is_entry:
            link = core.reg_read(self._registers.link) & ~1
            stack = core.reg_read(self._registers.stack)
            argument = core.reg_read(self._registers.arguments[0])
            if name in self._tables and argument in self._tables[name]:
                name = f"{name}+{argument - self._tables[name].start}"
            if not self._calls or self._calls[-1][:3] != (name, link, stack):  # else a loop back to the first instruction
                self._calls.append((name, link, stack, self.total))
        self.total += instructions
        self.own[name] += instructions

    def finish(self) -> None:
        """Records that the outermost function has returned."""
        while self._calls:
            self._leave()

    def mix(self) -> dict[str, int]:
        """Returns how many of the instructions are of each kind, and how many branches were taken; nothing off Arm."""
        if not self._registers.thumb:
            return {}
        decoder, mix = thumb_decoder(), Counter[str]()
        for (address, size), runs in self._runs.items():
            kinds = mix_of(decoder, self._image.read(address, size), address)
            left = self._left[address, size]
            kind = "calls" if kinds.pop("ends_in_call", 0) else "pops" if kinds.pop("ends_in_pop", 0) else "taken"
            mix[kind] += left
            mix.update({name: count * runs for name, count in kinds.items()})
        return dict(mix)

    def _leave(self) -> None:
        name, _, _, before = self._calls.pop()
        if all(call[0] != name for call in self._calls):
            self.inclusive[name] += self.total - before

    def _describe(self, address: int, size: int) -> tuple[int, str, bool]:
        function = self._image.function_at(address)
        content = self._image.read(address, size)
        if not content:  # the page that functions return to
            return 0, "", False
        count = count_thumb(content) if self._registers.thumb else count_riscv(content)
        return count, function.name if function else hex(address), bool(function and function.address == address)


def _import_unicorn() -> ModuleType:
    try:
        import unicorn
    except ImportError:
        raise ToolError(f"emulating a core needs the unicorn package: {FIRMWARE_EXTRA}") from None
    return unicorn
