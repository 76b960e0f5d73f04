"""Shortcuts of the process that the trials are forked from: what takes seconds and writes no file of ours is done once, and kept.

TensorFlow runs step by step rather than compile what runs a dozen times; the searches, compilations and conversions that other
programs do are known by what goes into them; inferences are timed as little as possible; pictures are empty; interpreters run in
forks; C that is only checked is not optimized.
"""

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glyphlite.files.single import make_folder
from support.faults.forked_worker import import_runtimes


def take_shortcuts(folder: Path, *, tensorflow: bool, one_model: bool = False) -> None:
    """Puts the shortcuts in place, for this process and those that are forked from it.

    Args:
        folder: where answers are kept.
        tensorflow: whether commands will be run that use it; it is imported then.
        one_model: whether all commands take the same model under different names, on which no answer depends.
    """
    from glyphlite import host_compiler
    from glyphlite.conversion import converter
    from glyphlite.evaluation import latency
    from glyphlite.export.web import page
    from glyphlite.runtimes import generated_c, tflm_arena
    from glyphlite.training.engine import library

    make_folder(folder)
    for module, name, words, files in (
        (tflm_arena, "_search", lambda *_: (), lambda path, *_: path.read_bytes()),
        (
            page,
            "_engine",
            lambda _, build: build,
            lambda place, _: [each.read_bytes() for each in sorted((place / "c").rglob("*.[ch]"))],
        ),
        (converter, "convert_apart", lambda _, variant, images, *, select: (variant, select, images is None), _saved_model),
    ):
        setattr(module, name, _remembered(getattr(module, name), words, None if one_model else files, folder))
    library.user_cache = host_compiler.user_cache = lambda: folder  # what zig has compiled once
    latency.WARM_UP_SECONDS = 0.0
    measured: Any
    for measured in (latency.measure_latency, latency.runtime_latency, latency.keras_latency):
        measured.__kwdefaults__["seconds"] = 0.0
    import_runtimes()
    created: Any = generated_c.GeneratedC.__init__
    created.__defaults__ = (None, ("-O0", "-march=native"), "speed")
    if tensorflow:
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
    if tensorflow and not one_model:
        from matplotlib.figure import Figure

        drawn: Any = Figure
        drawn.draw = lambda _, __: None  # it is written as one that is drawn


def _saved_model(saved: str | Path, _variant: str, images: Any, **_: Any) -> Any:
    """Returns what a conversion depends on; a SavedModel's graph is told by its weights, as every trial has the same layers."""
    weights = sorted((Path(saved) / "variables").glob("variables.data*"))
    return None if images is None else images.tobytes(), [each.read_bytes() for each in weights]


def _remembered(
    work: Callable[..., Any], words: Callable[..., Any], files: Callable[..., Any] | None, folder: Path
) -> Callable[..., Any]:
    """Returns a function whose answers are kept on disk.

    Args:
        work: what takes the time.
        words: which of its arguments an answer depends on, given all of them.
        files: what is in files that it depends on; None where that is always the same.
        folder: where answers are kept.
    """

    def remembered(*arguments: Any, **options: Any) -> Any:
        depends = words(*arguments, **options), files and files(*arguments, **options)
        kept = folder / hashlib.sha256(pickle.dumps((work.__name__, depends))).hexdigest()
        if not kept.exists():
            answer = work(*arguments, **options)
            draft = folder / f"{kept.name}.{os.getpid()}"
            draft.write_bytes(pickle.dumps(answer))
            draft.replace(kept)
        return pickle.loads(kept.read_bytes())

    return remembered
