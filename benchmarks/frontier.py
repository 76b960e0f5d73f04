"""The glyph family, measured: every shipped int8 file on the whole test split, against its Keras model and what is published.

    python benchmarks/frontier.py [--all-images] [--runs runs/edge-cnn runs/micro-cnn] [--write]
    python benchmarks/frontier.py --costs [--write]
    python benchmarks/frontier.py --models glyph-4k --merge --write
    python benchmarks/frontier.py --retrain glyph-4k --seed 7

For each model: weights and biases as stored, file bytes, multiply-accumulates; mean, deviation and worst accuracy over its seeds
(LiteRT); the shipped seed's accuracy with its Wilson interval, its Keras model's, and whether the two differ beyond chance
(McNemar); whether TFLite Micro, LiteRT's built-in kernels and generated C give the same bytes (the first 1,000 images, or
``--all-images``); the published classifier it is held against; accuracy under corruptions (glyphlite.evaluation.corruptions) and
on scikit-learn's load_digits, prepared as ``glyphlite predict`` prepares pictures; and what the file costs when it is compiled:
total flash, total RAM and instructions on emulated cores (``common/deployed.py``), each build's outputs equal to TensorFlow Lite
Micro's. ``--costs`` measures these alone again, which is enough after a change of the compiler. The shipped seed was chosen on
validation images; this script is the only place where the models meet the test split, and nothing is chosen here.

Writes benchmarks/results/frontier.json; with ``--write`` also the pictures and the tables of README and docs.
``--retrain`` trains a model anew with another seed on this computer and says whether it lands where the shipped seeds say it
should; exit code 1 if not.
"""

import argparse
import contextlib
import itertools
import math
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from common.artifacts import REFERENCE, artifact_of
from common.deployed import deployed_costs, dominated
from common.figures import ROOT, write_pages
from common.frontier_pictures import draw_corruptions, draw_costs, draw_frontier
from common.published import GOALS, PUBLISHED, ahead_of_us, budget_unit, held_against
from common.tables.family import costs_table, family_in_full, family_table, robustness_table, tracks_table

from glyphlite.console import progress_bar, quiet_tensorflow, say
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import DataError, GlyphliteError
from glyphlite.evaluation.accuracy import accuracy_of, agreement_of, mcnemar_p
from glyphlite.evaluation.corruptions import CORRUPTIONS, LEVELS, corrupt
from glyphlite.files.single import write_json
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.pretrained import PretrainedCard, pretrained_artifact, pretrained_card, pretrained_keras, pretrained_names
from glyphlite.tflite.cost import total_macs, weight_bits
from glyphlite.tflite.reader import read_graph

RESULTS = ROOT / "benchmarks" / "results" / "frontier.json"
PICTURES = ROOT / "docs" / "pictures"
FIRST_IMAGES = 1000
CLOSE = 0.0005
"""How near int8 is to come to its own float model."""

SEED = 2026
"""Of the corruptions."""

T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t, 97.5 % quantile, for 1 to 10 degrees of freedom."""


@dataclass(frozen=True)
class Spread:
    """Accuracies of several seeds: fractions; no deviation from one seed alone."""

    mean: float
    deviation: float | None
    worst: float


def spread_of(accuracies: Sequence[float]) -> Spread:
    """Mean, sample standard deviation and worst."""
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else None
    return Spread(statistics.fmean(accuracies), deviation, min(accuracies))


def prediction_interval(accuracies: Sequence[float]) -> tuple[float, float]:
    """Where one more seed's accuracy falls 95 times in 100, were seeds normally distributed (Student's t)."""
    if len(accuracies) < 2:
        raise SystemExit("one seed alone has no deviation to land within")
    spread = spread_of(accuracies)
    t = T_95[min(len(accuracies) - 1, len(T_95)) - 1]
    half = t * (spread.deviation or 0.0) * math.sqrt(1 + 1 / len(accuracies))
    return spread.mean - half, spread.mean + half


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", help="only these of the shipped models; nothing is written then")
    parser.add_argument("--merge", action="store_true", help="with --models: put their rows among those measured before")
    parser.add_argument("--costs", action="store_true", help="measure flash, RAM and instructions alone; the rest stays")
    parser.add_argument("--runs", nargs="*", type=Path, default=[], help="finished runs to hold the robustness against")
    parser.add_argument(
        "--all-images", action="store_true", help="compare the runtimes on every test image, not on the first 1,000"
    )
    parser.add_argument("--no-robustness", action="store_true", help="leave the corruptions and load_digits out")
    parser.add_argument("--json", type=Path, help=f"where the figures go ({RESULTS.relative_to(ROOT)})")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write the pictures and the tables of README and docs, too",
    )
    parser.add_argument(
        "--from-json", action="store_true", help="measure nothing: table and pictures from the figures of last time"
    )
    parser.add_argument("--retrain", metavar="MODEL", help="train this one anew instead")
    parser.add_argument("--seed", type=int, default=7, help="with --retrain (7)")
    arguments = parser.parse_args()
    quiet_tensorflow()
    try:
        if arguments.retrain:
            return retrain(arguments.retrain, arguments.seed)
        if arguments.from_json:
            document = read_document(arguments.json or RESULTS)
        else:
            if arguments.costs:
                document = with_costs(read_document(RESULTS), arguments.models)
            else:
                document = measure(arguments)
                document = merged(read_document(RESULTS), document) if arguments.merge else document
            if arguments.json or arguments.merge or arguments.costs or not arguments.models:
                write_json(arguments.json or RESULTS, document)
    except GlyphliteError as error:
        raise SystemExit(f"frontier.py: {error}") from None
    tables = (family_table, family_in_full, costs_table, tracks_table, robustness_table)
    print("\n\n".join(filter(None, [*(table(document) for table in tables), "\n".join(sentences(document))])))
    if arguments.write:
        write_everything(document)
    return 0


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every figure, as one JSON document."""
    names = arguments.models or pretrained_names()
    cards = [pretrained_card(name) for name in names]
    if not cards:
        raise SystemExit("no trained model is in the package; benchmarks/ship.py puts them there")
    dataset = load_dataset("mnist")
    members = []
    for card in cards:
        say(f"{len(card.seeds)} seeds", lead=f"{card.model}:", style="bold")
        members.append(measure_member(card, dataset, None if arguments.all_images else FIRST_IMAGES))
    others = [measure_run(folder, dataset) for folder in arguments.runs]
    if not arguments.no_robustness:
        paths = {card.model: pretrained_artifact(card.model) for card in cards}
        paths |= {other["model"]: folder / "model_int8.tflite" for other, folder in zip(others, arguments.runs, strict=True)}
        robust = measure_robustness(paths, dataset)
        for each in (*members, *others):
            each["robustness"] = robust[each["model"]]
    return {
        "schema": 1,
        "images": len(dataset.test),
        "versions": {name: version(name) for name in ("ai-edge-litert", "keras", "numpy", "tflite-micro")},
        "members": members,
        "others": others,
        "published": [published_row(each, members) for each in PUBLISHED],
    }


def merged(before: dict[str, Any], measured: dict[str, Any]) -> dict[str, Any]:
    """Puts the rows of models that were measured now among those of before; rows of models that are no longer shipped go."""
    rows = {each["model"]: each for each in (*before["members"], *measured["members"])}
    members = [rows[name] for name in pretrained_names() if name in rows]
    others = {each["model"]: each for each in (*before["others"], *measured["others"])}
    return {
        **measured,
        "members": members,
        "others": list(others.values()),
        "published": [published_row(each, members) for each in PUBLISHED],
    }


def with_costs(document: dict[str, Any], names: list[str] | None) -> dict[str, Any]:
    """Measures flash, RAM and instructions of the models of a document again, or of those that are named."""
    images = load_dataset("mnist").test.images
    for each in (*document["members"], *document["others"]):
        if names is None or each["model"] in names:
            say(each["model"])
            path = artifact_of(each["model"]) if each["model"] in REFERENCE else pretrained_artifact(each["model"])
            each["deployed"] = deployed_costs(path, images)
    return document


def measure_member(card: PretrainedCard, dataset: Dataset, images: int | None) -> dict[str, Any]:
    """One shipped model: every seed's file, the chosen one against its Keras model and through the other runtimes."""
    classes = {each.seed: classify(pretrained_artifact(card.model, each.seed), dataset.test.images) for each in card.seeds}
    labels = dataset.test.labels
    accuracies = {seed: accuracy_of(found, labels) for seed, found in classes.items()}
    spread = spread_of([accuracies[each.seed].value for each in card.seeds])
    in_c = {
        each.seed: accuracy_of(
            classify(pretrained_artifact(card.model, each.seed), dataset.test.images, runtime="generated_c"), labels
        ).value
        for each in card.seeds
    }
    best = card.best
    unit = budget_unit(card.model)
    deployed = deployed_costs(pretrained_artifact(card.model), dataset.test.images)
    size = {"macs": best.macs, "ram": deployed["cortex-m0 size"]["ram"], "bytes": best.weight_bytes}[unit]
    against = held_against(size, unit)
    goal = GOALS.get(card.model)
    return {
        "model": card.model,
        "weight_bytes": best.weight_bytes,
        "weight_bits": weight_bits(read_graph(pretrained_artifact(card.model))),
        "bytes": best.bytes,
        "macs": best.macs,
        "seeds": [
            {
                "seed": each.seed,
                "validation_accuracy": each.validation_accuracy,
                "accuracy": accuracies[each.seed].value,
                "generated_c_accuracy": in_c[each.seed],
                "train_seconds": each.seconds,
            }
            for each in card.seeds
        ],
        **asdict(spread),
        "generated_c": asdict(spread_of(list(in_c.values()))),
        "chosen": card.chosen,
        **({"all_images": True} if card.all_images else {}),
        "accuracy": accuracies[card.chosen].model_dump(),
        "keras": measure_keras(card, dataset, classes[card.chosen]),
        "runtimes": measure_runtimes(card, dataset, images),
        "deployed": deployed,
        "goal": goal,
        "reached": goal is not None and spread.mean >= goal,
        "against": against and {"name": against.name, unit: getattr(against, unit), "accuracy": against.accuracy},
        "ahead": against is None or spread.mean >= against.accuracy,
        "behind_smaller": [each.name for each in ahead_of_us(size, spread.mean, unit)],
    }


def measure_keras(card: PretrainedCard, dataset: Dataset, classes: np.ndarray) -> dict[str, Any]:
    """The chosen seed's float model against its int8 file, image by image.

    A model that was trained for int8 rounds as int8 does, in float: ``simulated`` is its accuracy as it is saved. ``accuracy`` is
    that of the same weights with every rounding left out; but weights trained to be of four bits are so here too.
    """
    labels = dataset.test.labels
    saved = classify(pretrained_keras(card.model), dataset.test.images)
    unrounded = classify_unrounded(pretrained_keras(card.model), dataset.test.images)
    found = saved if unrounded is None else unrounded
    accuracy = accuracy_of(found, labels)
    return {
        "accuracy": accuracy.model_dump(),
        "int8_minus_keras": accuracy_of(classes, labels).value - accuracy.value,
        "agreement": agreement_of(classes, found),
        "mcnemar_p": mcnemar_p(classes, found, labels),
        "simulated": None if unrounded is None else accuracy_of(saved, labels).value,
        "agreement_with_simulated": None if unrounded is None else agreement_of(classes, saved),
    }


def classify_unrounded(path: Path, images: np.ndarray) -> np.ndarray | None:
    """The classes of a Keras model that simulates int8, with the simulation off; None for a model that does not."""
    from glyphlite.models.loading import load_keras_model
    from glyphlite.models.qat.state import in_float, is_quantized
    from glyphlite.runtimes.base import predict_probabilities
    from glyphlite.runtimes.keras import KerasModel

    model = load_keras_model(path)
    if not is_quantized(model):
        return None
    with in_float(model), KerasModel(model) as loaded, progress_bar(f"{path.name}, not rounded", len(images)) as advance:
        return predict_probabilities(loaded, images, OURS, advance).argmax(axis=1)


def measure_runtimes(card: PretrainedCard, dataset: Dataset, images: int | None) -> dict[str, Any]:
    """Whether the chosen seed's file gives TFLite Micro's bytes in LiteRT's built-in kernels and in generated C."""
    from glyphlite.datasets.dataset import Split
    from glyphlite.evaluation.verification.agreement import verify

    first = Split(dataset.test.images[:images], dataset.test.labels[:images])
    part = Dataset(dataset.name, dataset.labels, dataset.train, dataset.validation, first, dataset.source)
    names = ("litert_builtin", "tflm", "generated_c")
    with progress_bar(f"{card.model}: {len(first)} images, byte for byte", len(first) * len(names)) as advance:
        path = pretrained_artifact(card.model)
        verification = verify(path, part, runtimes=names, reference="tflm", tensor_images=0, progress=advance)
    return {
        "images": verification.images,
        "refused": verification.refused,
        **{record.runtime: {"identical": record.identical} for record in verification.records if record.runtime != "tflm"},
    }


def measure_run(folder: Path, dataset: Dataset) -> dict[str, Any]:
    """A finished run's int8 file, to compare with."""
    from glyphlite.evaluation.footprint import measure_footprint
    from glyphlite.results import Results

    graph, results = read_graph(folder / "model_int8.tflite"), Results.load(folder / "results.json")
    footprint = measure_footprint(folder / "model_int8.tflite")
    accuracy = accuracy_of(classify(folder / "model_int8.tflite", dataset.test.images), dataset.test.labels)
    return {
        "model": results.model,
        "weight_bytes": footprint.weight_bytes,
        "weight_bits": weight_bits(graph),
        "bytes": footprint.bytes,
        "macs": total_macs(graph),
        "accuracy": accuracy.model_dump(),
        "deployed": deployed_costs(folder / "model_int8.tflite", dataset.test.images),
    }


def measure_robustness(paths: dict[str, Path], dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Accuracy of each file under every corruption at every level, and on load_digits; each corrupted set is made once."""
    labels = dataset.test.labels
    found: dict[str, dict[str, list[float]]] = {model: {} for model in paths}
    with progress_bar("corruptions", len(CORRUPTIONS) * len(LEVELS)) as advance:
        for corruption, level in itertools.product(CORRUPTIONS, LEVELS):
            images = corrupt(dataset.test.images, corruption, level, seed=SEED)
            for model, path in paths.items():
                accuracy = accuracy_of(classify(path, images, quiet=True), labels).value
                found[model].setdefault(corruption.name, []).append(accuracy)
            advance()
    digits, digit_labels = load_digits()
    robust = {}
    for model, path in paths.items():
        means = {name: statistics.fmean(levels) for name, levels in found[model].items()}
        worst = min(means, key=lambda name: means[name])
        robust[model] = {
            "corruptions": found[model],
            "mean": statistics.fmean(means.values()),
            "worst": {"name": worst, "accuracy": means[worst]},
            "load_digits": accuracy_of(classify(path, digits, quiet=True), digit_labels).model_dump(),
        }
    return robust


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits at 28x28, as ``glyphlite predict`` would prepare them, uint8 ``(n, 28, 28, 1)``, and their labels.

    One that the preprocessing refuses as blank is a black picture here: the model has to guess.
    """
    from real_pictures import fetch_sklearn

    from glyphlite.preprocessing.images import prepare_glyph

    (pictures, labels), _ = fetch_sklearn()
    seen = np.zeros((len(pictures), 28, 28, 1), np.uint8)
    with progress_bar("load_digits", len(pictures)) as advance:
        for index, picture in enumerate(pictures):
            with contextlib.suppress(DataError):
                seen[index, ..., 0] = prepare_glyph(picture).pixels
            advance()
    return seen, labels


def classify(path: Path, images: np.ndarray, *, quiet: bool = False, runtime: str = "litert") -> np.ndarray:
    """The class that a file gives each image (uint8): a .tflite file in LiteRT with XNNPACK unless told otherwise."""
    from glyphlite.evaluation.prediction import predict_split
    from glyphlite.runtimes.base import predict_probabilities
    from glyphlite.runtimes.registry import get_runtime

    is_keras = path.suffix == ".keras"
    with get_runtime("keras" if is_keras else runtime).load(path) as model:
        if quiet:
            return predict_split(model, path, images, OURS, runtime=runtime).reshape(len(images), -1).argmax(axis=1)
        with progress_bar(f"{path.parent.name}/{path.name}", len(images)) as advance:
            if is_keras:
                scores = predict_probabilities(model, images, OURS, advance)
            else:
                scores = predict_split(model, path, images, OURS, runtime=runtime, progress=advance)
    return scores.reshape(len(images), -1).argmax(axis=1)


def published_row(each: Any, members: list[dict[str, Any]]) -> dict[str, Any]:
    """A published classifier, and the smallest of ours that is at least as accurate with no more bytes."""
    met = [member for member in members if member["weight_bytes"] <= each.bytes and member["mean"] >= each.accuracy]
    smallest = min(met, key=lambda member: member["weight_bytes"], default=None)
    row = {name: value for name, value in asdict(each).items() if name not in ("offset", "macs", "cycles", "ram")}
    return {**row, "met_by": smallest and smallest["model"]}


def sentences(document: dict[str, Any]) -> list[str]:
    """What the figures say, a line each."""
    lines = [
        f"{row['name']} ({row['source']}): {row['bytes']:,} bytes, {row['accuracy'] * 100:.2f} %, {row['how']}: "
        + (f"met by {row['met_by']}" if row["met_by"] else "not met with as few bytes")
        for row in document["published"]
    ]
    for member in document["members"]:
        keras, runtimes = member["keras"], member["runtimes"]
        chosen = next(each for each in member["seeds"] if each["seed"] == member["chosen"])
        close = "within" if abs(keras["int8_minus_keras"]) <= CLOSE + 1e-9 else "NOT within"
        same = [name for name in ("litert_builtin", "generated_c") if runtimes.get(name, {}).get("identical") == 1]
        lines.append(
            f"{member['model']}: int8 {keras['int8_minus_keras'] * 100:+.2f} points from float, {close} {CLOSE * 100:.2f} "
            f"(p = {keras['mcnemar_p']:.2f}); in generated C, {member['generated_c']['mean'] * 100:.2f} % over seeds and "
            f"{chosen['generated_c_accuracy'] * 100:.2f} % for the shipped one; "
            f"TFLite Micro's bytes on {runtimes['images']:,} images in {' and '.join(same) or 'neither runtime'}; goal "
            f"{'none' if member['goal'] is None else 'reached' if member['reached'] else 'not reached'}"
            + (f"; smaller and more accurate: {', '.join(member['behind_smaller'])}" if member["behind_smaller"] else "")
        )
    beaten = dominated(document["members"])
    return [
        *lines,
        *(f"{name}: {better} is at least as accurate and costs no more in anything" for name, better in beaten.items()),
    ]


def write_everything(document: dict[str, Any]) -> None:
    """Draws the pictures in docs/pictures and writes the tables of README and docs."""
    draw_frontier(document["members"], PICTURES / "frontier.png")
    for scheme in ("light", "dark"):
        draw_costs(document["members"], document["others"], PICTURES / f"costs-{scheme}.png", scheme)
    draw_corruptions(load_dataset("mnist").test.images, PICTURES / "corruptions.png")
    write_pages(ROOT)


def read_document(path: Path) -> dict[str, Any]:
    import json

    if not path.is_file():
        raise SystemExit(f"there is no {path}; measure first")
    return json.loads(path.read_text())


def retrain(model: str, seed: int) -> int:
    """Train a shipped model with a seed of its own, by the commands that anybody has; 0 when it lands where the others did.

    Its folder in runs/ is kept; killed, the same command goes on.
    """
    card = pretrained_card(model)
    if seed in {each.seed for each in card.seeds}:
        raise SystemExit(f"seed {seed} of {model} is shipped; name another with --seed")
    dataset = load_dataset(card.dataset)
    labels = dataset.test.labels
    known = [
        accuracy_of(classify(pretrained_artifact(model, each.seed), dataset.test.images), labels).value for each in card.seeds
    ]
    spread, (low, high) = spread_of(known), prediction_interval(known)
    folder = ROOT / "runs" / f"{model}-seed{seed}"
    for command in (
        ("train", model, "--dataset", card.dataset, "--seed", str(seed), "--out", str(folder), "--resume"),
        ("convert", str(folder / "model.keras"), "--dataset", card.dataset, "--seed", str(seed), "--to", "int8"),
    ):
        say(f"glyphlite {' '.join(command)}")
        try:
            subprocess.run([sys.executable, "-m", "glyphlite", *command], check=True)
        except subprocess.CalledProcessError as error:
            raise SystemExit(
                f"frontier.py: glyphlite {command[0]} ended with exit code {error.returncode}, as it says above"
            ) from None
    found = accuracy_of(classify(folder / "model_int8.tflite", dataset.test.images), labels)
    lands = low <= found.value <= high
    print(
        f"{model}, seed {seed}: {found.value:.2%} of {found.n:,} test images; the {len(known)} shipped seeds: "
        f"{spread.mean:.2%} +- {(spread.deviation or 0) * 100:.2f} points, so that one more lands between {low:.2%} and "
        f"{high:.2%} 19 times in 20: it {'does' if lands else 'does NOT'}"
    )
    return 0 if lands else 1


if __name__ == "__main__":
    sys.exit(main())
