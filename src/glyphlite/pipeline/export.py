"""``glyphlite export``: an artifact as firmware sources for other people's runtimes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError, ToolError
from glyphlite.escaping import one_line, shell_word, visible
from glyphlite.evaluation.input_sets.image_inputs import image_set
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.export.android.project import export_android
from glyphlite.export.c_array import write_model_data
from glyphlite.export.c_names import check_identifier
from glyphlite.export.library.folder import TOOLCHAINS, export_library
from glyphlite.export.picture_record import picture_shape
from glyphlite.export.python.folder import export_python
from glyphlite.export.rust.crate import export_rust
from glyphlite.export.tflm.component import COMPONENT_TOOLCHAINS, ComponentReport, export_component
from glyphlite.export.tflm.project import ExportReport, export_tflm
from glyphlite.export.web.litertjs import LiteRtJs, obtain_litertjs
from glyphlite.export.web.page import WebExport, export_web
from glyphlite.export.web.server import serve
from glyphlite.files.scratch import temporary_folder
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.outputs import class_count
from glyphlite.models.interface.purpose import is_picture, purpose_of, range_is_known
from glyphlite.models.interface.stated_convention import convention_of_graph
from glyphlite.pipeline.inputs.conventions import convention_on, input_convention
from glyphlite.pipeline.inputs.datasets import RunData, data_of, image_of
from glyphlite.pipeline.inputs.files import artifact_in, default_artifact, integer_graph
from glyphlite.pipeline.inputs.labels import labels_of
from glyphlite.pipeline.inputs.sets import named_set
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph

PAGE_WEIGHTS = 4 << 10
"""Bytes of weights of the model that a page is served with when none is named: a first visit then fetches less than 100 KB."""

PICTURE_TARGETS = ("web", "python", "android")
"""Targets whose program shows pictures to a classifier."""

WITHOUT_SAMPLE = ("c-array", "web", "python")
"""Targets that no sample is written for."""


@dataclass(frozen=True)
class Exported:
    """The record of what was written, for programs and in words."""

    document: dict[str, Any]
    words: str


def export_file(
    path: Path,
    target: str,
    folder: Path,
    *,
    name: str,
    language: str,
    dataset: str | None,
    sample: int,
    data_dir: Path | None,
    litertjs: bool = True,
    overwrite: bool = False,
    input_range: str | None = None,
    inputs: str | None = None,
    engine: str = "c",
    optimize: str = "speed",
) -> Exported:
    """Exports an artifact.

    Args:
        path: a .tflite file, or a run's folder (its int8 artifact).
        target: ``tflm``, ``c-array``, ``web``, ``python``, ``rust``, ``android``, or a toolchain that takes the C library.
        folder: what is written.
        name: prefix of the C symbols.
        language: ``cc`` or ``c``.
        dataset: where the embedded test image comes from; None takes the data of the model's run, else MNIST. Where none fits,
            the image is blank.
        sample: which test image, or which of ``inputs``.
        data_dir: where the dataset lies already.
        litertjs: whether a page gets LiteRT.js as its second engine, if that can be had.
        overwrite: replace files of an earlier export that were changed since; the user's own are kept.
        input_range: how the model takes a pixel, where the user says it.
        inputs: where the sample of a check comes from: ``random[:N[:SEED]]``, or a file.
        engine: what runs the model on a toolchain: ``c``, generated C, or ``tflm``, the toolchain's own TensorFlow Lite Micro.
        optimize: what the C of a library is optimized for: "speed", "size" or "ram".

    Raises:
        ArtifactError: the file is malformed, or TFLite Micro does not take it.
        DataError: the dataset, or no such image in it.
        OutputError: the name is none for a C symbol, or the folder cannot be written.
        ToolError: ``engine`` is ``tflm``, and the toolchain has none of its own; or an option is for other targets.
    """
    check_identifier(name)
    if optimize != "speed" and target not in TOOLCHAINS:
        raise ToolError(f"--optimize is for the C library of {', '.join(TOOLCHAINS)}; leave it out for {target}")
    if inputs is not None and target in WITHOUT_SAMPLE:
        raise ToolError(f"--inputs is for targets that run a sample as their check; leave it out for {target}, which holds none")
    path = artifact_in(path)
    if target == "c-array":
        data = write_model_data(path, folder, name=name, language="c" if language == "c" else "cc", overwrite=overwrite)
        files = ", ".join(str(file) for file in data.files)
        return Exported(
            {"name": data.name, "bytes": data.bytes, "sha256": data.sha256, "files": [str(file) for file in data.files]},
            f"{files}: {data.bytes} bytes",
        )
    if engine == "tflm" and target not in ("tflm", *COMPONENT_TOOLCHAINS):
        raise ToolError(
            f"--engine tflm: nobody keeps a TensorFlow Lite Micro for {target} (Arduino's was archived in 2025). "
            f"{' and '.join(COMPONENT_TOOLCHAINS)} have one; --for tflm writes a project for a checkout of yours"
        )
    data = data_of(path, dataset, data_dir)
    if engine == "tflm" and target in COMPONENT_TOOLCHAINS:
        taken, words = _component_sample(path, data, sample, inputs, dataset, input_range)
        return _component(export_component(path, folder, name=name, samples=taken, sample_words=words, overwrite=overwrite))
    if target in PICTURE_TARGETS:
        picture_shape(read_graph(path), path.name)  # before a line says how it takes a pixel
    if target == "web":
        convention = convention_on(path, data, input_range)
        return _web(
            export_web(path, folder, convention=convention, litertjs=_second_engine(litertjs), overwrite=overwrite), convention
        )
    if target in TOOLCHAINS or target == "rust":
        return _library(
            path,
            target,
            folder,
            data,
            name=name,
            sample=sample,
            inputs=inputs,
            dataset=dataset,
            input_range=input_range,
            optimize=optimize,
            overwrite=overwrite,
        )
    if target == "android":
        return _android(
            path,
            folder,
            data,
            name=name,
            sample=sample,
            inputs=inputs,
            dataset=dataset,
            input_range=input_range,
            overwrite=overwrite,
        )
    if target == "python":
        return _python(path, folder, convention_on(path, data, input_range), overwrite=overwrite)
    test, convention = _test_input(path, data, sample, inputs, dataset, input_range)
    report = export_tflm(
        path,
        folder,
        name=name,
        language="c" if language == "c" else "cc",
        convention=convention,
        overwrite=overwrite,
        **test,
    )
    document = {**_document(report), "input": convention.report().model_dump(mode="json") if convention else None}
    return Exported(document, _words(report))


def _library(
    path: Path,
    target: str,
    folder: Path,
    data: RunData,
    *,
    name: str,
    sample: int,
    inputs: str | None,
    dataset: str | None,
    input_range: str | None,
    optimize: str,
    overwrite: bool,
) -> Exported:
    """Exports the C as a library, or as a crate of Rust: checked on a test image where data fits the model, else on one of the
    inputs or a random one.
    """
    graph = integer_graph(path)
    loaded = data.load_fitting(graph) if inputs is None else None
    convention = input_convention(path, loaded, input_range).convention if loaded or input_range else None
    samples, words = _checked_sample(graph, loaded, convention, sample, inputs, dataset)
    labels = loaded.labels if loaded else None
    checked = {"sample": samples, "sample_words": words, "labels": labels, "convention": convention}
    document: dict[str, Any] = {"folder": str(folder), "name": name, "sample": words}
    if target == "rust":
        crate = export_rust(path, folder, name=name, overwrite=overwrite, **checked)
        lines = [
            f"{visible(str(folder))}: the crate {crate.crate}, without the standard library",
            f"cargo test runs {words} and compares with TensorFlow Lite Micro's bytes; README.md says how to use it",
        ]
        return Exported({**document, "files": list(crate.files), "crate": crate.crate}, "\n".join(lines))
    report = export_library(path, folder, name=name, optimize=optimize, overwrite=overwrite, **checked)
    lines = [
        f"{visible(str(folder))}: a C library for {', '.join(TOOLCHAINS)}",
        f"{name}_check() runs {words} and compares with TensorFlow Lite Micro's bytes; README.md says what each toolchain does",
    ]
    return Exported({**document, "files": list(report.files), "toolchains": list(TOOLCHAINS)}, "\n".join(lines))


def _python(path: Path, folder: Path, convention: InputConvention, *, overwrite: bool) -> Exported:
    """Exports the Python program."""
    report = export_python(
        path, folder, labels=labels_of(path, class_count(read_graph(path))), convention=convention, overwrite=overwrite
    )
    document = {
        "folder": str(folder),
        "files": [str(file) for file in report.files],
        "labels": list(report.labels),
        "model_bytes": report.model_bytes,
        "sha256": report.sha256,
        "input": convention.report().model_dump(mode="json"),
    }
    words = (
        f"{visible(str(folder))}: predict.py and its model, {report.model_bytes:,} bytes; needs ai-edge-litert, NumPy, Pillow\n"
        f"Try it: pip install -r {shell_word(folder / 'requirements.txt')} && python {shell_word(folder / 'predict.py')} PICTURE"
    )
    return Exported(document, words)


def _android(
    path: Path,
    folder: Path,
    data: RunData,
    *,
    name: str,
    sample: int,
    inputs: str | None,
    dataset: str | None,
    input_range: str | None,
    overwrite: bool,
) -> Exported:
    """Exports the Android app: checked on a test image where data fits the model, else on one of the inputs or a random one."""
    graph = read_graph(path)
    convention = convention_on(path, data, input_range)
    loaded = data.load_fitting(graph) if inputs is None else None
    samples, words = _checked_sample(graph, loaded, convention, sample, inputs, dataset)
    report = export_android(
        path,
        folder,
        name=name,
        sample=samples,
        sample_words=words,
        labels=labels_of(path, class_count(graph)),
        convention=convention,
        overwrite=overwrite,
    )
    document = {
        "folder": str(folder),
        "name": name,
        "application": report.application,
        "sample": words,
        "files": list(report.files),
        "labels": list(report.labels),
        "model_bytes": report.model_bytes,
        "sha256": report.sha256,
        "input": convention.report().model_dump(mode="json"),
    }
    lines = (
        f"{visible(str(folder))}: an Android app to draw on, {report.application}, with LiteRT and the generated C",
        "Open the folder in Android Studio; README.md says what was checked and what was not",
    )
    return Exported(document, "\n".join(lines))


def _component_sample(
    path: Path, data: RunData, sample: int, inputs: str | None, dataset: str | None, input_range: str | None
) -> tuple[tuple[np.ndarray, ...], str]:
    """Returns the sample that a component's check runs, as the model's inputs hold it, and where it comes from."""
    graph = read_graph(path)
    loaded = data.load_fitting(graph) if inputs is None else None
    convention = input_convention(path, loaded, input_range).convention if loaded else None
    return _checked_sample(graph, loaded, convention, sample, inputs, dataset)


def _checked_sample(
    graph: Graph,
    loaded: Dataset | None,
    convention: InputConvention | None,
    sample: int,
    inputs: str | None,
    dataset: str | None,
) -> tuple[tuple[np.ndarray, ...], str]:
    """Returns what a check runs, and where it comes from: a test image of data that fits the model, else one of the inputs.

    Raises:
        DataError: there is no such image or input.
    """
    if loaded is None or convention is None:
        return _one_input(graph, sample, inputs, dataset, "its check runs")
    image_of(loaded, sample)
    taken = image_set(loaded.with_test(slice(sample, sample + 1)), graph, convention).arrays
    return taken, f"{loaded.name} test image {sample}"


def _component(report: ComponentReport) -> Exported:
    shown, name = visible(str(report.folder)), report.project.name
    words = (
        f"{shown}: a component for ESP-IDF and a module for Zephyr, run by the TensorFlow Lite Micro that each brings; "
        f"an arena of {report.project.arena.recommended_bytes:,} bytes\n"
        f"{name}_check() runs a sample and compares; README.md says how to build it"
    )
    document = {**_document(report.project), "folder": str(report.folder), "files": list(report.files)}
    return Exported({**document, "toolchains": list(COMPONENT_TOOLCHAINS)}, words)


def _one_input(
    graph: Graph, sample: int, inputs: str | None, dataset: str | None, doing: str
) -> tuple[tuple[np.ndarray, ...], str]:
    """Returns one of the inputs that the user names, else the last of some random ones, and where it comes from.

    Args:
        graph: the model.
        sample: which of ``inputs``.
        inputs: where they come from; None draws some, of which the first hold one value each.
        dataset: of ``inputs`` that are its images.
        doing: what a random one is for, for the line that says so.

    Raises:
        DataError: there is no such input.
    """
    model = inputs_of(graph)
    if inputs is not None:
        taken = named_set(model, inputs, dataset=dataset)
        if sample >= len(taken):
            raise DataError(f"{taken.source}: inputs 0 to {len(taken) - 1}; there is no input {sample}")
    else:
        taken = random_set(model)
        sample = len(taken) - 1
        say(f"{doing} a random input; --inputs FILE brings others", lead="No dataset:")
    return taken.chosen(slice(sample, sample + 1)).arrays, f"{taken.unit} {sample} of {taken.source}"


def draw_page(path: Path | None, *, host: str, port: int, litertjs: bool = True, input_range: str | None = None) -> None:
    """Serves a page on which one draws and the artifact answers, until Ctrl-C.

    Args:
        path: an int8 .tflite file, a run's folder or a pretrained model's name; None is the most accurate pretrained model.
        host: an address of this machine.
        port: 0 takes any that is free.
        litertjs: whether the page gets LiteRT.js as its second engine, if that can be had.
        input_range: how the model takes a pixel, where the user says it.

    Raises:
        ArtifactError: the file is missing, malformed or not int8.
        ToolError: the compiler for WebAssembly is missing, or the address cannot be served on.
    """
    path = artifact_in(path) if path is not None else default_artifact(PAGE_WEIGHTS)
    picture_shape(read_graph(path), path.name)
    with temporary_folder() as folder:
        convention = convention_on(path, data_of(path, None), input_range)
        page = export_web(path, folder / "page", convention=convention, litertjs=_second_engine(litertjs))
        for line in page.left_out:
            say(line, style="dim")
        serve(folder / "page", host=host, port=port)


def _second_engine(wanted: bool) -> LiteRtJs | None:
    """Returns LiteRT.js; without it the page has one engine, and one line says why."""
    if not wanted:
        return None
    try:
        return obtain_litertjs()
    except ToolError as error:
        say(f"{error} (--no-litertjs leaves it out unasked)", lead="The page has no second engine:", style="yellow")
        return None


def _test_input(
    path: Path, data: RunData, sample: int, inputs: str | None, dataset: str | None, input_range: str | None
) -> tuple[dict[str, Any], InputConvention | None]:
    """Returns the test input for a project: a classifier's image with its class and how the model takes a pixel, else values as
    the model's tensors hold them.

    An image comes from the data that fit the model; where none do, a classifier of pictures gets a blank one, and any other model
    one of the inputs that the user names, or a random one. All of this is said.
    """
    graph = read_graph(path)
    loaded = data.load_fitting(graph) if inputs is None else None
    if loaded is not None:
        image, label, labels = image_of(loaded, sample)
        found = {"image": image, "label": label, "labels": labels, "image_source": f"{loaded.name} test image {sample}"}
        return found, convention_on(path, data, input_range)
    may_be_known = input_range is not None or not convention_of_graph(graph).assumed
    asked = inputs is None and may_be_known and is_picture(graph)
    convention = convention_on(path, data, input_range) if asked else None
    purpose = purpose_of(graph, pixels_known=range_is_known(convention, has_data=False))
    if purpose.classifies_pictures:
        say("the project holds a blank image; --dataset brings others", lead="No dataset:")
        shape = tuple(abs(extent) for extent in graph.input.shape[1:])
        image = np.zeros((*shape, *[1] * (3 - len(shape))), np.uint8)
        return {"image": image, "labels": purpose.labels, "image_source": "a blank image"}, convention
    samples, words = _one_input(graph, sample, inputs, dataset, "the project holds")
    return {"samples": samples, "image_source": words}, None


def _document(report: ExportReport) -> dict[str, Any]:
    return {
        "folder": str(report.folder),
        "files": [str(file) for file in report.files],
        "name": report.name,
        "builtin_codes": list(report.builtin_codes),
        "resolver": [entry.method for entry in report.resolver],
        "model_bytes": report.model_bytes,
        "sha256": report.sha256,
        "tflm": report.arena.report().model_dump(mode="json"),
        "expected_class": report.expected_class,
    }


def _web(page: WebExport, convention: InputConvention) -> Exported:
    document = {
        "folder": str(page.folder),
        "files": [str(file) for file in page.files],
        "name": page.name,
        "model_bytes": page.model_bytes,
        "engine_bytes": page.engine_bytes,
        "first_load_bytes": page.first_load_bytes,
        "second_engine_bytes": page.second_engine_bytes,
        "second_engine_variants": list(page.second_engine_variants),
        "left_out": list(page.left_out),
        "input": convention.report().model_dump(mode="json"),
    }
    second = "".join(f"{one_line(line)}\n" for line in page.left_out)
    if page.second_engine_variants:
        second = (
            f"{page.second_engine_bytes:,} bytes more when LiteRT.js is chosen there, with "
            f"{', '.join(page.second_engine_variants)}\n{second}"
        )
    folder = visible(str(page.folder))
    words = (
        f"{folder}: {len(page.files)} files to put on any host; {page.first_load_bytes:,} bytes for a first visit, "
        f"{page.engine_bytes:,} of them the engine with the model in it\n"
        f"{second}"
        f"Look at it: python3 -m http.server -d {shell_word(page.folder)}"
    )
    return Exported(document, words)


def _words(report: ExportReport) -> str:
    arena, folder = report.arena, visible(str(report.folder))
    return (
        f"{folder}: {len(report.files)} files; {report.model_bytes} bytes of model, {len(report.resolver)} ops, "
        f"an arena of {arena.host_bytes} bytes measured here, {arena.recommended_bytes} set aside\n"
        f"Build it: make -C {shell_word(report.folder)} TFLM_DIR=/path/to/tflite-micro (its README.md says how)"
    )
