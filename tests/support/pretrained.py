"""A stand-in for the models that ship: the sample micro-cnn under other names, as ``benchmarks/ship.py`` would write it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from glyphlite.files.single import sha256_of
from glyphlite.models import pretrained
from glyphlite.models.pretrained import CARD, INT8, KERAS, PretrainedCard, TrainedSeed


def ship_sample(
    root: Path,
    samples: Path,
    name: str,
    seeds: dict[int, float],
    *,
    chosen: int,
    weight_bytes: int = 22_000,
    dataset: str = "mnist",
    all_images: bool = False,
    certainty: dict[str, Any] | None = None,
) -> Path:
    """Write one model's folder; every seed is the same artifact, with the validation accuracies (and the certainty) given."""
    folder = root / name
    trained = []
    for seed, accuracy in seeds.items():
        place = folder / f"seed-{seed}" / INT8
        place.parent.mkdir(parents=True)
        shutil.copyfile(samples / INT8, place)
        size, digest = place.stat().st_size, sha256_of(place)
        trained.append(TrainedSeed(seed, accuracy, accuracy, 29, 90.0, size, weight_bytes, 70_464, digest, certainty))
    shutil.copyfile(samples / KERAS, folder / KERAS)
    card = PretrainedCard(
        model=name,
        dataset=dataset,
        chosen=chosen,
        recipe={"name": "micro", "epochs": 30},
        versions={"keras": "3.15.1"},
        keras_sha256=sha256_of(folder / KERAS),
        seeds=tuple(trained),
        all_images=all_images,
    )
    (folder / CARD).write_text(json.dumps(card.document()))
    return folder


def use_shipped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package's models be those of a folder."""
    monkeypatch.setattr(pretrained, "ROOT", root)
