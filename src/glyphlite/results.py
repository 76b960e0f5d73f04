"""The typed records that become ``results.json``: the contract with other programs.

Keys are only ever added; a changed meaning raises the schema number. Accuracies are fractions. Every figure in the report,
the README and the terminal comes from these records, and every record from a measurement on the artifact that it names.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from glyphlite.errors import DataError
from glyphlite.files import read_input, write_owned

SCHEMA = 1


class Record(BaseModel):
    """A frozen record; unknown keys of a newer glyphlite are kept out, not an error."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore", ser_json_inf_nan="null")


class Accuracy(Record):
    """An accuracy with its 95 % Wilson interval over ``n`` images; of none, ``value`` is 0 and ``measured`` false."""

    value: float
    low: float
    high: float
    n: int

    @computed_field
    @property
    def measured(self) -> bool:
        """Returns whether there was an image to measure on."""
        return self.n > 0


class CertaintyTest(Record):
    """What a fitted certainty is worth on the test split.

    ``refused`` is the part of the images that are below the least certainty, ``accuracy`` that of the others.
    """

    expected_calibration_error: float
    refused: float
    accuracy: Accuracy


class Certainty(Record):
    """How a model's probabilities become a certainty to believe, and below which its answer is refused.

    Fitted on ``images`` validation images (`glyphlite.evaluation.certainty`): each probability, ``floor`` where it is smaller, to
    the power of 1 / ``temperature``, and all of an image divided by their sum. What is then below ``least_certainty`` is refused.
    ``independent``: each probability comes from a sigmoid of its own, and its odds are taken to that power instead.
    """

    temperature: float = Field(gt=0)
    least_certainty: float
    floor: float = Field(gt=0)
    images: int
    independent: bool = False
    test: CertaintyTest | None = None


class ArenaPart(Record):
    """One kind of allocation in TFLite Micro's arena, as its own recording allocator reports it."""

    name: str
    bytes: int
    count: int | None = None


class RuntimeReport(Record):
    """What one runtime says of one artifact, found by trying.

    ``accepts``: it runs the file as an image classifier, one image in and a number per class out. ``runs``: it executes the file,
    whatever that is; None where a former version did not ask. ``reason`` says why not of the first that is false.
    ``arena_bytes`` is the smallest arena that TFLite Micro accepted on this (64-bit) host, ``recommended_arena_bytes`` what to
    give it on a target: the former with its margin.
    """

    accepts: bool
    runs: bool | None = None
    reason: str | None = None
    arena_bytes: int | None = None
    recommended_arena_bytes: int | None = None
    arena_breakdown: list[ArenaPart] = Field(default_factory=list)


class InputReport(Record):
    """Holds how a pixel of 0 to 255 enters a model: ``real = (pixel - mean) / std``, one number or one per channel.

    ``range`` is the same in a word or two, ``source`` says how it is known, ``assumed`` that it is only a guess.
    """

    range: str
    mean: float | list[float]
    std: float | list[float]
    dtype: str = "float32"
    layout: str = ""
    source: str = ""
    assumed: bool = False


class ArtifactReport(Record):
    """Everything measured on one .tflite file.

    ``input_type`` and ``output_type`` are the element types of its ports, which may differ from what it computes with.
    ``keras_path`` and ``float32_path`` name the files that it is held against: the Keras model, and the float32 variant of the
    same model where that was measured with it.
    """

    variant: str
    input_type: str | None = None
    output_type: str | None = None
    keras_path: str | None = None
    float32_path: str | None = None
    path: str
    bytes: int
    weight_bytes: int
    sha256: str
    accuracy: Accuracy
    agreement_with_keras: float | None = None
    mcnemar_p: float | None = None
    latency_us: float | None = None
    per_class: list[Accuracy] = Field(default_factory=list)
    confusion: list[list[int]] = Field(default_factory=list)
    runtimes: dict[str, RuntimeReport] = Field(default_factory=dict)
    mean_certainty: float | None = None
    expected_calibration_error: float | None = None
    certainty: Certainty | None = None
    outputs: str | None = None
    input: InputReport | None = None


class UnverifiedReport(Record):
    """A .tflite file that was converted but that no runtime here executes (SELECT_TF_OPS): its size and why, no accuracy."""

    variant: str
    path: str
    bytes: int
    sha256: str
    reason: str
    operators: list[str] = Field(default_factory=list)


class FailedReport(Record):
    """A variant that the model cannot be expressed in, and why."""

    variant: str
    reason: str


class KerasReport(Record):
    """Everything measured on the float Keras model."""

    parameters: int
    macs: int
    bytes: int
    sha256: str = ""
    accuracy: Accuracy
    validation_accuracy: float | None = None
    best_epoch: int | None = None
    latency_us: float | None = None
    per_class: list[Accuracy] = Field(default_factory=list)
    confusion: list[list[int]] = Field(default_factory=list)
    mean_certainty: float | None = None
    expected_calibration_error: float | None = None
    certainty: Certainty | None = None
    outputs: str | None = None
    input: InputReport | None = None


class TrainingReport(Record):
    """Holds a training's course, epoch by epoch; it shows whether the validation accuracy was still rising at the end."""

    validation_images: int
    learning_rate: list[float]
    accuracy: list[float]
    validation_accuracy: list[float]


class TensorDifference(Record):
    """Where two runtimes first part: the op that wrote the tensor, and by how many quantization steps at most."""

    tensor: str
    op: str
    op_index: int
    largest_difference: float
    differing_images: int


class VerifyReport(Record):
    """One artifact on one runtime against a reference runtime, the same quantized inputs through both.

    ``largest_difference`` is in ``difference_unit``: quantization steps of the output, or probability where it is not quantized.
    ``tensor_images`` is over how many of the images the tensors inside were compared, 0 where the runtime does not show them.
    The reference itself stands in the list too, identical to itself, with its accuracy.
    """

    artifact: str
    runtime: str
    reference: str
    images: int
    identical: float
    largest_difference: float
    same_class: float
    accuracy: Accuracy
    first_difference: TensorDifference | None = None
    differing_tensors: list[TensorDifference] = Field(default_factory=list)
    difference_unit: str = "steps"
    tensor_images: int = 0
    tensors_compared: int = 0


class LayerReport(Record):
    """One layer of generated C on an emulated core."""

    name: str
    op: str
    macs: int
    instructions: int
    constant_bytes: int = 0


class FirmwareReport(Record):
    """Generated C on one emulated core, measured over one call of ``function``; None where a former version did not say.

    ``stack_bytes`` is the measured high-water mark, ``stack_bound_bytes`` the static bound; ``ram_bytes`` is arena, input, output
    and stack together.
    """

    cpu: str
    function: str | None = None
    instructions: int
    instructions_per_mac: float
    code_bytes: int
    constant_bytes: int
    arena_bytes: int
    stack_bytes: int
    stack_bound_bytes: int | None = None
    ram_bytes: int | None = None
    layers: list[LayerReport] = Field(default_factory=list)


class PretrainedReport(Record):
    """The model came with glyphlite: which seed of how many, chosen on validation, and whether its int8 file came out again."""

    seed: int
    seeds: int
    best_epoch: int
    train_seconds: float
    validation_accuracy: float
    keras_sha256: str
    int8_sha256: str
    int8_is_the_shipped_one: bool


class Results(Record):
    """One run of the pipeline, whole."""

    schema_version: int = Field(default=SCHEMA, alias="schema")
    glyphlite: str = ""
    model: str
    dataset: str
    seed: int
    labels: list[str] = Field(default_factory=list)
    seconds: dict[str, float] = Field(default_factory=dict)
    cpu_seconds: dict[str, float] = Field(default_factory=dict)
    pretrained: PretrainedReport | None = None
    training: TrainingReport | None = None
    keras: KerasReport
    artifacts: list[ArtifactReport] = Field(default_factory=list)
    unverified: list[UnverifiedReport] = Field(default_factory=list)
    failed: list[FailedReport] = Field(default_factory=list)
    verify: list[VerifyReport] = Field(default_factory=list)
    firmware: list[FirmwareReport] = Field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The plain JSON document, keys as in the contract."""
        return self.model_dump(mode="json", by_alias=True)

    def save(self, path: Path) -> Path:
        """Write ``results.json`` atomically."""
        return write_owned(path, self.model_dump_json(by_alias=True, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Read a ``results.json``.

        Raises:
            DataError: the file is missing or is not a results document of this schema.
        """
        content = read_input(path, "the results.json of a finished run")
        try:
            results = cls.model_validate_json(content)
        except ValidationError as error:
            raise DataError(
                f"{path} is not a results.json of schema {SCHEMA}: {what_is_wrong(error)}; name the folder of a finished run"
            ) from None
        if results.schema_version != SCHEMA:
            raise DataError(
                f"{path} is of schema {results.schema_version}, this glyphlite reads {SCHEMA}; use the glyphlite that wrote it"
            )
        return results


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
