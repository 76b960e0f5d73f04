"""What a person sees while a model trains."""

import io
from dataclasses import replace

from rich.console import Console

from glyphlite.training import progress
from glyphlite.training.history import EpochRecord

RECORD = EpochRecord(2, 0.001, 0.25, 0.9, 0.2, 0.945, 3.25)


def _shown(monkeypatch, *, terminal: bool, record: EpochRecord = RECORD, width: int = 160) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=width, highlight=False)
    monkeypatch.setattr(progress, "stderr_console", lambda: console)
    monkeypatch.setattr(progress, "say", console.print)
    with progress.TrainingProgress("micro-cnn", epochs=5, steps=430, done=430) as display:
        display.update(1, 215, 0.25, 0.9)
        display.epoch_done(record, best=True)
    return stream.getvalue()


def test_live_line(monkeypatch):
    shown = _shown(monkeypatch, terminal=True)
    for words in ("micro-cnn", "epoch 2/5", "batch 215/430", "loss 0.2500", "accuracy 90.00%", "left"):
        assert words in shown


def test_the_live_line_fits_80_columns(monkeypatch):
    shown = _shown(monkeypatch, terminal=True, width=80)
    assert "…" not in shown
    assert "left" in shown


def test_one_line_an_epoch_where_nobody_watches(monkeypatch):
    assert _shown(monkeypatch, terminal=False) == (
        "epoch  2/5  loss 0.2500  accuracy 90.00%  validation loss 0.2000  validation accuracy 94.50%  3.2 s  best so far\n"
    )


def test_the_mean_recall_that_chooses_the_epoch_is_shown(monkeypatch):
    weighed = replace(RECORD, validation_balanced_accuracy=0.871)
    assert "validation accuracy 94.50%, mean recall 87.10%  3.2 s" in _shown(monkeypatch, terminal=False, record=weighed)
