"""Run functions of a linked image on a core that QEMU alone emulates: fast, or counting every instruction.

The same calls as ``emulator`` has, on an emulated board. QEMU is told what to do through its debugger's port: put bytes into
memory, set registers, run to the return address; its log of executed blocks is counted. Knows images and cores; nothing of
models.
"""

import socket
import subprocess
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from glyphlite.emulation.elf import ElfImage, read_elf, tables_of
from glyphlite.emulation.instruction_lengths import count_thumb
from glyphlite.emulation.measurement import Measurement
from glyphlite.emulation.one_by_one import OneByOne
from glyphlite.emulation.qemu import find_qemu, machine_for, qemu_command
from glyphlite.emulation.toolchain import Target
from glyphlite.errors import ArtifactError, ToolError

_ENABLE, _RETURN = 0x40, 0x80  # before the image's first instruction
_STORE = bytes.fromhex("0160 bff34f8f bff36f8f 7047")
"""``str r1, [r0]; dsb; isb; bx lr``: what a debugger writes does not reach the registers of the core's system."""
_GUARD = 64
_PACKET = 1024  # bytes of memory in one message
_STACK, _LINK, _COUNTER, _FLAGS = 13, 14, 15, 25  # QEMU's numbers of the registers of an M-profile core
_THUMB = 0x0100_0000  # in the flags
_COPROCESSORS, _FULL_ACCESS = 0xE000_ED88, 0x00F0_0000  # CPACR: floating point and Helium (Armv8-M ARM, D1.2.9)


@dataclass(frozen=True)
class _Entry:
    """Registers of the core as a function is entered."""

    argument: int
    link: int
    stack: int


_Entries = Mapping[int, deque[_Entry]]
"""By the address of a function, its entries in the order in which they happen."""

_NONE: _Entries = {}


class QemuCore(OneByOne):
    """A core with an image in its memory, ready to be called. Not thread-safe.

    Args:
        image: what :func:`glyphlite.emulation.toolchain.compile_and_link` built for ``target``.
        target: the core, an Arm one.
        stack_bytes: the stack's size.

    Raises:
        ArtifactError: the image is not one, or does not fit.
        ToolError: QEMU is not here, or does not start.
    """

    def __init__(self, image: Path | ElfImage, target: Target, *, stack_bytes: int = 32768) -> None:
        self.image = image if isinstance(image, ElfImage) else read_elf(image)
        self.target = target
        machine = machine_for(target.name)
        self._top = machine.ram[0] + machine.ram[1]
        self._stack_bytes = stack_bytes
        self._free = machine.ram[0]
        for segment in self.image.segments:
            origin, size = machine.ram if segment.address >= machine.ram[0] else machine.flash
            end = segment.address + segment.memory_bytes
            if end > origin + size:
                raise ArtifactError(f"the image does not fit the {size >> 10} KB of {machine.name}, QEMU's {target.name}")
            if origin == machine.ram[0]:
                self._free = max(self._free, end)
        self._folder = TemporaryDirectory(prefix="glyphlite-qemu-")
        port = Path(self._folder.name) / "port"
        self._log = Path(self._folder.name) / "log"
        qemu = find_qemu(machine)
        debugger = ("-S", "-chardev", f"socket,path={port},server=on,wait=off,id=port", "-gdb", "chardev:port")
        command = qemu_command(qemu, machine, None, (*debugger, "-D", str(self._log)))
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(qemu.environment)
        )
        self._port = self._connect(port)
        self._buffer = b""
        self._ask("qXfer:features:read:target.xml:0,400")  # else it takes no single register
        self._ask(f"Z0,{_RETURN:x},2")
        for segment in self.image.segments:
            self.write(segment.address, segment.content)
        self.write(_ENABLE, _STORE)  # over ELF headers, which nothing reads
        self._run(_ENABLE, "start-up", (_COPROCESSORS, _FULL_ACCESS), 30)

    def close(self) -> None:
        """Ends QEMU; the core is not used after it."""
        self._port.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        self._folder.cleanup()

    def allocate(self, size: int, align: int = 8) -> int:
        """Sets aside RAM for the caller (arena, input, output), guard bytes on either side.

        Raises:
            ArtifactError: the RAM is full.
        """
        address = -(-(self._free + _GUARD) // align) * align
        if address + size + _GUARD > self._top - self._stack_bytes:
            raise ArtifactError(f"{self.target.name}: {size} bytes more do not fit the RAM of QEMU's board")
        self._free = address + size
        return address

    def write(self, address: int, content: bytes | np.ndarray) -> None:
        """Puts bytes (or an array's bytes) into memory."""
        content = content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()
        for start in range(0, len(content), _PACKET):
            part = content[start : start + _PACKET]
            self._ask(f"M{address + start:x},{len(part):x}:{part.hex()}")

    def read(self, address: int, size: int) -> bytes:
        """Returns bytes of memory."""
        parts = (
            bytes.fromhex(self._ask(f"m{address + start:x},{min(_PACKET, size - start):x}")) for start in range(0, size, _PACKET)
        )
        return b"".join(parts)

    def call(self, function: str, *arguments: int, timeout_s: float = 60) -> int:
        """Calls a function at full speed and returns what it returned, as a signed 32-bit integer.

        Raises:
            ArtifactError: no such function, a fault, or a runaway.
        """
        return self._run(self.image.symbol(function).address, function, arguments, timeout_s)

    def _run(self, address: int, function: str, arguments: Sequence[int], timeout_s: float, entries: _Entries = _NONE) -> int:
        """Calls what is at an address, and writes down the entries of the functions that ``entries`` names."""
        stack = self._top - -(-4 * max(0, len(arguments) - 4) // 16) * 16
        for index, value in enumerate(arguments[4:]):
            self.write(stack + 4 * index, (value & 0xFFFF_FFFF).to_bytes(4, "little"))
        for register, value in enumerate(arguments[:4]):
            self._set(register, value)
        for register, value in ((_STACK, stack), (_LINK, _RETURN | 1), (_FLAGS, _THUMB)):
            self._set(register, value)
        self._set(_COUNTER, address & ~1)
        self._port.settimeout(timeout_s)
        try:
            self._ask("c")
            while entries and (place := self._get(_COUNTER)) in entries:
                entries[place].append(_Entry(self._get(0), self._get(_LINK), self._get(_STACK)))
                self._ask(f"z0,{place:x},2")
                self._ask("s")
                self._ask(f"Z0,{place:x},2")
                self._ask("c")
        except TimeoutError:
            raise ArtifactError(f"{self.target.name}: {function} had not returned after {timeout_s:g} s; stopped it") from None
        except (ConnectionError, ToolError):
            words = self._last_words()
            raise ArtifactError(f"{self.target.name}: {function} faulted{': ' if words else ''}{words}") from None
        if self._get(_COUNTER) != _RETURN:
            raise ArtifactError(f"{self.target.name}: {function} stopped at {self._get(_COUNTER):#x}")
        result = self._get(0)
        return result - (1 << 32) if result >> 31 else result

    def measure(self, function: str, *arguments: int, timeout_s: float = 300) -> Measurement:
        """Calls a function and counts.

        Raises:
            ArtifactError: as :meth:`call`.
        """
        entries = self._entries_of_tables(function, arguments, timeout_s)
        bottom = self._top - self._stack_bytes
        paint = np.random.default_rng(0).integers(0, 256, self._stack_bytes, np.uint8)
        self.write(bottom, paint)
        before = self._log.stat().st_size if self._log.exists() else 0
        self._monitor("log in_asm,exec,nochain")
        result = self.call(function, *arguments, timeout_s=timeout_s)
        self._monitor("log none")
        counter = _Counter(self.image, entries)
        with self._log.open() as log:
            log.seek(before)
            for address in _blocks(log, counter):
                counter.on_block(*address)
        counter.finish()
        touched = np.flatnonzero(np.frombuffer(self.read(bottom, self._stack_bytes), np.uint8) != paint)
        stack = self._stack_bytes - int(touched[0]) if len(touched) else 0
        return Measurement(result, counter.total, dict(counter.own), dict(counter.inclusive), stack)

    def _entries_of_tables(self, function: str, arguments: Sequence[int], timeout_s: float) -> _Entries:
        """Calls a function, and returns the entries of those that it calls with a place in their table (see :class:`_Counter`).

        The log of blocks tells no registers, and while breakpoints are set QEMU makes blocks of single instructions: so this is
        a call of its own, after which memory is as it was.
        """
        addresses = [self.image.symbol(name).address & ~1 for name in tables_of(self.image)]
        entries = {address: deque[_Entry]() for address in addresses}
        if not entries:
            return entries
        ram, _ = machine_for(self.target.name).ram
        kept = self.read(ram, self._free - ram)
        for address in entries:
            self._ask(f"Z0,{address:x},2")
        self._run(self.image.symbol(function).address, function, arguments, timeout_s, entries)
        for address in entries:
            self._ask(f"z0,{address:x},2")
        self.write(ram, kept)
        return entries

    def _connect(self, port: Path) -> socket.socket:
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            found = socket.socket(socket.AF_UNIX)
            try:
                found.connect(str(port))
            except OSError:
                found.close()
                time.sleep(0.02)
            else:
                found.settimeout(30)
                return found
        raise ToolError(f"QEMU does not start: {self._last_words() or 'it says nothing'}")

    def _last_words(self) -> str:
        """Ends QEMU and returns the first line that it printed."""
        self._process.kill()
        words = self._process.communicate()[1].decode(errors="replace").strip().splitlines()
        return words[0][:200] if words else ""

    def _set(self, register: int, value: int) -> None:
        self._ask(f"P{register:x}={(value & 0xFFFF_FFFF).to_bytes(4, 'little').hex()}")

    def _get(self, register: int) -> int:
        return int.from_bytes(bytes.fromhex(self._ask(f"p{register:x}")), "little")

    def _monitor(self, command: str) -> None:
        """Passes a command to QEMU's monitor."""
        self._ask(f"qRcmd,{command.encode().hex()}")

    def _ask(self, command: str) -> str:
        """Sends a message of GDB's remote protocol and returns the answer."""
        self._port.sendall(f"${command}#{sum(command.encode()) % 256:02x}".encode())
        while True:
            answer = self._packet()
            if not (command.startswith("qRcmd") and answer.startswith("O") and answer != "OK"):  # what the monitor prints
                break
        if answer.startswith("E"):
            raise ToolError(f"QEMU refuses {command[:40]}: {answer}")
        return answer

    def _packet(self) -> str:
        while b"#" not in self._buffer or len(self._buffer) < self._buffer.index(b"#") + 3:
            received = self._port.recv(1 << 16)
            if not received:
                raise ConnectionError
            self._buffer += received
        start, end = self._buffer.index(b"$"), self._buffer.index(b"#")
        content, self._buffer = self._buffer[start + 1 : end], self._buffer[end + 3 :]
        self._port.sendall(b"+")
        return content.decode()


Block = tuple[int, int, int]
"""Address of a block, that behind it, its instructions."""


def _blocks(log: Iterator[str], counter: "_Counter") -> Iterator[Block]:
    """Returns the blocks of a log in the order in which they ran. Each was written down when it was translated."""
    translated: dict[int, int] = {}  # by address, the end of the newest
    known: dict[str, Block] = {}
    start, end = 0, 0
    for line in log:
        if line.startswith("Trace"):
            _, _, place, rest = line.split(" ", 3)
            block = known.get(place)
            if block is None:
                address = int(rest.split("/")[1], 16)
                behind = translated.get(address, address)
                block = known[place] = (address, behind, counter.instructions(address, behind))
            yield block
        elif line.startswith("IN:"):
            start = end = 0
        elif line.startswith("0x"):
            address, *words = line.split()
            at = int(address.rstrip(":"), 16)
            start = start or at
            end = at
            for word in words:
                if len(word) not in (2, 4, 8) or any(digit not in "0123456789abcdef" for digit in word):
                    break
                end += len(word) // 2
            translated[start] = end


@dataclass(frozen=True)
class _Call:
    """A call that runs.

    Attributes:
        call: the function, and link and stack as it was entered where they are known.
        charged: the name that its instructions are charged to.
        behind: where it returns to.
        before: instructions before it.
    """

    call: tuple[str, tuple[int, int] | None]
    charged: str
    behind: int
    before: int


class _Counter:
    """Counts instructions block by block, and follows calls so that each function is charged for what it calls.

    A function with a table is charged by what its first argument points at in there, as :func:`tables_of` says.

    Args:
        image: whose functions run.
        entries: of the functions with a table.
    """

    def __init__(self, image: ElfImage, entries: _Entries) -> None:
        self.total = 0
        self.own: defaultdict[str, int] = defaultdict(int)
        self.inclusive: defaultdict[str, int] = defaultdict(int)
        self._image, self._entries, self._tables = image, entries, tables_of(image)
        self._names: dict[int, tuple[str, bool]] = {}
        self._calls: list[_Call] = []
        self._behind = _RETURN

    def instructions(self, address: int, behind: int) -> int:
        """Returns the instructions between two addresses."""
        return count_thumb(self._image.read(address, behind - address))

    def on_block(self, address: int, behind: int, instructions: int) -> None:
        """Counts a block that runs."""
        if address not in self._names:
            function = self._image.function_at(address)
            entry = bool(function and function.address & ~1 == address)
            self._names[address] = (function.name if function else hex(address), entry)
        name, is_entry = self._names[address]
        while self._calls and any(call.behind == address for call in self._calls):
            self._leave()
        if is_entry:
            self._enter(address, name)
        self.total += instructions
        self.own[name] += instructions
        self._behind = behind

    def finish(self) -> None:
        """Records that the outermost function has returned."""
        while self._calls:
            self._leave()

    def _enter(self, address: int, name: str) -> None:
        entries = self._entries.get(address)
        entry = entries.popleft() if entries else None
        call = (name, (entry.link, entry.stack) if entry else None)
        if self._calls and self._calls[-1].call == call:  # a loop back to the first instruction
            return
        table = self._tables.get(name, range(0))
        charged = f"{name}+{entry.argument - table.start}" if entry and entry.argument in table else name
        self._calls.append(_Call(call, charged, self._behind, self.total))

    def _leave(self) -> None:
        left = self._calls.pop()
        if all(call.charged != left.charged for call in self._calls):
            self.inclusive[left.charged] += self.total - left.before
