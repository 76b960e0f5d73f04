"""The five variants as data: what each stores, what it needs, how it is named. Knows nothing of how a converter is driven."""

from dataclasses import dataclass

from glyphlite.errors import ConversionError, did_you_mean


@dataclass(frozen=True)
class Variant:
    """One way to express a model as a .tflite file.

    Attributes:
        name: on the command line, in file names and in results.
        title: for people.
        description: what is stored how, in one sentence.
        ports: element type of the input and the output.
        needs_calibration: whether activations' ranges must be measured on representative images.
    """

    name: str
    title: str
    description: str
    ports: str = "float32"
    needs_calibration: bool = False


VARIANTS = (
    Variant("float32", "float32", "Weights and activations as trained."),
    Variant(
        "float16", "float16 weights", "Weights halved to float16, widened again when the model is loaded; activations float32."
    ),
    Variant("dynamic", "dynamic range", "Weights int8; activations float32, quantized as they come, image by image."),
    Variant("int8", "full integer", "Weights and activations int8, input and output included: integers only.", "int8", True),
    Variant("int16x8", "int16 activations", "Weights int8, activations int16, input and output included.", "int16", True),
)
"""Every variant, the one nearest to the trained model first."""

VARIANT_NAMES = tuple(variant.name for variant in VARIANTS)

RULED_OUT_BY_SELECT_OPS = ("litert", "litert_builtin", "litert_reference", "tflm", "generated_c")
"""Runtimes that have no kernels for TensorFlow's own ops (SELECT_TF_OPS): all that are not TensorFlow."""


def get_variant(name: str) -> Variant:
    """Returns the variant of that name.

    Raises:
        ConversionError: there is none.
    """
    for variant in VARIANTS:
        if variant.name == name:
            return variant
    raise ConversionError(
        f"there is no variant {name!r}{did_you_mean(name, VARIANT_NAMES)}; choose from {', '.join(VARIANT_NAMES)}"
    )


def artifact_name(variant: str) -> str:
    """Returns the file name of a variant in a run's folder."""
    return f"model_{variant}.tflite"
