"""The bare-metal example, built by the compilers that its readers have and run on QEMU's boards: the bytes are TFLite Micro's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.debian import NoPackagesError, debian_tool
from support.exported import run, with_a_wrong_byte
from support.slow import rest_slow

from glyphlite.emulation.qemu import MACHINES, find_qemu, machine_for, qemu_command, run_on_board
from glyphlite.emulation.system_tools import SystemTool
from glyphlite.errors import ToolError
from glyphlite.export.library.bare_metal import bare_metal_boards
from glyphlite.files.single import user_cache

CORES = [board["core"] for board in bare_metal_boards()]
ARCHITECTURES = {board["core"]: board["architecture"] for board in bare_metal_boards()}
GNU = {"arm": ("arm-none-eabi-gcc", "gcc-arm-none-eabi"), "riscv": ("riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf")}
RIGHT = "digits: 0 bytes differ from TensorFlow Lite Micro's\n"


def tool(program: str, package: str) -> SystemTool:
    try:
        return debian_tool(program, package)
    except NoPackagesError as error:
        pytest.skip(str(error))


def environment(*tools: SystemTool) -> dict[str, str]:
    folders = [str(each.program.parent) for each in tools]
    extra = {name: value for each in tools for name, value in each.environment.items()}
    zig = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(user_cache() / "zig"))  # it builds a library once
    return {**os.environ, **zig, **extra, "PATH": os.pathsep.join([*folders, os.environ["PATH"]]), "LC_ALL": "C"}


def qemu_of(core: str) -> SystemTool:
    machine = machine_for(core)
    return tool(machine.program, machine.package)


def example_of(library: Path, folder: Path) -> Path:
    return shutil.copytree(library, folder / "lib") / "examples" / "bare-metal"


def make(example: Path, core: str, compiler: str, tools: list[SystemTool]) -> subprocess.CompletedProcess[str]:
    words = ("make", "-s", f"CORE={core}", f"COMPILER={compiler}", f"ZIG={sys.executable} -m ziglang cc", "run")
    return subprocess.run(words, cwd=example, env=environment(*tools), capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("core", rest_slow(CORES))
def test_gcc_builds_it_and_qemu_runs_it(core: str, library: Path, tmp_path: Path) -> None:
    tools = [tool(*GNU[ARCHITECTURES[core]]), qemu_of(core)]
    done = make(example_of(library, tmp_path), core, "gnu", tools)
    assert (done.returncode, done.stdout, done.stderr) == (0, RIGHT, "")


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_zig_builds_it_and_qemu_runs_it(core: str, library: Path, tmp_path: Path) -> None:
    done = make(example_of(library, tmp_path), core, "zig", [qemu_of(core)])
    assert (done.returncode, done.stdout, done.stderr) == (0, RIGHT, "")


@pytest.mark.slow
def test_cmake_builds_it_with_the_toolchain_file(library: Path, tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("no cmake here")
    compiler, machine = tool(*GNU["arm"]), machine_for("cortex-m4")
    qemu_of(machine.core)
    example, build = example_of(library, tmp_path), tmp_path / "build"
    options = ("-DCMAKE_TOOLCHAIN_FILE=arm-none-eabi.cmake", f"-DCORE={machine.core}")
    run("cmake", "-S", example, "-B", build, *options, env=environment(compiler), cwd=example)
    run("cmake", "--build", build, env=environment(compiler))
    assert run_on_board(machine, build / "digits.elf") == RIGHT


@pytest.mark.parametrize("core", rest_slow(["cortex-m3", "rv32imc"]))
def test_a_wrong_byte_and_a_fault_are_exit_statuses(core: str, library: Path, tmp_path: Path) -> None:
    tools = [tool(*GNU[ARCHITECTURES[core]]), qemu_of(core)]
    example, machine = example_of(library, tmp_path), machine_for(core)
    with_a_wrong_byte(example.parents[1] / "src")
    wrong = make(example, core, "gnu", tools)
    assert wrong.stdout == RIGHT.replace("0 bytes", "1 bytes")
    assert wrong.returncode != 0
    main = example / "main.c"
    main.write_text(main.read_text().replace("const int different =", "*(volatile int *)0xf0000000u = 1; const int different ="))
    assert make(example, core, "gnu", tools).stdout == "fault\n"
    image = example / "build" / f"{core}-gnu" / "digits.elf"
    command = qemu_command(find_qemu(machine), machine, image)
    done = subprocess.run(command, env=environment(*tools), capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    with pytest.raises(ToolError, match=rf"digits\.elf on {machine.name}: exit status 2: fault"):
        run_on_board(machine, image)


def test_every_emulated_core_with_a_board_has_its_linker_script(library: Path) -> None:
    boards = library / "examples" / "bare-metal" / "boards"
    assert sorted(path.stem for path in boards.glob("*.ld")) == sorted(CORES)
    assert set(CORES) <= {machine.core for machine in MACHINES}
    with pytest.raises(ToolError, match="QEMU has no board with a z80; it has cortex-m0, "):
        machine_for("z80")
