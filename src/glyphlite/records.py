"""The typed records that ``results.json`` and the other documents are made of.

Keys are only ever added. Accuracies are fractions. Every record comes from a measurement on the artifact that it names.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field, field_validator

from glyphlite.escaping import visible


class Record(BaseModel):
    """A frozen record; unknown keys of a newer glyphlite are kept out, not an error."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore", ser_json_inf_nan="null")

    @field_validator("*", mode="before")
    @classmethod
    def _without_hidden_text(cls, value: Any) -> Any:
        """Returns names and reasons as everybody can read and every JSON can hold them."""
        if isinstance(value, str):
            return visible(value)
        return [visible(each) if isinstance(each, str) else each for each in value] if isinstance(value, list | tuple) else value


class Accuracy(Record):
    """An accuracy with its 95 % Wilson interval over ``n`` images; of none, ``value`` is 0 and ``measured`` false."""

    value: float
    """Share of images whose most probable class is the label, 0 to 1; 0 where nothing was measured."""
    low: float
    """Lower end of the 95 % Wilson interval."""
    high: float
    """Upper end of the 95 % Wilson interval."""
    n: int
    """Images."""

    @computed_field
    @property
    def measured(self) -> bool:
        """Returns whether there was an image to measure on."""
        return self.n > 0


def mean_recall(per_class: Sequence[Accuracy]) -> float | None:
    """Returns the mean of the measured classes' recalls, known as balanced accuracy; None where none was measured."""
    recalls = [each.value for each in per_class if each.measured]
    return sum(recalls) / len(recalls) if recalls else None


class CertaintyTest(Record):
    """The effect of calibration and rejection on the test split.

    ``refused`` is the part of the images that are below the rejection threshold, ``accuracy`` that of the others.
    """

    expected_calibration_error: float
    """Mean gap between confidence and accuracy, after calibration."""
    refused: float
    """Share of images below the rejection threshold."""
    accuracy: Accuracy
    """Accuracy on the other images."""


class Certainty(Record):
    """The calibration of a model's probabilities, and the threshold below which its answer is rejected.

    Fitted on ``images`` validation images (`glyphlite.evaluation.confidence`): each probability, ``floor`` where it is smaller,
    to the power of 1 / ``temperature``, and all of an image divided by their sum. What is then below ``least_certainty`` is
    refused. ``independent``: each probability comes from a sigmoid of its own, and its odds are taken to that power instead.
    """

    temperature: float = Field(ge=0.01, le=100)
    """Temperature that calibrates the probabilities."""
    least_certainty: float = Field(ge=0, le=1)
    """Rejection threshold: the confidence that 99 % of the validation images reach."""
    floor: float = Field(gt=0, le=1)
    """Probability that replaces any smaller one before calibration."""
    images: int
    """Validation images of the fit."""
    independent: bool = False
    """True where each probability comes from a sigmoid of its own."""
    twin: bool = False
    """Tells whether it was fitted on a twin's answers: of the same training without the validation images."""
    test: CertaintyTest | None = None
    """What calibration and rejection achieve on the test split."""


class ArenaPart(Record):
    """One kind of allocation in TFLite Micro's arena, as its own recording allocator reports it."""

    name: str
    """Kind of allocation."""
    bytes: int
    """Its bytes."""
    count: int | None = None
    """Number of allocations, where TFLite Micro reports it."""


class RuntimeReport(Record):
    """One runtime's answer to one artifact, found by trying.

    ``accepts``: it runs the file as an image classifier, one image in and a number per class out. ``runs``: it executes the file,
    whatever that is; None where a former version did not ask. ``reason`` says why not of the first that is false.
    ``arena_bytes`` is the smallest arena that TFLite Micro accepted on this (64-bit) host, ``recommended_arena_bytes`` what to
    give it on a target: the former with its margin.
    """

    accepts: bool
    """Whether the runtime runs the file as an image classifier."""
    runs: bool | None = None
    """Whether the runtime executes the file at all; null where it was not asked."""
    reason: str | None = None
    """Why not, in words."""
    arena_bytes: int | None = None
    """Smallest arena that TFLite Micro accepts on this 64-bit host."""
    recommended_arena_bytes: int | None = None
    """Arena to set aside on a target: the smallest one and a margin."""
    arena_breakdown: list[ArenaPart] = Field(default_factory=list)
    """What the smallest arena contains."""


class InputReport(Record):
    """Holds how a pixel of 0 to 255 enters a model: ``real = (pixel - mean) / std``, one number or one per channel.

    ``range`` is the same in a word or two, ``source`` says how it is known, ``assumed`` that it is only a guess.
    """

    range: str
    """The range in words, for example `0..1`."""
    mean: float | list[float]
    """Mean, in pixels of 0 to 255; one number or one per channel."""
    std: float | list[float]
    """Standard deviation, in pixels of 0 to 255."""
    dtype: str = "float32"
    """Element type of the input."""
    layout: str = ""
    """Order of the axes."""
    source: str = ""
    """How the range is known."""
    assumed: bool = False
    """True where the range is only a guess."""


class ArtifactReport(Record):
    """Everything measured on one .tflite file.

    ``input_type`` and ``output_type`` are the element types of its ports, which may differ from what it computes with.
    ``keras_path`` and ``float32_path`` name the files that it is held against: the Keras model, and the float32 variant of the
    same model where that was measured with it.
    """

    variant: str
    """Float32, float16, dynamic, int8, int16x8 or uint8: what the file computes with."""
    input_type: str | None = None
    """Element type of the input."""
    output_type: str | None = None
    """Element type of the output."""
    keras_path: str | None = None
    """The Keras model that the file is compared with."""
    float32_path: str | None = None
    """The float32 file of the same model that its size is compared with."""
    path: str
    """The file, relative to the folder of the run."""
    bytes: int
    """Size of the file."""
    weight_bytes: int
    """Weights and biases as stored."""
    sha256: str
    """SHA-256 of the file."""
    accuracy: Accuracy
    """Accuracy on the test split, in LiteRT."""
    agreement_with_keras: float | None = None
    """Share of test images that get the same class from the Keras model."""
    mcnemar_p: float | None = None
    """P-value of McNemar's exact test against the Keras model."""
    latency_us: float | None = None
    """Median time of one inference in LiteRT on this host, in microseconds."""
    per_class: list[Accuracy] = Field(default_factory=list)
    """Accuracy per class."""
    confusion: list[list[int]] = Field(default_factory=list)
    """Test images per label (row) and answer (column)."""
    runtimes: dict[str, RuntimeReport] = Field(default_factory=dict)
    """Which runtimes accept the file, by name."""
    mean_certainty: float | None = None
    """Mean uncalibrated confidence on the test split."""
    expected_calibration_error: float | None = None
    """Mean gap between confidence and accuracy, before calibration."""
    certainty: Certainty | None = None
    """Calibration and rejection threshold."""
    outputs: str | None = None
    """What the outputs mean: softmax, logits, one sigmoid, or a sigmoid per class."""
    input: InputReport | None = None
    """How a pixel enters the model."""

    @computed_field
    @property
    def balanced_accuracy(self) -> float | None:
        """Returns the mean recall of the classes with test images; None where no class was measured."""
        return mean_recall(self.per_class)


class UnverifiedReport(Record):
    """A .tflite file that was converted but that no runtime here executes (SELECT_TF_OPS): its size and why, no accuracy."""

    variant: str
    """As for artifacts."""
    path: str
    """The file, relative to the folder of the run."""
    bytes: int
    """Size of the file."""
    sha256: str
    """SHA-256 of the file."""
    reason: str
    """Why nothing was measured."""
    operators: list[str] = Field(default_factory=list)
    """The ops that no runtime here executes."""


class FailedReport(Record):
    """A variant that the model cannot be expressed in, and why."""

    variant: str
    """The variant."""
    reason: str
    """Why it could not be written."""


class KerasReport(Record):
    """Everything measured on the float Keras model."""

    parameters: int
    """Trained numbers."""
    macs: int
    """Multiply-accumulates per image."""
    bytes: int
    """Size of the .keras file."""
    sha256: str = ""
    """SHA-256 of the .keras file."""
    accuracy: Accuracy
    """Accuracy on the test split."""
    validation_accuracy: float | None = None
    """Accuracy on the validation split, of the chosen epoch; null where all images were trained on."""
    best_epoch: int | None = None
    """The chosen epoch, from 1; the last one where all images were trained on."""
    latency_us: float | None = None
    """Median time of one inference on this host, in microseconds."""
    per_class: list[Accuracy] = Field(default_factory=list)
    """Accuracy per class."""
    confusion: list[list[int]] = Field(default_factory=list)
    """Test images per label (row) and answer (column)."""
    mean_certainty: float | None = None
    """Mean uncalibrated confidence on the test split."""
    expected_calibration_error: float | None = None
    """Mean gap between confidence and accuracy, before calibration."""
    certainty: Certainty | None = None
    """Calibration and rejection threshold."""
    outputs: str | None = None
    """As for artifacts."""
    input: InputReport | None = None
    """How a pixel enters the model."""

    @computed_field
    @property
    def balanced_accuracy(self) -> float | None:
        """Returns the mean recall of the classes with test images; None where no class was measured."""
        return mean_recall(self.per_class)


class TrainingReport(Record):
    """Holds a training's course, epoch by epoch; it shows whether the validation accuracy was still rising at the end."""

    validation_images: int
    """Images of the validation split; 0 where all images were trained on."""
    learning_rate: list[float]
    """Learning rate per epoch."""
    accuracy: list[float]
    """Training accuracy per epoch."""
    validation_accuracy: list[float]
    """Validation accuracy per epoch; empty where all images were trained on."""
    all_images: bool = False
    """Tells whether the validation images were trained on, too; nothing was chosen on them then, and the last epoch is kept."""


class TensorDifference(Record):
    """The first difference between two runtimes: the op that wrote the tensor, and how much it is at most."""

    tensor: str
    """Name of the tensor."""
    op: str
    """Op that wrote it."""
    op_index: int
    """Position of that op in the file."""
    largest_difference: float
    """Maximum difference, in `difference_unit`."""
    differing_images: int
    """Images that differ."""
    difference_unit: str = "steps"
    """Quantization steps, or value where the tensor holds floats."""


class OutputDifference(Record):
    """One of several outputs on one runtime against the reference runtime."""

    output: str
    """Name of the output's tensor."""
    differing_values: int
    """Values that differ, over all inputs."""
    values: int
    """Values compared."""
    largest_difference: float
    """Maximum difference, in quantization steps; in real numbers where the output is not quantized."""


class OptimizeReport(Record):
    """A file made smaller by ``glyphlite optimize``; ``steps`` says what was done, a line each, and is empty for a mere copy."""

    artifact: str
    """The file that was read."""
    path: str
    """The file that was written."""
    bytes_before: int
    """Bytes of the file that was read."""
    bytes: int
    """Bytes of the file that was written."""
    arena_bytes_before: int | None = None
    """The arena that TFLite Micro needs for the file that was read; null where it does not run it."""
    arena_bytes: int | None = None
    """The arena that TFLite Micro needs for the file that was written."""
    steps: list[str] = Field(default_factory=list)
    """What was done."""
    inputs: int
    """Random inputs that both files were run on."""
    models: int = 1
    """Models in the file, each compared on its own: one a signature, and the first subgraph."""
    identical_in: list[str] = Field(default_factory=list)
    """The runtimes that run the files; every byte of their outputs is the same."""


class BoardReport(Record):
    """The time of the inferences on a board, by its own clock."""

    port: str
    """The serial port."""
    inferences: int
    """Inferences that were timed."""
    median_ms: float | None = None
    """Milliseconds per inference, the median; null where the board counts no time."""
    slowest_ms: float | None = None
    """Milliseconds of the slowest inference."""
    ticks_per_second: int = 0
    """Frequency of the board's clock; 0 where there is none."""
    median_ticks: int = 0
    """Ticks per inference, the median."""
    repeats: int = 0
    """Requests that were sent again, since the line damaged or lost them."""
    core: str | None = None
    """A core that has the instructions which the firmware was built for; null where the firmware does not say one."""
    hertz: int | None = None
    """Frequency of the core; null where the firmware does not say it."""
    median_cycles: int | None = None
    """Cycles of the core per inference, the median; null where its frequency or the time is not known."""
    emulated_instructions: int | None = None
    """Instructions of one inference on that core, emulated, the same C built as `simulate` builds it."""
    emulated_cycles: int | None = None
    """Cycles of it where the emulator counts them."""


class VerifyReport(Record):
    """One artifact on one runtime against a reference runtime, the same quantized inputs through both.

    ``largest_difference`` is in ``difference_unit``: quantization steps of the output, or probability where it is not quantized.
    ``tensor_images`` is over how many of the images the tensors inside were compared, 0 where the runtime does not show them.
    The reference itself stands in the list too, identical to itself, with its accuracy. Classes and accuracy are null where the
    inputs have no labels.
    """

    artifact: str
    """The file."""
    runtime: str
    """The runtime."""
    reference: str
    """The runtime that it is compared with."""
    images: int
    """Images compared."""
    identical: float
    """Share of images with identical outputs."""
    largest_difference: float
    """Maximum difference of an output, in `difference_unit`."""
    same_class: float | None = None
    """Agreement: share of images with the same class."""
    accuracy: Accuracy | None = None
    """Accuracy of this runtime on these images."""
    first_difference: TensorDifference | None = None
    """The first tensor that differs."""
    differing_tensors: list[TensorDifference] = Field(default_factory=list)
    """Every tensor that differs."""
    difference_unit: str = "steps"
    """Steps of the quantized output, or probability."""
    tensor_images: int = 0
    """Images over which tensors were compared; 0 where the runtime does not show them."""
    tensors_compared: int = 0
    """Tensors compared."""
    unit: str = "image"
    """What one input is called: image, or input where it is none."""
    values: int = 0
    """Output values compared, over all inputs."""
    differing_values: int = 0
    """Output values that differ."""
    differing_bytes: int = 0
    """Output bytes that differ."""
    mean_absolute_error: float | None = None
    """Mean absolute difference of the real outputs from the float source's; null where none was given."""
    outputs: list[OutputDifference] = Field(default_factory=list)
    """Output by output, where there are several."""


class LayerReport(Record):
    """One layer of generated C on an emulated core."""

    name: str
    """Name of the layer."""
    op: str
    """Its op."""
    macs: int
    """Multiply-accumulates per image."""
    instructions: int
    """Instructions per image, helpers included."""
    cycles: int | None = None
    """Cycles per image, measured; null where the emulator counts none."""
    constant_bytes: int = 0
    """Bytes of its constants."""


class FirmwareReport(Record):
    """Generated C on one emulated core, measured over one call of ``function``; None where a former version did not say.

    ``stack_bytes`` is the measured high-water mark, ``stack_bound_bytes`` the static bound; ``ram_bytes`` is arena, state,
    input, output and stack together, input and output in the arena where that takes less: ``memory_bytes`` with it then.
    """

    cpu: str
    """Emulated core."""
    function: str | None = None
    """Function that was called, for example `digits_invoke`; null where a former version did not say."""
    instructions: int
    """Instructions of one inference."""
    cycles: int | None = None
    """Cycles of one inference, measured; null where the emulator counts instructions alone."""
    instructions_per_mac: float
    """Instructions per multiply-accumulate."""
    code_bytes: int
    """Bytes of code that the call reaches."""
    constant_bytes: int
    """Bytes of constants."""
    arena_bytes: int
    """Working memory, without input and output."""
    state_bytes: int = 0
    """Bytes that the caller keeps from one call to the next; 0 for a model without state."""
    stack_bytes: int
    """Measured high-water mark of the stack."""
    stack_bound_bytes: int | None = None
    """Static bound of the stack."""
    stack_bound_missing: str | None = None
    """Why there is no static bound; null where there is one, or where a former version did not say."""
    ram_bytes: int | None = None
    """Total RAM: arena, state, input, output and stack; with input and output in the arena where that takes less."""
    memory_bytes: int | None = None
    """Arena, input and output in one (`NAME_memory_t`); null where that takes no less than the three apart."""
    removed_channels: int = 0
    """Channels that change no answer: generated C leaves them out, with their weights and their multiply-accumulates."""
    instruction_mix: dict[str, int] = Field(default_factory=dict)
    """Instructions of each kind that takes some core more than one cycle: loads, taken branches, ...; empty off Arm."""
    layers: list[LayerReport] = Field(default_factory=list)
    """The same per layer."""


class PictureReport(Record):
    """The preparation of one picture on an emulated core: a camera's frame, a canvas of bits, or the strokes of a pen."""

    cpu: str
    """Emulated core."""
    kind: str
    """What was prepared: frame, canvas or strokes."""
    width: int
    """Columns of the picture, or of the panel."""
    height: int
    """Rows of the picture, or of the panel."""
    instructions: int
    """Instructions of one preparation."""
    cycles: int | None = None
    """Cycles of one preparation; null where the emulator counts instructions alone."""
    code_bytes: int
    """Bytes of code and constants."""
    picture_bytes: int
    """Bytes of the frame, the canvas or the points."""
    work_bytes: int
    """Working memory that the caller gives."""
    stack_bytes: int
    """Measured high-water mark of the stack."""
    functions: dict[str, int] = Field(default_factory=dict)
    """Each function's own instructions, the most first."""


class BoardFit(Record):
    """A model on a board: what it takes of flash and RAM there, and whether it fits; None where nothing builds for the core."""

    board: str
    """Name of the board."""
    title: str
    """Its name for people."""
    core: str
    """Its core, as its maker calls it."""
    cpu: str | None
    """Emulated core that was measured; null where there is none."""
    mhz: int
    """Clock at most, in MHz."""
    board_flash_bytes: int
    """Flash that a program may use."""
    board_ram_bytes: int
    """RAM in one piece."""
    flash_bytes: int | None = None
    """Code and constants of the model."""
    ram_bytes: int | None = None
    """Arena, state, input, output and stack of the model."""
    flash_left: int | None = None
    """Flash that is left; negative where it does not fit."""
    ram_left: int | None = None
    """RAM that is left; negative where it does not fit."""
    instructions: int | None = None
    """Instructions of one inference."""
    flash_basis: str | None = None
    """`measured`, or what the bytes of flash are estimated from; null where there are none."""
    ram_basis: str | None = None
    """The same of the RAM."""
    time_ms: float | None = None
    """Time of one inference at `mhz`, in milliseconds; null where nothing counts instructions for the core."""
    cycles: int | None = None
    """Cycles of one inference, of which the time is made."""
    time_basis: str | None = None
    """`measured`, or `estimated: ...` with where the cycles of the core's instructions are published."""
    verdict: Literal["FITS", "TIGHT", "DOES NOT FIT", "UNKNOWN"]
    """TIGHT where it takes more than 90 % of either."""
    optimize: str | None = None
    """What the C was optimized for."""
    reason: str | None = None
    """Why nothing was measured; null where something was."""


class DefinitionReport(Record):
    """The file that defines the model."""

    file: str
    """As it was named; the run's folder holds a copy, `model.toml`."""
    sha256: str
    """Of its bytes."""


class PretrainedReport(Record):
    """The model came with glyphlite: which seed of how many, chosen on validation, and whether its int8 file came out again."""

    seed: int
    """Seed of the released file."""
    seeds: int
    """Seeds that were trained."""
    best_epoch: int
    """Chosen epoch, from 1."""
    train_seconds: float
    """Duration of its training."""
    validation_accuracy: float
    """Validation accuracy of the int8 file; of its twin, where it was trained on all images."""
    all_images: bool = False
    """Tells whether it was trained on the validation images, too, after choices made with twins that were not."""
    keras_sha256: str
    """SHA-256 of the .keras file."""
    int8_sha256: str
    """SHA-256 of the int8 file."""
    int8_is_the_shipped_one: bool
    """Whether conversion gave the released int8 file again, byte for byte."""


_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
    "literal": "one of few words",
    "greater": "a larger number",
    "less": "a smaller number",
}


def what_is_wrong(error: ValidationError) -> str:
    """Returns in our own words, one line, the first thing that a document lacks or has wrong."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    kind = str(first["type"])
    if kind == "json_invalid":
        return "it is not whole JSON"
    if kind == "missing":
        return f"{where} is missing"
    expected = _EXPECTED.get(kind.partition("_")[0], "something else")
    found = " ".join(repr(first["input"]).split())
    return f"{where or 'it'} is {found if len(found) <= 40 else f'{found[:37]}...'}, expected {expected}"
