"""Costs of a model on a microcontroller, in what users pay: total flash, total RAM, instructions; and the tracks of that.

A *build* is a core and a goal of `glyphlite compile --optimize`. Flash is code and constants as ``size`` has them, RAM all that
must be writable (arena, input, output, stack as measured), instructions the mean over some test images, softmax included. A
*track* is a budget in such figures; a model is on it where one and the same build of it keeps to every limit.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.evaluation.simulation import simulate
from glyphlite.evaluation.verification.output_comparison import rows_differ
from glyphlite.runtimes.registry import get_runtime

BUILDS = (("cortex-m0", "size"), ("cortex-m0", "speed"), ("cortex-m4", "size"), ("cortex-m4", "speed"), ("rv32ec", "size"))
"""Core and goal of each build that is measured."""

IMAGES = 3
"""Test images whose instructions are averaged: they differ by far less than a percent."""


def deployed_costs(path: Path, images: np.ndarray) -> dict[str, dict[str, int]]:
    """Returns the cost of every build of an int8 file: ``{"cortex-m0 size": {"flash": .., "ram": .., "instructions": ..}}``.

    Args:
        path: the file.
        images: uint8 ``(n, 28, 28, 1)``, of which the first are run.

    Raises:
        SystemExit: a build's outputs are not TensorFlow Lite Micro's, byte for byte.
    """
    stored = (images[:IMAGES].astype(np.int16) - 128).astype(np.int8)
    with get_runtime("tflm").load(path) as reference:
        expected = reference.run((stored,))
    costs = {}
    for core, goal in BUILDS:
        simulation = simulate(path, core, stored, optimize=goal, measured=IMAGES)
        if rows_differ(simulation.given, expected).any():
            raise SystemExit(f"{path} on {core}, {goal}: the outputs differ from TensorFlow Lite Micro's")
        report = simulation.report
        costs[f"{core} {goal}"] = {
            "flash": report.code_bytes + report.constant_bytes,
            "ram": simulation.ram_bytes,
            "instructions": round(float(np.mean(simulation.instructions))),
        }
    return costs


@dataclass(frozen=True)
class Track:
    """A budget, and what is to be reached within it.

    Attributes:
        name: in words.
        limits: per core, what is limited (``flash``, ``ram``, ``instructions``) and the largest value. A model keeps to it where
            on each of these cores one build keeps to all of its limits.
        goal: the mean accuracy over seeds that is to be reached, a fraction.
        published: what others have published for it, in words.
    """

    name: str
    limits: dict[str, dict[str, int]]
    goal: float
    published: str = ""

    def builds(self, costs: dict[str, dict[str, int]]) -> list[str]:
        """Returns for each core the build that keeps to its limits with the most to spare; empty where a core has none."""
        chosen = []
        for core, limits in self.limits.items():
            shares = {
                build: max(cost[what] / most for what, most in limits.items())
                for build, cost in costs.items()
                if build.split()[0] == core
            }
            if not shares or min(shares.values()) > 1:
                return []
            chosen.append(min(shares, key=shares.__getitem__))
        return chosen

    def best(self, members: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Returns the most accurate of the members that keep to the budget, by the mean over seeds; None where none does."""
        fitting = [member for member in members if "deployed" in member and self.builds(member["deployed"])]
        return max(fitting, key=lambda member: member["mean"], default=None)


TRACKS = (
    Track("4 KB of flash, Cortex-M0", {"cortex-m0": {"flash": 4_096}}, 0.992),
    Track("8 KB of flash, Cortex-M0", {"cortex-m0": {"flash": 8_192}}, 0.995),
    Track("16 KB of flash, Cortex-M0", {"cortex-m0": {"flash": 16_384}}, 0.9962),
    Track("2 KB of RAM and 32 KB of flash, as an Arduino Uno has", {"cortex-m0": {"ram": 2_048, "flash": 32_768}}, 0.9935),
    Track("4 KB of RAM, Cortex-M0", {"cortex-m0": {"ram": 4_096}}, 0.995),
    Track("100,000 instructions, Cortex-M4", {"cortex-m4": {"instructions": 100_000}}, 0.993),
    Track(
        "200,000 instructions on a Cortex-M4, 400,000 on a Cortex-M0",
        {"cortex-m4": {"instructions": 200_000}, "cortex-m0": {"instructions": 400_000}},
        0.9945,
    ),
    Track(
        "16 KB of flash and 2 KB of RAM, RISC-V without a multiplier, as a CH32V003 has",
        {"rv32ec": {"flash": 16_384, "ram": 2_048}},
        0.993,
        "99.02 in 12.3 KB of weights (BitNetMCU, 4-bit FC, on a CH32V003)",
    ),
)
"""The tracks, by what is scarce."""


def dominated(members: list[dict[str, Any]]) -> dict[str, str]:
    """Returns each member that another one beats or equals in accuracy and in every cost, and that other one.

    Costs are the bytes of weights, total flash and RAM of the smallest build, and instructions on Cortex-M0 and M4.
    """
    known = [member for member in members if "deployed" in member]
    beaten = {}
    for member in known:
        for other in known:
            if (
                other is not member
                and other["mean"] >= member["mean"]
                and all(theirs <= ours for ours, theirs in zip(_costs(member), _costs(other), strict=True))
            ):
                beaten[member["model"]] = other["model"]
    return beaten


def _costs(member: dict[str, Any]) -> tuple[int, ...]:
    deployed = member["deployed"]
    return (
        member["weight_bytes"],
        deployed["cortex-m0 size"]["flash"],
        min(deployed[build]["ram"] for build in ("cortex-m0 size", "cortex-m0 speed")),
        deployed["cortex-m0 speed"]["instructions"],
        deployed["cortex-m4 speed"]["instructions"],
    )
