"""Read a linked 32-bit ELF image: its sections, symbols and loadable segments, and what of it costs flash and RAM.

As much of the format (System V ABI, chapter 4) as images built by :mod:`glyphlite.emulation.toolchain` use.
Knows no instruction set.
"""

import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from glyphlite.errors import ArtifactError

_SHT_SYMTAB, _SHT_NOBITS, _PT_LOAD = 2, 8, 1
_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR = 1, 2, 4
_KINDS = {0: "other", 1: "object", 2: "function"}


@dataclass(frozen=True)
class Section:
    """A section and its bytes (empty for .bss). ``size`` is what it takes in the image's memory."""

    name: str
    address: int
    size: int
    content: bytes
    allocated: bool
    writable: bool
    executable: bool


@dataclass(frozen=True)
class Symbol:
    """A named place. A function's ``address`` has Thumb's lowest bit cleared."""

    name: str
    address: int
    size: int
    kind: str
    is_global: bool


@dataclass(frozen=True)
class Segment:
    """Bytes to place at ``address`` before the image runs, zeros up to ``memory_bytes``."""

    address: int
    content: bytes
    memory_bytes: int


@dataclass(frozen=True)
class Footprint:
    """Flash: code, constants, initial values of variables. RAM: the variables (``data_bytes`` and ``bss_bytes``)."""

    code_bytes: int
    constant_bytes: int
    data_bytes: int
    bss_bytes: int

    @property
    def flash_bytes(self) -> int:
        """Returns all that must be programmed."""
        return self.code_bytes + self.constant_bytes + self.data_bytes


@dataclass(frozen=True)
class ElfImage:
    """A linked image."""

    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    segments: tuple[Segment, ...]

    @cached_property
    def functions(self) -> tuple[Symbol, ...]:
        """Returns one symbol a function, by address; of aliases the global, undotted, shortest name."""
        best: dict[int, Symbol] = {}
        for symbol in self.symbols:
            if symbol.kind == "function":
                other = best.get(symbol.address)
                best[symbol.address] = min(other, symbol, key=_preference) if other else symbol
        return tuple(best[address] for address in sorted(best))

    @cached_property
    def marks(self) -> tuple[Symbol, ...]:
        """Returns Arm's mapping symbols, where code ($t) and literal pools ($d) begin (ELF for the Arm Architecture, 5.5.5)."""
        return tuple(symbol for symbol in self.symbols if symbol.kind == "other" and symbol.name[:2] in ("$t", "$d"))

    @cached_property
    def _starts(self) -> list[int]:
        return [symbol.address for symbol in self.functions]

    def function_at(self, address: int) -> Symbol | None:
        """Returns the function whose code holds an address."""
        position = bisect_right(self._starts, address) - 1
        if position < 0:
            return None
        symbol = self.functions[position]
        return symbol if address < symbol.address + max(symbol.size, 1) else None

    def symbol(self, name: str) -> Symbol:
        """Returns the function or variable of that name.

        Raises:
            ArtifactError: there is none.
        """
        for symbol in self.symbols:
            if symbol.name == name and symbol.kind != "other":
                return symbol
        raise ArtifactError(f"the image has no symbol {name!r}; it must be among the functions kept at linking")

    def read(self, address: int, size: int) -> bytes:
        """Returns the bytes  of the image as it stands in the file."""
        for section in self.sections:
            if section.allocated and section.content and section.address <= address < section.address + section.size:
                start = address - section.address
                return section.content[start : start + size]
        return b""

    def footprint(self) -> Footprint:
        """Returns what the image costs.

        Literal pools among instructions count as code, since they sit in code sections; AVR's constants lie there, too, but as
        objects with names.
        """
        named = {symbol.address: symbol.size for symbol in self.symbols if symbol.kind == "object"}
        code = constants = data = bss = 0
        for section in self.sections:
            if not section.allocated:
                continue
            if section.executable:
                among = [size for at, size in named.items() if section.address <= at < section.address + section.size]
                code += section.size - sum(among)
                constants += sum(among)
            elif not section.writable:
                constants += section.size
            elif section.content:
                data += section.size
            else:
                bss += section.size
        return Footprint(code, constants, data, bss)


def tables_of(image: ElfImage) -> dict[str, range]:
    """Returns the functions beside which an image has a ``FUNCTION_table``, with the addresses of that.

    A call of such a function whose first argument points into its table is counted by where: ``FUNCTION+48``, 48 bytes from the
    table's start. One that looks its results up in a table of that name is not.
    """
    variables = {symbol.name: symbol for symbol in image.symbols if symbol.kind == "object"}
    return {
        function.name: range(table.address, table.address + table.size)
        for function in image.functions
        if (table := variables.get(f"{function.name}_table")) is not None
    }


def read_elf(path: Path) -> ElfImage:
    """Reads a linked image.

    Raises:
        ArtifactError: it is missing, or not a little-endian 32-bit ELF file whose tables lie inside it.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read the image {path}: {error.strerror}") from None
    try:
        return _parse(content)
    except (struct.error, IndexError, ValueError) as error:
        raise ArtifactError(f"{path} is not a little-endian 32-bit ELF image: {error}; build it with compile_and_link") from None


def _parse(content: bytes) -> ElfImage:
    if content[:6] != b"\x7fELF\x01\x01":
        raise ValueError("its first bytes say something else")
    phoff, shoff = struct.unpack_from("<II", content, 28)
    phentsize, phnum, shentsize, shnum, shstrndx = struct.unpack_from("<HHHHH", content, 42)
    headers = [struct.unpack_from("<10I", content, shoff + index * shentsize) for index in range(shnum)]
    names = _content(content, headers[shstrndx])
    sections = []
    for name, kind, flags, address, _, size, *_ in headers:
        header = headers[len(sections)]
        body = b"" if kind == _SHT_NOBITS else _content(content, header)
        rights = (bool(flags & bit) for bit in (_SHF_ALLOC, _SHF_WRITE, _SHF_EXECINSTR))
        sections.append(Section(_text(names, name), address, size, body, *rights))
    segments = []
    for index in range(phnum):
        kind, offset, address, _, file_bytes, memory_bytes = struct.unpack_from("<6I", content, phoff + index * phentsize)
        if kind == _PT_LOAD and memory_bytes:
            segments.append(Segment(address, _slice(content, offset, file_bytes), memory_bytes))
    symbols = [symbol for header in headers if header[1] == _SHT_SYMTAB for symbol in _symbols(content, header, headers)]
    return ElfImage(tuple(sections), tuple(symbols), tuple(segments))


def _symbols(content: bytes, header: tuple[int, ...], headers: list[tuple[int, ...]]) -> list[Symbol]:
    table, names = _content(content, header), _content(content, headers[header[6]])
    found = []
    for name, value, size, info, _, section in struct.iter_unpack("<IIIBBH", table):
        kind = _KINDS.get(info & 15)
        if kind and section:
            address = value & ~1 if kind == "function" else value
            found.append(Symbol(_text(names, name), address, size, kind, bool(info >> 4)))
    return found


def _content(content: bytes, header: tuple[int, ...]) -> bytes:
    return _slice(content, header[4], header[5])


def _slice(content: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(content):
        raise ValueError("a table ends beyond the file")
    return content[offset : offset + size]


def _text(names: bytes, offset: int) -> str:
    return names[offset : names.index(b"\0", offset)].decode("ascii", "replace")


def _preference(symbol: Symbol) -> tuple[bool, bool, int, str]:
    return (not symbol.is_global, "." in symbol.name, len(symbol.name), symbol.name)
