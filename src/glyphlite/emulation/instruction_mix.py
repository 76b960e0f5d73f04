"""The kinds of instructions that straight-line Arm code holds: what a table of a core's timings distinguishes.

Knows encodings (through capstone); no core's timings.
"""

from collections import Counter
from typing import Any

from glyphlite.errors import ToolError
from glyphlite.host_compiler import FIRMWARE_EXTRA

_LOADS, _STORES = ("ldr",), ("str",)
_MULTIPLE = ("ldm", "stm", "push", "pop", "vldm", "vstm", "vpush", "vpop", "ldrd", "strd")
_LONG = ("umull", "smull", "umlal", "smlal")
_MULTIPLICATIONS = ("mul", "mla", "mls")
_DIVISIONS = ("udiv", "sdiv")


def thumb_decoder() -> Any:
    """Returns capstone's decoder of Thumb code.

    Raises:
        ToolError: capstone is not installed.
    """
    try:
        import capstone
    except ImportError:
        raise ToolError(f"telling instructions apart needs the capstone package: {FIRMWARE_EXTRA}") from None
    return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)


def mix_of(decoder: Any, code: bytes, address: int) -> Counter[str]:
    """Returns how many of the instructions in a block are of each kind; the rest are of none.

    ``pipelined`` are loads and stores that follow a load, ``words`` what the multiple ones move, ``ends_in_call`` and
    ``ends_in_pop`` are the block's last instruction.
    """
    mix: Counter[str] = Counter()
    behind_load, name, operands = False, "", ""
    for _, _, name, operands in decoder.disasm_lite(code, address):
        is_multiple, is_load = name.startswith(_MULTIPLE), name.startswith(_LOADS)
        if is_multiple:
            mix["multiples"] += 1
            mix["words"] += 2 if name.startswith(("ldrd", "strd")) else _registers(operands)
        elif is_load or name.startswith(_STORES):
            mix["pipelined" if behind_load else "loads" if is_load else "stores"] += 1
        elif name.startswith(_LONG):
            mix["long_multiplications"] += 1
        elif name.startswith(_MULTIPLICATIONS):
            mix["multiplications"] += 1
        elif name.startswith(_DIVISIONS):
            mix["divisions"] += 1
        behind_load = is_load and not is_multiple
    if name.startswith(("bl", "blx")) and not name.startswith(("blt", "ble", "bls")):
        mix["ends_in_call"] = 1
    if name.startswith("pop") and "pc" in operands:
        mix["ends_in_pop"] = 1
    return mix


def _registers(operands: str) -> int:
    """Returns how many registers a list such as ``{r4, r5, r6, pc}`` names."""
    return operands[operands.find("{") :].count(",") + 1
