"""The best file for each target: a phone, a microcontroller, a browser. A pure function of the results.

Of the files that keep the Keras model's accuracy: for a phone the fastest in LiteRT, for a microcontroller the smallest that the
compiler or TFLite Micro takes, in integers if there is one, for a browser what the page runs. Where no file will do, what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from glyphlite.cores import core_title
from glyphlite.formatting import count, kilobytes, microseconds, percent, times
from glyphlite.records import ArtifactReport
from glyphlite.report.findings.emulated_cores import preferred_core, ram_bytes
from glyphlite.report.findings.recommendation import NOTABLY_FASTER, accepting, accuracy_verdict, keeps_accuracy, variant_named
from glyphlite.results import Results

COMPILED = "int8"
"""The variant that a run compiles to C, for the emulated cores and for the page."""

INTEGER = ("int8", "uint8", "int16x8")
"""Variants that compute in integers alone."""

LITERT = "litert"
"""The runtime of phones and computers: LiteRT with XNNPACK, its default."""


@dataclass(frozen=True)
class Figure:
    """One number of a file on a target: what it is of (``flash``), as written (``8.6 KB``), and its value."""

    name: str
    text: str
    value: float


@dataclass(frozen=True)
class Target:
    """The file for one target, with its figures there and why it is the one; no file, and what to do, where none will do."""

    name: str
    title: str
    artifact: ArtifactReport | None
    figures: tuple[Figure, ...]
    reason: str


def choose_targets(results: Results) -> tuple[Target, ...]:
    """Chooses a file for each target; empty where nothing was converted."""
    if not results.artifacts:
        return ()
    return (_phone(results), _microcontroller(results), _browser(results))


def targets_of(targets: Sequence[Target], artifact: ArtifactReport) -> list[str]:
    """Returns the names of the targets that an artifact is chosen for."""
    return [each.name for each in targets if each.artifact and each.artifact.path == artifact.path]


def _phone(results: Results) -> Target:
    name, title = "phone", "Phone or computer"
    keeping = _keeping(results)
    candidates = [each for each in keeping if _takes(each, LITERT)]
    if not candidates:
        return Target(name, title, None, (), _nothing(results, keeping, "LiteRT accepts"))
    timed = [each for each in candidates if each.latency_us]
    if not timed:
        chosen = min(candidates, key=lambda each: each.bytes)
        return Target(name, title, chosen, (*_size(chosen),), "The smallest file that LiteRT accepts; none was timed.")
    fastest = min(each.latency_us or 0.0 for each in timed)
    chosen = min((each for each in timed if (each.latency_us or 0.0) <= NOTABLY_FASTER * fastest), key=lambda each: each.bytes)
    speed = Figure("per image", microseconds(chosen.latency_us or 0.0), chosen.latency_us or 0.0)
    return Target(name, title, chosen, (*_size(chosen), speed), _phone_reason(chosen, timed))


def _phone_reason(chosen: ArtifactReport, timed: Sequence[ArtifactReport]) -> str:
    smaller = [each for each in timed if each.bytes < chosen.bytes]
    if not smaller:
        return "The smallest file, and in LiteRT on this host none is notably faster."
    other = min(smaller, key=lambda each: each.bytes)
    ratio = times((other.latency_us or 0.0) / (chosen.latency_us or 1.0))
    return (
        f"In LiteRT on this host {ratio} times faster than {other.path}, the smallest ({microseconds(other.latency_us or 0.0)})."
    )


def _microcontroller(results: Results) -> Target:
    name, title = "microcontroller", "Microcontroller"
    keeping = _keeping(results)
    core = preferred_core(results.firmware)
    compiled = [each for each in keeping if core and each.variant == COMPILED]
    accepted = [each for each in keeping if _takes(each, "tflm")]
    if compiled and core:
        chosen = compiled[0]
        flash = core.code_bytes + core.constant_bytes
        figures = (
            Figure("flash", kilobytes(flash), flash),
            Figure("RAM", kilobytes(ram_bytes(core)), ram_bytes(core)),
        )
        arena = _arena(chosen)
        tflm = f"; TFLite Micro needs {count(arena)} bytes of RAM and its stack" if arena else ""
        if not arena and not _takes(chosen, "tflm"):
            tflm = "; TFLite Micro refuses it"
        reason = f"As generated C on a {core_title(core.cpu)}: {count(core.instructions)} instructions per image{tflm}."
        return Target(name, title, chosen, (_accuracy(chosen), *figures), reason)
    if accepted:
        chosen = min(accepted, key=lambda each: (each.variant not in INTEGER, each.bytes))
        arena = _arena(chosen)
        memory = (Figure("arena", kilobytes(arena), arena),) if arena else ()
        reason = f"The smallest file that TFLite Micro accepts{'' if chosen.variant in INTEGER else '; it computes in floats'}."
        return Target(name, title, chosen, (*_size(chosen), *memory), reason)
    return Target(name, title, None, (), _nothing(results, keeping, "the compiler or TFLite Micro accepts"))


def _browser(results: Results) -> Target:
    name, title = "browser", "Browser"
    keeping = _keeping(results)
    compiled = [each for each in keeping if results.firmware and each.variant == COMPILED]
    if compiled:
        reason = "glyphlite export --for web makes a page of it: generated C as WebAssembly, without a runtime to load."
        return Target(name, title, compiled[0], _size(compiled[0]), reason)
    candidates = [each for each in keeping if _takes(each, LITERT) and each.variant not in INTEGER]
    if candidates:
        chosen = min(candidates, key=lambda each: each.bytes)
        reason = "For LiteRT.js, which takes floats in and out; it was not run in a browser here."
        return Target(name, title, chosen, _size(chosen), reason)
    return Target(name, title, None, (), _nothing(results, keeping, "generated C or LiteRT.js accepts"))


def _keeping(results: Results) -> list[ArtifactReport]:
    return [each for each in results.artifacts if keeps_accuracy(each, results.keras)]


def _takes(artifact: ArtifactReport, runtime: str) -> bool:
    return runtime in accepting(artifact)


def _arena(artifact: ArtifactReport) -> int | None:
    return artifact.runtimes["tflm"].arena_bytes if _takes(artifact, "tflm") else None


def _accuracy(artifact: ArtifactReport) -> Figure:
    return Figure("accuracy", percent(artifact.accuracy.value), artifact.accuracy.value)


def _size(artifact: ArtifactReport) -> tuple[Figure, Figure]:
    return _accuracy(artifact), Figure("file", kilobytes(artifact.bytes), artifact.bytes)


def _nothing(results: Results, keeping: Sequence[ArtifactReport], accepts: str) -> str:
    """Says why no file will do, and what to do."""
    if keeping:
        return f"No file that {accepts} keeps the accuracy of the Keras model."
    int8 = variant_named(results, COMPILED)
    lost = f" ({int8.path}: {accuracy_verdict(int8, results.keras)})" if int8 else ""
    return (
        f"No file keeps the accuracy of the Keras model{lost}. Convert with more --calibration-samples, or train a "
        "quantization-aware model."
    )
