"""The deepest stack that a function of an image can reach, found without running it.

Frames come from the compiler's own ``.stack_sizes`` section (clang's -fstack-size-section) where it has an entry, else from the
instructions that move the stack pointer; calls come from the disassembly (capstone). Recursion, calls through pointers and
frames of a size known only at run time are refused rather than guessed: generated C has none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from glyphlite.emulation.elf import ElfImage, Symbol
from glyphlite.emulation.toolchain import FIRMWARE_EXTRA, Target
from glyphlite.errors import ArtifactError, ToolError

_CALLS = {"bl", "jal", "c.jal"}
_JUMPS = {"b", "b.w", "j", "c.j"}
_INDIRECT_CALLS = {"blx", "jalr", "c.jalr"}
_INDIRECT_JUMPS = {"bx", "jr", "c.jr"}
_RETURNS = {"lr", "ra"}


@dataclass(frozen=True)
class _Frame:
    """The stack use of one function: its own bytes, functions called from its frame, those it ends by jumping to."""

    bytes: int
    calls: frozenset[int]
    tail_calls: frozenset[int]


@dataclass(frozen=True)
class _Instruction:
    address: int
    mnemonic: str
    operands: str


def stack_bound(image: ElfImage, target: Target, function: str) -> int:
    """Returns the bytes  below the caller's stack pointer that a call of ``function`` can use at most.

    Raises:
        ArtifactError: there is no such function, or no bound: recursion, a call or jump through a pointer, a
            frame sized at run time.
        ToolError: capstone is not installed.
    """
    analysis = _Analysis(image, target)
    return analysis.bound(image.symbol(function), ())


class _Analysis:
    """Frames and bounds of an image's functions, each found once."""

    def __init__(self, image: ElfImage, target: Target) -> None:
        self._image = image
        self._target = target
        self._sizes = _stack_sizes(image)
        self._by_address = {symbol.address: symbol for symbol in image.functions}
        self._bounds: dict[int, int] = {}

    def bound(self, symbol: Symbol, callers: tuple[str, ...]) -> int:
        """Returns a function's frame and the deepest of what it calls."""
        if symbol.address in self._bounds:
            return self._bounds[symbol.address]
        if symbol.name in callers:
            raise ArtifactError(f"no bound of the stack: {symbol.name} calls itself through {', '.join(callers)}")
        frame = self._frame(symbol)
        path = (*callers, symbol.name)
        within = max((self.bound(self._callee(address, symbol), path) for address in frame.calls), default=0)
        instead = max((self.bound(self._callee(address, symbol), path) for address in frame.tail_calls), default=0)
        self._bounds[symbol.address] = max(frame.bytes + within, instead)
        return self._bounds[symbol.address]

    def _callee(self, address: int, caller: Symbol) -> Symbol:
        if address not in self._by_address:
            raise ArtifactError(f"no bound of the stack: {caller.name} calls {address:#x}, where no function starts")
        return self._by_address[address]

    def _frame(self, symbol: Symbol) -> _Frame:
        grown, calls, tail_calls = 0, set(), set()
        known: dict[str, int] = {}  # registers that hold constants, for frames too large for an immediate
        upper: dict[str, int] = {}
        for instruction in self._disassemble(symbol):
            mnemonic, operands = instruction.mnemonic, instruction.operands
            base = mnemonic.removesuffix(".w")
            if mnemonic == "auipc":  # far calls of RISC-V come in two instructions; the second adds the lower half
                register, value = operands.split(", ")
                upper[register] = instruction.address + (int(value, 0) << 12)
            elif mnemonic in _INDIRECT_CALLS:
                calls.add(_far_target(operands, upper, symbol))
            elif mnemonic in _INDIRECT_JUMPS and operands not in _RETURNS:
                tail_calls.add(_far_target(operands, upper, symbol))
            elif base in _CALLS:
                place = self._near_target(instruction)
                if not symbol.address < place < symbol.address + symbol.size:  # else a far jump: Thumb-1's b reaches 2 KB only
                    calls.add(place)
            elif base in _JUMPS:
                place = self._near_target(instruction)
                if not symbol.address <= place < symbol.address + symbol.size:
                    tail_calls.add(place)
            else:
                grown += _growth(base, operands, known, symbol)
                self._follow(instruction, known)
        return _Frame(max(self._sizes.get(symbol.address, 0), grown), frozenset(calls), frozenset(tail_calls))

    def _follow(self, instruction: _Instruction, known: dict[str, int]) -> None:
        """Keeps track of the constants that registers hold along straight-line code."""
        base, operands = instruction.mnemonic.removesuffix(".w").removeprefix("c."), instruction.operands
        register, _, rest = operands.partition(", ")
        before = known.pop(register, None)
        value = _number(rest)
        if base in ("mov", "movs", "movw", "li") and value is not None:
            known[register] = value
        elif base == "lui" and value is not None:
            known[register] = value << 12
        elif base == "addi" and before is not None and value is not None:
            known[register] = before + value
        elif base == "movt" and before is not None and value is not None:
            known[register] = before | value << 16
        elif base == "ldr" and (literal := re.match(r"\[pc, #(\w+)\]", rest)):
            place = (instruction.address + 4 & ~3) + int(literal[1], 0)
            known[register] = int.from_bytes(self._image.read(place, 4), "little", signed=True)

    def _near_target(self, instruction: _Instruction) -> int:
        """Returns the address that a direct call or jump goes to; capstone prints RISC-V's as a distance."""
        value = int(instruction.operands.rsplit(" ", 1)[-1].lstrip("#"), 0)
        return value + instruction.address if self._target.architecture == "riscv" else value

    def _disassemble(self, symbol: Symbol) -> Iterator[_Instruction]:
        """Yields a function's instructions, without the literal pools that ARM's mapping symbols ($t, $d) mark."""
        engine = _engine(self._target)
        end = symbol.address + symbol.size
        marks = sorted(
            (mark.address, mark.name[:2] == "$d") for mark in self._image.marks if symbol.address <= mark.address < end
        )
        starts = [(symbol.address, False), *marks]
        for (start, is_data), (stop, _) in zip(starts, [*starts[1:], (end, False)], strict=True):
            if not is_data:
                for address, _, mnemonic, operands in engine.disasm_lite(self._image.read(start, stop - start), start):
                    yield _Instruction(address, mnemonic, operands)


def _growth(base: str, operands: str, known: dict[str, int], symbol: Symbol) -> int:
    """Returns the bytes by which an instruction moves the stack pointer down; what moves it up counts nothing (an upper
    bound).
    """
    base = base.removeprefix("c.")
    if base == "push" or (base in ("stmdb", "stmfd") and operands.startswith("sp!")):
        return 4 * _registers(operands[operands.index("{") :])
    if base == "vpush" or (base in ("vstmdb", "fstmdbx") and operands.startswith("sp!")):
        listed = operands[operands.index("{") :]
        return (8 if "d" in listed else 4) * _registers(listed)
    if pushed := re.search(r"\[sp, #-(\w+)\]!", operands):
        return int(pushed[1], 0)
    if not operands.startswith("sp, "):
        return 0
    amount = operands.rsplit(", ", 1)[1]
    value = _number(amount)
    sign = {"add": -1, "addw": -1, "addi": -1, "addi16sp": -1, "sub": 1, "subw": 1}.get(base, 0)
    if sign and value is not None:
        return max(0, sign * value) if operands.count(",") == 1 or operands.startswith("sp, sp, ") else 0
    if sign and amount in known:
        return max(0, sign * known[amount])
    if sign or base in ("mov", "mv"):
        raise ArtifactError(f"no bound of the stack: {symbol.name} sizes its frame at run time ({base} {operands})")
    return 0


def _number(text: str) -> int | None:
    """Returns an immediate operand's value; None for a register."""
    return int(text.lstrip("#"), 0) if re.fullmatch(r"#?-?(0x[0-9a-f]+|\d+)", text) else None


def _registers(listed: str) -> int:
    """Returns how many registers ``{r4, r5-r7, lr}`` names."""
    count = 0
    for part in listed.strip("{} ").split(","):
        ends = re.findall(r"[rsd](\d+)", part) if "-" in part else []
        count += int(ends[1]) - int(ends[0]) + 1 if len(ends) == 2 else 1
    return count


def _far_target(operands: str, upper: dict[str, int], symbol: Symbol) -> int:
    lower = re.match(r"(?:\w+, )?(-?\w+)\((\w+)\)$|(?:\w+, )?(\w+)(?:, (-?\w+))?$", operands)
    register = (lower[2] or lower[3]) if lower else ""
    if not lower or register not in upper:
        raise ArtifactError(f"no bound of the stack: {symbol.name} calls or jumps through a pointer ({operands})")
    return upper[register] + int(lower[1] or lower[4] or "0", 0) & 0xFFFF_FFFF


def _stack_sizes(image: ElfImage) -> dict[int, int]:
    """Reads Clang's table: a 32-bit address, then the frame's size as ULEB128, over and over."""
    sizes: dict[int, int] = {}
    for section in image.sections:
        if section.name != ".stack_sizes":
            continue
        content, position = section.content, 0
        while position + 4 < len(content):
            address = int.from_bytes(content[position : position + 4], "little") & ~1
            position, size, shift = position + 4, 0, 0
            while True:
                byte = content[position]
                size |= (byte & 0x7F) << shift
                position, shift = position + 1, shift + 7
                if not byte & 0x80:
                    break
            sizes[address] = size
    return sizes


def _engine(target: Target) -> Any:
    if target.architecture == "avr":
        raise ToolError("no static bound of the stack: nothing here disassembles AVR's code")
    try:
        import capstone
    except ImportError:
        raise ToolError(f"bounding the stack needs the capstone package: {FIRMWARE_EXTRA}") from None
    if target.architecture == "riscv":
        return capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
    return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8)
