"""Boards emulated whole, their serial port at a program's standard input and output: Arduino's under simavr, and QEMU's."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from glyphlite.cores import SIMULATED_CORES
from glyphlite.emulation.qemu import machine_for
from glyphlite.emulation.system_tools import SystemTool, unpacked_packages
from support.avr import MEGA, UNO, AvrBoard, build_sketch, require_avr
from support.debian import NoPackagesError, debian_tool, unpack

BOARDS = ("uno", "mega", "cortex-m4", "rv32imc")
"""Two of Arduino's, two of QEMU's by their cores."""
_PACKAGES = {"arm-none-eabi-gcc": "gcc-arm-none-eabi", "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf"}


@dataclass(frozen=True)
class EmulatedBoard:
    """A program whose standard input and output are a board's serial port, and the core that the board's firmware names."""

    command: tuple[str | Path, ...]
    core: str
    hertz: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def emulated_board(name: str, library: Path, model: str, folder: Path) -> EmulatedBoard:
    """Builds an exported library's example that speaks the protocol for a board; skips without compiler or emulator.

    Args:
        name: of `BOARDS`.
        library: what was exported; QEMU's boards build in it.
        model: the library's name.
        folder: an empty one for an Arduino's build.
    """
    if name in ("uno", "mega"):
        return _arduino(UNO if name == "uno" else MEGA, library, model, folder)
    core, machine = next(each for each in SIMULATED_CORES if each.name == name), machine_for(name)
    compiler = _tool(core.gnu_program, _PACKAGES[core.gnu_program])
    qemu = _tool(machine.program, machine.package)
    example, image = library / "examples" / "bare-metal", f"build/{name}-gnu/{model}_link.elf"
    path = os.pathsep.join([str(compiler.program.parent), os.environ["PATH"]])
    environment = {**os.environ, **compiler.environment, "PATH": path, "LC_ALL": "C"}
    made = subprocess.run(["make", "-s", f"CORE={name}", image], cwd=example, env=environment, capture_output=True, timeout=300)
    assert (made.returncode, made.stderr) == (0, b""), made.stderr.decode()
    data = ("-L", qemu.root / "usr/share/qemu", "-M", machine.name, *machine.options, "-display", "none", "-monitor", "none")
    port = ("-chardev", "stdio,id=port,signal=off", "-serial", "chardev:port", "-kernel", example / image)
    return EmulatedBoard((qemu.program, *data, *port), name, environment=qemu.environment)


def _arduino(board: AvrBoard, library: Path, model: str, folder: Path) -> EmulatedBoard:
    simavr, headers = require_avr(), unpacked_packages() / "libsimavr-dev"
    if not Path("/usr/include/simavr").is_dir():
        try:
            unpack(["libsimavr-dev"], headers, "usr/include/simavr/sim_avr.h")
        except NoPackagesError as error:
            pytest.skip(str(error))
    [shared, *_] = sorted(simavr.program.resolve().parents[1].glob("lib/**/libsimavr.so*"))
    includes = [f"-I{root}/simavr" for root in (headers / "usr/include", Path("/usr/include"))]
    includes += [f"-I{headers / 'usr/include'}"]
    source, program = Path(__file__).parent / "simavr_uart.c", folder / "simavr_uart"
    flags = ("-O2", "-w", "-Wl,--unresolved-symbols=ignore-in-shared-libs")
    subprocess.run(["gcc", *flags, *includes, str(source), "-o", str(program), str(shared)], check=True, timeout=120)
    sketch = build_sketch(library / "examples" / f"{model}_link" / f"{model}_link.ino", library, board, folder)
    environment = {**simavr.environment, "LD_LIBRARY_PATH": os.pathsep.join([str(shared.parent), *simavr.environment.values()])}
    return EmulatedBoard((program, sketch, board.mcu), "avr", 16_000_000, environment)


def _tool(program: str, package: str) -> SystemTool:
    try:
        return debian_tool(program, package)
    except NoPackagesError as error:
        pytest.skip(str(error))
