"""A worker of a search: a process that runs trials, one after the other, TensorFlow imported once.

It gets its orders as a line of JSON on standard input and ends when that is closed: with the process that started it, however
that died. The trial that it is at is then queued again.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from glyphlite.console import ignore_settings_of_libraries, quiet_tensorflow, say
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import GlyphliteError
from glyphlite.search.wear import TRIALS_OF_A_PROCESS, WORN


class StoppedError(BaseException):
    """The search was stopped, amid a trial."""


def main() -> None:
    """Runs trials as a line of standard input says, until there are enough, or nobody wants them any more."""
    quiet_tensorflow()
    ignore_settings_of_libraries()
    from glyphlite.files.scratch import gather_temporary_files

    gather_temporary_files()
    stopped = threading.Event()
    orders = json.loads(sys.stdin.readline())
    threading.Thread(target=_wait_for_end, args=(stopped,), daemon=True).start()
    try:
        is_complete = serve(orders, stopped)
    except GlyphliteError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, StoppedError):
        sys.exit(0)
    sys.exit(0 if is_complete else WORN)


def serve(orders: Mapping[str, Any], stopped: threading.Event, images: Callable[[int], Dataset] | None = None) -> bool:
    """Joins the study of the orders and works in it; returns whether it is complete, or leaves it to a new process.

    Args:
        orders: ``storage``, ``study``, and where they are given ``trials``, ``dataset``, ``data_dir``, ``threads``.
        stopped: ends the work, amid a trial.
        images: gives them by their side, where they were read before.

    Raises:
        GlyphliteError: the storage, the data or a tool cannot be had.
        StoppedError: ``stopped`` was set.
    """
    from glyphlite.conversion.isolation import prepare
    from glyphlite.search.study import join_study, quiet_optuna, settings_of, storage_failures, storage_of
    from glyphlite.search.work import Workplace, work

    pin_threads(orders.get("threads"))
    prepare()

    def beat() -> None:
        if stopped.is_set():
            raise StoppedError

    with quiet_optuna(), storage_failures():
        study = join_study(storage_of(orders["storage"]), orders.get("study"))
        folder = orders.get("data_dir")
        settings = settings_of(study)
        workplace = Workplace(settings, orders.get("dataset"), Path(folder) if folder else None, beat, images)
        workplace.data(settings.sides[0])  # what cannot be read is told before a network is measured in vain
        return work(study, workplace, trials=orders.get("trials"), at_most=TRIALS_OF_A_PROCESS, stop=stopped.is_set)


def pin_threads(threads: int | None) -> None:
    """Limits the threads of TensorFlow, of our engine and of what follows OpenMP's variable; before TensorFlow computes."""
    if threads is None:
        return
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _wait_for_end(stopped: threading.Event) -> None:
    while sys.stdin.readline():
        pass
    stopped.set()


if __name__ == "__main__":
    main()
