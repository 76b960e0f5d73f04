"""``glyphlite optimize``: a .tflite file without what it does not need, written once every runtime answered as before."""

from pathlib import Path

from glyphlite.errors import ArtifactError, OutputError, ToolError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.verification.same_answers import same_answers
from glyphlite.files.scratch import temporary_folder
from glyphlite.files.single import write_bytes
from glyphlite.pipeline.inputs.files import artifact_in
from glyphlite.records import OptimizeReport
from glyphlite.runtimes.tflm_arena import measure_arena
from glyphlite.tflite.reader import parse_graph, read_content
from glyphlite.tflite.rewrite.optimization import optimize_file
from glyphlite.tflite.rewrite.several_models import other_models, with_leading

INPUTS = 64
"""Random inputs that both files are run on."""


def optimize_artifact(path: Path, out: Path, *, strip_names: bool, seed: int, overwrite: bool) -> OptimizeReport:
    """Writes a smaller file of the same answers.

    Args:
        path: the .tflite file, a run's folder or a pretrained model's name.
        out: the file to write; where nothing is to be done, it is a copy.
        strip_names: also drop the names of tensors that are no input or output.
        seed: of the random inputs.
        overwrite: also replace a file that is there.

    Raises:
        ArtifactError: the file is damaged, or runs nowhere.
        OutputError: another file lies in the place of the result.
        RuntimeError: a runtime answered otherwise; nothing is written. That is a fault of glyphlite.
    """
    path = artifact_in(path)
    if out.is_dir():
        raise OutputError(f"{out} is a folder; name a file with --out")
    if out.exists() and out.resolve() == path.resolve():
        raise OutputError(f"{out} is the file that is read; name another one with --out")
    content = read_content(path)
    optimized = optimize_file(content, path.name, strip_names=strip_names)
    if out.exists() and not overwrite and (not out.is_file() or out.read_bytes() != optimized.content):
        raise OutputError(f"{out} is there already and would be replaced; name another file with --out, or add --overwrite")
    with temporary_folder() as folder:
        before, after = folder / "before" / path.name, folder / "after" / path.name
        same, inputs = _compare(before, after, content, optimized.content, seed)
        for place in other_models(content):
            led, led_after = with_leading(content, place), with_leading(optimized.content, place)
            _compare(folder / f"before-{place}" / path.name, folder / f"after-{place}" / path.name, led, led_after, seed)
        report = OptimizeReport(
            artifact=str(path),
            path=str(out),
            bytes_before=len(content),
            bytes=len(optimized.content),
            arena_bytes_before=_arena(before),
            arena_bytes=_arena(after),
            steps=list(optimized.steps),
            inputs=inputs,
            models=1 + len(other_models(content)),
            identical_in=list(same),
        )
    write_bytes(out, optimized.content)
    return report


def _compare(before: Path, after: Path, content: bytes, optimized: bytes, seed: int) -> tuple[tuple[str, ...], int]:
    """Writes two files and compares what they answer; returns the runtimes that run both and the number of random inputs.

    Raises:
        ArtifactError: they run nowhere.
        RuntimeError: a runtime answered otherwise.
    """
    for path, each in ((before, content), (after, optimized)):
        path.parent.mkdir()
        path.write_bytes(each)
    inputs = random_set(inputs_of(parse_graph(content, before.name)), INPUTS, seed)
    same, apart = same_answers(before, after, inputs)
    if apart:
        raise RuntimeError(f"{before.name} without what it does not need answers otherwise in {', '.join(apart)}")
    return same, len(inputs)


def _arena(path: Path) -> int | None:
    """Returns TFLite Micro's arena; None where it does not take the file or is not here."""
    try:
        return measure_arena(path).host_bytes
    except (ArtifactError, ToolError):
        return None
