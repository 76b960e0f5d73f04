"""The plan that ``train`` and ``run`` settle before anything is read: model, images, recipe and folder. Then the data."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.registry import check_dataset, check_groups, known_classes
from glyphlite.datasets.splits import UNEQUAL, imbalance
from glyphlite.models.choice import ModelChoice
from glyphlite.models.input_shape import model_input_shape
from glyphlite.models.interface.input_convention import parse_input_range
from glyphlite.models.recipe import Recipe
from glyphlite.models.registry import definition_of, is_definition, resolve_model, split_seed
from glyphlite.models.training_options import TrainingOptions
from glyphlite.pipeline.inputs.conventions import choose_model
from glyphlite.pipeline.inputs.datasets import load_for_model
from glyphlite.pipeline.runs.folder import (
    DEFINITION,
    TRAINING_FILES,
    Wish,
    choose_folder,
    clear_folder,
    drop_previous,
    is_same_file,
    require_kept,
)


@dataclass(frozen=True)
class TrainingPlan:
    """Holds the model, data, options and folder of a training.

    Attributes:
        model: as the user named it.
        dataset: likewise.
        folder: where everything goes.
        wish: what the user said about the folder.
        seed: of everything that is drawn.
        options: what the user changed of the recipe.
        input_shape: height, width, channels that images are brought to; None leaves them as they are.
        data_dir: where the data lies, if the user says so.
        input_range: how the model takes a pixel, if the user says so.
        group_by: how the images' groups are told, if the user says so.
    """

    model: str
    dataset: str
    folder: Path
    wish: Wish
    seed: int = 0
    options: TrainingOptions = field(default_factory=TrainingOptions)
    input_shape: tuple[int, int, int] | None = None
    data_dir: Path | None = None
    input_range: str | None = None
    group_by: str | None = None

    def load(self) -> tuple[Dataset, ModelChoice]:
        """Reads the data and chooses the model for it, its recipe as the options change it.

        Raises:
            DataError: the dataset.
            ModelError: the model does not fit it.
        """
        seed = split_seed(self.model, self.seed)
        dataset = load_for_model(self.dataset, self.input_shape, data_dir=self.data_dir, seed=seed, group_by=self.group_by)
        dataset = dataset.with_all_images() if self.options.all_images else dataset
        choice = choose_model(self.model, dataset, self.input_range)
        recipe = self.options.apply(choice.recipe)
        if self.options.class_weights == "auto":
            recipe = with_class_weights(recipe, dataset)
        return dataset, replace(choice, recipe=recipe)

    def clear(self) -> None:
        """Puts the run that is to be overwritten aside, where one is.

        Raises:
            OutputError: a file cannot be removed.
        """
        if self.wish.overwrite:
            clear_folder(self.folder)

    def finish(self) -> None:
        """Removes the run that was overwritten, now that the new one is whole.

        Raises:
            OutputError: a file cannot be removed.
        """
        drop_previous(self.folder)


def plan_training(
    model: str,
    dataset: str,
    wish: Wish,
    *,
    seed: int = 0,
    options: TrainingOptions | None = None,
    data_dir: Path | None = None,
    input_range: str | None = None,
    group_by: str | None = None,
    suffix: str = "",
    writes: Sequence[str] = TRAINING_FILES,
) -> TrainingPlan:
    """Checks names, shapes and options, and chooses the folder; reads no images and writes nothing.

    Args:
        model: a name, a model file, file.py:function, or a .keras file.
        dataset: a name, a file or a folder.
        wish: what the user said about the folder.
        seed: of everything that is drawn.
        options: what the user changed of the recipe.
        data_dir: where the data lies, if the user says so.
        input_range: how the model takes a pixel, if the user says so.
        group_by: how the images' groups are told, if the user says so.
        suffix: behind the model's name in that of a folder that we choose.
        writes: the files that will be written into the folder.

    Raises:
        ModelError: the model is unknown, unreadable or takes other images than the user asked for.
        DataError: there is no such dataset.
        OutputError: the folder holds a run already, or none to be resumed, or files of the user's that would be replaced.
    """
    options = options or TrainingOptions()
    if input_range is not None:
        parse_input_range(input_range)
    name = model_name(model)
    check_dataset(dataset, data_dir)
    if group_by is not None:
        check_groups(dataset, group_by)
    of_data = Path(dataset).stem
    chosen = f"{name}{suffix}" if suffix or of_data == "mnist" else f"{name}-{of_data}"
    if is_definition(model) and not (wish.out is not None and is_same_file(wish.out / DEFINITION, Path(model))):
        writes = (*writes, DEFINITION)
    folder = choose_folder(wish, chosen, writes=writes)
    require_kept(wish, folder, Path(model))
    shape = model_input_shape(model, options.input_size, known_classes(dataset, data_dir))
    return TrainingPlan(model, dataset, folder, wish, seed, options, shape, data_dir, input_range, group_by)


def with_class_weights(recipe: Recipe, dataset: Dataset) -> Recipe:
    """Returns the recipe with the class weights that the dataset wants, unless it has some."""
    wanted = None if recipe.class_weights else class_weights_for(dataset)
    return replace(recipe, class_weights=wanted) if wanted else recipe


def class_weights_for(dataset: Dataset) -> str | None:
    """Returns ``balanced`` where a dataset's classes are unequal, else None; says so, and how strong the weights are."""
    counts = np.bincount(dataset.train.labels, minlength=dataset.classes)
    ratio = imbalance(counts)
    if ratio < UNEQUAL:
        return None
    present = np.flatnonzero(counts)
    most, fewest = (int(present[pick(counts[present])]) for pick in (np.argmax, np.argmin))
    often, rare = dataset.labels[most], dataset.labels[fewest]
    say(
        f"the classes are unequal: {often} has {counts[most]:,} training images, {rare} {counts[fewest]:,}; so one of {rare} "
        f"counts {ratio:.3g} times as much in the loss, and the epoch with the best mean recall is kept (--class-weights none: "
        "all images alike, the most accurate epoch)",
        style="yellow",
    )
    return "balanced"


def model_name(model: str) -> str:
    """Returns what results and folders call a model.

    Raises:
        ModelError: it is unknown or unreadable.
    """
    definition = definition_of(model)
    return definition.architecture.name if definition else resolve_model(model, (64, 64, 1), 10).name
