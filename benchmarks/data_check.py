"""The worth of two aids for data of one's own: label suspects of `data check`, and class weights where a class is rare.

    python benchmarks/data_check.py [--cleanlab PYTHON]

Labels of MNIST's and Fashion-MNIST's training images are changed, and those counted that `data check` names; beside it what else
one might do with the same models, with one of them, or with cleanlab 2 (PYTHON: of an environment with cleanlab and scikit-learn;
without it those rows stay as they were measured last). Then micro-cnn is trained on digits of which one class is twenty times as
rare as the others, with and without class weights, and measured on MNIST's test images. Writes benchmarks/results/data_check.json
and the tables of docs/how-to/check-my-data.md. Some CPU minutes.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common.figures import write_pages

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.datasets.registry import load_dataset
from glyphlite.datasets.splits import VALIDATION_FRACTION, hold_out
from glyphlite.evaluation.data_check.suspects import Judgement, judge_labels
from glyphlite.files.single import write_json
from glyphlite.models.registry import resolve_model
from glyphlite.training.trainer import train

RESULT = Path(__file__).parent / "results" / "data_check.json"
IMAGES = 5_000
ALIKE = {1: 7, 7: 1, 3: 5, 5: 3, 4: 9, 9: 4}
"""Digits that hands and eyes mistake for each other."""
OFTEN, RARE, EPOCHS = 600, 30, 12
RARE_DIGITS = (2, 3, 5, 8, 9)
"""The class that is rare in each of the trainings; its place is the seed."""
OF_CLEANLAB = {"same models, cleanlab": "probabilities", "logistic regression, cleanlab": "pixels"}
"""The ways of cleanlab with what they start from."""
CLEANLAB = """
import sys, numpy as np
from cleanlab.filter import find_label_issues
given = np.load(sys.argv[1])
found = given["labels"]
if sys.argv[2] == "pixels":
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    probabilities = cross_val_predict(LogisticRegression(max_iter=200), given["pixels"], found, cv=5, method="predict_proba")
else:
    probabilities = given["probabilities"]
np.save(sys.argv[3], find_label_issues(found, probabilities, n_jobs=1))
"""


@dataclass(frozen=True)
class Changed:
    """Images some of whose labels are wrong: which, and how that is called."""

    data: str
    how: str
    images: np.ndarray
    labels: np.ndarray
    places: np.ndarray


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cleanlab", metavar="PYTHON", help="Python of an environment with cleanlab and scikit-learn")
    cleanlab = parser.parse_args().cleanlab
    before = json.loads(RESULT.read_text()) if RESULT.is_file() else {"suspects": []}
    mnist, fashion = load_dataset("mnist"), load_dataset("fashion-mnist")
    changes = [
        *(_at_random(mnist, share) for share in (0.01, 0.03, 0.05)),
        _alike(mnist, 0.03),
        _at_random(fashion, 0.03),
    ]
    suspects = [row for changed in changes for row in _suspects(changed, cleanlab, before["suspects"])]
    weights = [_weights(mnist, each) for each in (None, "balanced")]
    document = {"schema": 1, "images": IMAGES, "suspects": suspects, "often": OFTEN, "rare": RARE, "weights": weights}
    write_json(RESULT, document)
    write_pages()


def _at_random(dataset: Dataset, share: float) -> Changed:
    """Returns images of which some have another class's label, any with the same chance."""
    rng, labels = np.random.default_rng(0), dataset.train.labels[:IMAGES].copy()
    places = rng.choice(IMAGES, round(share * IMAGES), replace=False)
    labels[places] = (labels[places] + rng.integers(1, dataset.classes, len(places))) % dataset.classes
    return Changed(dataset.name, f"{share:.0%} at random", dataset.train.images[:IMAGES], labels, places)


def _alike(dataset: Dataset, share: float) -> Changed:
    """Returns images of which some have the label of the class that looks like theirs."""
    rng, labels = np.random.default_rng(0), dataset.train.labels[:IMAGES].copy()
    places = rng.choice(np.flatnonzero(np.isin(labels, list(ALIKE))), round(share * IMAGES), replace=False)
    labels[places] = [ALIKE[label] for label in labels[places].tolist()]
    return Changed(dataset.name, f"{share:.0%}, of 1 and 7, 3 and 5, 4 and 9", dataset.train.images[:IMAGES], labels, places)


def _suspects(changed: Changed, cleanlab: str | None, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns how many of the changed labels each way finds, and how many others it names."""
    start = time.process_time()
    judged = judge_labels(changed.images, changed.labels, int(changed.labels.max()) + 1)
    seconds = time.process_time() - start
    ways: dict[str, Callable[[], np.ndarray]] = {
        "`data check`": lambda: judged.suspects(changed.labels),
        "same models, most probable class": lambda: np.flatnonzero(judged.probabilities.argmax(axis=1) != changed.labels),
        "one model of three folds": lambda: np.flatnonzero(judged.votes[0] != changed.labels),
    }
    if cleanlab is not None:
        ways |= {name: partial(_cleanlab, cleanlab, kind, changed, judged) for name, kind in OF_CLEANLAB.items()}
    rows = []
    for name, way in ways.items():
        found = way()
        right = int(np.isin(found, changed.places).sum())
        rows.append(
            {
                "data": changed.data,
                "how": changed.how,
                "way": name,
                "changed": len(changed.places),
                "found": right,
                "others": len(found) - right,
                **({"cpu_seconds": round(seconds)} if name == "`data check`" else {}),
            }
        )
        say(str(rows[-1]))
    kept = [row for row in before if (row["data"], row["how"]) == (changed.data, changed.how) and row["way"] in OF_CLEANLAB]
    return rows if cleanlab else rows + kept


def _cleanlab(python: str, kind: str, changed: Changed, judged: Judgement) -> np.ndarray:
    """Returns the indices of what cleanlab calls label issues."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given.npz", Path(folder) / "found.npy"
        pixels = as_float(changed.images).reshape(len(changed.images), -1)
        np.savez(given, labels=changed.labels, probabilities=judged.probabilities, pixels=pixels)
        subprocess.run([python, "-c", CLEANLAB, str(given), kind, str(answer)], check=True)
        return np.flatnonzero(np.load(answer))


def _weights(mnist: Dataset, weights: str | None) -> dict[str, Any]:
    """Returns means over trainings with a rare class each: accuracy on images as unequal, mean recall, recall of the rare."""
    measured = []
    for seed, rare in enumerate(RARE_DIGITS):
        counts = np.full(mnist.classes, OFTEN)
        counts[rare] = RARE
        unequal = _unequal(mnist, counts, seed)
        choice = resolve_model("micro-cnn", mnist.input_shape, mnist.classes)
        choice = replace(choice, recipe=replace(choice.recipe.with_epochs(EPOCHS), class_weights=weights))
        with tempfile.TemporaryDirectory() as folder:
            model = train(choice, unequal, Path(folder) / "run", seed=seed).model
        right = model.predict(as_float(mnist.test.images), verbose=0).argmax(axis=1) == mnist.test.labels
        recalls = [float(right[mnist.test.labels == label].mean()) for label in range(mnist.classes)]
        measured.append((float(np.average(recalls, weights=counts)), float(np.mean(recalls)), recalls[rare]))
        say(f"{weights}: {rare} rare, {measured[-1]}")
    accuracy, mean_recall, rare_recall = (float(np.mean(column)) for column in zip(*measured, strict=True))
    worst = min(each[2] for each in measured)
    return {
        "weights": weights or "none",
        "trainings": len(measured),
        "accuracy": accuracy,
        "mean_recall": mean_recall,
        "rare_recall": rare_recall,
        "worst_rare_recall": worst,
    }


def _unequal(mnist: Dataset, counts: np.ndarray, seed: int) -> Dataset:
    """Returns the digits with as many images of each class, validation images held out of them as of data of one's own."""
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(mnist.train.labels == label))[:count] for label, count in enumerate(counts)]
    train, validation = hold_out(mnist.train.take(np.sort(np.concatenate(chosen))), VALIDATION_FRACTION, seed)
    return replace(mnist, train=train, validation=validation)


if __name__ == "__main__":
    main()
