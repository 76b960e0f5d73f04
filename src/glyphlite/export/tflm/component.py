"""A .tflite file as a component of ESP-IDF and a module of Zephyr, run by the TensorFlow Lite Micro that these bring themselves.

The sources are those of the project (``export.tflm.project``) without its program; around them lie the manifests and a check.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite import __version__
from glyphlite.export.model_name import model_and_file
from glyphlite.export.templating import render
from glyphlite.export.tflm.project import ExportReport, export_tflm
from glyphlite.export.tflm.values import value_ports
from glyphlite.files.folders import owned_folder, require_own
from glyphlite.files.scratch import temporary_folder
from glyphlite.tflite.reader import read_artifact, read_graph

COMPONENT_TOOLCHAINS = ("esp-idf", "zephyr")
"""Toolchains whose makers keep a TensorFlow Lite Micro of their own that a manifest can name."""

FILES = {
    "tflm_component/README.md": "README.md",
    "tflm_component/CMakeLists.txt": "CMakeLists.txt",
    "tflm_component/idf_component.yml": "idf_component.yml",
    "tflm_component/module.yml": "zephyr/module.yml",
    "tflm_component/Kconfig": "zephyr/Kconfig",
    "tflm_component/zephyr_CMakeLists.txt": "zephyr/CMakeLists.txt",
    "tflm_component/check.h": "src/{name}_check.h",
    "tflm_component/check.cc": "src/{name}_check.cc",
    "library/examples/idf_CMakeLists.txt": "examples/esp-idf/CMakeLists.txt",
    "library/examples/idf_main_CMakeLists.txt": "examples/esp-idf/main/CMakeLists.txt",
    "tflm_component/examples/idf_main.c": "examples/esp-idf/main/main.c",
    "library/examples/zephyr_CMakeLists.txt": "examples/zephyr/CMakeLists.txt",
    "tflm_component/examples/prj.conf": "examples/zephyr/prj.conf",
    "tflm_component/examples/zephyr_main.c": "examples/zephyr/src/main.c",
}
"""Where each template goes."""


@dataclass(frozen=True)
class ComponentReport:
    """The record of what was written: the folder, its files, and the report on its sources."""

    folder: Path
    files: tuple[str, ...]
    project: ExportReport


def export_component(
    artifact: Path,
    folder: Path,
    *,
    name: str,
    samples: Sequence[np.ndarray],
    sample_words: str,
    overwrite: bool = False,
) -> ComponentReport:
    """Writes the component; the folder appears whole or not at all.

    Args:
        artifact: a .tflite file that TFLite Micro accepts, batch 1.
        folder: created, or replaced where it holds an earlier export and nothing else.
        name: of the C symbols, the component and its option in Kconfig.
        samples: what every input of the file holds, ``(1, ...)``, for the check.
        sample_words: where they come from.
        overwrite: also replace files of an earlier export that were changed, and keep the user's own.

    Raises:
        ArtifactError: the file is malformed, or refused by TFLite Micro.
        OutputError: the name is no C identifier, or the folder holds other files or cannot be written.
        ToolError: TFLite Micro's Python wheel is not installed.
    """
    require_own(folder, overwrite=overwrite)
    with temporary_folder() as scratch:
        project = export_tflm(artifact, scratch / "project", samples=samples, image_source=sample_words, name=name)
        own = [file for file in project.files if file.suffix in (".h", ".cc")]
        sources = {f"src/{file.name}": file.read_text(encoding="utf-8") for file in own}
    inputs, outputs = value_ports(artifact, read_graph(artifact), samples)
    values = {
        "name": name,
        "macro": name.upper(),
        "version": __version__,
        "source": model_and_file(artifact, read_artifact(artifact)),
        "sample": sample_words,
        "arena": project.arena,
        "inputs": inputs,
        "outputs": outputs,
    }
    for template, path in FILES.items():
        sources[path.format(name=name)] = render(template, values)
    with owned_folder(folder, overwrite=overwrite) as temporary:
        for path, text in sources.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_text(text, encoding="utf-8")
    return ComponentReport(folder, tuple(sorted(sources)), project)
