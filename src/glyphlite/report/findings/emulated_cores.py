"""Statements about generated C on emulated cores: which core to name first, all its RAM, where its instructions go."""

from collections.abc import Sequence
from dataclasses import dataclass

from glyphlite.cores import PREFERRED_CORE
from glyphlite.records import FirmwareReport


@dataclass(frozen=True)
class LayerShare:
    """One layer's part of a core's instructions: its name, count and share, which colour it has, and whether to name it."""

    name: str
    instructions: int
    share: float
    colour: int
    is_large: bool


def preferred_core(firmware: Sequence[FirmwareReport]) -> FirmwareReport | None:
    """Returns the core to name first: the Cortex-M4 where it was emulated, else the first."""
    return next((each for each in firmware if each.cpu == PREFERRED_CORE), firmware[0] if firmware else None)


def ram_bytes(record: FirmwareReport) -> int:
    """Returns all the RAM that an inference takes: arena, stack, and input and output where they were counted."""
    return record.ram_bytes if record.ram_bytes is not None else record.arena_bytes + record.stack_bytes


def layer_shares(firmware: Sequence[FirmwareReport], named: int = 3) -> dict[str, list[LayerShare]]:
    """Returns by core its layers in order with their share of the instructions, where they were counted.

    The layers with the largest share on any core have a colour of their own, the same on every core, and are named.
    """
    counted = [record for record in firmware if record.layers and record.instructions]
    largest: dict[str, float] = {}
    for record in counted:
        for layer in record.layers:
            largest[layer.name] = max(largest.get(layer.name, 0.0), layer.instructions / record.instructions)
    ranked = sorted(largest, key=lambda name: -largest[name])
    return {
        record.cpu: [
            LayerShare(
                name=layer.name,
                instructions=layer.instructions,
                share=layer.instructions / record.instructions,
                colour=min(ranked.index(layer.name), named),
                is_large=ranked.index(layer.name) < named,
            )
            for layer in record.layers
        ]
        for record in counted
    }
