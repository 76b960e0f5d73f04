"""What tests need for AVR: Debian's compiler and emulator, fetched without root; a sketch built as the Arduino IDE builds it."""

import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from glyphlite.emulation.system_tools import SystemTool, unpacked_packages
from glyphlite.emulation.toolchain import Compiler, run_tool, system_compiler
from support.debian import NoPackagesError, debian_tool, unpack


@dataclass(frozen=True)
class AvrBoard:
    """A board of arduino:avr, as its boards.txt has it."""

    name: str
    mcu: str
    variant: str
    define: str
    flash_bytes: int
    ram_bytes: int


UNO = AvrBoard("uno", "atmega328p", "standard", "AVR_UNO", 32256, 2048)
MEGA = AvrBoard("mega", "atmega2560", "mega", "AVR_MEGA2560", 253952, 8192)


def require_avr() -> SystemTool:
    """Skips the test where there is no AVR compiler or emulator and none can be fetched; returns the emulator."""
    try:
        debian_tool("avr-gcc", "gcc-avr", "avr-libc")
        return debian_tool("simavr", "simavr")
    except NoPackagesError as error:
        pytest.skip(str(error))


def arduino_core() -> Path:
    """Returns the folder of Arduino's core for AVR; skips the test where it can't be had."""
    place = Path("usr/share/arduino/hardware/arduino/avr")
    for root in (Path("/"), unpacked_packages() / "arduino-core-avr"):
        if (root / place / "cores").is_dir():
            return root / place
    try:
        unpack(["arduino-core-avr"], unpacked_packages() / "arduino-core-avr", str(place / "cores/arduino/main.cpp"))
    except NoPackagesError as error:
        pytest.skip(str(error))
    return unpacked_packages() / "arduino-core-avr" / place


def build_sketch(sketch: Path, library: Path, board: AvrBoard, folder: Path) -> Path:
    """Builds a sketch with a library in ``src``, by the flags of arduino:avr's platform.txt."""
    core = arduino_core()
    compiler = system_compiler("avr-gcc", "gcc-avr avr-libc")
    common = [f"-mmcu={board.mcu}", "-DF_CPU=16000000L", "-DARDUINO=10819", f"-DARDUINO_{board.define}", "-DARDUINO_ARCH_AVR"]
    common += ["-Os", "-w", "-ffunction-sections", "-fdata-sections", "-flto", "-c"]
    common += [f"-I{each}" for each in (core / "cores/arduino", core / f"variants/{board.variant}", library / "src")]
    common += ["-DDECIMAL_DIG=__DECIMAL_DIG__"]  # which Debian's gcc 5.4 leaves out of C++; Arduino's is 7.3
    c = ["-std=gnu11", "-fno-fat-lto-objects"]
    cpp = ["-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics", "-x", "c++"]
    sources = [path for ending in ("*.c", "*.cpp", "*.S") for path in sorted((core / "cores/arduino").glob(ending))]
    objects = []
    for path in (*sources, *sorted((library / "src").glob("*.c")), sketch):
        kind = {".c": c, ".S": ["-x", "assembler-with-cpp"]}.get(path.suffix, [*cpp, "-include", "Arduino.h"])
        objects.append(folder / f"{path.name}.o")
        _run(compiler, [*common, *kind, path, "-o", objects[-1]])
    elf = folder / "sketch.elf"
    link = ["-w", "-Os", "-flto", "-fuse-linker-plugin", "-Wl,--gc-sections", f"-mmcu={board.mcu}"]
    _run(compiler, [*link, *objects, "-lm", "-o", elf])
    return elf


def sizes_of(elf: Path) -> tuple[int, int]:
    """Returns the flash and the static RAM of a program, as avr-size counts them."""
    size = system_compiler("avr-size", "binutils-avr")
    text = run_tool([*size.command, "-A", elf], what="avr-size", timeout_s=60)
    sections = {name: int(bytes_) for name, bytes_ in re.findall(r"^(\.\w+)\s+(\d+)", text, re.MULTILINE)}
    return sections[".text"] + sections.get(".data", 0), sections.get(".data", 0) + sections.get(".bss", 0)


def printed_by(elf: Path, board: AvrBoard, lines: int, timeout_s: float = 60) -> list[str]:
    """Runs a program under simavr until it has printed so many lines to its UART; returns them."""
    tool = require_avr()
    command = [str(tool.program), "-m", board.mcu, "-f", "16000000", str(elf)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**tool.environment})
    found: list[str] = []
    end = time.monotonic() + timeout_s
    try:
        assert process.stdout is not None
        while len(found) < lines and time.monotonic() < end and (line := process.stdout.readline()):
            text = re.sub(r"\x1b\[\d*m", "", line).strip()
            if text and not text.startswith(("Loaded", "Load HEX", "avr_")):
                found.append(text.rstrip("."))  # which stand for carriage returns
    finally:
        process.kill()
        process.wait()
    return found


def _run(compiler: Compiler, words: Sequence[str | Path]) -> None:
    run_tool([*compiler.command, *map(str, words)], what="avr-gcc", timeout_s=120)
