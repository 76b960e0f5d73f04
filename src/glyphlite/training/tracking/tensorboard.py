"""TensorBoard's event files, by TensorFlow alone: the folders and tags that Keras's own callback writes.

A scalar is a tensor with the metadata of TensorBoard's scalars plugin (tensorboard/plugins/scalar/metadata.py): what
``tf.summary.scalar`` writes where the package ``tensorboard`` is installed, which nothing here needs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glyphlite.escaping import markdown
from glyphlite.training.history import EpochRecord

TRAIN, VALIDATION = "train", "validation"


class TensorBoardTracker:
    """The events of one training, in ``FOLDER/NAME/train`` and ``FOLDER/NAME/validation``; figures in ``FOLDER/NAME``."""

    def __init__(self, folder: Path, name: str, *, resumed: bool) -> None:
        """Chooses ``NAME``, or ``NAME-2`` and so on where that has events, unless they are to be gone on with."""
        self.folder = _folder(folder, name, resumed=resumed)
        self._last = _last_step(self.folder / VALIDATION) if resumed else -1
        self._writers: dict[Path, Any] = {}

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Writes them as a table, which TensorBoard shows under Text; once."""
        if self._last >= 0:
            return
        import tensorflow as tf

        rows = "\n".join(f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items())
        table = f"| Parameter | Value |\n|---|---|\n{rows}"
        with self._writer(self.folder).as_default():
            tf.summary.write("parameters", tf.constant([table]), step=0, metadata=_metadata("text", tensor=True))

    def epoch(self, record: EpochRecord) -> None:
        """Writes an epoch, counted from 0 as Keras counts; one that a former process wrote is there already."""
        step = record.epoch - 1
        if step <= self._last:
            return
        train = {"loss": record.loss, "accuracy": record.accuracy, "learning_rate": record.learning_rate}
        self._scalars(self.folder / TRAIN, step, {f"epoch_{name}": value for name, value in train.items()})
        held_out = {"epoch_loss": record.validation_loss, "epoch_accuracy": record.validation_accuracy}
        if measured := {name: value for name, value in held_out.items() if value is not None}:
            self._scalars(self.folder / VALIDATION, step, measured)

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        """Writes what was measured."""
        self._scalars(self.folder, step, values)

    def close(self, *, finished: bool) -> None:
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()

    def _scalars(self, folder: Path, step: int, values: Mapping[str, float]) -> None:
        import tensorflow as tf

        writer = self._writer(folder)
        with writer.as_default():
            for name, value in values.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step=step, metadata=_metadata("scalars"))
        writer.flush()

    def _writer(self, folder: Path) -> Any:
        import tensorflow as tf

        if folder not in self._writers:
            self._writers[folder] = tf.summary.create_file_writer(str(folder))
        return self._writers[folder]


def _metadata(plugin: str, *, tensor: bool = False) -> Any:
    import tensorflow as tf

    kind: Any = tf.compat.v1.SummaryMetadata
    # DataClass of tensorflow/core/framework/summary.proto: 1 is a scalar, 2 a tensor.
    return kind(plugin_data=kind.PluginData(plugin_name=plugin), data_class=2 if tensor else 1)


def _folder(parent: Path, name: str, *, resumed: bool) -> Path:
    """Returns the newest folder of that name with events, to go on with it; else the next one without."""
    number, newest, folder = 1, None, parent / name
    while folder.is_dir():
        number, newest, folder = number + 1, folder, parent / f"{name}-{number + 1}"
    return newest if resumed and newest is not None else folder


def _last_step(folder: Path) -> int:
    """Returns the last step that the event files of a folder have, -1 where there is none; one cut off counts to its cut."""
    import tensorflow as tf

    last = -1
    for path in sorted(folder.glob("events.out.tfevents.*")):
        try:
            for event in tf.compat.v1.train.summary_iterator(str(path)):
                if event.summary.value:
                    last = max(last, event.step)
        except tf.errors.DataLossError:
            continue
    return last


def _cell(value: Any) -> str:
    return markdown(str(value))
