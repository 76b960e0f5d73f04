"""Options of ``glyphlite train`` and ``run`` that change a recipe. Data; knows nothing of Keras."""

import math
import re
from dataclasses import dataclass, replace

from glyphlite.errors import ModelError, did_you_mean
from glyphlite.models.recipe import Recipe

AUGMENTATION_CHOICES: dict[str, str | None] = {
    "none": None,
    "light": "affine_gentle",
    "medium": "affine",
    "strong": "affine_strong",
    "elastic": "elastic",
}
"""Values of ``--augmentation`` beside ``default``, the recipe's own: names of
`glyphlite.training.augmentation.parameters.AUGMENTATIONS`."""

CLASS_WEIGHTS = ("auto", "none", "balanced")

LARGEST_SIDE = 1024


@dataclass(frozen=True)
class TrainingOptions:
    """Holds the user's changes to a recipe; None, or ``default``, keeps the recipe's value.

    Attributes:
        epochs: how many.
        rate: the highest learning rate.
        batch_size: images in a batch.
        augmentation: one of `AUGMENTATION_CHOICES`, or ``default``.
        class_weights: ``balanced``: the loss of a rare class's image counts for more, so that each class counts for as much;
            ``auto``: so where the classes of the training images are unequal.
        early_stopping: end after so many epochs without a better one.
        input_size: height and width that pictures are brought to.
        all_images: train on the validation images, too. Nothing is chosen then: all epochs are trained and the last one is kept.
    """

    epochs: int | None = None
    rate: float | None = None
    batch_size: int | None = None
    augmentation: str = "default"
    class_weights: str = "auto"
    early_stopping: int | None = None
    input_size: tuple[int, int] | None = None
    all_images: bool = False

    def __post_init__(self) -> None:
        """Checks every option.

        Raises:
            ModelError: one is out of its range.
        """
        for name, number in (("epochs", self.epochs), ("batch-size", self.batch_size), ("early-stopping", self.early_stopping)):
            if number is not None and number < 1:
                raise ModelError(f"--{name} takes 1 or more, not {number}")
        if self.all_images and self.early_stopping is not None:
            raise ModelError(
                "--all-images leaves no validation images that --early-stopping could look at; leave out one of them"
            )
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise ModelError(f"--rate takes a number above 0, such as 0.001, not {self.rate}")
        for option, given, known in (
            ("--augmentation", self.augmentation, ("default", *AUGMENTATION_CHOICES)),
            ("--class-weights", self.class_weights, CLASS_WEIGHTS),
        ):
            if given not in known:
                raise ModelError(f"{option} takes {', '.join(known)}, not {given!r}{did_you_mean(given, known)}")

    def apply(self, recipe: Recipe) -> Recipe:
        """Returns the recipe as the options change it.

        A rate replaces the highest one of the epochs before int8 is simulated; the floor moves in proportion. Another
        augmentation brings no photometric augmentation with it.
        """
        if self.epochs is not None:
            recipe = recipe.with_epochs(self.epochs)
        if self.rate is not None:
            schedule = recipe.schedule
            moved = replace(schedule, peak=self.rate, floor=schedule.floor * self.rate / schedule.peak)
            recipe = replace(recipe, schedule=moved)
        if self.batch_size is not None:
            recipe = replace(recipe, batch_size=self.batch_size)
        if self.augmentation != "default":
            augmentation = AUGMENTATION_CHOICES[self.augmentation]
            warps_seed = recipe.warps_seed if augmentation else None  # without augmentation there are no warps
            recipe = replace(recipe, augmentation=augmentation, photometric=None, warps_seed=warps_seed)
        if self.class_weights != "auto":
            recipe = replace(recipe, class_weights=None if self.class_weights == "none" else self.class_weights)
        return replace(recipe, early_stopping=self.early_stopping) if self.early_stopping is not None else recipe

    def _given(self) -> dict[str, str]:
        """Returns the options with a value that were given, by their names on the command line."""
        values = {
            "--epochs": self.epochs,
            "--rate": self.rate,
            "--batch-size": self.batch_size,
            "--augmentation": None if self.augmentation == "default" else self.augmentation,
            "--class-weights": None if self.class_weights == "auto" else self.class_weights,
            "--early-stopping": self.early_stopping,
            "--input-size": self.input_size and "x".join(map(str, self.input_size)),
        }
        return {name: str(value) for name, value in values.items() if value is not None}

    def words(self) -> list[str]:
        """Returns the command line's words that give these options again."""
        words = [word for option in self._given().items() for word in option]
        return [*words, "--all-images"] if self.all_images else words

    def settings(self) -> dict[str, object]:
        """Returns what ``run.toml`` keeps of them: those that were given."""
        given = {name.removeprefix("--").replace("-", "_"): value for name, value in self._given().items()}
        return {**given, "all_images": True} if self.all_images else dict(given)


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Returns height and width of ``HxW``, None of None.

    Raises:
        ModelError: it is no size, or a side is not from 1 to 1,024.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,5})\s*[xX]\s*(\d{1,5})\s*", text)
    if not match or not all(1 <= int(side) <= LARGEST_SIDE for side in match.groups()):
        raise ModelError(f"--input-size takes height x width in pixels, such as 32x32, at most {LARGEST_SIDE}; not {text!r}")
    return int(match[1]), int(match[2])
