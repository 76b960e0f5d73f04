"""The trained models that come with glyphlite: which there are, how each was trained, and their files, checked before use.

A model is a folder in the package's ``pretrained``: ``card.json`` says how it was trained and what came of it, ``model.keras`` is
the chosen seed, ``seed-<n>/model_int8.tflite`` the artifact of every seed that was trained. The chosen seed is the one whose
artifact is right most often on validation images. Folders in ``teachers`` are of models that are there to teach the others in
training, and are offered for nothing else. Those in ``retired`` were released once and are no longer offered, as another one took
their place (``zoo/glyph_family.py`` says which, and why); who names them still gets them. Reads JSON and hashes bytes; loads no
model. ``benchmarks/ship.py`` writes folders.
"""

import json
import re
import statistics
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from glyphlite.errors import ModelError
from glyphlite.files.single import sha256_of
from glyphlite.formatting import percent
from glyphlite.models.zoo.glyph_family import RETIRED as RETIRED_MODELS

SCHEMA = 1
CARD = "card.json"
KERAS = "model.keras"
INT8 = "model_int8.tflite"

ROOT = Path(str(files("glyphlite"))) / "pretrained"
TEACHERS = "teachers"
RETIRED = "retired"


@dataclass(frozen=True)
class TrainedSeed:
    """One seed's training. Accuracies are fractions of the validation images that it held out; none looked at the test split.

    Of a model that was trained on all images, the accuracies and the certainty are those of its twin: the same training, of the
    same seed, without the validation images.

    Attributes:
        seed: of the split, the weights and the order of the images.
        validation_accuracy: of the int8 artifact.
        float_validation_accuracy: of the Keras model that it was converted from.
        best_epoch: chosen on validation, from 1; the last one where all images were trained on.
        seconds: of training.
        bytes: of the int8 artifact.
        weight_bytes: of its weights and biases as stored.
        macs: multiply-accumulates of one image.
        sha256: of the int8 artifact.
        certainty: how far its probabilities can be believed, where that was measured.
    """

    seed: int
    validation_accuracy: float
    float_validation_accuracy: float
    best_epoch: int
    seconds: float
    bytes: int
    weight_bytes: int
    macs: int
    sha256: str
    certainty: dict[str, Any] | None = None


@dataclass(frozen=True)
class PretrainedCard:
    """A pretrained model: what it was trained on and by, and what each seed came to.

    ``recipe`` and ``versions`` are as a run's ``run.toml`` has them; ``split_seed`` is that of the validation images where every
    seed held out the same, else None: each seed its own. ``content`` is the hash of what was trained and validated on, where that
    is the same for every seed. ``note`` says what else should be known of how it was made. ``engine`` is what computed the
    training's steps; None on cards from before there was anything but TensorFlow. ``all_images``: once every choice was
    made, with twins that held out the validation images, the model was trained on these, too; what the card says of validation
    is the twins'.
    """

    model: str
    dataset: str
    chosen: int
    recipe: dict[str, Any]
    versions: dict[str, str]
    keras_sha256: str
    seeds: tuple[TrainedSeed, ...]
    split_seed: int | None = None
    content: str | None = None
    note: str | None = None
    engine: str | None = None
    all_images: bool = False
    schema: int = field(default=SCHEMA)

    @property
    def best(self) -> TrainedSeed:
        """Returns the chosen seed's training."""
        return self.of(self.chosen)

    @property
    def mean_validation_accuracy(self) -> float:
        """Returns the share of validation images that the artifacts of all seeds are right about, on average."""
        return statistics.fmean(each.validation_accuracy for each in self.seeds)

    @property
    def validation_words(self) -> str:
        """Returns how often the chosen artifact is right on validation images, as the end of a sentence."""
        right = f"{percent(self.best.validation_accuracy)} of validation images right"
        return f"{right} before it was trained on these, too" if self.all_images else right

    def of(self, seed: int) -> TrainedSeed:
        """Returns a seed's training.

        Raises:
            ModelError: that seed is not pretrained.
        """
        for each in self.seeds:
            if each.seed == seed:
                return each
        known = ", ".join(str(each.seed) for each in self.seeds)
        raise ModelError(f"{self.model} is not pretrained with seed {seed}; there is {known}")

    def document(self) -> dict[str, Any]:
        """Returns the plain JSON document of ``card.json``."""
        return {"schema": self.schema, **asdict(self), "seeds": [asdict(each) for each in self.seeds]}


def pretrained_names() -> tuple[str, ...]:
    """Returns the pretrained models, smallest budget first; found by looking at the package's files."""
    if not ROOT.is_dir():
        return ()
    return tuple(sorted((each.parent.name for each in ROOT.glob(f"*/{CARD}")), key=_by_budget))


def retired_names() -> tuple[str, ...]:
    """Returns the pretrained models that are no longer offered, but are loaded for who names them, smallest budget first."""
    return tuple(sorted((each.parent.name for each in (ROOT / RETIRED).glob(f"*/{CARD}")), key=_by_budget))


def is_named(name: str) -> bool:
    """Returns whether a user may name a pretrained model so: one that is offered, or a retired one."""
    return name in pretrained_names() or name in retired_names()


def is_shipped(name: str) -> bool:
    """Returns whether a trained model of that name comes with glyphlite, be it only to teach."""
    return name in _folders()


def pretrained_card(name: str) -> PretrainedCard:
    """Returns the card of a pretrained model.

    Raises:
        ModelError: no such model is pretrained, or its card is damaged.
    """
    folder = _folders().get(name)
    if folder is None:
        raise ModelError(f"no trained {name} comes with glyphlite; {shipped_words()}")
    path = folder / CARD
    try:
        document = json.loads(path.read_text("utf-8"))
        if document["schema"] != SCHEMA:
            raise ModelError(f"{path} has schema {document['schema']}, expected {SCHEMA}; install glyphlite again")
        seeds = tuple(TrainedSeed(**each) for each in document.pop("seeds"))
        card = PretrainedCard(**document, seeds=seeds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged ({type(error).__name__}: {error}); install glyphlite again") from None
    card.of(card.chosen)
    return card


def pretrained_artifact(name: str, seed: int | None = None) -> Path:
    """Returns a pretrained model's int8 .tflite file: the chosen seed's, or another's.

    Raises:
        ModelError: no such pretrained model or seed, or the file is not the released one.
    """
    card = pretrained_card(name)
    trained = card.best if seed is None else card.of(seed)
    return _verified(_folders()[name] / f"seed-{trained.seed}" / INT8, trained.sha256)


def pretrained_keras(name: str) -> Path:
    """Returns the Keras model that a pretrained model's chosen artifact was converted from.

    Raises:
        ModelError: no such model is pretrained, or the file is not the released one.
    """
    card = pretrained_card(name)
    return _verified(_folders()[name] / KERAS, card.keras_sha256)


def best_pretrained(at_most: int | None = None) -> str:
    """Returns the pretrained model that is right most often on validation images, by the mean over its seeds; ties go to fewer
    weights.

    The chosen seed's own figure would flatter the model whose luckiest seed was the luckiest. Of models that were trained on all
    images their twins are compared.

    Args:
        at_most: bytes of weights that it may have; where all have more, the smallest is taken.

    Raises:
        ModelError: no pretrained model is installed.
    """
    cards = [pretrained_card(name) for name in pretrained_names()]
    if at_most is not None:
        fitting = [card for card in cards if card.best.weight_bytes <= at_most]
        cards = fitting or sorted(cards, key=lambda card: card.best.weight_bytes)[:1]
    if not cards:
        raise ModelError("this glyphlite comes without trained models; name a .tflite file or the folder of a run")
    return max(cards, key=lambda card: (card.mean_validation_accuracy, -card.best.weight_bytes)).model


def retired_words(name: str) -> str:
    """Returns what somebody who names a retired model should know, as a sentence.

    Raises:
        ModelError: no model of that name is retired.
    """
    model = next((each for each in RETIRED_MODELS if each.architecture.name == name), None)
    if model is None:
        raise ModelError(f"{name} is not retired; those are {', '.join(each.architecture.name for each in RETIRED_MODELS)}")
    return f"{name} is retired: {model.replaced_by} {model.why}"


def keras_of_shipped(artifact: Path) -> Path | None:
    """Returns the Keras model of an artifact that :func:`pretrained_artifact` has given; None for other files and other seeds."""
    folder = artifact.parent.parent
    if folder.parent not in (ROOT, ROOT / RETIRED) or not is_named(folder.name):
        return None
    card = pretrained_card(folder.name)
    return pretrained_keras(card.model) if artifact.parent.name == f"seed-{card.chosen}" else None


def shipped_words() -> str:
    """Returns which models are shipped, as the end of an error's sentence."""
    names = pretrained_names()
    return f"pretrained are {', '.join(names)}" if names else "no pretrained model is installed"


def _folders() -> dict[str, Path]:
    """Returns every pretrained model's folder, those of the teachers and of the retired too."""
    patterns = (f"{TEACHERS}/*/{CARD}", f"{RETIRED}/*/{CARD}", f"*/{CARD}")
    return {card.parent.name: card.parent for pattern in patterns for card in ROOT.glob(pattern)}


def _verified(path: Path, sha256: str) -> Path:
    """Returns the path, when its bytes are those that were shipped.

    Raises:
        ModelError: they are not.
    """
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; install glyphlite again") from None
    if found != sha256:
        raise ModelError(
            f"{path} is not the released file: its SHA-256 is {found[:12]}..., expected {sha256[:12]}...; install glyphlite again"
        )
    return path


def _by_budget(name: str) -> tuple[bool, int, str]:
    """Sorts ``glyph-700`` before ``glyph-4k`` before ``glyph-8k``; a budget of another kind (``glyph-50kmac``) after all
    these.
    """
    number = re.search(r"(\d+)(k?)(\w*)$", name)
    return (number is None or bool(number[3]), int(number[1]) * (1024 if number[2] else 1) if number else 0, name)
