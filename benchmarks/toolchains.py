"""Toolchain by toolchain: the exported library, built and run as far as tools can be had here.

    python benchmarks/toolchains.py [--write]

Exports glyph-4kflash, builds its examples with the compilers that are on the PATH or among unpacked packages, and runs them on
this host and on QEMU's boards. Every program compares its outputs with TensorFlow Lite Micro's and says how many bytes differ.
What is only checked is listed with the test that checks it. Writes benchmarks/results/toolchains.json and the tables of README
and docs.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.artifacts import SAMPLES
from common.figures import ROOT, write_pages
from common.tables.toolchains import BY_HAND

from glyphlite.console import say
from glyphlite.emulation.elf import read_elf
from glyphlite.emulation.qemu import find_qemu, machine_for
from glyphlite.emulation.system_tools import SystemTool, find_tool
from glyphlite.emulation.toolchain import XTENSA
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.export.library.bare_metal import bare_metal_boards
from glyphlite.export.library.folder import export_library
from glyphlite.files.scratch import temporary_folder
from glyphlite.files.single import user_cache, write_json
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.pipeline.boards.code_size import code_size
from glyphlite.pipeline.boards.xtensa import PACKAGES
from glyphlite.tflite.reader import read_graph

MODEL, NAME = "glyph-4kflash", "digits"
RESULT = Path(__file__).parent / "results" / "toolchains.json"
GNU_PACKAGES = {"arm": "gcc-arm-none-eabi", "riscv": "gcc-riscv64-unknown-elf"}
FOUND = re.compile(rf"{NAME}: (\d+) bytes differ")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the result, and the tables of README and docs")
    options = parser.parse_args()
    with temporary_folder() as folder:
        library, artifact = folder / "library", pretrained_artifact(MODEL)
        sample = random_set(inputs_of(read_graph(artifact)), 8).chosen(slice(-1, None))
        export_library(artifact, library, name=NAME, sample=sample.arrays, sample_words=sample.source)
        rows = [_host(library, folder), *_arduino(folder), *_bare_metal(library), _esp8266(artifact)]
    for row in rows:
        say(str(row))
    if options.write:
        write_json(RESULT, {"schema": 1, "model": MODEL, "rows": rows, "by_hand": BY_HAND})
        write_pages()


def _host(library: Path, folder: Path) -> dict[str, Any]:
    build = folder / "build"
    _run("cmake", "-S", library / "examples" / "cmake", "-B", build)
    _run("cmake", "--build", build)
    said = _run(build / f"{NAME}_example")
    return {"toolchain": "cmake", "core": "host", "compiler": _version("gcc"), "ran_on": "this host", **_differing(said)}


def _arduino(folder: Path) -> list[dict[str, Any]]:
    """Returns a row per AVR board: the exported sketch of micro-cnn, whose arena fits 2 KB of RAM, built and emulated."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.avr import MEGA, UNO, build_sketch, printed_by, require_avr, sizes_of
    from support.exported import library_of

    emulator, rows = require_avr(), []
    library = folder / "avr" / NAME
    library_of(SAMPLES / "model_int8.tflite", library)
    for board in (UNO, MEGA):
        elf = build_sketch(library / "examples" / f"{NAME}_serial" / f"{NAME}_serial.ino", library, board, folder)
        [said] = printed_by(elf, board, 1)
        flash, ram = sizes_of(elf)
        rows.append(
            {
                "toolchain": "arduino",
                "core": f"{board.name.capitalize()} ({board.mcu}), micro-cnn",
                "compiler": f"avr-gcc {_run(find_tool('avr-gcc', 'gcc-avr').program, '-dumpversion').strip()}, Arduino's core",
                "ran_on": emulator.program.name,
                **_differing(said),
                "flash_bytes": flash,
                "ram_bytes": ram,
            }
        )
    return rows


def _bare_metal(library: Path) -> list[dict[str, Any]]:
    example, rows = library / "examples" / "bare-metal", []
    for board in bare_metal_boards():
        machine = machine_for(board["core"])
        qemu = find_qemu(machine)
        for compiler in ("gnu", "zig"):
            tools = [qemu, *([find_tool(board["gnu_program"], GNU_PACKAGES[board["architecture"]])] if compiler == "gnu" else [])]
            words = ("make", "-s", f"CORE={board['core']}", f"COMPILER={compiler}", f"ZIG={sys.executable} -m ziglang cc", "run")
            said = _run(*words, cwd=example, env=_environment(tools))
            footprint = read_elf(example / "build" / f"{board['core']}-{compiler}" / f"{NAME}.elf").footprint()
            version = _version(tools[-1].program) if compiler == "gnu" else _version(sys.executable, "-m", "ziglang", "cc")
            rows.append(
                {
                    "toolchain": "bare-metal",
                    "core": board["core"],
                    "compiler": version,
                    "ran_on": f"{_version(qemu.program, env=_environment([qemu]))}, {machine.name}",
                    **_differing(said),
                    "flash_bytes": footprint.code_bytes + footprint.constant_bytes + footprint.data_bytes,
                    "ram_bytes": footprint.data_bytes + footprint.bss_bytes,
                }
            )
    return rows


def _esp8266(artifact: Path) -> dict[str, Any]:
    footprint = code_size(artifact, XTENSA, PACKAGES)
    program = find_tool(XTENSA.gnu_program or "", PACKAGES).program
    flash = footprint.code_bytes + footprint.constant_bytes
    return {"toolchain": "esp8266", "core": "Xtensa L106", "compiler": _version(program), "ran_on": None, "flash_bytes": flash}


def _differing(said: str) -> dict[str, int]:
    found = FOUND.search(said)
    if found is None:
        raise SystemExit(f"the program said {said!r}")
    return {"differing_bytes": int(found[1])}


def _environment(tools: list[SystemTool]) -> dict[str, str]:
    extra = {name: value for tool in tools for name, value in tool.environment.items()}
    zig = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(user_cache() / "zig"))
    path = os.pathsep.join([*(str(tool.program.parent) for tool in tools), os.environ["PATH"]])
    return {**os.environ, **zig, **extra, "PATH": path}


def _version(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Returns a program's name and number, as "QEMU 7.2.22"."""
    line = _run(*command, "--version", env=env).splitlines()[0]
    number = re.search(r"\d+\.\d+(\.\d+)?", line)
    known = {"QEMU": "QEMU", "clang": "zig cc, clang"}
    known |= {f"{name}-gcc": f"{name}-gcc" for name in ("arm-none-eabi", "riscv64-unknown-elf", "xtensa-lx106-elf")}
    name = next((title for word, title in known.items() if word in line), "gcc")
    return f"{name} {number[0] if number else '?'}"


def _run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
