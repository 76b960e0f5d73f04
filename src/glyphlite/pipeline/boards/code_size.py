"""Bytes of code and constants on a core that nothing here runs: generated C, built and linked for it, and looked at."""

from pathlib import Path

from glyphlite.compiler.compile import compile_artifact
from glyphlite.emulation.elf import Footprint, read_elf
from glyphlite.emulation.system_tools import find_tool
from glyphlite.emulation.toolchain import Compiler, Target, compile_and_link
from glyphlite.files.scratch import temporary_folder
from glyphlite.runtimes.compiled import FIRMWARE_FLAGS


def code_size(artifact: Path, target: Target, package: str, *, optimize: str = "speed") -> Footprint:
    """Returns what ``NAME_invoke`` and all that it needs take, built by the target's GNU compiler.

    Args:
        artifact: an int8 or int16x8 .tflite file.
        target: a core with a GNU compiler.
        package: Debian's package of that compiler, for the message where it is missing.
        optimize: "speed", "size" or "ram".

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
        ToolError: the compiler is missing, or refuses the C.
    """
    tool = find_tool(target.gnu_program or target.name, package)
    with temporary_folder() as folder:
        report = compile_artifact(artifact, folder / "c", optimize=optimize)
        image = compile_and_link(
            target,
            [folder / "c" / f"{report.name}.c"],
            folder / "image.elf",
            keep=[f"{report.name}_invoke"],
            optimize=target.optimize,
            flags=FIRMWARE_FLAGS,
            compiler=Compiler(target.name, (str(tool.program),)),
        )
        return read_elf(image).footprint()
