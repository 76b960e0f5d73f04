"""Trials without networks: what a worker's process does around them is as it is, what they find is drawn from their number.

``python -m support.stand_in_trials STORAGE TRIALS SECONDS`` works in the study of a storage, as `glyphlite.search.worker` does.
"""

import sys
import time
from typing import Any

from glyphlite.search import work
from glyphlite.search.study import join_study, quiet_optuna, settings_of, sign, storage_of

TAKES = "takes"
"""Attribute of a trial that is under way: the seconds that it takes."""


def stand_in(seconds: float) -> None:
    """Puts stand-ins in place of this process's trials; each takes so many seconds."""

    def tried(_: Any, trial: Any, workplace: work.Workplace) -> tuple[float, ...]:
        sign(trial)
        if workplace.images is not None:  # out of Ray's object store
            assert workplace.data(28).input_shape == (28, 28, 1)
        side = trial.suggest_categorical("side", [28, 20, 16])
        depth = trial.suggest_int("depth", 1, 1000)
        trial.set_user_attr(TAKES, seconds)
        workplace.beat()
        time.sleep(seconds)
        workplace.beat()
        return 1 - depth / 1001, float(side * depth)

    work._tried = tried


def main() -> None:
    storage, trials, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    stand_in(seconds)
    with quiet_optuna():
        study = join_study(storage_of(storage))
        work.work(study, work.Workplace(settings_of(study)), trials=trials)


if __name__ == "__main__":
    main()
