"""A search on a Ray cluster of two nodes on this machine, of which one is killed amid a trial; prints what the study then holds.

``python -m support.ray_search STORAGE TRIALS``, by a Python that has Ray. Trials are stand-ins.
"""

import json
import os
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

from glyphlite.conversion import isolation
from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.search import worker
from glyphlite.search.budget import Budget
from glyphlite.search.ray.crew import RayCrew
from glyphlite.search.settings import SearchSettings
from glyphlite.search.study import begin_study, quiet_optuna, running_trials, storage_of
from support.stand_in_trials import TAKES, stand_in

SECONDS = "STAND_IN_SECONDS"
SETTINGS = SearchSettings("mnist", (28, 28, 1), 10, Budget("cortex-m0", 16_384, 4096), sides=(28,), sampler="random")


def set_up() -> None:
    """Makes a process of Ray's ready for stand-ins, which need no TensorFlow."""
    isolation.prepare = lambda: None
    worker.pin_threads = lambda _: None
    worker.TRIALS_OF_A_PROCESS = 3
    stand_in(float(os.environ.get(SECONDS, "0.2")))


def images(_: int) -> Dataset:
    """Returns a few images."""
    split = Split(np.zeros((20, 28, 28, 1), np.uint8), np.arange(20, dtype=np.int64) % 10)
    return Dataset("few", tuple("0123456789"), split, split, split, "a test")


def main() -> None:
    ray: Any = import_module("ray")
    Cluster: Any = import_module("ray.cluster_utils").Cluster  # noqa: N806
    place, trials = sys.argv[1], int(sys.argv[2])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    doomed = cluster.add_node(num_cpus=1, env_vars={SECONDS: "600"})
    ray.init(
        address=cluster.address,
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env={"worker_process_setup_hook": "support.ray_search.set_up"},
    )
    with quiet_optuna():
        study = begin_study(storage_of(place), "shared", SETTINGS, priors=False)
        orders = {"storage": place, "study": "shared", "trials": trials}
        lost = None
        with RayCrew(study, orders, images, SETTINGS.sides, cluster.address, 2) as crew:
            while crew.look_after():
                time.sleep(0.1)
                if lost is not None:
                    continue
                stuck = [trial for trial in running_trials(study) if trial.user_attrs.get(TAKES, 0) > 100]
                if stuck:
                    lost = stuck[0].number
                    cluster.remove_node(doomed, allow_graceful=False)
        found = [
            {
                "number": each.number,
                "state": each.state.name,
                "params": each.params,
                "retry_of": each.user_attrs.get("retry_of"),
                "process": each.user_attrs["worker"]["process"],
            }
            for each in study.get_trials(deepcopy=False)
        ]
    sys.stdout.write(json.dumps({"lost": lost, "trials": found}) + "\n")
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
