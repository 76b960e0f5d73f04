"""A search for small digit classifiers by what they cost: flash, RAM and instructions first, accuracy of a short training then.

    python benchmarks/small_nets.py cost "c4s4x16 c3x16 h32" "c5s3x8 c3x16 p2 h40 b4"
    python benchmarks/small_nets.py try --epochs 12 "c4s4x16 c3x16 h32"

An architecture is a line of words, as `glyphlite.search.words` has them; or a member's name, whose own it then is: cost the very
entry that will be trained. ``cost`` builds, converts, compiles and simulates the net before training, with weights that cost what
trained ones do (`glyphlite.search.cost` says how closely). ``try`` trains each for a few epochs from the labels, in float, and
judges it on validation images under eight gentle warps each (40,000); the test split is not looked at. Both append a JSON line
per architecture to ``--log``.
"""

import argparse
import json
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import quiet_tensorflow
from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import GlyphliteError, ModelError
from glyphlite.models.architecture import Architecture
from glyphlite.models.choice import ModelChoice
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.models.zoo.glyph_family import FRONTIER
from glyphlite.search.words import parse_words

SHAPE, CLASSES = (28, 28, 1), 10
WARPS = 8
"""Gentle affine augmentations of each validation image."""


def architecture_of(words: str) -> Architecture:
    """Returns the architecture that a line of words says, or that of the member of the family that it names.

    Raises:
        SystemExit: a word is none.
    """
    try:
        named = [known.architecture for known in FRONTIER if known.architecture.name == words]
        return named[0] if named else parse_words(words, SHAPE)
    except ModelError as error:
        raise SystemExit(str(error)) from None


def cost(words: str, cores: list[str], optimize: list[str]) -> dict[str, Any]:
    """Returns what an architecture costs: multiply-accumulates, weight bytes, and per core and goal flash, RAM, instructions."""
    from glyphlite.evaluation.simulation import simulate
    from glyphlite.search.cost import untrained_file
    from glyphlite.tflite.cost import total_macs, weight_bytes
    from glyphlite.tflite.reader import parse_graph

    images = digits().validation.images
    narrowed = next((known.recipe.narrowed for known in FRONTIER if known.architecture.name == words), None)
    content = untrained_file(architecture_of(words), SHAPE, CLASSES, narrowed)
    graph = parse_graph(content, "net")
    found: dict[str, Any] = {"macs": total_macs(graph), "weight_bytes": weight_bytes(graph)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.tflite"
        path.write_bytes(content)
        for core in cores:
            for goal in optimize:
                simulation = simulate(path, core, images[:2], optimize=goal, measured=2)
                report = simulation.report
                found[f"{core} {goal}"] = {
                    "flash": report.code_bytes + report.constant_bytes,
                    "ram": simulation.ram_bytes,
                    "instructions": round(float(np.mean(simulation.instructions))),
                    "layers": [(layer.name, layer.instructions) for layer in report.layers],
                }
    return found


def short_training(words: str, epochs: int, seed: int, augmentation: str, quantized: int) -> dict[str, Any]:
    """Returns the training loss and the accuracy on warped validation images after a short training from the labels."""
    from glyphlite.training.batches import Batches
    from glyphlite.training.loop import TrainingLoop
    from glyphlite.training.schedule import recipe_rates

    recipe = Recipe(
        "short",
        epochs,
        256,
        Schedule("one_cycle", peak=0.02, warmup=0.15),
        augmentation=augmentation,
        photometric="faded_noisy_gentle",
        ema=0.998,
        quantized_epochs=quantized,
        quantized_schedule=Schedule("one_cycle", peak=0.001, warmup=0.1),
    )
    architecture = architecture_of(words)
    choice = ModelChoice("net", SHAPE, CLASSES, recipe, "a search", words, lambda: architecture.build(SHAPE, CLASSES))
    dataset, start, began = digits(), time.process_time(), time.monotonic()
    loop = TrainingLoop(choice, dataset.train, warped_validation(), recipe, seed)
    batches = Batches(len(dataset.train), SHAPE[:2], recipe.batch_size, seed, recipe.augmentation)
    loss = 0.0
    for epoch in range(epochs):
        if quantized and epoch == recipe.float_epochs:
            loop.quantize()
        rates, loss = recipe_rates(recipe, epoch, batches.steps), 0.0
        for chunk in batches.epoch(epoch):
            loss += loop.run(chunk, rates[chunk.first_step : chunk.first_step + len(chunk.order)])[0]
    loop.synchronize()
    validation_loss, accuracy, _ = loop.validate()
    return {
        "epochs": epochs,
        "seed": seed,
        "augmentation": augmentation,
        "quantized": quantized,
        "training_loss": loss / len(dataset.train),
        "loss": validation_loss,
        "accuracy": accuracy,
        "cpu_seconds": time.process_time() - start,
        "seconds": time.monotonic() - began,
    }


@cache
def digits() -> Dataset:
    """Returns MNIST with the validation images of the glyph family."""
    return load_dataset("mnist", seed=0)


@cache
def warped_validation() -> Split:
    """Returns each validation image under `WARPS` gentle affine augmentations, always the same."""
    from glyphlite.training.augmentation.parameters import AUGMENTATIONS, draw_affines, warp

    split, rng = digits().validation, np.random.default_rng(1)
    images = np.concatenate([split.images] * WARPS)
    return Split(warp(images, *draw_affines(len(images), AUGMENTATIONS["affine_gentle"], rng)), np.tile(split.labels, WARPS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("cost", "try"))
    parser.add_argument("architectures", nargs="+", help="each a line of words, as above")
    parser.add_argument("--cores", nargs="*", default=["cortex-m4", "cortex-m0"])
    parser.add_argument("--optimize", nargs="*", default=["speed", "size"])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--quantized", type=int, default=0, help="how many of the epochs, the last ones, with int8 simulated")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--augmentation", default="elastic")
    parser.add_argument("--log", type=Path, help="where a JSON line per architecture is appended")
    arguments = parser.parse_args()
    quiet_tensorflow()
    for words in arguments.architectures:
        for seed in arguments.seeds if arguments.command == "try" else [0]:
            try:
                if arguments.command == "cost":
                    found = cost(words, arguments.cores, arguments.optimize)
                    show = {key: value if isinstance(value, int) else {**value, "layers": None} for key, value in found.items()}
                    lines = [
                        f"  {key}: {value['flash']:,} flash, {value['ram']:,} RAM, {value['instructions']:,} instructions"
                        for key, value in show.items()
                        if isinstance(value, dict)
                    ]
                    print(f"{words}: {found['macs']:,} MACs, {found['weight_bytes']:,} bytes\n" + "\n".join(lines), flush=True)
                else:
                    found = short_training(words, arguments.epochs, seed, arguments.augmentation, arguments.quantized)
                    print(
                        f"{words}, seed {seed}: loss {found['training_loss']:.4f}, warped validation {found['accuracy']:.2%} "
                        f"(loss {found['loss']:.4f}), {found['cpu_seconds']:.0f} CPU s",
                        flush=True,
                    )
            except GlyphliteError as error:
                print(f"{words}: {error}", flush=True)
                continue
            if arguments.log:
                with arguments.log.open("a") as log:
                    log.write(json.dumps({"architecture": words, **found}) + "\n")


if __name__ == "__main__":
    main()
