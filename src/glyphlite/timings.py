"""Cycles that cores take for their instructions, as their makers publish them, and what that makes of counted instructions.

Data and a sum; knows no emulator. What comes out is an estimate: memory without wait states, no cache, no interrupt. For cores
of which the maker publishes none it is one cycle an instruction, and the source says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Cycles of a core's instructions; what is not named takes one.

    Attributes:
        source: where the figures are published.
        load: of a load, alone.
        store: of a store, alone.
        pipelined: of a load or store right behind a load.
        word: of each word that a load, store, push or pop of several moves, beside one cycle.
        taken: of a branch that is taken.
        call: of a branch with link.
        pop: beside its words, of a return that pops the program counter.
        multiply: of a multiplication with 32 bits of result.
        long_multiply: of one with 64.
        divide: of a division.
    """

    source: str
    load: int = 1
    store: int = 1
    pipelined: int = 1
    word: int = 0
    taken: int = 1
    call: int = 1
    pop: int = 1
    multiply: int = 1
    long_multiply: int = 1
    divide: int = 1


def _unpublished(maker: str, more: str = "") -> Timing:
    return Timing(f"one cycle an instruction, as {maker} publishes no timings{more}")


_M0 = Timing("Arm DDI0432C, table 3-1", load=2, store=2, pipelined=2, word=1, taken=3, call=4, pop=4)
_M0_PLUS = Timing("Arm DDI0484C, table 3-1", load=2, store=2, pipelined=2, word=1, taken=2, call=3, pop=3)
# A store at an immediate offset takes one cycle, one behind a load none more; a refill of the pipeline two (DDI0337E, 18.2).
_M3 = Timing("Arm DDI0337E, chapter 18", load=2, word=1, taken=3, call=3, pop=3, long_multiply=4, divide=7)
_M4 = Timing("Arm DDI0439B, table 3-1", load=2, word=1, taken=3, call=3, pop=3, divide=7)
_M33 = Timing("those of the Cortex-M4 (Arm DDI0439B, table 3-1), as Arm publishes none", *(2, 1, 1, 1, 3, 3, 3, 1, 1, 7))

TIMINGS = {
    "Cortex-M0": _M0,
    "Cortex-M0+": _M0_PLUS,
    "Cortex-M3": _M3,
    "Cortex-M4F": _M4,
    "Cortex-M33": _M33,
    "Cortex-M7": _unpublished("Arm", "; it issues up to two"),
    "Cortex-M55": _unpublished("Arm"),
    "RV32IMC": _unpublished("the maker"),
    "RV32IMAC": _unpublished("the maker"),
    "RV32EC": _unpublished("the maker"),
}
"""By what the maker calls the core, as in ``boards.BOARDS``."""


def estimated_cycles(timing: Timing, instructions: int, mix: Mapping[str, int]) -> int:
    """Returns the cycles of instructions that were counted by kind (``emulation.instruction_mix``)."""
    more = {
        "loads": timing.load - 1,
        "stores": timing.store - 1,
        "pipelined": timing.pipelined - 1,
        "words": timing.word,
        "taken": timing.taken - 1,
        "calls": timing.call - 1,
        "pops": timing.pop - 1,
        "multiplications": timing.multiply - 1,
        "long_multiplications": timing.long_multiply - 1,
        "divisions": timing.divide - 1,
    }
    return instructions + sum(mix.get(kind, 0) * cycles for kind, cycles in more.items())
