"""The number of instructions in a stretch of machine code, by the bits that tell their lengths."""

from collections.abc import Callable


def count_thumb(code: bytes) -> int:
    """Returns instructions in straight-line Thumb code: 32 bits wide where five bits are 11101, 11110 or 11111 (ARMv7-M ARM,
    A5.1).
    """
    return _count(code, lambda unit: unit >> 11 in (0b11101, 0b11110, 0b11111))


def count_riscv(code: bytes) -> int:
    """Returns instructions in straight-line RISC-V code: 32 bits wide where the two lowest bits are set (unprivileged ISA,
    1.5).
    """
    return _count(code, lambda unit: unit & 3 == 3)


def _count(code: bytes, is_wide: Callable[[int], bool]) -> int:
    position = count = 0
    while position < len(code):
        position += 4 if is_wide(code[position] | code[position + 1] << 8) else 2
        count += 1
    return count
