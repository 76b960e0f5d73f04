"""A search on Ray: a head and a second node on loopback, the second killed amid a trial; none is lost or counted twice."""

import json
import os
import subprocess
import sys
import sysconfig
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest
from support.environments import NoEnvironmentError, environment

from glyphlite.errors import ToolError
from glyphlite.extras import has_extra
from glyphlite.search.ray.crew import RayCrew
from glyphlite.search.study import storage_url

TESTS = Path(__file__).parents[1]
TRIALS = 8


@pytest.mark.slow
def test_a_killed_node_loses_no_trial_and_none_counts_twice(tmp_path: Path) -> None:
    try:
        python = environment("ray", ("ray==2.60.0", f"protobuf=={version('protobuf')}"))
    except NoEnvironmentError as reason:
        pytest.skip(f"the package index does not give Ray: {reason}")
    ours = (TESTS.parent / "src", TESTS, sysconfig.get_paths()["purelib"])
    settings = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, ours)),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
    }
    command = [str(python), "-m", "support.ray_search", storage_url(tmp_path / "study.db"), str(TRIALS)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith('{"lost"')))  # Ray writes there, too
    trials = found["trials"]
    states = Counter(trial["state"] for trial in trials)
    assert (states["COMPLETE"], states["FAIL"], len(states)) == (TRIALS, 1, 2), states
    assert trials[found["lost"]]["state"] == "FAIL"
    (again,) = [trial for trial in trials if trial["retry_of"] == found["lost"]]
    assert (again["state"], again["params"]) == ("COMPLETE", trials[found["lost"]]["params"])
    assert [trial["number"] for trial in trials] == list(range(TRIALS + 1))
    assert max(Counter(trial["process"] for trial in trials).values()) <= 3, "a worn actor gives way to a new one"


@pytest.mark.skipif(has_extra("ray"), reason="Ray is installed")
def test_ray_is_named_with_the_command_that_installs_it() -> None:
    assert "ray" not in sys.modules
    with pytest.raises(ToolError, match=r"--ray needs Ray, .*glyphlite\[ray\]"):
        RayCrew(None, {}, lambda _: None, (28,), "auto")  # pyright: ignore[reportArgumentType]
