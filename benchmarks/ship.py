"""Puts trained models into the package: finished trainings in, ``src/glyphlite/pretrained/<model>`` out, whole or not at all.

    python benchmarks/ship.py runs/glyph-4k-seed*
    python benchmarks/ship.py runs/glyph-4k-all-seed* --twins runs/glyph-4k-seed*
    python benchmarks/ship.py runs/glyph-4k-all-seed* --shipped-twins

A training is a folder that ``glyphlite train`` and ``glyphlite convert`` (or ``glyphlite run``) left: model.keras and
model_int8.tflite, and how they came about in the checkpoint of the finished training or in run.toml. All folders of one model are
shipped together, replacing what was shipped of it. Both files of each are measured on the validation images that its training
held out; the seed whose int8 artifact is right most often there is chosen (of equals the one whose Keras model is; then the lower
seed). The test split is not looked at. ``--split-seed`` says that every seed held out the same images.

What a training's folder says of its recipe has to be what the package's recipe says now, in every setting and in the numbers
behind the names of augmentations: a shipped file is what training the model again would make.

Trainings of all images (``glyphlite train --all-images``) held out none, so nothing can be chosen or measured with them. They are
shipped with their twins: the same trainings, of the same seeds, without the validation images. The twins' files are measured on
these; they choose the seed, and the card has their accuracies and certainties, and says so. With ``--shipped-twins``
they are what the package ships of the model until now, and its card says what was measured of them.
"""

import argparse
import itertools
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import progress_bar, quiet_tensorflow, say
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import GlyphliteError, ModelError
from glyphlite.files.folders import atomic_folder
from glyphlite.files.single import sha256_of, write_json
from glyphlite.models import pretrained
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.pretrained import CARD, INT8, KERAS, PretrainedCard, TrainedSeed
from glyphlite.tflite.graph import Graph
from glyphlite.training.augmentation.parameters import RANGES

ALL_IMAGES_NOTE = (
    "trained on all images, the validation images with them, for a number of epochs that was fixed before; the accuracies on "
    "validation images, the certainty and the choice of the seed are those of twins that were trained without these"
)
"""Note on the card of a model that was trained on all images."""


@dataclass(frozen=True)
class Training:
    """A finished training's folder and what it says of itself."""

    folder: Path
    model: str
    dataset: str
    seed: int
    recipe: dict[str, Any]
    versions: dict[str, str]
    best_epoch: int
    seconds: float
    content: str | None
    """The hash of what was trained and validated on, where the training kept it."""
    engine: str | None = None
    """Engine that computed the steps: ``tensorflow``, or our own by name and version."""
    fingerprint: str | None = None
    """The hash of the architecture that was trained, where the training kept it."""
    all_images: bool = False
    """Tells whether the validation images were trained on, too."""


Twin = Training | TrainedSeed
"""Another training that is measured in place of one of all images, or what a card says of it."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished trainings, of one model or of several")
    parser.add_argument(
        "--twins", nargs="+", type=Path, default=(), help="of trainings of all images: those without validation's"
    )
    parser.add_argument("--shipped-twins", action="store_true", help="the twins are what is shipped of the model until now")
    parser.add_argument("--split-seed", type=int, help="the seed of the validation images, where it is not the training's own")
    parser.add_argument("--root", type=Path, default=pretrained.ROOT, help="where the models go (the package)")
    arguments = parser.parse_args()
    quiet_tensorflow()
    try:
        shipped = arguments.shipped_twins
        for card in ship(
            arguments.runs, arguments.root, twins=arguments.twins, shipped_twins=shipped, split_seed=arguments.split_seed
        ):
            print(describe(card))
    except GlyphliteError as error:
        raise SystemExit(f"ship.py: {error}") from None
    return 0


def ship(
    runs: Sequence[Path],
    root: Path,
    *,
    twins: Sequence[Path] = (),
    shipped_twins: bool = False,
    split_seed: int | None = None,
) -> list[PretrainedCard]:
    """Measure trainings on validation and write each model's folder.

    Args:
        runs: folders of finished trainings.
        root: where the models' folders are.
        twins: where ``runs`` are of all images, the same trainings without the validation images.
        shipped_twins: whether the twins are what is shipped of each model until now, in place of ``twins``.
        split_seed: the seed of the split where it is not each training's own.

    Raises:
        ModelError: a folder is no finished training, one by another recipe than the package's, two of one model do not belong
            together, or a training of all images has no twin.
        DataError: the dataset, or its split is not the one that was trained on.
    """
    models, measured = _by_model(runs), _by_model(twins)
    if strangers := sorted(measured.keys() - models.keys()):
        raise ModelError(f"there are twins of {', '.join(strangers)}, and no trainings that they belong to")
    pairs: list[tuple[Sequence[Training], Sequence[Twin]]] = [
        (trainings, _shipped_twins(trainings) if shipped_twins else _twins_of(trainings, measured.get(model, [])))
        for model, trainings in models.items()
    ]
    cards = []
    for trainings, those_measured in pairs:
        fixed = trainings[0].recipe.get("split_seed")
        cards.append(_ship_model(trainings, those_measured, root, split_seed if fixed is None else fixed))
    return cards


def _by_model(folders: Sequence[Path]) -> dict[str, list[Training]]:
    """Returns the trainings of folders by their model, in the order of their seeds; each checked, and all of a model together."""
    models: dict[str, list[Training]] = {}
    for folder in folders:
        training = read_training(folder)
        require_own_recipe(folder, training.model, training.recipe)
        require_own_architecture(training)
        models.setdefault(training.model, []).append(training)
    for trainings in models.values():
        trainings.sort(key=lambda each: each.seed)
        check_together(trainings)
    return models


def _twins_of(trainings: Sequence[Training], twins: Sequence[Training]) -> Sequence[Training]:
    """Returns the trainings that are measured in place of some: their twins; themselves, where they held out images.

    Raises:
        ModelError: trainings of all images have no twins of the same seeds, or others have some.
    """
    first = trainings[0]
    if not first.all_images:
        if twins:
            raise ModelError(f"{first.folder} held out images; only a training of all images (--all-images) has a twin")
        return trainings
    if not twins:
        raise ModelError(f"{first.folder} was trained on all images, which cannot measure it; name its twins with --twins")
    if twins[0].all_images:
        raise ModelError(f"{twins[0].folder} was trained on all images, too; a twin held out the validation images")
    if [each.seed for each in twins] != [each.seed for each in trainings]:
        seeds = " and ".join(", ".join(str(each.seed) for each in some) for some in (trainings, twins))
        raise ModelError(f"the trainings of {first.model} and their twins are of different seeds: {seeds}")
    if (twins[0].dataset, twins[0].recipe) != (first.dataset, first.recipe):
        raise ModelError(f"{first.folder} and its twin {twins[0].folder} were trained on other data or by another recipe")
    return twins


def _shipped_twins(trainings: Sequence[Training]) -> Sequence[TrainedSeed]:
    """Returns what the card of a model, as it is shipped until now, says of each of its seeds.

    Raises:
        ModelError: nothing of it is shipped, or what is shipped was trained otherwise, or on all images.
    """
    first = trainings[0]
    card = pretrained.pretrained_card(first.model)
    if not first.all_images:
        raise ModelError(f"{first.folder} held out images; only a training of all images (--all-images) has a twin")
    if card.all_images:
        raise ModelError(
            f"the {first.model} that is shipped was trained on all images, too; a twin held out the validation images"
        )
    if (card.dataset, card.recipe) != (first.dataset, first.recipe):
        raise ModelError(f"the {first.model} that is shipped was trained on other data or by another recipe than {first.folder}")
    if card.split_seed is None:
        raise ModelError(f"each seed of the {first.model} that is shipped held out other images; train twins and name them")
    return [card.of(training.seed) for training in trainings]


def read_training(folder: Path) -> Training:
    """What a finished training's folder says of itself: its checkpoint, else its run.toml and history.csv.

    Raises:
        ModelError: the files are not there, or the training is not finished.
    """
    for name in (KERAS, INT8):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} holds no {name}; finish it with glyphlite train and glyphlite convert --to int8")
    from glyphlite.training.checkpoint import CheckpointStore
    from glyphlite.training.history import read_history
    from glyphlite.training.state import Session

    checkpoint = CheckpointStore(folder / "checkpoints").load()
    if checkpoint is not None:
        document = checkpoint.document
        settings = document["settings"]
        if not document["finished"]:
            raise ModelError(f"the training in {folder} is not finished; the same glyphlite train with --resume goes on")
        session, _ = Session.unpack(checkpoint)
        if quantized := settings["recipe"].get("quantized_epochs"):
            # Of a training that ends with int8 simulated, only those last epochs could be kept.
            session.first_choice = len(session.history) - quantized + 1
        return Training(
            folder,
            settings["model"],
            settings["dataset"],
            settings["seed"],
            {**settings["recipe"], "epochs": settings["epochs"]},
            {name: version for name, version in document["versions"].items() if name != "engine"},
            session.best.epoch,
            session.seconds,
            settings.get("dataset content"),
            document["versions"].get("engine"),
            settings.get("model definition"),
            bool(settings.get("images")),
        )
    if not (folder / "run.toml").is_file():
        raise ModelError(f"{folder} holds neither the checkpoint of a finished training nor a run.toml")
    record = tomllib.loads((folder / "run.toml").read_text())
    settings, recipe = record["settings"], {**record["recipe"], "epochs": record["settings"]["epochs"]}
    seconds = sum(each.seconds for each in read_history(folder / "history.csv"))
    return Training(
        folder,
        record["model"],
        record["dataset"]["name"],
        settings["seed"],
        recipe,
        record["versions"],
        settings["best_epoch"],
        seconds,
        None,
        record.get("engine"),
        all_images=bool(settings.get("all_images")),
    )


def require_own_recipe(origin: object, model: str, recipe: dict[str, Any]) -> None:
    """Refuses files that were made by another recipe than the package has for their model now.

    A setting that the record is too old to know was off. Only the numbers behind the names of augmentations have to be there.

    Args:
        origin: where the files are, for the error's sentence.
        model: its name.
        recipe: as the record of its training has it.

    Raises:
        ModelError: naming the first setting that differs, with both values; or the model is not one of the package's.
    """
    from glyphlite.models.registry import definition_of, is_definition
    from glyphlite.training.state import each_setting, recorded_recipe

    definition = None if is_definition(model) else definition_of(model)
    if definition is None:
        raise ModelError(f"{origin} is of {model}, which is none of the package's models")
    own = recorded_recipe(definition.recipe)
    for table in sorted(own.keys() - recipe.keys()):
        if table.endswith(RANGES):
            name = table.removesuffix(RANGES)
            raise ModelError(
                f"{origin} does not say which numbers its {name} {recipe.get(name)} stood for: it is older than that record; "
                "train it again"
            )
    recorded, wanted = each_setting(recipe), each_setting(own)
    for name in {**wanted, **recorded}:
        then, now = recorded.get(name), wanted.get(name)
        if (then or None) != (now or None):
            raise ModelError(f"{origin} is not what the package's recipe makes: its {name} was {then}, {model}'s is {now}")


def require_own_architecture(training: Training) -> None:
    """Refuses a training of another architecture than the package has under that name now, where the training kept its hash.

    Raises:
        ModelError: it is another.
    """
    from glyphlite.models.registry import resolve_model

    if training.fingerprint not in (None, resolve_model(training.model, (28, 28, 1), 10).fingerprint):
        raise ModelError(f"{training.folder} trained another architecture than the package's {training.model}")


def check_together(trainings: Sequence[Training]) -> None:
    """Refuse trainings of one model that are not the same but for the seed.

    Raises:
        ModelError: naming the two that differ.
    """
    first = trainings[0]
    for before, training in itertools.pairwise(trainings):
        if before.seed == training.seed:
            raise ModelError(f"{before.folder} and {training.folder} are both seed {training.seed} of {training.model}")
        if (training.dataset, training.recipe, training.all_images) != (first.dataset, first.recipe, first.all_images):
            raise ModelError(f"{first.folder} and {training.folder} were trained on other data or by another recipe")


def answers(path: Path, dataset: Dataset) -> np.ndarray:
    """The probabilities ``(n, classes)`` that a .keras or .tflite file gives the validation images."""
    from glyphlite.evaluation.confidence import as_probabilities
    from glyphlite.runtimes.base import predict_probabilities
    from glyphlite.runtimes.registry import get_runtime

    with (
        get_runtime("keras" if path.suffix == ".keras" else "litert").load(path) as model,
        progress_bar(f"{path.parent.name}/{path.name}", len(dataset.validation)) as advance,
    ):
        scores = predict_probabilities(model, dataset.validation.images, OURS, advance)
    return as_probabilities(scores.reshape(len(scores), -1))


def share_right(scores: np.ndarray, dataset: Dataset) -> float:
    """The share of the validation images whose most probable class is the true one."""
    return float(np.mean(scores.argmax(axis=1) == dataset.validation.labels))


def describe(card: PretrainedCard) -> str:
    """What was shipped, for people."""
    lines = [f"{card.model}: {card.best.weight_bytes:,} bytes of weights, {card.best.macs:,} multiply-accumulates"]
    lines += [f"  {card.note}"] if card.note else []
    for each in card.seeds:
        chosen = "  <- chosen" if each.seed == card.chosen else ""
        lines.append(
            f"  seed {each.seed}: {each.validation_accuracy:.2%} of validation right, "
            f"{each.float_validation_accuracy:.2%} in Keras{chosen}"
        )
    return "\n".join(lines)


def _ship_model(trainings: Sequence[Training], measured: Sequence[Twin], root: Path, split_seed: int | None) -> PretrainedCard:
    """Writes the folder of one model: the files of ``trainings``, with what was measured on their twins or on themselves."""
    first = trainings[0]
    say(f"{len(trainings)} seeds", lead=f"{first.model}:", style="bold")
    seeds = [
        _measured(training, of, of.seed if split_seed is None else split_seed)
        for training, of in zip(trainings, measured, strict=True)
    ]
    for training, each in zip(trainings, seeds, strict=True):
        if (each.weight_bytes, each.macs) != (seeds[0].weight_bytes, seeds[0].macs):
            raise ModelError(f"{training.folder} and {first.folder} are not the same architecture")
    best = max(seeds, key=lambda each: (each.validation_accuracy, each.float_validation_accuracy, -each.seed))
    source = next(training.folder for training in trainings if training.seed == best.seed)
    contents = {training.content for training in trainings}
    card = PretrainedCard(
        model=first.model,
        dataset=first.dataset,
        chosen=best.seed,
        recipe=first.recipe,
        versions=first.versions,
        keras_sha256=sha256_of(source / KERAS),
        seeds=tuple(seeds),
        split_seed=split_seed,
        content=contents.pop() if len(contents) == 1 else None,
        note=ALL_IMAGES_NOTE if first.all_images else None,
        engine=" and ".join(sorted({training.engine for training in trainings if training.engine})) or None,
        all_images=first.all_images,
    )
    with atomic_folder(root / card.model) as folder:
        shutil.copyfile(source / KERAS, folder / KERAS)
        for training, each in zip(trainings, seeds, strict=True):
            place = folder / f"seed-{each.seed}" / INT8
            place.parent.mkdir()
            shutil.copyfile(training.folder / INT8, place)
            if sha256_of(place) != each.sha256:
                raise ModelError(f"{training.folder / INT8} has changed while it was measured")
        write_json(folder / CARD, card.document())
    return card


def _measured(training: Training, of: Twin, split_seed: int) -> TrainedSeed:
    """Returns what the card says of a seed: its own file, accuracies and certainty of ``of``, itself or its twin."""
    from glyphlite.datasets.registry import load_dataset
    from glyphlite.tflite.cost import total_macs, weight_bytes
    from glyphlite.training.state import content_hash

    dataset = load_dataset(training.dataset, seed=split_seed)
    both = [training] if of is training or not isinstance(of, Training) else [training, of]
    for each in both:
        seen = content_hash(dataset.with_all_images() if each.all_images else dataset)
        if each.content not in (None, seen):
            raise ModelError(f"{each.folder} was not trained on the split of seed {split_seed}; name its own with --split-seed")
    sizes = [(weight_bytes(graph), total_macs(graph)) for graph in (_int8_graph(each, dataset) for each in both)]
    if isinstance(of, TrainedSeed):
        sizes.append((of.weight_bytes, of.macs))
        measured, name = (of.validation_accuracy, of.float_validation_accuracy, of.certainty), "that is shipped"
    else:
        measured, name = _figures(of.folder, dataset), of.folder
    if sizes[0] != sizes[-1]:
        raise ModelError(f"{training.folder} and its twin {name} are not the same architecture")
    accuracy, float_accuracy, certainty = measured
    return TrainedSeed(
        seed=training.seed,
        validation_accuracy=accuracy,
        float_validation_accuracy=float_accuracy,
        best_epoch=training.best_epoch,
        seconds=round(training.seconds, 1),
        bytes=(training.folder / INT8).stat().st_size,
        weight_bytes=sizes[0][0],
        macs=sizes[0][1],
        sha256=sha256_of(training.folder / INT8),
        certainty={**certainty, "twin": of is not training} if certainty else None,
    )


def _figures(folder: Path, dataset: Dataset) -> tuple[float, float, dict[str, Any]]:
    """Returns what is measured of a training on the validation images: accuracies of its int8 and its Keras file, certainty."""
    from glyphlite.evaluation.confidence import fit_confidence

    scores = answers(folder / INT8, dataset)
    certainty = fit_confidence(scores, dataset.validation.labels).model_dump(mode="json")
    return share_right(scores, dataset), share_right(answers(folder / KERAS, dataset), dataset), certainty


def _int8_graph(training: Training, dataset: Dataset) -> Graph:
    """Returns the graph of a training's int8 file, which has to be one and to fit the data."""
    from glyphlite.evaluation.model_evaluation import check_fit
    from glyphlite.evaluation.variant import variant_of
    from glyphlite.tflite.reader import read_graph

    artifact = training.folder / INT8
    graph = read_graph(artifact)
    check_fit(graph, dataset, artifact)
    if variant_of(graph) != "int8":
        raise ModelError(f"{artifact} is a {variant_of(graph)} file; convert {training.folder / KERAS} with --to int8")
    return graph


if __name__ == "__main__":
    raise SystemExit(main())
