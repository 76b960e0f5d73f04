"""A training recipe is data: what the trainer does, with nothing of how.

It stands with the models, left of training, because a model names the recipe it was tuned with.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Schedule:
    """A learning rate over time. ``kind`` names the formula; the trainer holds the formulas.

    ``constant``: ``peak``. ``exponential_floor``: ``floor + peak * exp(-epoch / decay_epochs)``, stepped by epoch.
    ``one_cycle``: linear from 0 to ``peak`` over ``warmup`` of the steps, then a cosine down to ``floor``.
    """

    kind: str
    peak: float
    floor: float = 0.0
    decay_epochs: float = 0.0
    warmup: float = 0.0


@dataclass(frozen=True)
class Distillation:
    """Learning what trained models answer, beside the labels.

    Source: G. Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.

    Attributes:
        teachers: pretrained models; the mean of their log-probabilities is the answer.
        weight: of the answers in the loss, from 0 to 1; the labels have the rest.
        temperature: what the logits of both are divided by.
    """

    teachers: tuple[str, ...]
    weight: float = 0.9
    temperature: float = 2.0


@dataclass(frozen=True)
class Restarts:
    """Several initial weights, each trained the first epochs; those with the lowest training loss begin the training.

    Attributes:
        count: how many are tried.
        epochs: how long each.
    """

    count: int
    epochs: int


@dataclass(frozen=True)
class Recipe:
    """A training recipe.

    ``precision`` is what products are computed in while training: ``float32``, or ``bfloat16`` on processors that have
    instructions for it (float32 elsewhere). Weights, updates, validation and the model that comes out are float32 in both.

    ``quantized_epochs`` of the ``epochs``, the last ones, are trained with int8 simulated, under the schedule
    ``quantized_schedule``; ``schedule`` spans those before. Only models of quantization-aware layers can be trained so.

    ``freezing``, for weights of fewer than eight bits: in this share of the quantized epochs they are frozen on their codes one
    after the other; those that are not frozen yet train on, not rounded. None: all are rounded all the time.

    ``augmentation`` and ``photometric`` name the augmentations (`glyphlite.training.augmentation.parameters`). After
    ``augmentation_cycle`` epochs order and warps repeat, so that teachers are asked about each warped image once. With
    ``warps_seed`` the warps are the same whatever the training's seed, and what teachers answer serves every training.

    ``class_weights``: ``balanced`` weighs the loss of each image by how rare its class is, so that all classes count alike.

    ``early_stopping``: the training ends after so many epochs without a better one.

    ``split_seed`` holds out the same validation images whatever the training's seed, as a teacher must not have seen them.

    ``narrowed`` names layers whose weights are rounded to four bits after the training
    (`glyphlite.models.qat.compensated_rounding`).
    """

    name: str
    epochs: int
    batch_size: int
    schedule: Schedule
    optimizer: str = "adam"
    loss: str = "sparse_categorical_crossentropy"
    augmentation: str | None = None
    photometric: str | None = None
    augmentation_cycle: int | None = None
    distillation: Distillation | None = None
    label_smoothing: float = 0.0
    ema: float | None = None
    quantized_epochs: int = 0
    quantized_schedule: Schedule | None = None
    freezing: float | None = None
    precision: str = "float32"
    split_seed: int | None = None
    beginnings: Restarts | None = None
    class_weights: str | None = None
    early_stopping: int | None = None
    narrowed: tuple[str, ...] | None = None
    warps_seed: int | None = None

    @property
    def float_epochs(self) -> int:
        """Returns the epochs before int8 is simulated."""
        return self.epochs - self.quantized_epochs

    @property
    def first_choice(self) -> int:
        """Returns the first epoch, from 1, that may be kept: of a quantization-aware training only epochs with int8 simulated."""
        return self.float_epochs + 1 if self.quantized_epochs else 1

    def with_epochs(self, epochs: int) -> "Recipe":
        """Returns the recipe over another number of epochs; the parts of them with int8 simulated, of a beginning and of a
        cycle of augmentation stay about the same.

        Never none with int8 simulated; but where a beginning would be less than an epoch, only one is made. A cycle
        never gets longer than the recipe's, as its images cost the teachers' time and memory.
        """
        quantized, beginnings, cycle = self.quantized_epochs, self.beginnings, self.augmentation_cycle
        if quantized:
            quantized = max(1, min(epochs - 1, round(epochs * quantized / self.epochs)))
        if beginnings:
            tried = round(epochs * beginnings.epochs / self.epochs)
            beginnings = replace(beginnings, epochs=tried) if tried else None
        if cycle:
            cycle = min(cycle, max(1, round(cycle * epochs / self.epochs)))
        return replace(self, epochs=epochs, quantized_epochs=quantized, beginnings=beginnings, augmentation_cycle=cycle)


def describe_recipe(recipe: Recipe) -> str:
    """Returns the recipe in words, one line."""
    schedule = recipe.schedule
    rates = {
        "constant": f"rate {schedule.peak:g}",
        "exponential_floor": f"rate {schedule.floor:g} + {schedule.peak:g} exp(-epoch / {schedule.decay_epochs:g})",
        "one_cycle": f"one cycle up to rate {schedule.peak:g}",
    }
    words = [recipe.optimizer.capitalize(), rates[schedule.kind], f"{recipe.epochs} epochs", f"batches of {recipe.batch_size}"]
    if recipe.augmentation:
        words.append(f"augmentation {recipe.augmentation}")
    if recipe.photometric:
        words.append(f"photometric augmentation {recipe.photometric}")
    if recipe.distillation:
        words.append(f"distilled from {' and '.join(recipe.distillation.teachers)}")
    if recipe.label_smoothing:
        words.append(f"label smoothing {recipe.label_smoothing:g}")
    if recipe.ema:
        words.append(f"averaged weights ({recipe.ema:g})")
    if recipe.precision != "float32":
        words.append(f"{recipe.precision} where the processor has it")
    if recipe.class_weights:
        words.append(f"{recipe.class_weights} class weights")
    if recipe.early_stopping:
        words.append(f"ending after {recipe.early_stopping} epochs without a better one")
    if recipe.beginnings:
        words.append(f"the best of {recipe.beginnings.count} initializations after {recipe.beginnings.epochs} epochs")
    if recipe.quantized_epochs:
        frozen = " with progressive weight freezing" if recipe.freezing else ""
        words.append(f"the last {recipe.quantized_epochs} quantization-aware{frozen}")
    if recipe.narrowed:
        words.append(f"{' and '.join(recipe.narrowed)} rounded to INT4 at the end")
    return ", ".join(words)
