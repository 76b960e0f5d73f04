"""Every key of a model file: which values it takes and what it means. Data, from which the reader's checks and the reference
page are made; the keys of a layer, its required ones and its defaults come from the architecture's own records.
"""

import math
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Protocol, get_args

from glyphlite.models.architecture import Layer
from glyphlite.models.recipe import Distillation, Recipe, Restarts, Schedule

LARGEST_SIDE = 1024
MOST_LAYERS = 1000


class Value(Protocol):
    """The values that a key takes."""

    @property
    def words(self) -> str:
        """Returns what is expected, with its article."""
        ...

    def accepts(self, value: Any) -> bool:
        """Returns whether it takes a value as ``tomllib`` gives it."""
        ...


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def words(self) -> str:
        """Returns what is expected."""
        return f"a whole number from {self.low:,} to {self.high:,}"

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one; true and false are none."""
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True)
class Real:
    """A number from ``low`` to ``high``; ``above``: above ``low``, ``below``: below ``high``."""

    low: float
    high: float
    above: bool = False
    below: bool = False

    @property
    def words(self) -> str:
        """Returns what is expected."""
        return f"a number {'above' if self.above else 'from'} {self.low:g} {'to below' if self.below else 'to'} {self.high:g}"

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one; NaN is none."""
        if type(value) not in (int, float) or not math.isfinite(value) or not self.low <= value <= self.high:
            return False
        return not (self.above and value == self.low) and not (self.below and value == self.high)


@dataclass(frozen=True)
class OneOf:
    """One of a few words or numbers."""

    choices: tuple[str | int, ...]

    @property
    def words(self) -> str:
        """Returns what is expected."""
        *most, last = (f'"{each}"' if isinstance(each, str) else str(each) for each in self.choices)
        return f"{', '.join(most)} or {last}" if most else last

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one of them."""
        return type(value) in (str, int) and value in self.choices


@dataclass(frozen=True)
class Flag:
    """True or false."""

    words: str = "true or false"

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one of the two."""
        return isinstance(value, bool)


@dataclass(frozen=True)
class Name:
    """A name that files, Keras and C can have."""

    words: str = "a name: a letter, then at most 63 letters, digits, hyphens and underscores"

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one."""
        if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isascii():
            return False
        return value[0].isalpha() and value.replace("-", "").replace("_", "").isalnum()


@dataclass(frozen=True)
class Text:
    """One line of text."""

    longest: int = 300

    @property
    def words(self) -> str:
        """Returns what is expected."""
        return f"one line of at most {self.longest} characters"

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one."""
        return isinstance(value, str) and len(value) <= self.longest and (not value or value.isprintable())


@dataclass(frozen=True)
class Names:
    """An array of different names, at least one."""

    most: int = 16

    @property
    def words(self) -> str:
        """Returns what is expected."""
        return f'an array of 1 to {self.most} different names, such as ["a", "b"]'

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one."""
        if not isinstance(value, list) or not 1 <= len(value) <= self.most:
            return False
        return all(Name().accepts(each) for each in value) and len(set(value)) == len(value)


@dataclass(frozen=True)
class Size:
    """An image's height and width."""

    words: str = f"height and width from 1 to {LARGEST_SIDE}, such as [20, 20]"

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one."""
        return isinstance(value, list) and len(value) == 2 and all(Whole(1, LARGEST_SIDE).accepts(each) for each in value)


@dataclass(frozen=True)
class Table:
    """A table with keys of its own, which becomes a record."""

    record: type
    keys: "dict[str, Key]"

    @property
    def words(self) -> str:
        """Returns what is expected."""
        return f"a table with the keys {', '.join(self.keys)}"

    def accepts(self, value: Any) -> bool:
        """Returns whether it is one; its keys are looked at one by one."""
        return isinstance(value, dict)


@dataclass(frozen=True)
class Key:
    """The values of a key, and what they mean."""

    value: Value
    meaning: str


LAYER_KEYS: dict[str, Key] = {
    "name": Key(Name(), "The layer's name, in reports and in the generated C. Left out: the kind and a number, such as `conv1`."),
    "filters": Key(Whole(1, 4096), "Number of output channels."),
    "kernel": Key(Whole(1, 64), "Height and width of the window, in pixels."),
    "stride": Key(Whole(1, 64), "How far the window moves, in pixels."),
    "padding": Key(OneOf(("valid", "same")), "`same` adds zeros around the image so that, at stride 1, it keeps its size."),
    "bias": Key(Flag(), "A number per channel, which takes four bytes each."),
    "weights_of": Key(Name(), "An earlier layer of the same kind and sizes, whose weights are used again: they are stored once."),
    "activation": Key(OneOf(("relu", "relu6", "sigmoid", "tanh")), "What is applied to the sums. Left out: nothing."),
    "size": Key(Whole(1, 64), "Height and width of the squares of which the largest value stays."),
    "units": Key(Whole(1, 65_536), "Number of outputs."),
    "rate": Key(Real(0, 1, below=True), "Share of the inputs that is set to zero in training."),
}

AUGMENTATIONS = ("affine", "affine_gentle", "affine_strong", "elastic_gentle", "elastic", "elastic_wide", "elastic_wider")
PHOTOMETRIC = (
    "faded_noisy",
    "faded_noisy_gentle",
    "occluded",
    "occluded_gentle",
    "occluded_often",
    "occluded_coarse",
    "occluded_coarse_rewritten",
    "occluded_gentle_rewritten",
)
"""Names in `glyphlite.training.augmentation.parameters`, which stands behind the models: a test holds the two together."""

SCHEDULE_KEYS: dict[str, Key] = {
    "kind": Key(
        OneOf(("constant", "exponential_floor", "one_cycle")),
        "`constant`: always `peak`. `one_cycle`: up to `peak`, then along a cosine down to `floor`. "
        "`exponential_floor`: `floor + peak * exp(-epoch / decay_epochs)`.",
    ),
    "peak": Key(Real(0, 10, above=True), "The highest learning rate."),
    "floor": Key(Real(0, 10), "The lowest, at most `peak`."),
    "decay_epochs": Key(Real(0, 1e6), "Of `exponential_floor`, above 0: epochs until the rate has fallen to 37 %."),
    "warmup": Key(Real(0, 1, below=True), "Of `one_cycle`: share of the steps in which the rate rises."),
}

DISTILLATION_KEYS: dict[str, Key] = {
    "teachers": Key(Names(), "Pretrained models; what they answer, on average, is learned. They teach only on MNIST."),
    "weight": Key(Real(0, 1), "Share of the answers in the loss; the labels have the rest."),
    "temperature": Key(Real(0, 100, above=True), "What the logits of both are divided by."),
}

RESTARTS_KEYS: dict[str, Key] = {
    "count": Key(Whole(1, 1000), "Initializations that are tried."),
    "epochs": Key(Whole(1, 100_000), "Epochs for each."),
}

RECIPE_KEYS: dict[str, Key] = {
    "name": Key(Name(), "What `run.toml` calls the recipe. Left out: the model's name."),
    "epochs": Key(Whole(1, 100_000), "Passes over the training images."),
    "batch_size": Key(Whole(1, 65_536), "Images per step."),
    "schedule": Key(Table(Schedule, SCHEDULE_KEYS), "The learning rate; in the epochs before int8 is simulated, if some are."),
    "optimizer": Key(OneOf(("adam",)), "What changes the weights."),
    "loss": Key(OneOf(("sparse_categorical_crossentropy",)), "What is made small."),
    "augmentation": Key(OneOf(AUGMENTATIONS), "How training images are moved and bent. Left out: not at all."),
    "photometric": Key(
        OneOf(PHOTOMETRIC),
        "How they are made fainter and noisier, and partly hidden. Left out: not at all. `rewritten`: some in other styles.",
    ),
    "augmentation_cycle": Key(Whole(1, 100_000), "Epochs after which the same changes come again, so that teachers answer once."),
    "distillation": Key(Table(Distillation, DISTILLATION_KEYS), "Teachers to learn from, beside the labels."),
    "label_smoothing": Key(Real(0, 1, below=True), "Share of a label that is spread over all classes."),
    "ema": Key(Real(0, 1, above=True, below=True), "Decay of a running average of the weights, which is kept in their place."),
    "quantized_epochs": Key(
        Whole(0, 100_000),
        "How many of the epochs, the last ones, simulate int8: at least 1 with layers that are trained for it (3), else 0.",
    ),
    "quantized_schedule": Key(Table(Schedule, SCHEDULE_KEYS), "The learning rate in those epochs."),
    "freezing": Key(
        Real(0, 1, above=True), "Of 4-bit weights: in this share of those epochs they are fixed one after the other."
    ),
    "precision": Key(OneOf(("float32", "bfloat16")), "Of the products in training; `bfloat16` where the processor has it."),
    "split_seed": Key(Whole(0, 2**31 - 1), "Holds out the same validation images whatever `--seed` is."),
    "beginnings": Key(Table(Restarts, RESTARTS_KEYS), "Tries several initializations first and goes on with the best."),
    "class_weights": Key(OneOf(("balanced",)), "Rare classes count as much as frequent ones. Left out: all images alike."),
    "early_stopping": Key(Whole(1, 100_000), "Ends the training after so many epochs without a better one."),
    "narrowed": Key(Names(), "Layers whose weights are rounded to four bits after the training."),
    "warps_seed": Key(Whole(0, 2**31 - 1), "Augments each image alike whatever `--seed` is, so that teachers' answers are kept."),
}

MODEL_KEYS: dict[str, Key] = {
    "name": Key(Name(), "The model's name: what reports and folders call it. Left out: the file's."),
    "description": Key(Text(), "What it is for."),
    "input_size": Key(Size(), "Height and width that pictures are brought to. Left out: 28x28, or what `--input-size` says."),
    "weight_bits": Key(OneOf((8, 4)), "Bits per weight in the int8 file; 4 needs layers that are trained for int8."),
    "biased_scores": Key(Flag(), "Whether the last layer has a bias per class."),
}
"""Those of the document itself, besides ``layers`` and ``recipe``."""

KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Layer)}
"""The kinds of layers, by the name that a file gives them."""

TRAINED_FOR_INT8 = ("FoldedConv", "FoldedDepthwise", "GlobalMean")
FLOAT_ONLY = ("Conv", "Dense", "BatchNorm", "Relu")
"""Kinds that don't go together with those trained for int8, as their own rounding is not simulated."""

NEED_MAPS = ("Conv", "Pool", "FoldedConv", "FoldedDepthwise", "GlobalMean")
LEAVE_A_ROW = ("Flatten", "GlobalMean")


def keys_of(kind: str) -> dict[str, Key]:
    """Returns the keys of a kind of layer, in the order of its record."""
    return {field.name: LAYER_KEYS[field.name] for field in fields(KINDS[kind])}


def is_required(field: "Field[Any]") -> bool:
    """Returns whether a record's field has no value of its own."""
    return field.default is MISSING and field.default_factory is MISSING


def required_keys(record: type) -> tuple[str, ...]:
    """Returns the keys that a file has to give for a record; a name, where the record needs one, can be made."""
    return tuple(field.name for field in fields(record) if is_required(field) and field.name != "name")


RECIPE = Table(Recipe, RECIPE_KEYS)
