"""Puts what the teachers answer into the package, for the members whose trainings all see the same warps of the images.

    python benchmarks/answers.py glyph-4k

Asks the teachers of a member's recipe about every training image, once for each epoch until its warps repeat, and writes
``src/glyphlite/pretrained/teachers/answers``: a file an epoch. Members of the same augmentation share them. On two cores it takes
some minutes; `glyphlite train` and `glyphlite run` then ask no teacher. To be run again when the teachers or the augmentation
change: files are found by a hash of both, and those of former ones are to be removed by hand.
"""

import argparse
from pathlib import Path

from glyphlite.console import progress_bar, quiet_tensorflow, say
from glyphlite.datasets.registry import load_dataset
from glyphlite.errors import GlyphliteError, ModelError
from glyphlite.files.single import make_folder, write_bytes
from glyphlite.models import pretrained
from glyphlite.models.registry import resolve_model
from glyphlite.training.answers import FOLDER, encoded, key_of
from glyphlite.training.batches import Batches
from glyphlite.training.distillation import Teachers
from glyphlite.training.state import content_hash


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the member whose teachers are asked")
    parser.add_argument("--epochs", type=int, help="how many; until the warps repeat when left out")
    parser.add_argument("--out", type=Path, default=pretrained.ROOT / pretrained.TEACHERS / FOLDER, help="default: the package")
    arguments = parser.parse_args()
    quiet_tensorflow()
    try:
        write_answers(arguments.model, arguments.epochs, arguments.out)
    except GlyphliteError as error:
        raise SystemExit(f"answers.py: {error}") from None


def write_answers(model: str, epochs: int | None, out: Path) -> None:
    """Writes a file of answers for each epoch until the warps repeat.

    Raises:
        ModelError: the member has no teachers, or each of its trainings has warps of its own.
        OutputError: a file cannot be written.
    """
    recipe = resolve_model(model, (28, 28, 1), 10).recipe
    if recipe.distillation is None or recipe.warps_seed is None or not recipe.augmentation_cycle:
        raise ModelError(f"{model} has no teachers, or other warps in every training")
    dataset = load_dataset("mnist", seed=recipe.split_seed or 0)
    batches = Batches.of_recipe(recipe, len(dataset.train), dataset.input_shape[:2], seed=0)
    teachers = Teachers(recipe.distillation, dataset, batches, content_hash(dataset))
    make_folder(out)
    total, count = 0, epochs or recipe.augmentation_cycle
    with progress_bar("asking the teachers", count) as advance:
        for epoch in range(count):
            content = encoded(teachers.ask_all(epoch))
            write_bytes(out / f"{key_of(teachers.named_in(epoch))}.xz", content)
            total += len(content)
            advance(1)
    say(f"{out}: {total:,} bytes")


if __name__ == "__main__":
    main()
