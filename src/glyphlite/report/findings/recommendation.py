"""Choice of the file to ship, with the reason: a pure function of the results.

The rule: of the artifacts that keep the Keras model's accuracy, the one that most interpreters run; of those, the smallest.
LiteRT's reference kernels do not count: nothing is deployed on them, and they stop at version 6 of DEPTHWISE_CONV_2D, where INT4
weights need 7.
An artifact keeps the accuracy if it loses at most half a point, or no more than the test images can tell from chance.
"""

from dataclasses import dataclass

from glyphlite.formatting import count, kilobytes, listing, microseconds, p_value, percent, points, things, times
from glyphlite.records import ArtifactReport, KerasReport
from glyphlite.results import Results
from glyphlite.runtimes.registry import runtime_words

TOLERATED_LOSS = 0.005
"""Half a percentage point: a loss that is worth a file several times smaller."""

SIGNIFICANCE = 0.05
"""Below this p, a difference is called real."""

NOTABLY_FASTER = 1.25
"""A file that is not this many times faster is not worth mentioning as faster: clocks wander."""


@dataclass(frozen=True)
class Recommendation:
    """The artifact to ship, the reasons, and which other file would be the better one under which circumstances."""

    artifact: ArtifactReport
    reasons: tuple[str, ...]
    alternatives: tuple[str, ...]


def recommend(results: Results) -> Recommendation | None:
    """Chooses the artifact to ship; None where nothing was converted."""
    if not results.artifacts:
        return None
    keeping = [each for each in results.artifacts if keeps_accuracy(each, results.keras)]
    if keeping:
        chosen = min(keeping, key=lambda each: (-len(_deployable(each)), each.bytes))
    else:
        chosen = max(results.artifacts, key=lambda each: (each.accuracy.value, -each.bytes))
    reasons = [_accuracy_reason(chosen, results.keras), _size_reason(chosen, results), _runtime_reason(chosen)]
    if not keeping:
        reasons.insert(
            0, f"No variant keeps the accuracy of the Keras model; this one loses least, {points(loss(chosen, results.keras))}."
        )
    return Recommendation(chosen, tuple(each for each in reasons if each), tuple(_alternatives(chosen, results)))


def loss(artifact: ArtifactReport, keras: KerasReport) -> float:
    """Returns by how much an artifact is less accurate than the Keras model, as a fraction; negative where it is more
    accurate.
    """
    return keras.accuracy.value - artifact.accuracy.value


def is_significant(artifact: ArtifactReport) -> bool:
    """Returns whether an artifact's accuracy differs from the Keras model's by more than chance explains."""
    return artifact.mcnemar_p is not None and artifact.mcnemar_p < SIGNIFICANCE


def keeps_accuracy(artifact: ArtifactReport, keras: KerasReport) -> bool:
    """Tells whether an artifact loses at most half a point, or no more than the test images can tell from chance, and no class.

    A class is lost where not one of its images is recognized, but some are by the Keras model.
    """
    if set(unrecognized_classes(artifact)) - set(unrecognized_classes(keras)):
        return False
    return loss(artifact, keras) <= TOLERATED_LOSS or (artifact.mcnemar_p is not None and not is_significant(artifact))


def unrecognized_classes(report: KerasReport | ArtifactReport) -> list[int]:
    """Returns the classes that have images of which not one was recognized."""
    return [number for number, each in enumerate(report.per_class) if each.measured and each.value == 0]


def accepting(artifact: ArtifactReport) -> list[str]:
    """Returns the runtimes that accept an artifact."""
    return [name for name, each in artifact.runtimes.items() if each.accepts]


def _deployable(artifact: ArtifactReport) -> list[str]:
    """Returns the interpreters that accept an artifact and that products use."""
    return [name for name in accepting(artifact) if name not in ("litert_reference", "generated_c")]


def refusing(artifact: ArtifactReport) -> list[str]:
    """Returns the runtimes that refuse an artifact."""
    return [name for name, each in artifact.runtimes.items() if not each.accepts]


def accuracy_verdict(artifact: ArtifactReport, keras: KerasReport) -> str:
    """Returns what an artifact's accuracy is against the Keras model's, in a clause that follows a comma or a colon."""
    if artifact.agreement_with_keras == 1:
        return "every image gets the class that Keras gives it"
    lost = loss(artifact, keras)
    if artifact.mcnemar_p is None:
        return f"{points(lost)} {'below' if lost > 0 else 'above'} Keras, significance not tested"
    if is_significant(artifact):
        return f"a significant {'loss' if lost > 0 else 'gain'} of {points(lost)} ({p_value(artifact.mcnemar_p)})"
    if lost == 0:
        return f"as many right as Keras ({p_value(artifact.mcnemar_p)})"
    side = "below" if lost > 0 else "above"
    return f"no significant difference from Keras ({points(lost)} {side}, {p_value(artifact.mcnemar_p)})"


def variant_named(results: Results, variant: str) -> ArtifactReport | None:
    """Returns the artifact of a variant, if there is one."""
    return next((each for each in results.artifacts if each.variant == variant), None)


def _accuracy_reason(artifact: ArtifactReport, keras: KerasReport) -> str:
    shown = artifact.accuracy
    return f"It recognizes {percent(shown.value)} of {things(shown.n, 'test image')}: {accuracy_verdict(artifact, keras)}."


def _size_reason(artifact: ArtifactReport, results: Results) -> str:
    than = []
    float32 = variant_named(results, "float32")
    if float32 and float32.bytes > artifact.bytes:
        than.append(f"{times(float32.bytes / artifact.bytes)} times smaller than float32")
    if results.keras.bytes > artifact.bytes:
        than.append(f"{times(results.keras.bytes / artifact.bytes)} times smaller than the .keras file")
    return f"Its file is {count(artifact.bytes)} bytes{': ' + listing(than) if than else ''}."


def _runtime_reason(artifact: ArtifactReport) -> str:
    if not artifact.runtimes:
        return ""
    taken, refused = accepting(artifact), refusing(artifact)
    arena = artifact.runtimes["tflm"].arena_bytes if "tflm" in taken else None
    memory = f"; TFLite Micro needs {count(arena)} bytes of arena for it" if arena else ""
    if not refused:
        return f"All {len(taken)} runtimes tried run it{memory}."
    verb = "refuses" if len(refused) == 1 else "refuse"
    names = listing([runtime_words(each) for each in refused])
    return f"{len(taken)} of {len(artifact.runtimes)} runtimes tried run it{memory}; {names} {verb} it."


def _alternatives(chosen: ArtifactReport, results: Results) -> list[str]:
    """Returns other files that beat the chosen one at something, each with what it costs."""
    found = []
    keeping = [each for each in results.artifacts if each is not chosen and keeps_accuracy(each, results.keras)]
    smaller = [each for each in keeping if each.bytes < chosen.bytes]
    if smaller:
        best = min(smaller, key=lambda each: each.bytes)
        found.append(f"{best.path} is {kilobytes(chosen.bytes - best.bytes)} smaller{_price(best, chosen)}.")
    timed = [
        each for each in keeping if each.latency_us and chosen.latency_us and each.latency_us * NOTABLY_FASTER < chosen.latency_us
    ]
    if timed:
        best = min(timed, key=lambda each: each.latency_us or 0.0)
        ratio = times((chosen.latency_us or 0.0) / (best.latency_us or 1.0))
        found.append(
            f"{best.path} is {ratio} times faster on this host ({microseconds(best.latency_us or 0.0)}){_price(best, chosen)}."
        )
    if is_significant(chosen) and loss(chosen, results.keras) > 0:
        better = [each for each in keeping if each.accuracy.value > chosen.accuracy.value and not is_significant(each)]
        if better:
            best = min(better, key=lambda each: each.bytes)
            gain = points(best.accuracy.value - chosen.accuracy.value)
            found.append(f"If {gain} of accuracy matter more than size, {best.path} has them at {kilobytes(best.bytes)}.")
    return found


def _price(other: ArtifactReport, chosen: ArtifactReport) -> str:
    """Returns what another file costs against the chosen one, as a clause."""
    refused = [runtime_words(each) for each in refusing(other) if each in accepting(chosen)]
    if refused:
        return f", but {listing(refused)} {'refuses' if len(refused) == 1 else 'refuse'} it"
    if other.bytes > chosen.bytes:
        return f", but {times(other.bytes / chosen.bytes)} times the size"
    return ""
