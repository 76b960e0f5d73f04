"""The conclusion of ``glyphlite evaluate`` from its figures, in a few sentences: a pure function of the records."""

from collections.abc import Mapping, Sequence

from glyphlite.formatting import kilobytes, listing, p_value, percent, points, things
from glyphlite.records import ArtifactReport, KerasReport
from glyphlite.report.findings.obstacles import at_chance, named_classes
from glyphlite.report.findings.recommendation import is_significant, keeps_accuracy, loss, unrecognized_classes
from glyphlite.report.findings.unequal_classes import unequal_classes


def evaluation_conclusion(
    keras: Mapping[str, KerasReport], artifacts: Sequence[ArtifactReport], labels: Sequence[str]
) -> list[str]:
    """Sums up what was measured on several files: the best, what conversion cost, and what is wrong with them.

    Args:
        keras: the Keras models by path.
        artifacts: the .tflite files, each with the path it is to be called by and that of its Keras model.
        labels: the classes' names.
    """
    measured = [*keras.items(), *((each.path, each) for each in artifacts)]
    if not measured:
        return []
    found = [_best(measured)]
    for path, source in keras.items():
        converted = [each for each in artifacts if each.keras_path == path]
        if converted:
            found += _conversion("Keras" if len(keras) == 1 else path, source, converted)
    found += [words for path, report in measured if (words := unequal_classes(path, report, labels))]
    for path, report in measured:
        missing = unrecognized_classes(report)
        if at_chance(report):
            found.append(
                f"{path} is no better than chance, {percent(report.accuracy.value)} accuracy on "
                f"{things(len(report.per_class), 'class', 'classes')}: check what goes into it and the order of the classes."
            )
        elif missing:
            names = named_classes(report, missing, labels)
            found.append(f"{path} recognizes no image of the {'class' if len(missing) == 1 else 'classes'} {names}.")
    return found


def _best(measured: Sequence[tuple[str, KerasReport | ArtifactReport]]) -> str:
    path, best = max(measured, key=lambda each: (each[1].accuracy.value, -each[1].bytes))
    accuracy = best.accuracy
    interval = f"95 % interval {percent(accuracy.low)} to {percent(accuracy.high)}"
    figures = f"recognizes {percent(accuracy.value)} of {things(accuracy.n, 'test image')} ({interval})"
    return f"{path} {figures}." if len(measured) == 1 else f"Most accurate: {path} {figures}."


def _conversion(name: str, keras: KerasReport, artifacts: Sequence[ArtifactReport]) -> list[str]:
    """Says which files of a Keras model lose accuracy against it, and which is the smallest of those that keep it."""
    found = []
    losing = [each for each in artifacts if is_significant(each) and loss(each, keras) > 0]
    if losing:
        losses = [f"{each.path} {points(loss(each, keras))} ({p_value(each.mcnemar_p or 0.0)})" for each in losing]
        found.append(f"Significantly less accurate than {name}: {listing(losses)}.")
    elif all(each.mcnemar_p is not None for each in artifacts):
        found.append(f"No file is significantly less accurate than {name}.")
    keeping = [each for each in artifacts if keeps_accuracy(each, keras)]
    if len(artifacts) > 1 and keeping:
        smallest = min(keeping, key=lambda each: each.bytes)
        found.append(f"The smallest file that keeps the accuracy: {smallest.path}, {kilobytes(smallest.bytes)}.")
    return found
