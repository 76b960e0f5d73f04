"""Measures how fast models train: glyphlite's steps against the `model.fit` on arrays that a tutorial shows.

    python benchmarks/training.py [--only members|comparison|options] [--epochs 12] [--write]

*members*: CPU seconds an epoch and GFLOP/s of every member of the glyph family, of micro-cnn and of edge-cnn, everything that the
recipe asks for included, beside the same recipe in TensorFlow alone, a tutorial's code on the same model and the processor's
peak; ``--write`` writes benchmarks/results/training.json and the table in docs. *comparison*: edge-cnn, epochs of the two ways
alternating: seconds an epoch, seconds until 99.0 % of the validation split is right. *options*: what each option brings on its
own.

`TF_ENABLE_ONEDNN_OPTS=0 ONEDNN_MAX_CPU_ISA=AVX2` in the environment shows what TensorFlow did by itself on an older processor.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from common.figures import write_pages
from common.tables.training import avx2_sentence, training_table
from common.training_rates import peak_gflops, processor_name, rates_of

from glyphlite.console import quiet_tensorflow
from glyphlite.datasets.dataset import Dataset, Split, as_float
from glyphlite.datasets.registry import load_dataset
from glyphlite.files.single import write_json
from glyphlite.models.choice import ModelChoice
from glyphlite.models.cost import keras_macs
from glyphlite.models.registry import resolve_model
from glyphlite.models.zoo.glyph_family import FRONTIER

OUTPUT = Path(__file__).parent / "results" / "training.json"
MEMBERS = (*(member.architecture.name for member in FRONTIER), "micro-cnn", "edge-cnn")
AVX2_MEMBERS = ("glyph-4kflash", "glyph-4k", "glyph-16kflash")
"""Trained once more with no instructions beyond AVX2, as on processors that have no others."""
MODEL = "edge-cnn"
TARGET = 0.99
TUTORIAL_BATCH = 128
OPTION_STEPS = 64
ROUNDS = 3


@dataclass
class Contestant:
    """One way to train: runs an epoch and returns its validation accuracy."""

    name: str
    epoch: Callable[[int], float]
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    def run(self, epoch: int) -> None:
        """Run an epoch, counted from 0, and note what it took and brought."""
        wall, processor = time.perf_counter(), time.process_time()
        self.accuracies.append(self.epoch(epoch))
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    def seconds_to(self, target: float, seconds: list[float]) -> float:
        """Summed over the epochs up to the first that reaches the target; infinite where none does."""
        reached = next((number for number, accuracy in enumerate(self.accuracies) if accuracy >= target), None)
        return float("inf") if reached is None else sum(seconds[: reached + 1])


def tutorial(choice: ModelChoice, dataset: Dataset) -> Contestant:
    """What tutorials do: float32 arrays, Adam as it comes, batches of 128."""
    import keras

    keras.utils.set_random_seed(0)
    model: Any = choice.build()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    images, validation = as_float(dataset.train.images), (as_float(dataset.validation.images), dataset.validation.labels)

    def epoch(number: int) -> float:
        del number
        history = model.fit(
            images, dataset.train.labels, batch_size=TUTORIAL_BATCH, epochs=1, validation_data=validation, verbose=0
        )
        return history.history["val_accuracy"][0]

    return Contestant("tutorial's model.fit", epoch)


def ours(choice: ModelChoice, dataset: Dataset, epochs: int) -> Contestant:
    """What `glyphlite train` runs between two checkpoints."""
    from glyphlite.training.batches import Batches
    from glyphlite.training.loop import TrainingLoop
    from glyphlite.training.schedule import learning_rates

    recipe = choice.recipe
    loop = TrainingLoop(choice, dataset.train, dataset.validation, recipe, seed=0)
    batches = Batches(len(dataset.train), dataset.input_shape[:2], recipe.batch_size, 0, recipe.augmentation)

    def epoch(number: int) -> float:
        rates = learning_rates(recipe.schedule, epoch=number, epochs=epochs, steps=batches.steps)
        for chunk in batches.epoch(number):
            loop.run(chunk, rates[chunk.first_step : chunk.first_step + len(chunk.order)])
        loop.synchronize()
        return loop.validate()[1]

    return Contestant(f"glyphlite ({loop.precision})", epoch)


def compare(choice: ModelChoice, dataset: Dataset, epochs: int) -> None:
    contestants = [tutorial(choice, dataset), ours(choice, dataset, epochs)]
    for number in range(epochs):
        for contestant in contestants:
            contestant.run(number)
            print(
                f"  epoch {number + 1:>2}  {contestant.name:<22} {contestant.wall[-1]:6.1f} s  {contestant.accuracies[-1]:.2%}",
                flush=True,
            )
    print(f"\n{choice.name}, {len(dataset.train):,} images, {epochs} epochs each, {os.cpu_count()} processors")
    print(f"{'':<24}{'s/epoch':>9}{'cpu s/epoch':>13}{'s to 99.0 %':>13}{'cpu s to 99.0 %':>17}{'best validation':>17}")
    rows = []
    for one in contestants:
        # The first epoch, which compiles, counts in the time to 99 % and not in the time of an epoch.
        wall, processor = statistics.median(one.wall[1:] or one.wall), statistics.median(one.processor[1:] or one.processor)
        rows.append((wall, processor, one.seconds_to(TARGET, one.wall), one.seconds_to(TARGET, one.processor)))
        print(f"{one.name:<24}{wall:>9.2f}{processor:>13.2f}{rows[-1][2]:>13.1f}{rows[-1][3]:>17.1f}{max(one.accuracies):>17.2%}")
    ratios = [theirs / mine for theirs, mine in zip(*rows, strict=True)]
    print(f"{'ratio':<24}{ratios[0]:>9.2f}{ratios[1]:>13.2f}{ratios[2]:>13.2f}{ratios[3]:>17.2f}")


def fit_option(
    choice: ModelChoice, split: Split, *, batch_size: int = TUTORIAL_BATCH, tf_data: bool = False, **compiled: Any
) -> Callable[[], None]:
    """A few steps of `model.fit` under some options of `compile`."""
    import keras

    model: Any = choice.build()
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"], **compiled)
    images, labels = as_float(split.images), split.labels
    if not tf_data:
        return lambda: model.fit(images, labels, batch_size=batch_size, verbose=0) and None
    import tensorflow as tf

    stream = (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .cache()
        .shuffle(len(labels))
        .batch(batch_size)
        .prefetch(tf.data.AUTOTUNE)
    )
    return lambda: model.fit(stream, verbose=0) and None


def loop_option(choice: ModelChoice, split: Split, **recipe: Any) -> Callable[[], None]:
    """The same steps in glyphlite's loop."""
    from glyphlite.training.batches import Batches
    from glyphlite.training.loop import TrainingLoop

    plain = replace(choice.recipe, augmentation=None, ema=None, precision="float32", batch_size=TUTORIAL_BATCH)
    changed = replace(plain, **recipe)
    loop = TrainingLoop(choice, split, split, changed, seed=0)
    batches = Batches(len(split), choice.input_shape[:2], changed.batch_size, 0, changed.augmentation)

    def run() -> None:
        for chunk in batches.epoch(0):
            loop.run(chunk, np.full(len(chunk.order), 0.001))

    return run


def measure(options: dict[str, Callable[[], None]], images: int, whole: int) -> dict[str, tuple[float, float]]:
    """Medians of wall and processor seconds a whole epoch takes, over alternating rounds, the compiling one left out."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in options}
    for run in options.values():
        run()
    for _ in range(ROUNDS):
        for name, run in options.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {
        name: (
            statistics.median(wall for wall, _ in taken) * whole / images,
            statistics.median(cpu for _, cpu in taken) * whole / images,
        )
        for name, taken in seconds.items()
    }


def measure_options(choice: ModelChoice, dataset: Dataset) -> None:
    import keras

    count = OPTION_STEPS * TUTORIAL_BATCH
    split = Split(dataset.train.images[:count], dataset.train.labels[:count])
    options = {
        "model.fit, arrays": fit_option(choice, split),
        "  with tf.data, cached": fit_option(choice, split, tf_data=True),
        "  with steps_per_execution=16": fit_option(choice, split, steps_per_execution=16),
        "  with batches of 512": fit_option(choice, split, batch_size=512),
        "  with jit_compile (XLA)": fit_option(choice, split, jit_compile=True),
    }
    keras.config.set_dtype_policy("mixed_bfloat16")
    options["  with mixed_bfloat16"] = fit_option(choice, split)
    keras.config.set_dtype_policy("float32")
    options |= {
        "glyphlite's loop, float32": loop_option(choice, split),
        "  with augmentation": loop_option(choice, split, augmentation="affine_gentle"),
        "  with averaged weights": loop_option(choice, split, ema=0.998),
        "  with bfloat16": loop_option(choice, split, precision="bfloat16"),
        "  with all three": loop_option(choice, split, augmentation="affine_gentle", ema=0.998, precision="bfloat16"),
    }
    print(
        f"\nOptions, {choice.name}: seconds for an epoch of {len(dataset.train):,} images, medians of {ROUNDS} alternating rounds"
    )
    for name, (wall, processor) in measure(options, count, len(dataset.train)).items():
        print(f"{name:<34}{wall:>8.2f} s{processor:>9.2f} cpu s", flush=True)
    if importlib.util.find_spec("jax") is None:
        print("JAX as Keras backend: not installed (uv pip install --group bench)")
    else:
        subprocess.run([sys.executable, __file__, "--only", "jax"], env={**os.environ, "KERAS_BACKEND": "jax"}, check=True)


def measure_jax(choice: ModelChoice, dataset: Dataset) -> None:
    """In a process of its own, where Keras stands on JAX."""
    count = OPTION_STEPS * TUTORIAL_BATCH // 4
    split = Split(dataset.train.images[:count], dataset.train.labels[:count])
    for name, (wall, processor) in measure({"model.fit on JAX": fit_option(choice, split)}, count, len(dataset.train)).items():
        print(f"{name:<34}{wall:>8.2f} s{processor:>9.2f} cpu s", flush=True)


def measure_members(dataset: Dataset, *, write: bool) -> None:
    document = {"schema": 1, "processor": processor_name(), "peak_gflops": peak_gflops(), "rows": _rows(dataset, MEMBERS)}
    if "AVX-512" in document["processor"]:
        command = [sys.executable, __file__, "--only", "avx2"]
        told = subprocess.run(command, env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}, check=True, stdout=subprocess.PIPE)
        document["avx2_rows"] = json.loads(told.stdout.splitlines()[-1])
    print(training_table(document))
    print(avx2_sentence(document))
    if write:
        write_json(OUTPUT, document)
        write_pages()


def _rows(dataset: Dataset, names: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for name in names:
        choice = resolve_model(name, dataset.input_shape, dataset.classes)
        rows.append(rates_of(choice, dataset, keras_macs(choice.build())))
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, help="of each; the recipe's own when left out")
    parser.add_argument("--only", choices=("members", "avx2", "comparison", "options", "jax"))
    parser.add_argument("--write", action="store_true", help="write the members' figures, and the table in docs")
    arguments = parser.parse_args()
    quiet_tensorflow()
    dataset = load_dataset("mnist")
    if arguments.only in (None, "members"):
        measure_members(dataset, write=arguments.write)
    if arguments.only == "avx2":
        print(json.dumps(_rows(dataset, AVX2_MEMBERS)))
    if arguments.only in ("members", "avx2"):
        return
    choice = resolve_model(MODEL, dataset.input_shape, dataset.classes)
    if arguments.only == "jax":
        measure_jax(choice, dataset)
        return
    if arguments.only != "options":
        compare(choice, dataset, arguments.epochs or choice.recipe.epochs)
    if arguments.only != "comparison":
        measure_options(choice, dataset)


if __name__ == "__main__":
    main()
