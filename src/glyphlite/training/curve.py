"""The picture of a training: loss and accuracy over the epochs, training against validation, the chosen epoch marked."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from glyphlite.escaping import printable
from glyphlite.files.owned import owned_path
from glyphlite.training.history import EpochRecord


def draw_training_curve(history: Sequence[EpochRecord], path: Path, *, title: str = "", best_epoch: int | None = None) -> Path:
    """Draws a history as a PNG (or whatever the suffix says) and returns its path.

    Args:
        history: at least one epoch.
        path: where the picture goes; written atomically.
        title: above the picture, as it is: a dataset may be called ``$^$``, which is no formula.
        best_epoch: marked in both panels, from 1, where validation images chose it.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    epochs = [record.epoch for record in history]
    losses = [record.validation_loss for record in history if record.validation_loss is not None]
    accuracies = [100 * record.validation_accuracy for record in history if record.validation_accuracy is not None]
    panels = (
        ("loss", [record.loss for record in history], losses),
        ("accuracy, %", [100 * record.accuracy for record in history], accuracies),
    )
    figure = Figure(figsize=(9, 3.4), dpi=120, layout="constrained")
    for axes, (name, training, validation) in zip(figure.subplots(1, 2), panels, strict=True):
        axes.plot(epochs, training, marker=".", color="#4c78a8", label="training")
        if validation:
            axes.plot(epochs, validation, marker=".", color="#e45756", label="validation")
        if validation and best_epoch is not None:
            axes.axvline(best_epoch, color="#777777", linewidth=1, linestyle=":", label=f"chosen: epoch {best_epoch}")
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    if title:
        figure.suptitle(printable(title), parse_math=False)
    with owned_path(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary)
    return path
