"""int8 artifacts to measure: the five reference models and a depthwise-separable one, trained for a moment on real digits.

Speed and memory do not depend on how well a model is trained, but a core's early exits and a cache's hits depend on the weights
being of the trained kind. Kept in the user's cache; ``micro-cnn`` is the repository's own sample.
"""

import shutil
from pathlib import Path
from typing import Any

from glyphlite.console import quiet_tensorflow, say
from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.files.single import user_cache, write_bytes

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples" / "micro-cnn"
REFERENCE = ("decay-cnn", "micro-cnn", "edge-cnn", "mlp", "classic-cnn")
SEPARABLE = "separable-cnn"
_IMAGES = 12_800


def cache_folder(name: str) -> Path:
    """A folder of the benchmarks in the user's cache."""
    folder = user_cache() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def artifact_of(name: str, *, batch: int | None = 1) -> Path:
    """The int8 .tflite of a model of :data:`REFERENCE`, or of :data:`SEPARABLE`; made on the first call.

    Args:
        name: the model.
        batch: 1, as microcontrollers need it, or None: the same weights with a free batch.
    """
    path = cache_folder("benchmark-models") / f"{name}{'' if batch else '-batches'}.tflite"
    if not path.exists():
        if name == "micro-cnn" and batch:
            shutil.copy(SAMPLES / "model_int8.tflite", path)
        else:
            _convert(name, path, batch)
    return path


def _convert(name: str, path: Path, batch: int | None) -> None:
    quiet_tensorflow()
    import keras

    from glyphlite.conversion.calibration import representative_images
    from glyphlite.conversion.converter import convert
    from glyphlite.datasets.registry import load_dataset

    dataset = load_dataset("mnist")
    trained = SAMPLES / "model.keras" if name == "micro-cnn" else path.with_name(f"{name}.keras")
    if not trained.exists():
        say(f"training {name} on {_IMAGES} digits, once")
        _train(name, dataset, trained)
    model: Any = keras.saving.load_model(trained)
    write_bytes(path, convert(model, "int8", representative=representative_images(dataset, 300), batch=batch).content)


def _train(name: str, dataset: Dataset, path: Path) -> None:
    import keras

    from glyphlite.models.registry import resolve_model
    from glyphlite.models.saving import save_keras

    keras.utils.set_random_seed(0)
    model: Any = _separable() if name == SEPARABLE else resolve_model(name, dataset.input_shape, dataset.classes).build()
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss="sparse_categorical_crossentropy")
    model.fit(as_float(dataset.train.images[:_IMAGES]), dataset.train.labels[:_IMAGES], batch_size=64, epochs=1, verbose=0)
    save_keras(model, path)


def _separable() -> Any:
    """A small MobileNet: strided 3x3 convolution, two depthwise-separable blocks, global average, one dense layer."""
    import keras
    from keras import layers

    def block(x: Any, filters: int) -> Any:
        x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu")(x)
        return layers.Conv2D(filters, 1, activation="relu")(x)

    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    x = block(block(x, 16), 32)
    x = layers.AveragePooling2D(4)(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)), name=SEPARABLE)
