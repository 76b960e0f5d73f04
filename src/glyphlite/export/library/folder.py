"""The folder of the library: generated C in ``src``, a manifest per toolchain, examples, and a check of a sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.compile import check_name
from glyphlite.compiler.report import CompilationReport
from glyphlite.cores import SIMULATED_CORES
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.export.checked_edges import checked_c
from glyphlite.export.dispatch import VARIANTS, dispatch_files
from glyphlite.export.library.bare_metal import BOARDS_FOLDER, bare_metal_boards
from glyphlite.export.model_name import model_and_file
from glyphlite.export.templating import render
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.tflite.reader import read_artifact

FILES = {
    "library.properties": "library.properties",
    "library.json": "library.json",
    "keywords.txt": "keywords.txt",
    "idf_component.yml": "idf_component.yml",
    "CMakeLists.txt": "CMakeLists.txt",
    "cmake/Config.cmake.in": "cmake/Config.cmake.in",
    "zephyr/module.yml": "zephyr/module.yml",
    "zephyr/CMakeLists.txt": "zephyr/CMakeLists.txt",
    "zephyr/Kconfig": "zephyr/Kconfig",
    "package.pdsc": "glyphlite.{name}.pdsc",
    "README.md": "README.md",
    "check.h": "src/{name}_check.h",
    "check.c": "src/{name}_check.c",
    "link.h": "src/{name}_link.h",
    "link.c": "src/{name}_link.c",
    "examples/serial.ino": "examples/{name}_serial/{name}_serial.ino",
    "examples/link.ino": "examples/{name}_link/{name}_link.ino",
    "examples/platformio.ini": "examples/platformio/platformio.ini",
    "examples/main.cpp": "examples/platformio/src/main.cpp",
    "examples/cmake_CMakeLists.txt": "examples/cmake/CMakeLists.txt",
    "examples/main.c": "examples/cmake/main.c",
    "examples/link.c": "examples/cmake/link.c",
    "examples/cpp_CMakeLists.txt": "examples/cpp/CMakeLists.txt",
    "examples/object.cpp": "examples/cpp/main.cpp",
    "pico/CMakeLists.txt": "examples/pico/CMakeLists.txt",
    "pico/main.c": "examples/pico/main.c",
    "examples/idf_CMakeLists.txt": "examples/esp-idf/CMakeLists.txt",
    "examples/idf_main_CMakeLists.txt": "examples/esp-idf/main/CMakeLists.txt",
    "examples/idf_main.c": "examples/esp-idf/main/main.c",
    "examples/zephyr_CMakeLists.txt": "examples/zephyr/CMakeLists.txt",
    "examples/prj.conf": "examples/zephyr/prj.conf",
    "examples/zephyr_main.c": "examples/zephyr/src/main.c",
    "bare-metal/README.md": "examples/bare-metal/README.md",
    "bare-metal/main.c": "examples/bare-metal/main.c",
    "bare-metal/link.c": "examples/bare-metal/link.c",
    "bare-metal/start.c": "examples/bare-metal/start.c",
    "bare-metal/semihosting.h": "examples/bare-metal/semihosting.h",
    "bare-metal/semihosting.c": "examples/bare-metal/semihosting.c",
    "bare-metal/memory.c": "examples/bare-metal/memory.c",
    "bare-metal/string.h": "examples/bare-metal/string.h",
    "bare-metal/sections.ld": "examples/bare-metal/sections.ld",
    "bare-metal/Makefile": "examples/bare-metal/Makefile",
    "bare-metal/CMakeLists.txt": "examples/bare-metal/CMakeLists.txt",
    "bare-metal/arm-none-eabi.cmake": "examples/bare-metal/arm-none-eabi.cmake",
}
"""Where each template goes."""

PICTURE_FILES = {"examples/picture.ino": "examples/{name}_picture/{name}_picture.ino"}
"""Those of a model whose pictures can be prepared."""

TOOLCHAINS = ("arduino", "platformio", "esp-idf", "zephyr", "cmake", "cmsis-pack")


@dataclass(frozen=True)
class LibraryReport:
    """The record of what was written."""

    folder: Path
    name: str
    files: tuple[str, ...]
    compilation: CompilationReport
    sample: str


def export_library(
    artifact: Path,
    folder: Path,
    *,
    name: str,
    sample: Sequence[np.ndarray],
    sample_words: str,
    optimize: str = "speed",
    labels: Sequence[str] | None = None,
    convention: InputConvention | None = None,
    overwrite: bool = False,
) -> LibraryReport:
    """Writes the library; the folder appears whole or not at all.

    Args:
        artifact: an int8 or int16x8 .tflite file.
        folder: created, or replaced where it holds an earlier export and nothing else.
        name: of the C symbols, the files and the library.
        sample: what every input of the file holds, ``(1, ...)``, for the check; TFLite Micro says what must come out.
        sample_words: where the sample comes from.
        optimize: "speed", "size" or "ram".
        labels: the classes' names.
        convention: how the model takes a raw pixel.
        overwrite: also replace files of an earlier export that were changed, and keep the user's own.

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
        OutputError: the name is no C identifier, or the folder holds other files or cannot be written.
        ToolError: TFLite Micro's Python wheel is not installed.
    """
    check_name(name)
    require_own(folder, overwrite=overwrite)
    c = checked_c(
        artifact,
        name=name,
        sample=sample,
        optimize=optimize,
        labels=labels,
        convention=convention,
        with_picture=True,
        certainty=certainty_of(artifact),
    )
    prepares = f"{name}_image.c" in c.files
    sources = {f"src/{file}": text for file, text in (c.files | dispatch_files(name, c.files[f"{name}.h"])).items()}
    values = {**_values(artifact, c.report, sample_words), "inputs": c.inputs, "outputs": c.outputs}
    values |= {"modules": tuple(each for each in ("image", "stroke", "sure") if f"{name}_{each}.c" in c.files)}
    for template, path in {**FILES, **(PICTURE_FILES if prepares else {})}.items():
        sources[path.format(name=name)] = render(f"library/{template}", values)
    for board in values["boards"]:
        sources[f"{BOARDS_FOLDER}/{board['core']}.ld"] = render("library/bare-metal/board.ld", {**values, "board": board})
    with owned_folder(folder, overwrite=overwrite) as temporary:
        for path, text in sources.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_text(text, encoding="utf-8")
    return LibraryReport(folder, name, tuple(sorted(sources)), c.report, sample_words)


def _values(artifact: Path, report: CompilationReport, sample_words: str) -> dict[str, Any]:
    """Returns what the templates are told but for the sample."""
    kind = f"classifier of {len(report.labels)} classes" if report.classifies else "network"
    name, content = report.name, read_artifact(artifact)
    return {
        "name": name,
        "macro": name.upper(),
        # Arduino's index keeps names that begin with its own for itself.
        "title": f"glyphlite_{name}" if name.lower().startswith("arduino") else name,
        "version": __version__,
        "source": model_and_file(artifact, content),
        "sentence": f"{name}: a {kind} in C99 for microcontrollers.",
        "banner": f"Generated by glyphlite {__version__}.",
        "sample_words": sample_words,
        "takes_pictures": report.takes_pictures,
        "has_state": bool(report.state_bytes),
        "report": report,
        "digest": tuple(sha256(content).digest()),
        "input_bytes": report.input_bytes,
        "output_bytes": report.output_bytes,
        "boards": bare_metal_boards(),
        "cores": [core for core in SIMULATED_CORES if core.built_for],
        "toolchains": TOOLCHAINS,
        "dispatched": ["dispatch", "baseline", *(variant.name for variant in VARIANTS)],
    }
