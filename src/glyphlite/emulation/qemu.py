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
    """

    name: str
    core: str
    program: str = "qemu-system-arm"
    package: str = "qemu-system-arm"
    options: tuple[str, ...] = ()


MACHINES = (
    Machine("microbit", "cortex-m0"),
    Machine("mps2-an385", "cortex-m3"),
    Machine("mps2-an386", "cortex-m4"),
    Machine("mps2-an500", "cortex-m7"),
    Machine("mps2-an505", "cortex-m33"),
    Machine("mps3-an547", "cortex-m55"),
    Machine("virt", "rv32imc", "qemu-system-riscv32", "qemu-system-misc", ("-bios", "none")),
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


def qemu_command(qemu: SystemTool, machine: Machine, image: Path, options: Sequence[str] = ()) -> list[str]:
    """Returns the command that runs an image on a board without a screen, semihosting on, its console on standard output."""
    console = ("-display", "none", "-monitor", "none", "-serial", "none", "-chardev", "stdio,id=console,signal=off")
    semihosting = ("-semihosting-config", "enable=on,target=native,chardev=console")
    data = ("-L", str(qemu.root / "usr/share/qemu"))
    board = ("-M", machine.name, *machine.options)
    return [str(qemu.program), *data, *board, *console, *semihosting, *options, "-kernel", str(image)]


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
