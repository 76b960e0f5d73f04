"""The stopwatch, with a clock of our own: what is timed, how often, and what is reported. Never real time."""

import numpy as np
import pytest

from glyphlite.evaluation.latency import LEAST_REPEATS, latency_of, measure_latency


class Machine:
    """A clock in nanoseconds, and work that moves it on: every hundredth call is disturbed."""

    def __init__(self, work_ns: int) -> None:
        self.now = 0
        self.calls = 0
        self.work_ns = work_ns

    def clock(self) -> int:
        self.now += 20
        return self.now

    def work(self) -> None:
        self.calls += 1
        self.now += self.work_ns * (50 if self.calls % 100 == 0 else 1)


def test_the_median_shrugs_off_disturbances_and_the_warm_up_is_not_counted():
    machine = Machine(work_ns=12_000)
    latency = measure_latency(machine.work, seconds=0.5, clock=machine.clock)
    assert latency.median_us == pytest.approx(12.02)
    assert latency.lower_quartile_us == latency.upper_quartile_us == pytest.approx(12.02)
    assert latency.repeats < machine.calls
    assert latency.repeats == pytest.approx(0.5e9 / (12_020 * 1.49), rel=0.05)


def test_slow_work_is_still_repeated_often_enough_for_a_median():
    machine = Machine(work_ns=400_000_000)
    assert measure_latency(machine.work, seconds=0.5, clock=machine.clock).repeats == LEAST_REPEATS


def test_quartiles_of_known_durations():
    latency = latency_of(np.array([5.0, 1.0, 3.0, 2.0, 4.0]))
    assert (latency.lower_quartile_us, latency.median_us, latency.upper_quartile_us) == (2.0, 3.0, 4.0)
