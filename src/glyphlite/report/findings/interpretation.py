"""Interpretation of the numbers in plain sentences computed from them: a pure function of the results.

Says only what the records hold: nothing is asserted of a measurement that was not made, and bad news is not dressed up.
"""

from dataclasses import dataclass
from typing import Literal

from glyphlite.cores import core_title
from glyphlite.evaluation.verification.verdict import promises
from glyphlite.formatting import (
    confidence,
    count,
    difference,
    duration,
    kilobytes,
    listing,
    microseconds,
    percent,
    points,
    tensor_words,
    things,
    times,
)
from glyphlite.records import ArtifactReport, FirmwareReport, VerifyReport
from glyphlite.report.findings.emulated_cores import ram_bytes
from glyphlite.report.findings.recommendation import (
    Recommendation,
    accepting,
    accuracy_verdict,
    is_significant,
    loss,
    recommend,
    refusing,
    variant_named,
)
from glyphlite.report.findings.unequal_classes import unequal_classes
from glyphlite.results import Results
from glyphlite.runtimes.registry import runtime_words

Tone = Literal["good", "note", "warning"]

UNTRUSTWORTHY = 0.05
"""An expected calibration error above this is worth a warning: confidence off by five points on average."""

MUCH_SLOWER = 3.0

MOST_NAMED = 10
"""Classes that are named in a sentence."""


@dataclass(frozen=True)
class Finding:
    """One thing that the numbers say: a short title, sentences, and whether it is good news, neutral or a warning."""

    topic: str
    title: str
    sentences: tuple[str, ...]
    tone: Tone = "note"


@dataclass(frozen=True)
class Interpretation:
    """The file to ship, and everything else that the numbers say, most important first."""

    recommendation: Recommendation | None
    findings: tuple[Finding, ...]


def interpret(results: Results) -> Interpretation:
    """Reads a run's results as an expert would, in words for somebody who is not one."""
    recommendation = recommend(results)
    shipped = recommendation.artifact if recommendation else None
    found = [
        _accuracy(results, shipped),
        _quantization(results),
        _mistakes(results, shipped),
        _unmeasured(results),
        _certainty(results, shipped),
        _size(results),
        _speed(results),
        _acceptance(results),
        _unverified(results),
        _agreement(results),
        _firmware(results),
        _time(results),
    ]
    return Interpretation(recommendation, tuple(each for each in found if each))


def hardest_class(artifact: ArtifactReport) -> int | None:
    """Returns the class of which the smallest share is recognized, None where none has images."""
    present = [each for each, accuracy in enumerate(artifact.per_class) if accuracy.n]
    return min(present, key=lambda each: artifact.per_class[each].value) if present else None


def commonest_mistakes(confusion: list[list[int]], most: int = 3) -> list[tuple[int, int, int]]:
    """Returns the most frequent mistakes as (times, true class, predicted class), most frequent first."""
    mistakes = [
        (times_made, true, guess)
        for true, row in enumerate(confusion)
        for guess, times_made in enumerate(row)
        if guess != true and times_made
    ]
    return sorted(mistakes, key=lambda each: (-each[0], each[1], each[2]))[:most]


def label_of(results: Results, number: int) -> str:
    """Returns a class's name; its number where the run has no name for it."""
    return results.labels[number] if number < len(results.labels) else str(number)


def _accuracy(results: Results, shipped: ArtifactReport | None) -> Finding:
    accuracy = results.keras.accuracy
    sentences = [
        f"The float Keras model recognizes {percent(accuracy.value)} of {things(accuracy.n, 'test image')}.",
        f"The true accuracy on such images is probably between {percent(accuracy.low)} and {percent(accuracy.high)} "
        "(95 % Wilson interval).",
    ]
    validation = results.keras.validation_accuracy
    if validation is not None:
        if accuracy.low <= validation <= accuracy.high:
            sentences.append(
                f"Validation accuracy was {percent(validation)}: the test images, on which nothing was chosen, confirm it."
            )
        else:
            more = "more" if validation > accuracy.value else "less"
            sentences.append(f"Validation accuracy was {percent(validation)}, {points(validation - accuracy.value)} {more}.")
    elif results.training and results.training.all_images:
        sentences.append(
            f"It was trained on all images for a fixed number of epochs ({len(results.training.accuracy)}): none was held out, "
            "so there is no validation accuracy, no fitted temperature and no rejection threshold."
        )
    measured = [("the float Keras model", results.keras), *([(shipped.path, shipped)] if shipped else [])]
    sentences += [words for name, each in measured if (words := unequal_classes(name, each, results.labels))]
    return Finding("accuracy", "How good is the model?", tuple(sentences))


def _quantization(results: Results) -> Finding | None:
    if not results.artifacts:
        return None
    sentences = [
        f"{each.variant}: {percent(each.accuracy.value)}, {accuracy_verdict(each, results.keras)}." for each in results.artifacts
    ]
    losing = [each for each in results.artifacts if is_significant(each) and loss(each, results.keras) > 0]
    if losing:
        worst = max(losing, key=lambda each: loss(each, results.keras))
        title = f"Conversion costs accuracy: {worst.variant} loses {points(loss(worst, results.keras))}"
        return Finding("quantization", title, tuple(sentences), "warning")
    if all(each.mcnemar_p is None for each in results.artifacts):
        return Finding("quantization", "What did conversion cost?", tuple(sentences))
    return Finding("quantization", "Conversion cost no accuracy that the test could find", tuple(sentences), "good")


def _mistakes(results: Results, shipped: ArtifactReport | None) -> Finding | None:
    if shipped is None or not shipped.confusion:
        return None
    wrong = round((1 - shipped.accuracy.value) * shipped.accuracy.n)
    if not wrong:
        return Finding("mistakes", "It made no mistake", (f"{things(shipped.accuracy.n, 'image')}, all of them right.",), "good")
    sentences = [f"{shipped.variant} gets {count(wrong)} of {things(shipped.accuracy.n, 'image')} wrong."]
    hardest = hardest_class(shipped)
    if hardest is not None:
        accuracy = shipped.per_class[hardest]
        sentences.append(
            f"The hardest class is {label_of(results, hardest)}: {percent(accuracy.value)} of its {things(accuracy.n, 'image')}."
        )
    named = [
        f"{label_of(results, true)} read as {label_of(results, guess)} ({things(number, 'time')})"
        for number, true, guess in commonest_mistakes(shipped.confusion)
    ]
    sentences.append(f"Most often: {listing(named)}.")
    return Finding("mistakes", "Where does it go wrong?", tuple(sentences))


def _unmeasured(results: Results) -> Finding | None:
    """Says which classes have no test image: their share is unknown, not 0."""
    missing = [number for number, each in enumerate(results.keras.per_class) if not each.measured]
    if not missing:
        return None
    named = [label_of(results, each) for each in missing[:MOST_NAMED]]
    more = [f"{count(len(missing) - MOST_NAMED)} more"] if len(missing) > MOST_NAMED else []
    title = f"{things(len(missing), 'class', 'classes')} not measured"
    return Finding("unmeasured", title, (f"There is no test image of {listing([*named, *more])}.",), "warning")


def _certainty(results: Results, shipped: ArtifactReport | None) -> Finding | None:
    if shipped is None or shipped.mean_certainty is None or shipped.expected_calibration_error is None:
        return None
    certainty, error, right = shipped.mean_certainty, shipped.expected_calibration_error, shipped.accuracy.value
    sentences = [
        f"The mean confidence of {shipped.variant} is {confidence(certainty, 2)}; it is right on {percent(right)} of the images.",
        f"Over 15 bins of confidence the two differ by {points(error)} on average (expected calibration error).",
    ]
    if error > UNTRUSTWORTHY:
        leaning = "overconfident" if certainty > right else "underconfident"
        sentences.append(f"Do not take its percentages literally: it is {leaning}.")
        title = "Its confidence is not calibrated"
        return Finding("certainty", title, (*sentences, *_calibration(shipped)), "warning")
    sentences += _calibration(shipped)
    sentences.append("This holds for images like the test images, not for other kinds of pictures.")
    return Finding("certainty", "Is its confidence calibrated?", tuple(sentences))


def _calibration(shipped: ArtifactReport) -> list[str]:
    """Says what the fitted temperature and the rejection threshold are worth on the test split."""
    fitted = shipped.certainty
    if fitted is None or fitted.test is None:
        return []
    test = fitted.test
    twin = " that a twin of the model was not trained on" if fitted.twin else ""
    return [
        f"At a temperature of {fitted.temperature:.2f}, fitted on {things(fitted.images, 'validation image')}{twin}, "
        f"they differ by {points(test.expected_calibration_error)}: this calibrated confidence is what predict shows.",
        f"Answers below the rejection threshold of {confidence(fitted.least_certainty)} are called unsure: "
        f"{percent(test.refused)} of the test images; of the others {percent(test.accuracy.value)} are right.",
    ]


def _size(results: Results) -> Finding | None:
    if not results.artifacts:
        return None
    smallest = min(results.artifacts, key=lambda each: each.bytes)
    largest = max(results.artifacts, key=lambda each: each.bytes)
    weights = percent(smallest.weight_bytes / smallest.bytes, 0)
    sentences = [f"The smallest file is {smallest.variant}, {kilobytes(smallest.bytes)}, {weights} of it weights."]
    if largest.bytes > smallest.bytes:
        ratio = times(largest.bytes / smallest.bytes)
        sentences.append(f"{largest.variant}, the largest, takes {kilobytes(largest.bytes)}, {ratio} times as much.")
    keras = results.keras
    if keras.parameters:
        each = f"{keras.bytes / keras.parameters:.1f} bytes for each of its {things(keras.parameters, 'parameter')}"
        sentences.append(f"The .keras file takes {kilobytes(keras.bytes)}: {each}.")
    return Finding("size", "How large is it?", tuple(sentences))


def _speed(results: Results) -> Finding | None:
    timed = sorted((each.latency_us, each.variant) for each in results.artifacts if each.latency_us)
    if not timed:
        return None
    (fastest_us, fastest), (slowest_us, slowest) = timed[0], timed[-1]
    sentences = [f"{fastest} takes {microseconds(fastest_us)} per image on this host: one thread, LiteRT with XNNPACK."]
    if slowest_us > MUCH_SLOWER * fastest_us:
        ratio = times(slowest_us / fastest_us)
        sentences.append(f"{slowest} takes {ratio} times as long ({microseconds(slowest_us)}): do not choose it for speed here.")
    elif len(timed) > 1:
        sentences.append(f"The slowest, {slowest}, takes {microseconds(slowest_us)}.")
    if results.keras.latency_us:
        sentences.append(f"Keras, called from Python, takes {microseconds(results.keras.latency_us)}.")
    sentences.append("Times belong to this machine at that moment; another one gives others.")
    return Finding("speed", "How fast is it?", tuple(sentences))


def _acceptance(results: Results) -> Finding | None:
    tried = [each for each in results.artifacts if each.runtimes]
    if not tried:
        return None
    refusals = [(each, name) for each in tried for name in refusing(each)]
    everywhere = [each.variant for each in tried if not refusing(each)]
    sentences = []
    if everywhere:
        sentences.append(f"Every interpreter tried accepts {listing(everywhere)}.")
    for artifact, name in refusals:
        reason = (artifact.runtimes[name].reason or "no reason given").rstrip(". ")
        sentences.append(f"{runtime_words(name)} refuses {artifact.variant}: {reason}.")
    if not refusals:
        return Finding("acceptance", "Every file runs everywhere", tuple(sentences), "good")
    return Finding("acceptance", "Not every file runs everywhere", tuple(sentences), "warning")


def _unverified(results: Results) -> Finding | None:
    sentences = [f"{each.path} was converted but not verified here: {each.reason.rstrip('. ')}." for each in results.unverified]
    sentences += [f"The {each.variant} variant could not be made: {each.reason.rstrip('. ')}." for each in results.failed]
    if not sentences:
        return None
    title = "Converted, not verified" if results.unverified else "Not converted"
    return Finding("unverified", title, tuple(sentences), "warning")


def _agreement(results: Results) -> Finding | None:
    others = [each for each in results.verify if each.runtime != each.reference]
    if not others:
        return None
    sentences = []
    identical = [each for each in others if each.identical == 1]
    reference = runtime_words(others[0].reference)
    if identical:
        names = listing([runtime_words(each.runtime) for each in identical])
        sentences.append(
            f"On {things(identical[0].images, identical[0].unit)}, {names} gave outputs bit-identical to {reference}'s."
        )
    differing = [each for each in others if each.identical != 1]
    sentences.extend(_difference(each) for each in differing)
    changed = [each for each in differing if each.same_class is not None and each.same_class < 1 and each.runtime != "keras"]
    promised, broken = promises(others)
    if broken:
        return Finding("agreement", "Generated C does not give TFLite Micro's bytes", tuple(sentences), "warning")
    if changed and not promised:
        return Finding("agreement", "Not all runtimes give the same classes", tuple(sentences), "warning")
    if promised and changed:
        return Finding("agreement", "Generated C is TFLite Micro's equal; other runtimes depart", tuple(sentences), "note")
    title = "What ran here is what will run there" if identical else "The runtimes agree on every class, not on every byte"
    return Finding("agreement", title, tuple(sentences), "good" if identical else "note")


def _difference(record: VerifyReport) -> str:
    same = record.same_class
    classes = "every class is the same" if same in (1, None) else f"{percent(same)} of the classes are the same"
    if record.difference_unit != "steps":
        return f"{runtime_words(record.runtime)} outputs floats, which are not compared byte for byte; {classes}."
    text = (
        f"{runtime_words(record.runtime)} gives bit-identical outputs on {percent(record.identical)} of the images; "
        f"maximum difference {difference(record.largest_difference, record.difference_unit)}; {classes}"
    )
    if record.first_difference:
        first = record.first_difference
        apart = difference(first.largest_difference, first.difference_unit)
        text += f". The first op that differs is {first.op} ({tensor_words(first.tensor)}), maximum difference {apart}"
    return text + "."


def _firmware(results: Results) -> Finding | None:
    if not results.firmware:
        return None
    sentences = [_core(each) for each in results.firmware]
    int8 = variant_named(results, "int8")
    arena = int8.runtimes["tflm"].arena_bytes if int8 and "tflm" in accepting(int8) else None
    smallest = min(ram_bytes(each) for each in results.firmware)
    if arena and smallest < arena:
        ratio = times(arena / smallest)
        sentences.append(
            f"TFLite Micro takes {count(arena)} bytes of arena for the same file, without its stack: {ratio} times that."
        )
    return Finding("firmware", "On a microcontroller", tuple(sentences), "good")


def _core(record: FirmwareReport) -> str:
    flash = record.code_bytes + record.constant_bytes
    return (
        f"{core_title(record.cpu)}: {count(record.instructions)} instructions per image "
        f"({record.instructions_per_mac:.1f} per MAC), {kilobytes(flash)} of flash, "
        f"{count(ram_bytes(record))} bytes of RAM."
    )


def _time(results: Results) -> Finding | None:
    if not results.seconds:
        return None
    total = sum(results.seconds.values())
    longest = max(results.seconds, key=lambda each: results.seconds[each])
    return Finding(
        "time",
        "How long did it take?",
        (f"{duration(total)} in all; the longest stage, {longest}, took {duration(results.seconds[longest])}.",),
    )
