"""CPU time counts what runs now, what has ended and what the children did; sleeping is free."""

import subprocess
import sys
import time

from glyphlite.pipeline.runs.stages import Stages, cpu_seconds

BURN = "import time\nwhile time.process_time() < 0.25: pass\n"  # the system tells of a running process in hundredths


def test_a_child_that_ended_counts() -> None:
    before = cpu_seconds()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert cpu_seconds() - before >= 0.2


def test_a_child_of_a_child_that_still_runs_counts() -> None:
    grandchild = f"{BURN}print(flush=True)\nimport sys; sys.stdin.read()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}], check=True)"
    before = cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        running = cpu_seconds()
    assert running - before >= 0.2
    assert cpu_seconds() >= running - 0.02  # once ended it is counted by another part of the sum, and once


def test_a_stage_that_waits_takes_seconds_but_no_cpu_seconds() -> None:
    stages = Stages(2)
    with stages.stage("wait", "waiting"):
        time.sleep(0.3)
    with stages.stage("work", "working"):
        subprocess.run([sys.executable, "-c", BURN], check=True)
    assert stages.seconds["wait"] >= 0.3
    assert stages.cpu_seconds["wait"] < stages.seconds["wait"]
    assert stages.cpu_seconds["work"] >= 0.2
