"""The budget of a search, and a cost to hold against it: flash, RAM and instructions on a core. Measures nothing."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from glyphlite.boards import Board
from glyphlite.cores import PREFERRED_CORE, SIMULATED_CORES
from glyphlite.errors import ToolError, did_you_mean

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKmM]?)[bB]?")
_BINARY = {"": 1, "k": 1024, "m": 1024**2}
_DECIMAL = {"": 1, "k": 1000, "m": 1000**2}


@dataclass(frozen=True)
class Budget:
    """The limits of a network; None leaves a figure free.

    Attributes:
        core: the name of one of `glyphlite.cores.SIMULATED_CORES`: figures are measured there.
        flash_bytes: of code and constants.
        ram_bytes: of arena, input, output and stack.
        instructions: of one inference.
        board: the name of the board that it comes from, if it does.
    """

    core: str = PREFERRED_CORE
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    instructions: int | None = None
    board: str | None = None

    @property
    def words(self) -> str:
        """Returns the budget in words, one line."""
        limits = ((self.flash_bytes, "bytes of flash"), (self.ram_bytes, "bytes of RAM"), (self.instructions, "instructions"))
        parts = [f"{limit:,} {unit}" for limit, unit in limits if limit is not None]
        return f"{' and '.join(parts) or 'no limits'} on {self.board or self.core}"

    def excesses(self, flash_bytes: int, ram_bytes: int, instructions: int) -> dict[str, float]:
        """Returns how far a network is beyond each limit, as a share of it: above 0 it does not fit."""
        taken = {"flash": (flash_bytes, self.flash_bytes), "ram": (ram_bytes, self.ram_bytes)}
        taken["instructions"] = (instructions, self.instructions)
        return {name: value / limit - 1 for name, (value, limit) in taken.items() if limit is not None}


@dataclass(frozen=True)
class Cost:
    """The cost of a network on a core.

    Attributes:
        core: where it was measured.
        optimize: what the C was optimized for.
        flash_bytes: code and constants.
        ram_bytes: arena, input, output and stack.
        instructions: of one inference.
        cycles: where the emulator counts them (AVR).
        macs: multiply-accumulates.
        weight_bytes: weights and biases as the file stores them.
        parameters: their number.
        is_bound: the network was not emulated, as it does not fit anyway: the figures are what it takes at least.
    """

    core: str
    optimize: str
    flash_bytes: int
    ram_bytes: int
    instructions: int
    cycles: int | None
    macs: int
    weight_bytes: int
    parameters: int
    is_bound: bool = False

    def excesses(self, budget: Budget) -> dict[str, float]:
        """Returns how far it is beyond each limit of a budget, as a share of it: above 0 it does not fit."""
        return budget.excesses(self.flash_bytes, self.ram_bytes, self.instructions)

    def fits(self, budget: Budget) -> bool:
        """Returns whether it is within a budget."""
        return all(excess <= 0 for excess in self.excesses(budget).values())

    def document(self) -> dict[str, Any]:
        """Returns it as plain data."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Cost":
        """Returns what :meth:`document` gave."""
        return cls(**document)


def budget_of(
    board: Board | None = None,
    *,
    core: str | None = None,
    flash_bytes: int | None = None,
    ram_bytes: int | None = None,
    instructions: int | None = None,
) -> Budget:
    """Returns the budget that a user states: a board's, with the figures that he gives in place of the board's.

    A board without a figure of instructions allows a second at its clock.

    Args:
        board: whose core, flash and RAM are meant.
        core: the core, where no board is named.
        flash_bytes: at most.
        ram_bytes: at most.
        instructions: at most.

    Raises:
        ToolError: the core is unknown, is another than the board's, or cannot be emulated here.
    """
    names = [each.name for each in SIMULATED_CORES]
    if core is not None and core not in names:
        raise ToolError(f"there is no emulated core {core!r}{did_you_mean(core, names)}; choose one of {', '.join(names)}")
    if board is None:
        return Budget(core or PREFERRED_CORE, flash_bytes, ram_bytes, instructions)
    if core is not None and core != board.emulated_cpu:
        raise ToolError(f"{board.title} has the core {board.core}; leave out --cpu {core}, or name no board")
    return Budget(
        board.emulated_cpu,
        board.flash_bytes if flash_bytes is None else flash_bytes,
        board.ram_bytes if ram_bytes is None else ram_bytes,
        board.mhz * 1_000_000 if instructions is None else instructions,
        board.name,
    )


def parse_bytes(text: str | None, option: str) -> int | None:
    """Returns a number of bytes, such as ``24K`` (24,576) or ``32256``; None of None.

    Raises:
        ToolError: it is none.
    """
    return _parsed(text, option, _BINARY, "bytes, such as 24K or 32256")


def parse_count(text: str | None, option: str) -> int | None:
    """Returns a number of instructions, such as ``2M`` (2,000,000); None of None.

    Raises:
        ToolError: it is none.
    """
    return _parsed(text, option, _DECIMAL, "a number, such as 2M or 500k")


def _parsed(text: str | None, option: str, units: dict[str, int], expected: str) -> int | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text.strip().replace(",", "").replace("_", ""))
    number = round(float(match["number"]) * units[match["unit"].lower()]) if match else 0
    if number < 1:
        raise ToolError(f"{option} takes {expected}; not {text!r}")
    return number
