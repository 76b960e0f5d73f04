"""The record of one counted call on an emulated core."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measurement:
    """One counted call.

    Attributes:
        result: what the function returned, as a signed integer of the core's first result register.
        instructions: all that were executed, those of an IT block included whether or not their condition held.
        by_function: each function's own instructions.
        inclusive: each function's instructions with those of all it called.
        stack_bytes: from the caller's stack pointer to the lowest byte that was written.
        mix: how many of the instructions are of each kind that a core's timings distinguish; empty off Arm.
        cycles: that the call took; None where the emulator knows no pipeline.
        inclusive_cycles: each function's, with those of all it called; empty where cycles are not counted.
    """

    result: int
    instructions: int
    by_function: Mapping[str, int]
    inclusive: Mapping[str, int]
    stack_bytes: int
    mix: dict[str, int] = field(default_factory=dict[str, int])
    cycles: int | None = None
    inclusive_cycles: Mapping[str, int] = field(default_factory=dict[str, int])
