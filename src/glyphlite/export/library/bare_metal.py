"""The cores of the bare-metal example: their compilers' flags, and the boards that QEMU runs them on."""

from typing import Any

from glyphlite.cores import SIMULATED_CORES
from glyphlite.emulation.qemu import MACHINES

BOARDS_FOLDER = "examples/bare-metal/boards"


def bare_metal_boards() -> list[dict[str, Any]]:
    """Returns a record per core that QEMU has a board of, for the templates."""
    machines = {machine.core: machine for machine in MACHINES}
    return [
        {
            "core": core.name,
            "title": core.title,
            "architecture": core.architecture,
            "gnu_program": core.gnu_program,
            "gnu_flags": " ".join(core.gnu_flags),
            "zig_flags": f"-target {core.zig_target} -mcpu={core.zig_cpu}",
            "machine": machine.name,
            "qemu": " ".join((machine.program, "-M", machine.name, *machine.options)),
            "flash_origin": f"{machine.flash[0]:#010x}",
            "flash_kib": machine.flash[1] >> 10,
            "ram_origin": f"{machine.ram[0]:#010x}",
            "ram_kib": machine.ram[1] >> 10,
        }
        for core in SIMULATED_CORES
        if (machine := machines.get(core.name))
    ]
