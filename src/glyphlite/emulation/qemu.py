"""Whole programs on QEMU's boards: an image with start-up code, and what it printed through semihosting.

Beside ``emulator``, which calls single functions: here the core starts from its vector table. Knows boards and images; nothing of
models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphlite.emulation.system_tools import SystemTool, find_tool
from glyphlite.emulation.toolchain import run_tool
from glyphlite.errors import ToolError


@dataclass(frozen=True)
class Machine:
    """A board that QEMU emulates.

    Attributes:
        name: QEMU's name of it.
        core: the core that it has, as in ``cores.CORES`` where that has it.
        program: the QEMU that has it.
        package: Debian's package of that.
        options: what that QEMU needs beside the board's name.
        flash: where programs lie that it starts, and how many bytes there are: ``(origin, bytes)``.
        ram: where data lies, in one piece.
    """

    name: str
    core: str
    flash: tuple[int, int]
    ram: tuple[int, int]
    program: str = "qemu-system-arm"
    package: str = "qemu-system-arm"
    options: tuple[str, ...] = ()


_MPS2 = ((0x0000_0000, 4 << 20), (0x2000_0000, 4 << 20))
"""Memory of Arm's MPS2 boards: ZBT SRAM for code and for data (Arm DAI0385 and DAI0400; QEMU, hw/arm/mps2.c)."""

MACHINES = (
    # QEMU, include/hw/arm/nrf51_soc.h, with the 16 KB of RAM that the board's chip has.
    Machine("microbit", "cortex-m0", (0, 256 << 10), (0x2000_0000, 16 << 10)),
    Machine("mps2-an385", "cortex-m3", *_MPS2),
    Machine("mps2-an386", "cortex-m4", *_MPS2),
    Machine("mps2-an500", "cortex-m7", *_MPS2),
    # The secure aliases of SSRAM 1, where the core starts, and of SSRAM 2 (Arm DAI0505; QEMU, hw/arm/mps2-tz.c).
    Machine("mps2-an505", "cortex-m33", (0x1000_0000, 4 << 20), (0x3800_0000, 2 << 20)),
    # ITCM and DTCM (Arm DAI0547; QEMU, hw/arm/mps2-tz.c).
    Machine("mps3-an547", "cortex-m55", (0x0000_0000, 512 << 10), (0x2000_0000, 512 << 10)),
    # All is RAM there: its first MB stands for flash (QEMU, hw/riscv/virt.c).
    Machine(
        *("virt", "rv32imc", (0x8000_0000, 1 << 20), (0x8010_0000, 1 << 20)),
        *("qemu-system-riscv32", "qemu-system-misc", ("-bios", "none")),
    ),
)
"""One board per core."""


def machine_for(core: str) -> Machine:
    """Returns the board that has a core.

    Raises:
        ToolError: QEMU has none.
    """
    for machine in MACHINES:
        if machine.core == core:
            return machine
    raise ToolError(f"QEMU has no board with a {core}; it has {', '.join(machine.core for machine in MACHINES)}")


def find_qemu(machine: Machine) -> SystemTool:
    """Returns the QEMU that has a board.

    Raises:
        ToolError: it is not installed.
    """
    return find_tool(machine.program, machine.package)


def qemu_command(qemu: SystemTool, machine: Machine, image: Path | None, options: Sequence[str] = ()) -> list[str]:
    """Returns the command that runs an image on a board without a screen, semihosting on, its console on standard output.

    Without an image its memory is empty.
    """
    console = ("-display", "none", "-monitor", "none", "-serial", "none", "-chardev", "stdio,id=console,signal=off")
    semihosting = ("-semihosting-config", "enable=on,target=native,chardev=console")
    data = ("-L", str(qemu.root / "usr/share/qemu"))
    board = ("-M", machine.name, *machine.options)
    return [str(qemu.program), *data, *board, *console, *semihosting, *options, *(("-kernel", str(image)) if image else ())]


def run_on_board(machine: Machine, image: Path, *, options: Sequence[str] = (), timeout_s: float = 60) -> str:
    """Runs an image on an emulated board until it ends itself through semihosting, and returns what it printed.

    Args:
        machine: the board.
        image: an ELF file with a vector table (Arm) or an entry point (RISC-V) that the board starts from.
        options: further options of QEMU.
        timeout_s: after this it counts as a runaway.

    Raises:
        ToolError: QEMU is missing, the program reports a failure as its exit status, or it does not end in time.
    """
    qemu = find_qemu(machine)
    command = qemu_command(qemu, machine, image, options)
    return run_tool(command, what=f"{image.name} on {machine.name}", timeout_s=timeout_s, environment=qemu.environment)
